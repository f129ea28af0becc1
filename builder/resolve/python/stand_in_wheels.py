"""Stand-in wheels: metadata alone, through which uv learns of what the index does not offer as a wheel.

Three kinds of distribution have no wheel that uv could read: what a build of ours makes,
what the base image holds, and declared wheels that may be out of reach. Their requirements
must count nevertheless, and nothing may be executed, so `--no-build` rules out sdists. uv's
own `dependency-metadata` does not get past `--no-build` (tried). So each becomes a wheel with
METADATA, WHEEL and RECORD and no code, in a folder that uv gets through `--find-links`, and a
constraint `==` binds its version. The row that it leads to is replaced afterwards: a built
one has no file, a provided one no row, a declared one the published hash. No byte of a
stand-in reaches a lock.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from builder.model import uv_platform
from builder.recipe import StandIn
from builder.resolve.python.graph import RequirementNode

if TYPE_CHECKING:
    from pathlib import Path

    from builder.recipe import DeclaredWheel, PythonRequest

__all__ = ["core_metadata", "stand_in_node", "stand_in_wheel", "write_stand_ins"]

_EPOCH = (1980, 1, 1, 0, 0, 0)
# Of two wheels with the same tag, the higher build number wins (PEP 427). With the best tag there is, this
# number makes uv prefer a stand-in to a published wheel of the same version.
_BUILD_NUMBER = 999_999


def core_metadata(item: StandIn | DeclaredWheel) -> str:
    """Return the METADATA file that says what is known of `item`."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {item.name}",
        f"Version: {item.version}",
        *(f"Requires-Dist: {text}" for text in item.requires),
        *(f"Provides-Extra: {text}" for text in _offered_extras(item)),
    ]
    return "\n".join(lines) + "\n"


def _offered_extras(item: StandIn | DeclaredWheel) -> tuple[str, ...]:
    """Return the extras that the metadata offers; a declared wheel is used without any."""
    return item.provides_extra if isinstance(item, StandIn) else ()


def stand_in_node(item: StandIn | DeclaredWheel) -> RequirementNode:
    """Return `item` as a node of the solution."""
    return RequirementNode(
        name=str(canonicalize_name(item.name)),
        version=item.version,
        requires=item.requires,
        extras=tuple(sorted(str(canonicalize_name(extra)) for extra in _offered_extras(item))),
    )


def stand_in_wheel(item: StandIn | DeclaredWheel, tag: str) -> tuple[str, bytes]:
    """Return file name and bytes, always the same, of a wheel that has metadata and nothing else."""
    stem = f"{canonicalize_name(item.name).replace('-', '_')}-{Version(item.version)}"
    files = {
        f"{stem}.dist-info/METADATA": core_metadata(item).encode(),
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},{_record_digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return f"{stem}-{_BUILD_NUMBER}-{tag}.whl", buffer.getvalue()


def _record_digest(data: bytes) -> str:
    return "sha256=" + urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def write_stand_ins(request: PythonRequest, folder: Path) -> None:
    """Write a wheel for each stand-in and each declared wheel of `request`."""
    platform = uv_platform(request.arch, request.glibc).partition("-")[2]
    interpreter = f"cp{request.python.replace('.', '')}"
    tag = f"{interpreter}-{interpreter}-{platform}_{request.arch}"
    folder.mkdir()
    for item in request.given:
        file, data = stand_in_wheel(item, tag)
        (folder / file).write_bytes(data)
