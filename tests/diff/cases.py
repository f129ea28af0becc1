"""The gallery: folders with a change, what is known about it, and the report in three forms.

`change.patch` is a change of `base.toml`, a real lock as it was once; a case
about several locks has folders `before` and `after` instead. `facts.toml` is
what a repository or the index would say.
"""

from __future__ import annotations

import json
import subprocess
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

from builder.diff.change import Commit, History
from builder.diff.facts import OutsideFacts, with_facts
from builder.diff.forms import as_markdown, as_text, as_value
from builder.diff.pages import page
from builder.diff.reports import Report, report
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock
from builder.revisions import compare_sides, sides_of_files, sides_of_folders

HERE = Path(__file__).parent
BASE = (HERE / "base.toml").read_bytes()
CASES = tuple(sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"))
PATCHES = tuple(name for name in CASES if (HERE / name / "change.patch").is_file())


@cache
def base() -> Lock:
    """Return the lock that the patches change."""
    return parse_lock(BASE, place="base.toml")


def patched(case: str, folder: Path) -> bytes:
    """Return the changed lock of a case, as git applies its patch in `folder`."""
    (folder / "lock.toml").write_bytes(BASE)
    subprocess.run(
        ["git", "apply", str(HERE / case / "change.patch")],
        cwd=folder,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    return (folder / "lock.toml").read_bytes()


def facts(case: str) -> OutsideFacts:
    """Return what a case knows from outside the locks."""
    path = HERE / case / "facts.toml"
    table = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    histories = {
        (row["before"], row["after"]): History(
            added=row["added"],
            dropped=row["dropped"],
            authors=tuple((name, count) for name, count in row["authors"]),
            newest=tuple(Commit(oid=oid, author=author, subject=said) for oid, author, said in row["newest"]),
        )
        for row in table.get("histories", [])
    }
    return OutsideFacts(
        histories=histories,
        yanked={(row["name"], row["version"]): row["reason"] for row in table.get("yanked", [])},
    )


def reported(case: str, folder: Path) -> Report:
    """Return the report of a case."""
    if case in PATCHES:
        sides = sides_of_files(("before", BASE), ("after", patched(case, folder)))
    else:
        sides = sides_of_folders(HERE / case / "before", HERE / case / "after", labels=("before", "after"))
    reading = compare_sides(sides, sides.names)
    known = facts(case)
    compared = [replace(item, changes=with_facts(item.changes, known)) for item in reading.compared]
    return report("before", "after", compared, reading.unsound)


def forms(found: Report) -> dict[str, str]:
    """Return the three forms of a report by file name."""
    said = page(found)
    return {
        "report.txt": "".join("".join(text for text, _ in line) + "\n" for line in as_text(said)),
        "report.md": as_markdown(said),
        "report.json": json.dumps(as_value(found), indent=2, ensure_ascii=False) + "\n",
    }
