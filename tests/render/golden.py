"""The golden cases: folders with locks, places, and what must come of them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from builder.lockfile.lock import Lock
from builder.lockfile.reading import dump_lock, parse_lock
from builder.render.assembled import configure_base
from builder.render.fetches import Inputs
from builder.render.files import Rendered, render
from builder.render.places import Place, Places
from builder.render.shell import Verbatim

ROOT = Path(__file__).resolve().parent.parent / "golden"
CASES = tuple(sorted(path.name for path in ROOT.iterdir() if (path / "places.toml").exists()))


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
def places(case: str) -> Places:
    """Return the places of a case."""
    table = tomllib.loads((ROOT / case / "places.toml").read_text("utf-8"))
    return Places(
        places={name: Place(**place) for name, place in table["places"].items()},
        mirrors=tuple(table["mirrors"].items()),
    )


def rendered(case: str, inputs: Inputs) -> Rendered:
    """Render a case; from the store no place is known."""
    bound = places(case)
    if inputs is Inputs.STORE:
        bound = Places(mirrors=bound.mirrors)
    return render(locks(case), inputs=inputs, places=bound)
