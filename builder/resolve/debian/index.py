"""Packages files and dpkg status files as stanzas."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Stanza", "parse_control", "parse_packages", "parse_status", "unpack"]

# python-debian's reader needs eight seconds for one index of 69,000 stanzas
# and a lock reads six, so the split into fields is done here, in under two.
# Relation fields stay text until somebody asks (relation.clauses), because a
# closure looks at a few hundred of them.
_FIELDS = (
    "Package|Version|Architecture|Multi-Arch|Essential|Protected|Important|Priority|Source|Section|Status"
    "|Pre-Depends|Depends|Conflicts|Breaks|Recommends|Suggests|Replaces|Enhances|Provides"
    "|Filename|Size|SHA256"
)
_FIELD = re.compile(rf"^({_FIELDS}):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_BAD_LINE = re.compile(r"^(?![ \t\n]|[!-9;-~]+:|\Z).*", re.MULTILINE)
_BETWEEN = re.compile(r"\n(?:[ \t]*\n)+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stanza:
    """One version of one package.

    Relation fields are the file's own text, read with `relation.clauses`.
    `size` is in bytes; `filename` is relative to the archive's root. Both, and
    `sha256`, are empty for a stanza of a dpkg status file. Two stanzas are
    equal only when they are the same object.
    """

    name: str
    version: str
    arch: str
    multi_arch: str = ""
    essential: bool = False
    protected: bool = False
    priority: str = ""
    section: str = ""
    source: str = ""
    source_version: str = ""
    pre_depends: str = ""
    depends: str = ""
    conflicts: str = ""
    breaks: str = ""
    recommends: str = ""
    suggests: str = ""
    replaces: str = ""
    enhances: str = ""
    provides: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def parse_packages(data: bytes, *, place: str) -> tuple[Stanza, ...]:
    """Read a Packages file: plain, gzip or xz.

    Every stanza must name its file, size and SHA-256. Raises FetchError,
    with `place`, for a file that is cut off, damaged or not such an index.
    """
    return tuple(
        _checked_stanza(fields, place=place, files=True) for fields in _paragraph_fields(data, place)
    )


def parse_status(data: bytes, *, place: str) -> tuple[Stanza, ...]:
    """Read the installed packages of a dpkg status file.

    Raises FetchError, with `place`, for a file that is damaged, and for a
    package that is neither wholly installed nor wholly absent.
    """
    found = []
    for fields in _paragraph_fields(data, place):
        state = fields.get("Status", "").split()[-1:]
        if state == ["installed"]:
            found.append(_checked_stanza(fields, place=place, files=False))
        elif state not in (["config-files"], ["not-installed"]):
            raise FetchError(
                f"package {fields.get('Package', '?')} has the status {fields.get('Status', '')!r}",
                place=place,
                hint="use an image whose packages are all configured",
            )
    return tuple(found)


def parse_control(data: bytes, *, place: str) -> Stanza:
    """Read the control file of one package; FetchError, with `place`, when it is not one paragraph."""
    paragraphs = [
        _checked_stanza(fields, place=place, files=False) for fields in _paragraph_fields(data, place)
    ]
    if len(paragraphs) != 1:
        raise FetchError(f"its control file has {len(paragraphs)} paragraphs, not one", place=place)
    return paragraphs[0]


def unpack(data: bytes, *, place: str) -> bytes:
    """Decompress an index by its first bytes; plain text is returned as it is.

    Raises FetchError when the compressed stream is cut off or damaged.
    """
    try:
        if data.startswith(b"\xfd7zXZ\x00"):
            return lzma.decompress(data)
        if data.startswith(b"\x1f\x8b"):
            return gzip.decompress(data)
    except (lzma.LZMAError, EOFError, OSError, zlib.error) as error:
        raise FetchError(
            f"the compressed index is cut off or damaged ({error})", place=place, hint="fetch it again"
        ) from error
    return data


def _paragraph_fields(data: bytes, place: str) -> Iterator[dict[str, str]]:
    try:
        text = unpack(data, place=place).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FetchError(f"the index is not UTF-8 ({error.reason})", place=place) from error
    bad = _BAD_LINE.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        raise FetchError(f"line {line} is neither a field nor its continuation: {bad[0][:60]!r}", place=place)
    for paragraph in _BETWEEN.split(text.strip("\n")) if text.strip() else ():
        yield dict(_FIELD.findall(paragraph))


def _checked_stanza(fields: dict[str, str], *, place: str, files: bool) -> Stanza:
    missing = [
        name
        for name in ("Package", "Version", "Architecture", *(("Filename", "Size", "SHA256") if files else ()))
        if not fields.get(name)
    ]
    if missing:
        name = fields.get("Package") or "an unnamed package"
        raise FetchError(
            f"the stanza of {name} has no {' and no '.join(missing)}",
            place=place,
            hint="the index is cut off or is not a Packages file; fetch it again",
        )
    size, sha256 = fields.get("Size", "0"), fields.get("SHA256", "")
    if files and not (size.isascii() and size.isdigit() and _SHA256.fullmatch(sha256)):
        raise FetchError(f"the stanza of {fields['Package']} has a malformed Size or SHA256", place=place)
    return _stanza_of_fields(fields, size=int(size) if files else 0, sha256=sha256 if files else "")


def _stanza_of_fields(fields: dict[str, str], *, size: int, sha256: str) -> Stanza:
    get = fields.get
    source, _, rest = get("Source", "").partition(" ")
    return Stanza(
        # Names repeat in every relation and lookup; stripping keeps them comparable.
        name=fields["Package"].strip(),
        version=fields["Version"].strip(),
        arch=fields["Architecture"].strip(),
        multi_arch=get("Multi-Arch", ""),
        essential=get("Essential", "").lower() == "yes",
        protected="yes" in {get("Protected", "").lower(), get("Important", "").lower()},
        priority=get("Priority", "").strip().lower(),
        section=get("Section", ""),
        source=source or fields["Package"].strip(),
        source_version=rest.strip(" ()") or fields["Version"].strip(),
        pre_depends=get("Pre-Depends", ""),
        depends=get("Depends", ""),
        conflicts=get("Conflicts", ""),
        breaks=get("Breaks", ""),
        recommends=get("Recommends", ""),
        suggests=get("Suggests", ""),
        replaces=get("Replaces", ""),
        enhances=get("Enhances", ""),
        provides=get("Provides", ""),
        filename=get("Filename", ""),
        size=size,
        sha256=sha256,
    )
