"""The golden cases: folders with locks, origins, and what must come of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from builder.lockfile.lock import DownloadedRow, Lock, downloaded_rows
from builder.lockfile.reading import dump_lock, parse_lock
from builder.origins.origins import Origins
from builder.origins.reading import parse_origins
from builder.render.bases import configure_base
from builder.render.fetches import Addresses, Inputs
from builder.render.files import Rendered, render
from builder.render.quoting import Verbatim

ROOT = Path(__file__).resolve().parent.parent / "golden"
CASES = tuple(sorted(path.name for path in ROOT.iterdir() if (path / "origins.toml").exists()))


def locks(case: str) -> tuple[tuple[Lock, bytes], ...]:
    """Return the locks of a case with their bytes, in file name order."""
    found = []
    for path in sorted((ROOT / case).glob("lock-*.toml")):
        data = path.read_bytes()
        found.append((parse_lock(data, place=path.name), data))
    return tuple(found)


def configuring() -> str:
    """Return the lines that configure a base of our own and are no plain commands."""
    commands = configure_base("debian").commands
    return "".join(f"{command[0].text}\n" for command in commands if isinstance(command[0], Verbatim))


def rewrite_locks(case: str) -> None:
    """Write the locks of a case in their present canonical form."""
    for path in sorted((ROOT / case).glob("lock-*.toml")):
        path.write_bytes(dump_lock(parse_lock(path.read_bytes(), place=path.name)))


@cache
def origins(case: str) -> Origins:
    """Return the origins and mirrors of a case."""
    return parse_origins((ROOT / case / "origins.toml").read_text("utf-8"), case)


@cache
def images(case: str) -> Mapping[str, str]:
    """Return the names under which the images of a case are had."""
    file = ROOT / case / "images.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.exists() else {}


def addresses_of(given: Iterable[Lock], known: Origins) -> dict[DownloadedRow, str]:
    """Return the first address at which a fetch tries the file of each row."""
    rows = [(row, lock.repositories) for lock in given for row in downloaded_rows(lock)]
    return {row: known.row_urls(row, seen)[0] for row, seen in rows}


def addresses(case: str, *given: Lock) -> Addresses:
    """Return the addresses of a case, or of other locks with its origins."""
    rows = given or [lock for lock, _ in locks(case)]
    return Addresses(files=addresses_of(rows, origins(case)), images=images(case))


def rendered(case: str, inputs: Inputs) -> Rendered:
    """Render a case; from the store no address is known."""
    known = Addresses(images=images(case)) if inputs is Inputs.STORE else addresses(case)
    return render(locks(case), inputs=inputs, addresses=known)
