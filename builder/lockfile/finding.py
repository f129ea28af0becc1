"""Findings: what is wrong, by which rule, in which lock and row; and the exit code that follows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

__all__ = ["RULES", "Finding", "FindingRule", "Level", "Proof", "exit_code", "found"]

_GRAVEST_FIRST = (4, 7, 1, 6)
"""Exit codes, the gravest first: what is first and has a finding is the program's."""


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    UNKNOWN = "unknown"
    """It could not be asked, so nothing is proven."""
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRule:
    """One kind of finding: its stable name, its weight, and the exit code that it asks for."""

    id: str
    level: Level
    says: str
    exit: int = 0
    """0 for what does not fail a run."""


def _named_rule(name: str, level: Level, exit_code: int, says: str) -> tuple[str, FindingRule]:
    return name, FindingRule(id=name, level=level, says=says, exit=exit_code)


RULES: dict[str, FindingRule] = dict(
    (
        _named_rule("unreadable", Level.ERROR, 4, "This program cannot read the file as a lock."),
        _named_rule(
            "integrity", Level.ERROR, 4, "The lock contradicts itself: order, form, references, digests."
        ),
        _named_rule("misplaced", Level.ERROR, 4, "The lock's path does not match its target."),
        _named_rule("target", Level.ERROR, 4, "A row's file is for another Python, glibc or architecture."),
        _named_rule("recipe-mismatch", Level.ERROR, 4, "The lock differs from its recipe."),
        _named_rule(
            "signature", Level.ERROR, 7, "No key of the recipes vouches for a repository's signed index."
        ),
        _named_rule("stale", Level.ERROR, 1, "The recipe changed since the lock was made."),
        _named_rule("missing", Level.ERROR, 1, "A release lists a target that has no lock."),
        _named_rule("orphan", Level.WARNING, 0, "No release lists the lock's target any more."),
        _named_rule("license", Level.ERROR, 1, "The policy does not allow a row's license."),
        _named_rule("license-unstated", Level.ERROR, 1, "A row states no license, which the policy denies."),
        _named_rule("license-unknown", Level.WARNING, 0, "A row does not clearly state a license."),
        _named_rule("license-os", Level.NOTE, 0, "Locks do not record licenses of OS packages."),
        _named_rule("advisory", Level.ERROR, 1, "A known vulnerability affects a row."),
        _named_rule(
            "advisory-open",
            Level.WARNING,
            0,
            "An advisory may affect a row: its record does not decide that.",
        ),
        _named_rule("no-recipes", Level.NOTE, 0, "The project has no recipes, so freshness was not checked."),
        _named_rule("damaged", Level.ERROR, 7, "A file of the store does not have the digest in its name."),
        _named_rule("unreadable-file", Level.ERROR, 6, "A file of the store cannot be read."),
        _named_rule("resolves-differently", Level.ERROR, 1, "Resolving the target again gives other rows."),
        _named_rule(
            "resolver-disagrees",
            Level.ERROR,
            1,
            "The second resolver chooses another version, or other rows.",
        ),
        _named_rule(
            "not-comparable", Level.NOTE, 0, "The second resolver cannot solve for the lock's target here."
        ),
        _named_rule("unasked", Level.ERROR, 4, "Nothing that the target asks for needs the row."),
        _named_rule("unmet", Level.ERROR, 4, "No row meets a requirement of the lock's own files."),
        _named_rule(
            "closure-unread", Level.NOTE, 0, "Requirements of RPM packages are not read from their files."
        ),
        _named_rule("misnamed", Level.ERROR, 4, "A file states another name or version than its row."),
        _named_rule("base-differs", Level.ERROR, 7, "The packages of an assembled base give another digest."),
        _named_rule("gone", Level.ERROR, 1, "A row's place no longer has it."),
        _named_rule("changed", Level.ERROR, 7, "A place now has other bytes under the same name."),
        _named_rule("yanked", Level.ERROR, 1, "The index has yanked a row's file."),
        _named_rule("moved", Level.ERROR, 1, "A tag now names another commit."),
        _named_rule("unattested", Level.NOTE, 0, "The index offers attestations, but none for this file."),
        _named_rule("unknown", Level.UNKNOWN, 6, "A place could not be asked, so nothing is proven."),
        _named_rule(
            "other-lock", Level.ERROR, 1, "The image was built from another lock than the given one."
        ),
        _named_rule("unexplained", Level.ERROR, 1, "A file of the image comes from no row of the lock."),
        _named_rule(
            "foreign", Level.ERROR, 1, "The image has a distribution or package that no row of the lock has."
        ),
        _named_rule("bytecode", Level.WARNING, 0, "Python ran in a later layer and left compiled modules."),
        _named_rule("absent", Level.ERROR, 1, "The image lacks something that the lock says it has."),
        _named_rule(
            "unresolved",
            Level.ERROR,
            1,
            "An object of the image needs a library that it cannot find.",
        ),
        _named_rule("altered", Level.ERROR, 7, "A file of the image differs from its row."),
        _named_rule("settings", Level.ERROR, 1, "The image's run-time settings differ from the lock."),
        _named_rule("strange", Level.ERROR, 1, "A layer holds an entry that no layer may hold."),
        _named_rule(
            "too-few-rebuilds", Level.ERROR, 1, "Fewer owners than required built the image's digest."
        ),
        _named_rule(
            "rebuilt-differently", Level.WARNING, 0, "A known owner built another digest from the same locks."
        ),
        _named_rule("attestation-refused", Level.WARNING, 0, "A statement does not count, and why."),
        _named_rule(
            "unproven", Level.NOTE, 0, "Files are explained on a weaker ground than the locked bytes."
        ),
    )
)
"""Every rule by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding: by which rule, in which lock, about which row, in words."""

    rule: FindingRule
    lock: str
    """The lock's target or file; empty where none is meant."""
    row: str
    """Such as `python torch 2.11.0`; empty where it is about all of it."""
    text: str
    hint: str = ""
    lock_rule: str = ""
    """Which of the rules of locks it breaks, by id; empty for what is not judged from the lock alone."""

    def in_lock(self, name: str) -> Finding:
        """Return the same finding about the lock `name`; what judges one lock does not know its name."""
        return replace(self, lock=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one kind of check proved: of what, what it found, and figures for the record."""

    name: str
    says: str
    """One line for people."""
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


def found(
    rule: str, text: str, *, lock: str = "", row: str = "", hint: str = "", lock_rule: str = ""
) -> Finding:
    """Return a finding by the name of its rule (KeyError for a rule that there is not)."""
    return Finding(rule=RULES[rule], lock=lock, row=row, text=text, hint=hint, lock_rule=lock_rule)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return the exit code for all findings together: 4, 7, 1 or 6 in this order, else 0."""
    asked = {finding.rule.exit for finding in findings}
    return next((code for code in _GRAVEST_FIRST if code in asked), 0)
