"""Labels of rows are made in one place, and every section has one."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from builder.lockfile.labels import LockRow, LockSection, named_label, part_label, row_label, submodule_label
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "lock" / "1.4.2" / "debian-13" / "dynamo-x86_64.toml"

SECTION_NAMES = "|".join(section.value for section in LockSection)
BY_HAND = re.compile(
    rf'\bf"(?:{SECTION_NAMES}):? \{{|\bf"(?:image|source|repository) \{{(?:image|source|row)\.'
)
"""An f-string that begins as a label does, or names a row by another word for its section."""

NOTES_OF_DOCKERFILES = {
    "render/fetches.py",
    "render/components.py",
    "render/bases.py",
}
"""Comments of Dockerfiles and their errors name a section, a colon and the row."""

PINS_OF_PLATFORMS = {"matrix/cell.py"}
"""Groups of missing pins, by platform: not rows."""


@pytest.fixture(scope="module")
def lock() -> Lock:
    return parse_lock(LOCK.read_bytes(), place=LOCK.name)


def test_every_list_of_a_lock_has_a_section(lock: Lock) -> None:
    lists = {
        name.replace("_", "-")
        for name, kind in typing.get_type_hints(Lock).items()
        if typing.get_origin(kind) is tuple and dataclasses.is_dataclass(typing.get_args(kind)[0])
    }
    assert lists == {section.value for section in LockSection}


def test_a_label_is_the_section_and_what_identifies_the_row(lock: Lock) -> None:
    torch = next(row for row in lock.python if row.name == "idna")
    assert (
        row_label(torch)
        == f"python idna {torch.version}"
        == named_label(LockSection.PYTHON, "idna", torch.version)
    )
    for section in LockSection:
        for row in getattr(lock, section.value.replace("-", "_")):
            assert row_label(row).startswith(f"{section.value} "), row


def test_parts_of_rows_are_named_after_their_row(lock: Lock) -> None:
    image = lock.images[0]
    assert part_label(image, "libc6", "2.41-12") == f"images {image.name}: libc6 2.41-12"
    source = next(row for row in lock.sources if row.submodules)
    module = source.submodules[0]
    assert submodule_label(source, module) == f"sources {source.component} {source.version}: {module.path}"


def test_no_label_is_made_by_hand() -> None:
    package = ROOT / "builder"
    made = {
        f"{path.relative_to(package)}:{number}"
        for path in package.rglob("*.py")
        if path.relative_to(package).as_posix() not in NOTES_OF_DOCKERFILES | PINS_OF_PLATFORMS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if BY_HAND.search(line)
    }
    assert not made, "use builder.lockfile.row_label"


def test_rows_are_of_every_section() -> None:
    assert {kind.__name__ for kind in typing.get_args(LockRow)} == {
        "Image", "Repository", "GitSource", "Archive", "PythonPackage", "OsPackage", "Build"
    }  # fmt: skip
