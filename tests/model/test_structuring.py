from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from builder.model.digest import Evidence, Sha256
from builder.model.structuring import StructureError, Table, structure, unstructure
from builder.model.target import Arch


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    for_: tuple[str, ...]
    sha256: Sha256 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    format: Literal[1]
    long_name: str
    count: int = 0
    flag: bool = False
    evidence: Evidence = Evidence.INDEX
    env: Table = field(default_factory=Table)
    rows: tuple[Inner, ...] = ()
    by_arch: Mapping[Arch, Inner] = field(default_factory=dict)


GOOD = {
    "format": 1,
    "long-name": "x",
    "count": 3,
    "flag": True,
    "evidence": "declared",
    "env": {"B": "2", "A": "1"},
    "rows": [{"for": ["runtime"], "sha256": "0" * 64}],
    "by-arch": {"aarch64": {"for": []}},
}


def test_a_value_goes_in_and_comes_out() -> None:
    value = structure(GOOD, Outer)
    assert value.env == (("A", "1"), ("B", "2"))
    assert value.by_arch[Arch.AARCH64] == Inner(for_=())
    assert isinstance(value.rows[0].sha256, Sha256)
    assert structure(unstructure(value), Outer) == value


def test_defaults_are_left_out() -> None:
    assert unstructure(structure({"format": 1, "long-name": "x"}, Outer)) == {"format": 1, "long-name": "x"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"long-name": 5}, "long-name: expected text, got a whole number (5)"),
        ({"count": "3"}, "count: expected a whole number, got text ('3')"),
        ({"count": True}, "count: expected a whole number, got true or false (True)"),
        ({"flag": "false"}, "flag: expected true or false, got text ('false')"),
        ({"flag": 0}, "flag: expected true or false, got a whole number (0)"),
        ({"format": 2}, "format: expected 1, got a whole number (2)"),
        ({"format": True}, "format: expected 1, got true or false (True)"),
        ({"evidence": "obsrved"}, "evidence: expected one of observed, index, declared, got text ('obsrved'); did you mean 'observed'?"),
        ({"env": {"A": 1}}, "env.A: expected text, got a whole number (1)"),
        ({"env": []}, "env: expected a table, got a list"),
        ({"rows": "abc"}, "rows: expected a list, got text ('abc')"),
        ({"rows": [{"for": ["a"]}, {"for": [1]}]}, "rows[1].for[0]: expected text, got a whole number (1)"),
        ({"rows": [{"for": "a"}]}, "rows[0].for: expected a list, got text ('a')"),
        ({"rows": [[]]}, "rows[0]: expected a table, got a list"),
        ({"rows": [{}]}, "rows[0].for: this key is missing"),
        ({"rows": [{"for": [], "sha256": "0"}]}, "rows[0].sha256: expected 64 hexadecimal digits, got 1"),
        ({"by-arch": {"arm64": {"for": []}}}, "by-arch.arm64: expected one of x86_64, aarch64, got text ('arm64'); did you mean 'aarch64'?"),
        ({"long-nane": "x"}, "long-nane: unknown key"),
        ({"rows": [{"for": [], "fro": 1}]}, "rows[0].fro: unknown key"),
    ],
)  # fmt: skip
def test_the_first_misfit_is_named_by_its_path(change: dict[str, object], message: str) -> None:
    with pytest.raises(StructureError) as caught:
        structure({**GOOD, **change}, Outer)
    assert str(caught.value) == message


def test_a_near_miss_is_offered() -> None:
    with pytest.raises(StructureError) as caught:
        structure({**GOOD, "long-nane": "x"}, Outer)
    assert caught.value.hint == "did you mean `long-name`?"


def test_the_root_must_be_a_table() -> None:
    with pytest.raises(StructureError) as caught:
        structure([], Outer)
    assert str(caught.value) == "expected a table, got a list"
