"""What `verify` proved, as text for people and as a value for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from builder.lockfile import Examined, Finding, Level, Proof, exit_code
from builder.model import printable

__all__ = ["FORMAT", "as_text", "as_value", "gravest_first", "not_proven"]

FORMAT = 1
"""The version of the JSON report."""

_WEIGHT = list(Level)
_SHOWN = 6


def as_value(locks: Sequence[Examined], proofs: Sequence[Proof]) -> dict[str, Any]:
    """Return the report as plain tables and lists; its shape is described in docs/verifying.md."""
    findings = gravest_first(proofs)
    return {
        "format": FORMAT,
        "exit-code": exit_code(findings),
        "locks": [
            {
                "lock": printable(one.name),
                "target": str(one.lock.target) if one.lock else "",
                "sha256": one.sha256,
                "rows": one.rows,
            }
            for one in locks
        ],
        "proofs": [{"name": proof.name, "says": printable(proof.says), **proof.facts} for proof in proofs],
        "not-proven": [{"claim": claim, "option": option} for claim, option in not_proven(proofs)],
        "counts": {level.value: sum(f.rule.level is level for f in findings) for level in Level},
        "findings": [_finding_value(finding) for finding in findings],
    }


_CLAIMS = (
    (
        "that each row is needed and none is missing",
        "--store, --online or --again",
        {"closure", "index-closure", "again"},
    ),
    # An older version that every asker admits is reached and meets all requirements: only resolving tells.
    ("that resolving gives these versions", "--again", {"again"}),
    ("that the fetched files have their digests", "--store", {"store"}),
    ("that places still have these files, unchanged", "--online", {"online"}),
)
"""What can be claimed of a lock, the options that prove it, and the names of their proofs."""


def not_proven(proofs: Sequence[Proof]) -> tuple[tuple[str, str], ...]:
    """Return what these proofs leave open, each with the option that proves it."""
    made = {proof.name for proof in proofs}
    return tuple((claim, option) for claim, option, names in _CLAIMS if not names & made)


def _finding_value(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "lock-rule": finding.lock_rule,
        "level": finding.rule.level.value,
        "lock": printable(finding.lock),
        "row": printable(finding.row),
        "text": printable(finding.text),
        "hint": printable(finding.hint),
    }


def as_text(proofs: Sequence[Proof]) -> str:
    """Return the report for people: every finding once with the locks that have it, then what was proven."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in gravest_first(proofs):
        groups.setdefault((finding.rule.id, finding.row, finding.text), []).append(finding)
    several = len({finding.lock for finding in gravest_first(proofs)}) > 1
    lines = [line for group in groups.values() for line in _finding_lines(group, named=several)]
    if lines:
        lines.append("")
    lines += [f"{proof.name}: {printable(proof.says)}" for proof in proofs]
    claims = not_proven(proofs)
    if claims:
        listed = "; ".join(f"{claim} ({option})" for claim, option in claims)
        lines.append(f"not proven: {listed}")
    counts = Counter(finding.rule.level for finding in gravest_first(proofs))
    said = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
    return "\n".join([*lines, f"findings: {said or 'none'}"])


def _finding_lines(group: Sequence[Finding], *, named: bool) -> Iterator[str]:
    """Say a finding once; `named` says in which locks, where that is in question."""
    first = group[0]
    row = f"{printable(first.row)}: " if first.row else ""
    yield f"{first.rule.level.value} [{first.rule.id}] {row}{printable(first.text)}"
    locks = [printable(finding.lock) for finding in group if finding.lock]
    if locks and named:
        more = f" and {len(locks) - _SHOWN} more" if len(locks) > _SHOWN else ""
        yield f"    in {', '.join(locks[:_SHOWN])}{more}"
    if first.hint:
        yield f"    hint: {printable(first.hint)}"


def gravest_first(proofs: Sequence[Proof]) -> list[Finding]:
    """Return the findings of all proofs, errors first."""
    findings = [finding for proof in proofs for finding in proof.findings]
    return sorted(findings, key=lambda finding: _WEIGHT.index(finding.rule.level))
