"""A process whose text is heard while it runs."""

from __future__ import annotations

__all__ = ["stream"]

import codecs
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from os import defpath
from pathlib import Path

from builder.errors import ToolError
from builder.io.process import stop_group

_CHUNK = 2**16  # bytes


def stream(
    argv: Sequence[str], *, env: Mapping[str, str], heard: Callable[[str], None], cwd: Path | None = None
) -> int:
    """Run `argv` to its end with exactly `env`, and return its exit code.

    `heard` gets both streams' text, piece by piece, as it comes. ToolError when
    the program cannot be started; it and its children are ended on an interrupt.
    """
    program = shutil.which(argv[0], path=env.get("PATH", defpath))
    if program is None:
        raise ToolError("is not installed", place=argv[0], hint=f"install {argv[0]}, or put it in PATH")
    try:
        process = subprocess.Popen(
            [program, *argv[1:]],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # one group to end
            bufsize=0,
        )
    except OSError as cause:
        raise ToolError(f"cannot be started: {cause.strerror or cause}", place=argv[0]) from cause
    try:
        _listen(process, heard)
        return process.wait()
    except BaseException:
        stop_group(process)
        raise


def _listen(process: subprocess.Popen[bytes], heard: Callable[[str], None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    if process.stdout is None:
        raise AssertionError(process.args)
    with process.stdout as pipe:
        while data := pipe.read(_CHUNK):
            heard(decoder.decode(data))
    heard(decoder.decode(b"", final=True))
