"""Each case of the gallery in its three forms, alone and among a hundred harmless upgrades."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import InvalidVersion, Version

from builder.diff.comparison import compare
from builder.diff.facts import with_facts
from builder.diff.reports import Compared, report
from builder.diff.risk import UPGRADES, Risk
from builder.lockfile.lock import Lock, PythonPackage
from builder.lockfile.reading import parse_lock
from builder.model.digest import Sha256
from tests.diff.cases import CASES, HERE, PATCHES, base, facts, forms, patched, reported


@pytest.mark.parametrize("case", CASES)
def test_a_case_reads_as_expected(case: str, tmp_path: Path, update_golden: bool) -> None:
    for name, text in forms(reported(case, tmp_path)).items():
        if update_golden:
            (HERE / case / name).write_text(text, "utf-8")
        assert text == (HERE / case / name).read_text("utf-8")


def test_every_class_of_risk_is_in_the_gallery_alone() -> None:
    named = {case.partition("-")[0] for case in PATCHES}
    names = {str(risk) for risk in Risk if risk not in UPGRADES} | {"upgrade"}
    assert names <= named
    assert {f"upgrade-{risk}" for risk in UPGRADES} <= set(PATCHES)


@pytest.mark.parametrize(
    "case", [case for case in PATCHES if not case.startswith(("consequence", "upgrade"))]
)
def test_among_a_hundred_harmless_upgrades_the_change_comes_first(case: str, tmp_path: Path) -> None:
    after = parse_lock(patched(case, tmp_path), place=case)
    alone = with_facts(compare(base(), after), facts(case))
    mixed = with_facts(compare(base(), upgraded(after)), facts(case))
    found = report("before", "after", [Compared(target="t", before="b", after="a", changes=mixed)])
    first = found.entries[0].change
    worst = min(change.risk.rank for change in alone)
    assert first.risk.rank == worst
    assert first.name in {change.name for change in alone if change.risk.rank == worst}
    harmless = [entry for entry in found.entries if entry.change.risk in UPGRADES]
    assert len(harmless) >= 100
    ranks = [entry.change.risk.rank for entry in found.entries]
    assert ranks == sorted(ranks)


def upgraded(lock: Lock) -> Lock:
    """Return a lock in which a hundred Python rows that no case touches are newer."""
    before = set(base().python)
    same = [row for row in lock.python if row in before and row.file and _is_simple(row.version)]
    chosen = set(same[20:120])
    return replace(lock, python=tuple(_newer(row) if row in chosen else row for row in lock.python))


def _is_simple(version: str) -> bool:
    try:
        return str(Version(version)) == version and Version(version).local is None
    except InvalidVersion:
        return False


def _newer(row: PythonPackage) -> PythonPackage:
    release = Version(row.version).release
    version = ".".join(map(str, (*release[:2], (*release, 0, 0)[2] + 1)))
    file = row.file.replace(f"-{row.version}-", f"-{version}-")
    digest = Sha256(hashlib.sha256(file.encode()).hexdigest())
    return replace(row, version=version, file=file, sha256=digest)
