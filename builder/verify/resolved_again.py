"""The lock made again in memory, from the same recipe, indexes and date, and compared row by row.

This is the strongest proof of the set of rows, and the only one that does not
read requirements by rules of this package alone: uv and the solvers of OS packages
are asked as `lock` asks them, from nothing, so that no pin of the lock is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from builder.diff import RowChange, compare
from builder.errors import BuilderError, FetchError
from builder.lockfile import Finding, Lock, Proof, found
from builder.model import Target, counted

__all__ = ["resolved_again_proof", "row_differences"]

_MOST_FIELDS = 4


def resolved_again_proof(
    locks: Sequence[tuple[str, Lock]], *, resolve: Callable[[Target], Lock], done: Callable[[str], None]
) -> Proof:
    """Compare each lock, under the name that findings use, with what `resolve` makes of its target now.

    What `resolve` refuses is a finding; where a place gave no answer, nothing is
    proven, and the finding says so. `done` is told of each lock.
    """
    findings: list[Finding] = []
    equal = 0
    for name, lock in locks:
        differences = list(_lock_differences(name, lock, resolve))
        findings += differences
        equal += not differences
        done(name)
    says = f"{equal} of {counted(len(locks), 'lock')} resolved again from nothing, with the same rows"
    return Proof(
        name="again", says=says, findings=tuple(findings), facts={"locks": len(locks), "equal": equal}
    )


def _lock_differences(name: str, lock: Lock, resolve: Callable[[Target], Lock]) -> Iterator[Finding]:
    try:
        again = resolve(lock.target)
    except FetchError as error:
        yield found("unknown", f"it could not be resolved again: {error}", lock=name)
        return
    except BuilderError as error:
        yield found("resolves-differently", f"resolving it again is refused: {error}", lock=name)
        return
    yield from (finding.in_lock(name) for finding in row_differences(lock, again))


def row_differences(lock: Lock, again: Lock) -> Iterator[Finding]:
    """Yield each row in which a lock differs from what resolving it again gives."""
    for change in compare(lock, again):
        yield found("resolves-differently", _change_text(change), row=f"{change.kind} {change.name}")


def _change_text(change: RowChange) -> str:
    """Say how the row of the lock, before, differs from the one that is resolved, after."""
    verb = {"added": "resolving again adds it", "removed": "resolving again does not have it"}
    if change.action.value in verb:
        return verb[change.action.value]
    fields = [f"{field.key} {field.before!r} would be {field.after!r}" for field in change.fields]
    more = f" and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
    return "; ".join(fields[:_MOST_FIELDS]) + more
