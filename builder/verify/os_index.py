"""The OS packages of locks against the signed indexes that the recipes pin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from builder.errors import BuilderError, FetchError
from builder.lockfile import Finding, OsPackage, Proof, Repository, found
from builder.model import counted
from builder.recipe import EffectiveRecipe, merge_os
from builder.verify.closures import ClosureQuestion
from builder.verify.resolved_again import row_differences

__all__ = ["os_index_proof"]

OsResolver = Callable[[EffectiveRecipe], tuple[tuple[Repository, ...], tuple[OsPackage, ...]]]
"""Returns the repositories and the rows that the signed indexes of a recipe give (BuilderError)."""


def os_index_proof(
    questions: Iterable[ClosureQuestion],
    *,
    resolve: OsResolver,
    absent_is_unknown: bool,
    done: Callable[[str], None],
) -> Proof:
    """Compare the OS packages of each lock, row by row, with what the signed indexes give for its recipe.

    That covers names, versions, hashes, paths, who asks, and the packages that a distribution calls
    required. An index that cannot be had is a finding if `absent_is_unknown`; otherwise the proof only says
    of how many locks it is missing.
    """
    findings: list[Finding] = []
    same = asked = absent = 0
    for question in questions:
        if not question.lock.repositories and not question.lock.os_packages:
            continue
        asked += 1
        try:
            differences = list(_os_differences(question, resolve))
        except FetchError as error:
            absent += 1
            differences = [found("unknown", f"its signed index could not be read: {error}", hint=error.hint)]
            differences = differences if absent_is_unknown else []
        else:
            same += not differences
        findings += [finding.in_lock(question.name) for finding in differences]
        done(question.name)
    says = f"the OS packages of {same} of {counted(asked, 'lock')} are those that the signed indexes give"
    says += f"; the indexes of {absent} are not here" if absent else ""
    return Proof(
        name="os-index",
        says=says,
        findings=tuple(findings),
        facts={"locks": asked, "equal": same, "absent": absent},
    )


def _os_differences(question: ClosureQuestion, resolve: OsResolver) -> Iterable[Finding]:
    if question.recipe is None:
        return [question.recipe_unknown()]
    try:
        repositories, rows = resolve(question.recipe)
    except FetchError:
        raise
    except BuilderError as error:
        return [found("resolves-differently", f"its OS packages are refused: {error}")]
    again = replace(question.lock, repositories=repositories, os_packages=merge_os(rows))
    return row_differences(question.lock, again)
