"""The proof of the set of rows of several locks, wherever the metadata of their files is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from builder.lockfile import Finding, Lock, Proof, found
from builder.model import counted
from builder.recipe import EffectiveRecipe
from builder.verify.closure import LockMetadata, closure_faults

__all__ = ["ClosureQuestion", "MetadataReader", "closure_proof"]

MetadataReader = Callable[[Lock], LockMetadata | list[Finding]]
"""Returns what the files of a lock say of themselves, or why that could not all be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureQuestion:
    """A lock whose set of rows is to be proven, the name that findings use, and its recipe as it is now."""

    name: str
    lock: Lock
    recipe: EffectiveRecipe | None
    """None where the project has no recipe for it, so nobody knows what the target asks for."""

    def recipe_unknown(self) -> Finding:
        """Return the finding for a question without a recipe."""
        text = "the project has no recipe for this target, so what it asks for is not known"
        return found("unknown", text, lock=self.name)


def closure_proof(
    questions: Iterable[ClosureQuestion], *, name: str, read: MetadataReader, done: Callable[[str], None]
) -> Proof:
    """Prove that each row of the locks is needed and none is missing, from what `read` returns of a lock.

    A lock whose metadata cannot all be read is not proven. `done` is told of each lock.
    """
    findings: list[Finding] = []
    proven = rows = asked = 0
    for question in questions:
        asked += 1
        faults, count = _question_faults(question, read)
        findings += [one.in_lock(question.name) for one in faults]
        if not faults:
            proven += 1
            rows += count
        done(question.name)
    walked = counted(rows, "row")
    says = f"{proven} of {counted(asked, 'lock')} proven: {walked} walked from what recipes ask for"
    return Proof(
        name=name,
        says=says,
        findings=tuple(findings),
        facts={"locks": asked, "proven": proven, "rows": rows},
    )


def _question_faults(question: ClosureQuestion, read: MetadataReader) -> tuple[list[Finding], int]:
    """Return what is wrong with the rows of a lock, and how many rows were walked."""
    lock = question.lock
    if question.recipe is None:
        return [question.recipe_unknown()], 0
    metadata = read(lock)
    if not isinstance(metadata, LockMetadata):
        return metadata, 0
    walked = [row for row in lock.python if row.sha256]
    faults = list(closure_faults(lock, question.recipe, metadata))
    if metadata.packages is None or not lock.os_packages:
        return faults, len(walked)
    if lock.environment.family != "debian":
        text = "the closure of its RPM packages is not proven from the files"
        hint = "ask the signed index: verify --online, or resolve it again: verify --again"
        faults.append(found("closure-unread", text, hint=hint))
    return faults, len(walked) + len(lock.os_packages)
