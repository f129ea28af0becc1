"""Why there is no solution: libsolv's rules as sentences that name both sides."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from builder.errors import NoSolutionError
from builder.resolve.rpm.libsolv import solv
from builder.resolve.rpm.pool import RpmPool

__all__ = ["no_solution", "unknown_package"]

_MOST_LINES = 12


def unknown_package(rpm_pool: RpmPool, name: str, version: str) -> NoSolutionError:
    """Return the error for a request that no repository can fulfil."""
    have = ", ".join(dict.fromkeys(package.evr for package in rpm_pool.named(name)))
    if have:
        return NoSolutionError(
            f"package {name} has no version {version}; the repositories have {have}",
            hint="ask for one of these",
        )
    left_out = sorted({s.arch for s in _packages_named(rpm_pool, name)})
    if left_out:
        return NoSolutionError(
            f"package {name} is there only as {', '.join(left_out)} or in a module, not for {rpm_pool.arch}",
            hint="multilib and modules are left out, as dnf does by default: ask for another package",
        )
    names = sorted({package.name for package in rpm_pool.pool.solvables})
    near = difflib.get_close_matches(name, names, n=1)
    return NoSolutionError(
        f"no repository has a package or capability {name} for {rpm_pool.arch}",
        hint=f"did you mean {near[0]}?" if near else "check the spelling and the platform's repositories",
    )


def no_solution(problems: Iterable[Any], requests: tuple[str, ...]) -> NoSolutionError:
    """Return the error for requests that cannot all be fulfilled."""
    lines = [line for problem in problems for line in _rule_sentences(problem)]
    shown = list(dict.fromkeys(lines))
    more = [f"and {len(shown) - _MOST_LINES} more"] if len(shown) > _MOST_LINES else []
    told = "".join(f"\n  {line}" for line in [*shown[:_MOST_LINES], *more])
    return NoSolutionError(
        f"{', '.join(requests)} cannot be installed together on this base:{told}",
        hint="ask for other packages or versions, or choose another base image",
    )


def _rule_sentences(problem: Any) -> Iterable[str]:
    """Yield one sentence a rule that takes part in a problem."""
    for rule in problem.findallproblemrules():
        for info in rule.allinfos():
            if info.type not in {solv.Solver.SOLVER_RULE_BEST, solv.Solver.SOLVER_RULE_JOB}:
                yield " ".join(info.problemstr().split())


def _packages_named(rpm_pool: RpmPool, name: str) -> list[solv.XSolvable]:
    return [package for package in rpm_pool.pool.solvables if package.name == name]
