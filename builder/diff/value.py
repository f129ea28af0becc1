"""A report as plain values for JSON; the form is described in the documentation and has a version."""

from __future__ import annotations

from typing import Any

from builder.diff.change import ChangedField, History
from builder.diff.reports import Report, ReportEntry
from builder.diff.risk import Risk

__all__ = ["FORMAT", "as_value"]

FORMAT = 1
"""The version of the form; it grows when a key changes its meaning or goes, not when one comes."""


def as_value(report: Report) -> dict[str, Any]:
    """Return tables, lists, texts and numbers, in a fixed order."""
    risks = [entry.change.risk for entry in report.entries]
    return {
        "format": FORMAT,
        "before": report.before,
        "after": report.after,
        "unsound": [
            {"lock": item.place, "side": "after" if item.after else "before", "findings": list(item.findings)}
            for item in report.unsound
        ],
        "locks": [
            {
                "target": item.target,
                "before": item.before or None,
                "after": item.after or None,
                "changes": len(item.changes),
            }
            for item in report.compared
        ],
        "counts": {str(risk): risks.count(risk) for risk in Risk if risk in risks},
        "changes": [_entry_value(entry) for entry in report.entries],
    }


def _entry_value(entry: ReportEntry) -> dict[str, Any]:
    change = entry.change
    return {
        "risk": str(change.risk),
        "kind": str(change.kind),
        "name": change.name,
        "action": str(change.action),
        "before": change.before or None,
        "after": change.after or None,
        "for": list(change.uses),
        "through": list(change.through),
        "commits": _history_value(change.history) if change.history else None,
        "targets": list(entry.targets),
        "forms": [
            {"targets": list(variant.targets), "fields": [_field_value(item) for item in variant.fields]}
            for variant in entry.variants
        ],
    }


def _field_value(field: ChangedField) -> dict[str, str | None]:
    return {
        "key": field.key,
        "before": field.before or None,
        "after": field.after or None,
        "risk": str(field.risk),
    }


def _history_value(history: History) -> dict[str, Any]:
    return {
        "added": history.added,
        "dropped": history.dropped,
        "authors": [{"name": name, "commits": count} for name, count in history.authors],
        "newest": [
            {"commit": item.oid, "author": item.author, "subject": item.subject} for item in history.newest
        ],
    }
