"""Which trap a refusal speaks of. Pure."""

from __future__ import annotations

import re

__all__ = ["trap_of"]

# The words are those of the errors themselves; each trap's own test folder is classified in the tests.
_WORDS = (
    ("T5", r"is a stub|is published as source only"),
    ("T3", r"is built without CUDA|is a build for CUDA|the target has the toolkit of CUDA|CPU-only"),
    ("T1", r"never existed on the index|component \S+ provides"),
    ("T2", r"the recipe binds |after the date bound"),
    ("T4", r"has no wheel for this target|is not bound by `==`|on every architecture"),
)


def trap_of(text: str) -> str:
    """Return the name of the trap, such as `T4`, or nothing where the text is about none of T1 to T5."""
    return next((trap for trap, words in _WORDS if re.search(words, text)), "")
