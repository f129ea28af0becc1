"""The errors a user can meet, one class per exit code.

* BuilderError
    * UsageError (2): the command line or its environment cannot be acted on
    * RecipeError (3): a recipe is invalid
    * LockError (4): a lock is invalid, incomplete or unreadable
    * NoSolutionError (5): no acceptable solution exists, traps T1 to T5 and T15 (docs/traps.md) included
    * FetchError (6): bytes could not be obtained
    * DigestMismatchError (7): bytes were obtained and are not the promised ones
    * ToolError (8): an external tool failed or is missing

Exit code 0 means fine, 1 means that a check found differences, 130 that the
run was interrupted. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

from builder.redact import redacted

__all__ = [
    "BuilderError",
    "DigestMismatchError",
    "FetchError",
    "LockError",
    "NoSolutionError",
    "RecipeError",
    "ToolError",
    "UsageError",
]


class BuilderError(Exception):
    """A failure that the user can act on: where it is, what is wrong, what to do next.

    `place` is a file, a key path, a URL or a combination of them, outermost
    first; `hint` is one sentence in the imperative, or empty. Whoever prints,
    writes or passes on an error gets all three without credentials: those of
    URLs, and everything that this process was given as a secret.
    """

    exit_code = 70

    def __init__(self, cause: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(redacted(cause))
        self._cause = cause
        self._place = place
        self._hint = hint

    @property
    def cause(self) -> str:
        """What is wrong."""
        return redacted(self._cause)

    @property
    def place(self) -> str:
        """Where it is."""
        return redacted(self._place)

    @property
    def hint(self) -> str:
        """What to do next."""
        return redacted(self._hint)

    def __str__(self) -> str:
        return f"{self.place}: {self.cause}" if self.place else self.cause

    def within(self, outer: str) -> BuilderError:
        """Return the same error with `outer` put before its place."""
        place = f"{outer}: {self._place}" if self._place else outer
        return type(self)(self._cause, place=place, hint=self._hint)


class UsageError(BuilderError):
    """The command line, or the machine it runs on, does not allow the command."""

    exit_code = 2


class RecipeError(BuilderError):
    """A recipe file cannot be read as what it should be."""

    exit_code = 3


class LockError(BuilderError):
    """A lock file is invalid, incomplete, or does not match what refers to it."""

    exit_code = 4


class NoSolutionError(BuilderError):
    """The requirements exclude each other, or only an unacceptable solution exists."""

    exit_code = 5


class FetchError(BuilderError):
    """Bytes that are needed could not be obtained."""

    exit_code = 6


class DigestMismatchError(BuilderError):
    """Bytes were obtained, and their digest is not the promised one."""

    exit_code = 7


class ToolError(BuilderError):
    """An external program failed, or is not installed."""

    exit_code = 8
