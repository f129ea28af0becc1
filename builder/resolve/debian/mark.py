"""Choosing a package and, depth first, what it needs, as apt's MarkInstall does.

This is the greedy pass that settles nearly every request: it takes the first
solution of each unmet clause, makes room for it, and gives the package up when
a clause has no solution left. What it leaves broken goes to `repair`.

apt recurses, a few hundred levels deep for a desktop. Here each level is a
generator that yields the packages it wants chosen and is sent the outcome, so
that depth costs memory and not the interpreter's stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.resolve.debian.choice import possible, solutions
from builder.resolve.debian.conflicts import Task, add_dependents, make_room, siblings
from builder.resolve.debian.state import Mode

if TYPE_CHECKING:
    from collections.abc import Generator

    from builder.resolve.debian.index import Stanza
    from builder.resolve.debian.relation import Clause
    from builder.resolve.debian.state import State

    Steps = Generator[tuple[str, bool], bool, bool]

__all__ = ["Marker"]


class Marker:
    """Changes a state by choosing packages."""

    def __init__(self, state: State) -> None:
        self.state = state

    def install(self, name: str, *, follow: bool, user: bool = False) -> bool:
        """Choose the candidate of `name` and, with `follow`, what it needs; say whether that worked.

        With `user` the choice itself is beyond question, as on apt's command line.
        """
        stack = [self._install(name, follow=follow, user=user)]
        answer: bool | None = None
        while stack:
            try:
                child, deeper = next(stack[-1]) if answer is None else stack[-1].send(answer)
            except StopIteration as done:
                stack.pop()
                answer = bool(done.value)
            else:
                stack.append(self._install(child, follow=deeper, user=False))
                answer = None
        return bool(answer)

    def _install(self, name: str, *, follow: bool, user: bool) -> Steps:
        state = self.state
        candidate, protected = state.candidate(name), name in state.protected
        spreading = protected and state.mode(name) is Mode.KEEP and candidate is state.current.get(name)
        if not (spreading and candidate) and not state.may_change(name, Mode.INSTALL, force=user):
            return False
        if candidate is None:
            return False
        if not protected and not state.broken(name):
            if candidate is state.current.get(name):
                return state.chosen(name) is not None or state.keep(name, force=user)
            if state.mode(name) is Mode.INSTALL:
                return True
        if follow and not self._possible(candidate):
            return False
        if user:
            state.choose(name, force=True)
        return (yield from self._enter(candidate, follow=follow, user=user))

    def _possible(self, candidate: Stanza) -> bool:
        """Reject a candidate with a clause that neither choices nor candidates satisfy."""
        state = self.state
        if candidate is state.current.get(candidate.name):
            return True
        for clause in state.clauses(candidate):
            if clause.negative or state.met(candidate, clause) or state.met_by_candidates(candidate, clause):
                continue
            if candidate.name not in state.protected:
                state.reject(candidate.name)
            return False
        return True

    def _enter(self, candidate: Stanza, *, follow: bool, user: bool) -> Steps:
        state, name = self.state, candidate.name
        firm = name in state.protected
        task = Task(stanza=candidate, firm=firm, strict=not firm and not user)
        whole = True
        wanted: list[Clause] = []
        if follow:
            open_ = [c for c in state.clauses(candidate) if firm or not state.met(candidate, c)]
            wanted = [c for c in open_ if not c.negative]
            whole = make_room(state, task, [c for c in open_ if c.negative])
            if not whole and task.strict:
                return False
            add_dependents(state, task)
        if not user:
            state.choose(name, force=False)
        if not follow:
            return whole
        # Nothing below may undo the choice that it follows from.
        state.protected.add(name)
        try:
            whole = (yield from self._follow(task, wanted)) and whole
        finally:
            if not firm:
                state.protected.discard(name)
        return whole

    def _follow(self, task: Task, wanted: list[Clause]) -> Steps:
        yield from self._upgrade_siblings(task.stanza)
        whole = True
        for step in (self._upgrade(task), self._satisfy(task, wanted), self._remove(task)):
            if not (yield from step):
                if task.strict:
                    self.state.retract(task.stanza.name)
                    return False
                whole = False
        return whole

    # What making room has planned.

    def _upgrade(self, task: Task) -> Steps:
        state, whole = self.state, True
        for name in task.upgrades:
            if state.mode(name) is Mode.INSTALL or (yield name, True):
                continue
            if not state.delete(name):
                whole = False
                if task.strict:
                    return False
            elif task.firm:
                state.protected.add(name)
        return whole

    def _upgrade_siblings(self, stanza: Stanza) -> Generator[tuple[str, bool], bool, None]:
        """Upgrade installed packages that were built from the same source together."""
        state = self.state
        names = [
            name
            for name in siblings(state, stanza)
            if state.candidate(name) is not state.current.get(name)
            and state.chosen(name) is not state.candidate(name)
        ]
        for follow in (False, True):
            for name in names:
                yield name, follow

    def _remove(self, task: Task) -> Steps:
        yield from ()
        whole = True
        for name in task.removals:
            if not self.state.delete(name):
                whole = False
                if task.strict:
                    return False
        return whole

    # Pre-Depends and Depends.

    def _satisfy(self, task: Task, wanted: list[Clause]) -> Steps:
        whole = True
        for clause in wanted:
            if self.state.met(task.stanza, clause):
                if task.firm and not (yield from self._bind(task, clause)):
                    whole = False
            elif not (yield from self._solve(task, clause)):
                whole = False
                if task.strict:
                    return False
        return whole

    def _bind(self, task: Task, clause: Clause) -> Steps:
        """Protect the only package that can satisfy a clause of a firm task."""
        state = self.state
        found = possible(state, task.stanza, clause)
        if len(found) != 1 or found[0].name in state.protected:
            return True
        state.protected.add(found[0].name)
        return (yield found[0].name, True)

    def _solve(self, task: Task, clause: Clause) -> Steps:
        state = self.state
        found = solutions(state, task.stanza, clause)
        for stanza in found:
            name = stanza.name
            if state.candidate(name) is not stanza:
                continue
            if task.firm and len(found) == 1:
                if not (yield name, False):
                    continue
                state.protected.add(name)
            if (yield name, True):
                return True
        return False
