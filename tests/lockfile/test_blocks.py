"""The quick reader of canonical locks says what the slow one says, or nothing."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import LockError
from builder.lockfile import Lock, dump_lock, examine
from builder.lockfile.blocks import lock_text, read_canonical
from builder.model import StructureError, structure, toml, unstructure

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/golden/two-bases/lock-x86_64.toml"
LOCKS = (
    SMALL,
    ROOT / "tests/golden/rpm/lock-x86_64.toml",
    ROOT / "lock/1.4.2/debian-13-assembled-cuda-13.0/vllm-x86_64.toml",
)


@cache
def small() -> str:
    return SMALL.read_text("utf-8")


def read_slowly(data: bytes) -> Lock:
    return structure(toml.loads(data, place="lock", error=LockError), Lock)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.parent.name)
def test_both_readers_and_both_writers_agree(path: Path) -> None:
    data = path.read_bytes()
    lock = read_canonical(data)
    assert lock == read_slowly(data)
    assert lock is not None
    assert lock_text(lock) == toml.dumps(unstructure(lock)) == data.decode()


def test_a_lock_without_images_is_written_as_any_other_and_read_slowly() -> None:
    lock = dataclasses.replace(read_slowly(small().encode()), images=())
    assert lock_text(lock) == toml.dumps(unstructure(lock))
    assert read_canonical(lock_text(lock).encode()) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n\n[[images]]", "\n\n\n[[images]]"),
        ("\n\n[[python]]", "\n\n# remark\n\n[[python]]"),
        ("\n\n[[python]]", "\n\n[[ python ]]"),
        ("format = 1\n", "format = 1 \n"),
        ("format = 1\n", "format  = 1\n"),
        ("format = 1\n", "builds = []\nformat = 1\n"),
        ("\n\n[[images]]", "\n\n[python]\n\n[[images]]"),
        ("\n", "\r\n"),
    ],
)
def test_what_is_not_canonical_is_left_to_the_slow_reader(old: str, new: str) -> None:
    text = small()
    assert old in text
    assert read_canonical(text.replace(old, new, 1).encode()) is None


def test_sections_out_of_order_are_not_canonical() -> None:
    blocks = small()[:-1].split("\n\n")
    first = next(index for index, block in enumerate(blocks) if block.startswith("[[python]]"))
    moved = [*blocks[:first], *blocks[first + 1 :], blocks[first]]
    data = ("\n\n".join(moved) + "\n").encode()
    assert read_canonical(data) is None
    assert any(one.lock_rule == "canonical-form" for one in examine(data, name="moved").findings)


@given(st.data())
def test_whatever_is_read_quickly_is_canonical(data: st.DataObject) -> None:
    """Lines of a lock are dropped, doubled, swapped or spliced; where the quick reader answers, it is right."""
    lines = small().splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(("drop", "double", "swap", "value", "cut")))
        if change == "drop":
            del lines[at]
        elif change == "double":
            lines.insert(other, lines[at])
        elif change == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        elif change == "value":
            lines[at] = lines[at].partition(" = ")[0] + " = " + lines[other].partition(" = ")[2]
        else:
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
    text = "\n".join(lines) + "\n"
    quick = read_canonical(text.encode())
    try:
        slow = read_slowly(text.encode())
    except (LockError, StructureError):
        slow = None
    if quick is None:
        assert slow is None or toml.dumps(unstructure(slow)) != text or not slow.images
    else:
        assert quick == slow
        assert dump_lock(quick).decode() == toml.dumps(unstructure(quick)) == text
