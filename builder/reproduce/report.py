"""A comparison as text for people and as plain values for machines."""

from __future__ import annotations

__all__ = ["as_text", "as_value"]

from typing import Any

from builder.reproduce.causes import CAUSES
from builder.reproduce.comparison import IDENTICAL, NORMALISED, Comparison, ImageDifference

_MOST_SHOWN = 8


def as_value(comparison: Comparison) -> dict[str, Any]:
    """Return everything that was found, in the order in which it was found."""
    return {
        "verdict": comparison.verdict,
        "digests": list(comparison.digests),
        "causes": [
            {"name": name, "meaning": CAUSES[name].meaning, "remedy": CAUSES[name].remedy}
            for name in comparison.causes
        ],
        "findings": [
            {
                "place": finding.place,
                "path": finding.path,
                "what": finding.what,
                "causes": list(finding.causes),
                "harmless": finding.harmless,
                "detail": finding.detail,
                "step": finding.step,
            }
            for finding in comparison.findings
        ],
    }


def as_text(comparison: Comparison) -> str:
    """Return the verdict, then each cause with its meaning, its files and its remedy."""
    if comparison.verdict == IDENTICAL:
        return f"identical: {comparison.digests[0]}"
    by = f" of {', '.join(comparison.causes)}" if comparison.verdict == NORMALISED else ""
    lines = [f"{comparison.verdict}{by}", *(f"  {digest}" for digest in comparison.digests)]
    groups: dict[tuple[str, ...], list[ImageDifference]] = {}
    for finding in comparison.findings:
        groups.setdefault(finding.causes, []).append(finding)
    for causes, findings in sorted(groups.items()):
        lines += ["", *_finding_group(causes, findings)]
    return "\n".join(lines)


def _finding_group(causes: tuple[str, ...], findings: list[ImageDifference]) -> list[str]:
    lines = [f"{' + '.join(causes)} ({len(findings)})"]
    lines += [f"  {CAUSES[name].meaning}" for name in causes]
    lines += [f"  remedy: {CAUSES[name].remedy}" for name in causes]
    for finding in findings[:_MOST_SHOWN]:
        detail = f": {finding.detail}" if finding.detail else ""
        lines.append(f"  - {finding.place}: {finding.path or finding.what}: {finding.what}{detail}")
    if len(findings) > _MOST_SHOWN:
        lines.append(f"  - and {len(findings) - _MOST_SHOWN} more")
    return lines
