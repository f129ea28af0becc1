"""A function called in a Python of its own, so that a fault of native code in it cannot end this program.

A segmentation fault or an abort of a native library ends its whole process: no `except` sees it. The child
also bounds memory and time, which native code does not.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from builder.errors import BuilderError, ToolError
from builder.io.process import clean_environment, run

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call_apart"]

T = TypeVar("T")
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from builder.io.apart import answer_call; answer_call()"
_ANY_END = tuple(range(-64, 256))
_MOST_MEMORY = 4 * 2**30
"""Bytes of address space; a Dockerfile within its bounds needs 860 MB."""
_SECONDS = 120
"""Ten times what a hostile Dockerfile within its bounds takes of one core."""


def call_apart(function: Callable[..., T], *arguments: object, place: str, hint: str) -> T:
    """Return what a function of a module returns for arguments that can be pickled.

    Its BuilderErrors are raised here. ToolError at `place`, with `hint`, if its process dies or does not end.
    """
    call = pickle.dumps((function.__module__, function.__qualname__, arguments))
    argv = [sys.executable, *(["-B"] if sys.dont_write_bytecode else []), "-c", _CODE, *sys.path]
    try:
        done = run(argv, env=clean_environment(), input=call, timeout=_SECONDS, accept=_ANY_END)
    except ToolError as error:
        raise ToolError(f"reading it {error.cause}", place=place, hint=hint) from error
    if done.returncode < 0:
        name = signal.strsignal(-done.returncode) or str(-done.returncode)
        raise ToolError(
            f"the process that read it died ({name}): nothing of it is judged", place=place, hint=hint
        )
    if done.returncode:
        raise RuntimeError(done.errors)  # a bug, with the traceback of the other process
    kind, value = pickle.loads(done.stdout)  # noqa: S301 - written by this program a moment ago
    if kind == "error":
        raise value
    return value  # type: ignore[no-any-return]


def answer_call() -> None:
    """Read a call from standard input, and write what it returns to standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = _MOST_MEMORY if limit == resource.RLIM_INFINITY else min(_MOST_MEMORY, limit)
    resource.setrlimit(resource.RLIMIT_AS, (most, limit))
    module, name, arguments = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - of the program that started this one
    answer: tuple[str, Any]
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what anything prints must not stand in the answer
        try:
            answer = ("value", getattr(importlib.import_module(module), name)(*arguments))
        except BuilderError as error:
            answer = ("error", error)
        out.write(pickle.dumps(answer))
