"""Foreign JSON: the one parser, whose only error is ValueError. Pure."""

from __future__ import annotations

__all__ = ["parse_json"]

import json
from typing import Any, NoReturn

_LONGEST_INTEGER = 20  # characters: those of 64 bits with a sign; Python refuses to print 4,301 digits


def parse_json(data: str | bytes) -> Any:
    """Return the value of a JSON text; ValueError for anything else.

    So is what the parser nests too deeply for, an integer of more than 64 bits, and the constants
    NaN and Infinity, which are no JSON.
    """
    try:
        return json.loads(data, parse_int=_bounded_integer, parse_constant=_refused_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _bounded_integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _refused_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
