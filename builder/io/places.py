"""Several places that may have one thing: each is tried in turn, and one error says what all of them said."""

from __future__ import annotations

__all__ = ["first_answer", "joined_error"]

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.io.exchange import NotFoundError

Given = TypeVar("Given")


def first_answer(
    places: Iterable[str], ask: Callable[[str], Given], *, place: str = "", hint: str = ""
) -> Given:
    """Return what the first of `places` gives that gives anything; mirrors come first in every such list.

    `ask` raises FetchError for a place that does not have the thing, and
    DigestMismatchError for one that has something else. When no place is left
    that error is raised, or one that says all of them: see `joined_error`.
    """
    errors: list[BuilderError] = []
    for candidate in places:
        try:
            return ask(candidate)
        except (FetchError, DigestMismatchError) as error:
            errors.append(error)
    raise joined_error(errors, place=place, hint=hint)


def joined_error(
    errors: Sequence[BuilderError], *, place: str = "", hint: str = "", what: str = "", indent: str = "  "
) -> BuilderError:
    """Return one error that says all of `errors`, at `place`: by itself where there is only one.

    Its class, and so the exit code, is that of the gravest: wrong bytes
    somewhere are graver than a place that cannot be asked, and that is graver
    than a place that does not have it. `what` replaces "none of N places has it", and
    `indent` stands before each line.
    """
    if not errors:
        return FetchError(
            "no known place has it",
            place=place,
            hint=hint or "configure its origin or a mirror in origins.toml",
        )
    if len(errors) == 1:
        only = errors[0]
        return only if place in ("", only.place) else only.within(place)
    gravest = min(errors, key=_error_gravity)
    lines = "".join(f"\n{indent}{error}" for error in errors)
    said = what or f"none of {len(errors)} places has it"
    return type(gravest)(f"{said}:{lines}", place=place, hint=hint or gravest.hint)


def _error_gravity(error: BuilderError) -> int:
    if isinstance(error, DigestMismatchError):
        return 0
    return 2 if isinstance(error, NotFoundError) else 1
