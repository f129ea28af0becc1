"""What the name of an argument means: `FLASHINF_REF` is FlashInfer's. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["is_pin", "meant", "names_a_ref"]

_SUFFIX = re.compile(r"_?(REF|VERSION|VER|TAG|COMMIT|BRANCH|SHA|RELEASE)$", re.IGNORECASE)
_REF = re.compile(r"_?(REF|TAG|BRANCH)$", re.IGNORECASE)
_SHORTEST = 5
"""So many letters of a name's beginning are enough, where one name alone begins so."""


def is_pin(name: str) -> bool:
    """Whether an argument's name says that its value is a version or a ref."""
    return bool(_SUFFIX.search(name))


def names_a_ref(name: str) -> bool:
    """Whether an argument's name says that its value is a ref of git as it is written."""
    return bool(_REF.search(name))


def meant(name: str, known: Iterable[str]) -> str:
    """Return which of the `known` names an argument is about, or nothing."""
    words = [word for word in re.split(r"[_-]+", _SUFFIX.sub("", name).lower()) if word]
    by_letters = {item.replace("-", ""): item for item in sorted(known)}
    # The last words count most: NIXL_UCX_REF is UCX's.
    for start in range(len(words)):
        letters = "".join(words[start:])
        if letters in by_letters:
            return by_letters[letters]
        beginning = [item for key, item in by_letters.items() if key.startswith(letters)]
        if len(letters) >= _SHORTEST and len(beginning) == 1:
            return beginning[0]
    return ""
