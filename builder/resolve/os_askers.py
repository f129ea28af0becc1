"""Who asks for each OS package: the edges of the closures, as `via` of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builder.lockfile import BASE, RECIPE, REQUIRED
from builder.resolve.debian import Choice

__all__ = ["askers"]


def askers(
    answers: Mapping[str, tuple[Choice, ...]], base_extra: Iterable[str]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return, for each (environment, package) of `answers`, who asks for it, sorted.

    These are the packages whose dependency it meets, also those of other
    environments on top of an assembled base; the package for whose sake it is
    upgraded; `recipe` for what is asked for by name, `base_extra` in the base;
    `required` for what the distribution itself puts into every base.
    """
    asked = {
        (environment, choice.name): set[str]() for environment in answers for choice in answers[environment]
    }
    extra = {name.partition("=")[0] for name in base_extra}
    for environment, choices in answers.items():
        for choice in choices:
            for name in choice.needs:
                place = (environment, name) if (environment, name) in asked else (BASE, name)
                if place in asked:
                    asked[place].add(choice.name)
            requested = RECIPE if environment != BASE or choice.name in extra else REQUIRED
            asked[environment, choice.name].add(choice.because or requested)
    return {place: tuple(sorted(names)) for place, names in asked.items()}
