"""Calls in a Python of their own: what they return and raise, and a native fault that ends only them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import pytest

from builder.errors import ToolError, UsageError
from builder.io import call_apart


def double(data: bytes) -> bytes:
    print("this is no part of the answer")  # noqa: T201
    return data * 2


def refuse(place: str) -> None:
    raise UsageError("too long", place=place, hint="make it shorter")


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def fault() -> None:
    ctypes.string_at(0)


def fill_memory() -> int:
    return len(b"\1" * 2**40)


def fail() -> None:
    raise KeyError("a bug")


def test_what_a_function_returns_or_raises_comes_back() -> None:
    assert call_apart(double, b"a" * 100_000, place="x", hint="y") == b"a" * 200_000
    with pytest.raises(UsageError) as caught:
        call_apart(refuse, "file: line 3", place="x", hint="y")
    assert (caught.value.place, caught.value.cause, caught.value.hint) == (
        "file: line 3",
        "too long",
        "make it shorter",
    )


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL])
def test_a_signal_ends_the_call_and_not_this_process(number: int) -> None:
    with pytest.raises(ToolError, match=r"died .*: nothing of it is judged") as caught:
        call_apart(die, number, place="Dockerfile", hint="report it")
    assert (caught.value.place, caught.value.hint) == ("Dockerfile", "report it")


def test_a_null_pointer_in_native_code_ends_the_call_only() -> None:
    with pytest.raises(ToolError, match="Segmentation fault"):
        call_apart(fault, place="Dockerfile", hint="report it")


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*KeyError: 'a bug'"):
        call_apart(fail, place="x", hint="y")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to RLIMIT_AS")
def test_memory_is_bounded() -> None:
    with pytest.raises(RuntimeError, match="MemoryError"):
        call_apart(fill_memory, place="x", hint="y")
