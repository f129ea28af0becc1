"""Licences of a lock against a policy: which rows are under a licence that is not allowed. Pure.

An expression is acceptable where some choice of its ORs leaves only allowed
licences. A licence with an exception (`WITH`) is a licence of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from builder.errors import UsageError
from builder.lockfile import Finding, Lock, found
from builder.model import StructureError, structure, toml
from builder.policy.accepted import AcceptedFinding, check_accepted

__all__ = ["LicensePolicy", "LicensedRow", "judge_licenses", "licensed_rows", "read_license_policy"]

_UNSTATED = ("deny", "warn", "allow")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePolicy:
    """Which licences are allowed."""

    allowed: tuple[str, ...] = ()
    """SPDX ids, also `ID WITH EXCEPTION`; if empty, everything that is not denied."""
    denied: tuple[str, ...] = ()
    """The same; refused also where another entry allows it."""
    unstated: str = "warn"
    """What becomes of a row that states no licence: deny, warn or allow."""
    accepted: tuple[AcceptedFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensedRow:
    """A row that has a licence, or should have one."""

    kind: str
    name: str
    version: str
    license: str
    """SPDX expression; empty where none is stated."""

    @property
    def row(self) -> str:
        """The row as findings name it."""
        return f"{self.kind} {self.name} {self.version}"


def read_license_policy(data: bytes, *, place: str) -> LicensePolicy:
    """Read a policy in TOML (UsageError naming the key)."""
    try:
        policy = structure(toml.loads(data, place=place, error=UsageError), LicensePolicy)
    except StructureError as error:
        raise UsageError(error.cause, place=f"{place}: {error.path}", hint=error.hint) from None
    if policy.unstated not in _UNSTATED:
        raise UsageError(
            f"{policy.unstated[:40]!r} is not one of {', '.join(_UNSTATED)}", place=f"{place}: unstated"
        )
    for key in ("allowed", "denied"):
        for number, text in enumerate(getattr(policy, key)):
            try:
                tree = _expression_tree(canonicalize_license_expression(text))
            except InvalidLicenseExpression as error:
                raise UsageError(str(error), place=f"{place}: {key}[{number}]") from None
            if isinstance(tree, _spdx_parser().AND | _spdx_parser().OR):
                raise UsageError(
                    f"{text!r} is more than one license",
                    place=f"{place}: {key}[{number}]",
                    hint="list each license by itself",
                )
    check_accepted(policy.accepted, place=place, needs="name")
    return policy


def licensed_rows(lock: Lock) -> tuple[LicensedRow, ...]:
    """Return every row of `lock` that has a licence: Python distributions and builds."""
    builds = {build.component: build.license for build in lock.builds}
    rows = [
        LicensedRow(
            kind="python",
            name=row.name,
            version=row.version,
            license=row.license or builds.get(row.build, ""),
        )
        for row in lock.python
    ]
    rows += [
        LicensedRow(kind="builds", name=build.component, version=build.version, license=build.license)
        for build in lock.builds
    ]
    return tuple(dict.fromkeys(rows))


def judge_licenses(lock: Lock, policy: LicensePolicy, *, today: date) -> Iterator[Finding]:
    """Yield a finding for each row whose licence `policy` does not allow on the day `today`."""
    for row in licensed_rows(lock):
        problem = _license_problem(row.license, policy)
        if not problem and (row.license or policy.unstated == "allow"):
            continue
        entries = [entry for entry in policy.accepted if entry.covers(row.name, row.version)]
        if any(not entry.expired(today) for entry in entries):
            continue
        hint = f"the exception ended on {entries[-1].expires}" if entries else ""
        if problem:
            yield found("license", problem, row=row.row, hint=hint)
        else:
            rule = "license-unstated" if policy.unstated == "deny" else "license-unknown"
            yield found(rule, "its metadata does not clearly state a license", row=row.row, hint=hint)
    if lock.os_packages:
        count = len(lock.os_packages)
        yield found(
            "license-os", f"licenses of {count} OS packages are not judged: the indexes do not state them"
        )


def _license_problem(expression: str, policy: LicensePolicy) -> str:
    """Return why `expression` is not acceptable; empty if it is, or if it is empty."""
    if not expression:
        return ""
    allowed, denied = _canonical_names(policy.allowed), _canonical_names(policy.denied)
    try:
        tree = _expression_tree(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return f"{expression!r} is not an SPDX expression"

    def fine(license_: str) -> bool:
        return license_ not in denied and (not allowed or license_ in allowed)

    if _some_choice_is_fine(tree, fine):
        return ""
    bad = sorted({text for text in _license_leaves(tree) if not fine(text)})
    words = [f"{text} is denied" if text in denied else f"{text} is not allowed" for text in bad]
    return f"its license is {expression}: {', '.join(words)}"


def _canonical_names(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(canonicalize_license_expression(text) for text in texts)


@cache
def _spdx_parser() -> Any:
    """Return the parser of SPDX expressions, loaded only where a policy is judged."""
    from license_expression import Licensing  # noqa: PLC0415 - see above

    return Licensing()


def _expression_tree(canonical: str) -> Any:
    return _spdx_parser().parse(canonical)


def _some_choice_is_fine(tree: Any, fine: Callable[[str], bool]) -> bool:
    """Say whether some choice of the ORs leaves only what is `fine`."""
    if isinstance(tree, _spdx_parser().AND):
        return all(_some_choice_is_fine(part, fine) for part in tree.args)
    if isinstance(tree, _spdx_parser().OR):
        return any(_some_choice_is_fine(part, fine) for part in tree.args)
    return fine(tree.render())


def _license_leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, _spdx_parser().AND | _spdx_parser().OR):
        for part in tree.args:
            yield from _license_leaves(part)
    else:
        yield tree.render()
