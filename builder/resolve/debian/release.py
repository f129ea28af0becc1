"""An InRelease file: who signed it, when it holds, and the digests it vouches for.

Only the signed text is ever read. What stands before the signed message or
after its signature is refused rather than skipped, as apt does.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from debian.deb822 import Release as Fields

from builder.errors import DigestMismatchError, FetchError
from builder.mail_date import parse_mail_date
from builder.openpgp import certificates, verify_clear
from builder.resolve.os import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pysequoia import Cert

    from builder.model import Arch

__all__ = ["InRelease", "check_index", "check_suite", "check_window", "read_inrelease"]

_BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = b"-----BEGIN PGP SIGNATURE-----"
_END = b"-----END PGP SIGNATURE-----"
_SUFFIXES = (".xz", ".gz", "")  # the smallest first
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REFETCH = "fetch the InRelease file again, if necessary from another mirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class InRelease:
    """What a signed InRelease file says.

    Times are aware, in UTC; `valid_until` is None for a suite that states
    none. `entries` maps a path below the suite's folder to (sha256, size in
    bytes). `signers` are the fingerprints of the keyring's certificates that
    signed it, sorted; `sha256` is the digest of the whole file.
    """

    place: str
    suite: str
    codename: str
    date: datetime
    valid_until: datetime | None
    components: tuple[str, ...]
    architectures: tuple[str, ...]
    acquire_by_hash: bool
    entries: Mapping[str, tuple[str, int]]
    signers: tuple[str, ...]
    sha256: str

    def index_entry(self, path: str) -> tuple[str, int]:
        """Return (sha256, size in bytes) of an index file such as `main/binary-amd64/Packages.xz`.

        Raises FetchError when the file is not listed.
        """
        if path not in self.entries:
            raise FetchError(
                f"{path} is not listed; components are {' '.join(self.components)}, "
                f"architectures {' '.join(self.architectures)}",
                place=self.place,
                hint="check the platform's suites, components and architectures",
            )
        return self.entries[path]

    def by_hash(self, path: str) -> str:
        """Return the path that names the listed bytes of `path` even while the archive changes."""
        sha256, _ = self.index_entry(path)
        folder, slash, _ = path.rpartition("/")
        return f"{folder}{slash}by-hash/SHA256/{sha256}"

    def packages_path(self, component: str, arch: Arch) -> str:
        """Return the path of a package index below the suite, in the smallest form that is listed."""
        paths = [f"{component}/binary-{arch.debian}/Packages{suffix}" for suffix in _SUFFIXES]
        return next((path for path in paths if path in self.entries), paths[0])


def read_inrelease(data: bytes, keyring: bytes | Iterable[bytes], *, place: str) -> InRelease:
    """Verify an InRelease file against certificates (binary or armoured) and parse its signed text.

    One good signature by a certificate of `keyring` is enough, as for apt;
    key validity is that of the time of signing. Raises FetchError when the
    file is not one signed message, and when the signed text lacks a field;
    DigestMismatchError when no signature of a known certificate is good.
    """
    known = certificates((keyring,) if isinstance(keyring, bytes) else keyring, place=place)
    _check_frame(data, place)
    text, signers = _signed_text(data, known, place)
    return _parsed_release(text, signers=signers, sha256=hashlib.sha256(data).hexdigest(), place=place)


def check_window(release: InRelease, at: datetime) -> None:
    """Raise FetchError unless `release` holds `at` that time, which must be aware.

    Date <= at, and at <= Valid-Until where the suite states one.
    """
    if at < release.date:
        raise FetchError(
            f"the index of {release.codename} is of {utc_text(release.date)}, later than {utc_text(at)}",
            place=release.place,
            hint="use the archive's snapshot of that day, or state a later date",
        )
    if release.valid_until is not None and at > release.valid_until:
        raise FetchError(
            f"the index of {release.codename} expired on {utc_text(release.valid_until)}, "
            f"before {utc_text(at)}",
            place=release.place,
            hint="fetch a current InRelease file; a mirror that serves an expired one is stale or hostile",
        )


def check_suite(release: InRelease, suite: str) -> None:
    """Raise FetchError unless the file is of `suite`, by its Suite or its Codename.

    A mirror can serve one suite's signed file in the place of another's.
    """
    if suite not in {release.suite, release.codename}:
        raise FetchError(
            f"expected the index of {suite}, got that of {release.suite} ({release.codename})",
            place=release.place,
            hint=_REFETCH,
        )


def check_index(release: InRelease, path: str, data: bytes) -> None:
    """Raise DigestMismatchError, naming `path`, unless `data` is the listed index file."""
    sha256, size = release.index_entry(path)
    if len(data) != size:
        raise DigestMismatchError(
            f"{path} has {len(data)} bytes, the signed index says {size}",
            place=release.place,
            hint=_refetch_hint(path),
        )
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DigestMismatchError(
            f"{path} has sha256 {found}, the signed index says {sha256}",
            place=release.place,
            hint=_refetch_hint(path),
        )


def _refetch_hint(path: str) -> str:
    return f"fetch {path} again; if the archive is just being updated, fetch its InRelease again, too"


def _check_frame(data: bytes, place: str) -> None:
    """Refuse anything but exactly one clear-signed message from the first byte to the last."""
    lines = [line.rstrip(b" \t\r") for line in data.split(b"\n")]
    if lines[0] != _BEGIN:
        raise FetchError("there is unsigned text before the signed message", place=place, hint=_REFETCH)
    counts = [lines.count(mark) for mark in (_BEGIN, _SIGNATURE, _END)]
    if counts[1:] == [0, 0] or counts[2] == 0:
        raise FetchError("the file is cut off: its signature is missing", place=place, hint=_REFETCH)
    if counts != [1, 1, 1]:
        raise FetchError(
            "the file holds more than one message or signature block", place=place, hint=_REFETCH
        )
    if any(lines[lines.index(_END) + 1 :]):
        raise FetchError("there is unsigned text after the signature", place=place, hint=_REFETCH)


def _signed_text(data: bytes, keyring: tuple[Cert, ...], place: str) -> tuple[str, tuple[str, ...]]:
    text, signers = verify_clear(data, keyring, place=place, hint=_REFETCH)
    try:
        return text.decode("utf-8"), signers
    except UnicodeDecodeError as error:
        raise FetchError(f"the signed text is not UTF-8 ({error.reason})", place=place) from error


def _parsed_release(text: str, *, signers: tuple[str, ...], sha256: str, place: str) -> InRelease:
    fields = Fields(text.splitlines())
    missing = [
        name for name in ("Codename", "Date", "Components", "Architectures", "SHA256") if name not in fields
    ]
    if missing:
        raise FetchError(f"the signed text has no {' and no '.join(missing)}", place=place, hint=_REFETCH)
    until = fields.get("Valid-Until")
    return InRelease(
        place=place,
        suite=fields.get("Suite", ""),
        codename=fields["Codename"],
        date=_parsed_time(fields["Date"], "Date", place),
        valid_until=None if until is None else _parsed_time(until, "Valid-Until", place),
        components=tuple(fields["Components"].split()),
        architectures=tuple(fields["Architectures"].split()),
        acquire_by_hash=fields.get("Acquire-By-Hash", "no") == "yes",
        entries=MappingProxyType(_sha256_entries(fields["SHA256"], place)),
        signers=signers,
        sha256=sha256,
    )


def _sha256_entries(rows: Iterable[Mapping[str, str] | str], place: str) -> dict[str, tuple[str, int]]:
    """Read the SHA256 table, of which python-debian gives texts if it stands beside the field's name."""
    found = {}
    for row in rows:
        if isinstance(row, str):
            raise FetchError("the SHA256 field is not a table of files", place=place, hint=_REFETCH)
        name, entry = _index_row(row, place)
        found[name] = entry
    return found


def _index_row(row: Mapping[str, str], place: str) -> tuple[str, tuple[str, int]]:
    name, sha256, size = row.get("name", ""), row.get("sha256", ""), row.get("size", "")
    plain = name and not name.startswith("/") and ".." not in name.split("/")
    if not plain or not _SHA256.fullmatch(sha256) or not (size.isascii() and size.isdigit()):
        raise FetchError(f"the SHA256 table has a malformed row for {name!r}", place=place)
    return name, (sha256, int(size))


def _parsed_time(text: str, field: str, place: str) -> datetime:
    try:
        return parse_mail_date(text)
    except ValueError as error:
        raise FetchError(f"{field} is {text[:80]!r}, which is not a date", place=place) from error
