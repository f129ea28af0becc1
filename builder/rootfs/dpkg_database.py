"""dpkg's database in the state that it has after unpacking everything and configuring nothing.

From there `dpkg --configure --pending`, inside the system, does the rest. The
files are those that dpkg itself writes when it unpacks: the status of each
package, its control files and file list, and who is interested in which trigger.
"""

from __future__ import annotations

__all__ = ["database"]

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from builder.errors import FetchError
from builder.rootfs.deb import Deb, DebMember

_ROOT = "var/lib/dpkg"
_FILE, _SCRIPT = 0o644, 0o755
_INTERESTS = {"interest": "", "interest-await": "", "interest-noawait": "/noawait"}
_ACTIVATIONS = ("activate", "activate-await", "activate-noawait")


def database(
    debs: Sequence[Deb],
    replaced: Mapping[str, frozenset[bytes]],
    content: Callable[[DebMember], bytes],
) -> dict[bytes, tuple[int, bytes]]:
    """Return mode and content of each file of the database, by path.

    `replaced` names what each package lost to others; `content` reads a file.
    FetchError for a conffile or trigger that dpkg would not take.
    """
    files: dict[str, tuple[int, bytes]] = {"status": (_FILE, b""), "info/format": (_FILE, b"1\n")}
    triggers: dict[str, list[bytes]] = {"File": [], "Unincorp": []}
    stanzas = []
    for deb in sorted(debs, key=lambda deb: deb.name):
        lost = replaced.get(deb.name, frozenset())
        conffiles = tuple(_conffile_rows(deb, lost, content))
        stanzas.append(_status_stanza(deb, conffiles))
        for kind, mode, data in _info_files(deb, lost):
            files[f"info/{_info_name(deb)}.{kind}"] = (mode, data)
        for file, line in _trigger_interests(deb):
            triggers.setdefault(file, []).append(line)
    files["status"] = (_FILE, b"\n".join(stanzas))
    for file, lines in triggers.items():
        files[f"triggers/{file}"] = (_FILE, b"".join(sorted(lines)))
    return {f"{_ROOT}/{path}".encode(): value for path, value in files.items()}


def _info_name(deb: Deb) -> str:
    return f"{deb.name}:{deb.arch}" if deb.multi_arch == "same" else deb.name


def _info_files(deb: Deb, lost: frozenset[bytes]) -> Iterator[tuple[str, int, bytes]]:
    """Yield the files of a package below `info`: what kind, mode and content."""
    lines = [b"/" + (member.path or b".") for member in deb.members if member.path not in lost]
    yield "list", _FILE, b"".join(line + b"\n" for line in lines)
    for file in deb.control:
        if file.name != "list":
            yield file.name, _SCRIPT if file.mode & 0o100 else _FILE, file.data


def _status_stanza(deb: Deb, conffiles: Sequence[tuple[bytes, str]]) -> bytes:
    """Return the package's paragraph of the status file."""
    lines = deb.stanza.split(b"\n")
    own = [b"Status: install ok unpacked"]
    if conffiles:
        own += [b"Conffiles:", *(b" /%s %s" % (path, md5.encode()) for path, md5 in conffiles)]
    return b"\n".join((*lines, *own, b""))


def _conffile_rows(
    deb: Deb, lost: frozenset[bytes], content: Callable[[DebMember], bytes]
) -> Iterator[tuple[bytes, str]]:
    """Yield each configuration file, already in its place, with the MD5 by which dpkg knows it unchanged."""
    files = {member.path: member for member in deb.members if member.kind == "file"}
    for line in deb.control_file("conffiles").splitlines():
        path = line.strip().removeprefix(b"/")
        if not path or line.startswith(b"remove-on-upgrade "):
            continue
        if path not in files or path in lost:
            raise FetchError(
                f"its configuration file {path.decode('utf-8', 'replace')!r} is not a separate file",
                place=deb.name,
            )
        # MD5 is what dpkg's format holds; it protects nothing here.
        yield path, hashlib.md5(content(files[path]), usedforsecurity=False).hexdigest()


def _trigger_interests(deb: Deb) -> Iterator[tuple[str, bytes]]:
    """Yield the lines by which dpkg finds who wants to hear of a trigger, and their file."""
    who = _info_name(deb)
    for line in deb.control_file("triggers").decode("utf-8", "replace").splitlines():
        words = line.partition("#")[0].split()
        if not words or (words[0] in _ACTIVATIONS and len(words) == 2):
            continue
        if len(words) != 2 or words[0] not in _INTERESTS or not words[1].isascii():
            raise FetchError(f"its trigger {line[:80]!r} is not known", place=deb.name)
        option = _INTERESTS[words[0]]
        if words[1].startswith("/"):
            yield "File", f"{words[1]} {who}{option}\n".encode()
        elif words[1] in ("File", "Unincorp", "Lock") or "/" in words[1]:
            raise FetchError(f"its trigger {line[:80]!r} has an impossible name", place=deb.name)
        else:
            yield words[1], f"{who}{option}\n".encode()
