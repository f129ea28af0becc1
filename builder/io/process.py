"""Processes: explicit environment, captured streams, and no survivors."""

from __future__ import annotations

__all__ = ["Completed", "ToolTimeoutError", "clean_environment", "run", "stop_group", "stream"]

import codecs
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.errors import ToolError
from builder.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_TAIL_LINES = 12
_CHUNK = 2**16  # bytes
_GRACE = 2.0  # seconds
# Proxies and certificate authorities belong to the machine, not to a tool's configuration.
_PASSED_ON = (
    "PATH",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
_FIXED = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}


class ToolTimeoutError(ToolError):
    """A program was still running when its time was over, and was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A program that ended: how it was called, its exit code and both streams."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def output(self) -> str:
        """Standard output as text; bytes that are not UTF-8 become replacement characters."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Standard error as text; bytes that are not UTF-8 become replacement characters."""
        return self.stderr.decode("utf-8", "replace")


def clean_environment(
    extra: Mapping[str, str] | None = None, *, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return an environment for a tool: `PATH`, proxies and authorities of `base`, a fixed locale, `extra`.

    `base` is this process's environment unless given. Nothing that configures
    pip, uv, git or apt passes, and neither does `HOME`.
    """
    source = os.environ if base is None else base
    kept = {name: source[name] for name in _PASSED_ON if source.get(name)}
    return {**kept, **_FIXED, **(extra or {})}


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    input: bytes | None = None,  # noqa: A002 - the standard library's name for it
    timeout: float | None = None,
    accept: tuple[int, ...] = (0,),
) -> Completed:
    """Run `argv` to its end with exactly `env` and return what it wrote.

    `timeout` is in seconds. ToolError when the program is missing or ends with
    a code outside `accept`, ToolTimeoutError when it is still running at the
    timeout: it and its children are killed then, and likewise on an interrupt.
    """
    process = _start_program(
        argv,
        env,
        cwd,
        stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        stdout, stderr = process.communicate(input, timeout)
    except subprocess.TimeoutExpired as cause:
        stop_group(process)
        raise ToolTimeoutError(
            f"did not finish within {timeout:g} seconds", place=_program_name(argv)
        ) from cause
    except BaseException:
        stop_group(process)
        raise
    completed = Completed(argv=tuple(argv), returncode=process.returncode, stdout=stdout, stderr=stderr)
    if completed.returncode not in accept:
        raise ToolError(_failure_text(completed), place=_program_name(argv))
    return completed


def stream(
    argv: Sequence[str], *, env: Mapping[str, str], heard: Callable[[str], None], cwd: Path | None = None
) -> int:
    """Run `argv` to its end with exactly `env`, and return its exit code.

    `heard` gets both streams' text, piece by piece, as it comes. ToolError when
    the program cannot be started; it and its children are ended on an interrupt.
    """
    process = _start_program(argv, env, cwd, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        _pass_on_text(process, heard)
        return process.wait()
    except BaseException:
        stop_group(process)
        raise


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End `process`, started in its own session, with its children, and reap it.

    They are asked first, so that git and uv can remove their lock files, and
    killed two seconds later.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    process.wait()


def _start_program(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path | None, *, stdin: int, stderr: int
) -> subprocess.Popen[bytes]:
    # The program is looked for in the given PATH: Popen would use this process's own.
    program = shutil.which(argv[0], path=env.get("PATH", os.defpath))
    if program is None:
        raise ToolError("is not installed", place=argv[0], hint=f"install {argv[0]}, or put it in PATH")
    try:
        return subprocess.Popen(
            [program, *argv[1:]],
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # no terminal to prompt on, and one group to kill
        )
    except OSError as cause:
        raise ToolError(f"cannot be started: {cause.strerror or cause}", place=_program_name(argv)) from cause


def _pass_on_text(process: subprocess.Popen[bytes], heard: Callable[[str], None]) -> None:
    """Give `heard` a program's text as it comes; a character split between reads stays whole."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    if process.stdout is None:
        raise AssertionError(process.args)
    with process.stdout as pipe:
        while data := os.read(pipe.fileno(), _CHUNK):  # not `pipe.read`, which would wait for a whole chunk
            heard(decoder.decode(data))
    heard(decoder.decode(b"", final=True))


def _program_name(argv: Sequence[str]) -> str:
    """Return the program and its verb: enough to recognise, and no secret."""
    name = os.path.basename(argv[0])  # noqa: PTH119 - a string, not a path
    first = next((word for word in argv[1:] if not word.startswith("-")), "")
    return f"{name} {first}" if re.fullmatch(r"[a-z][a-z0-9-]*", first) else name


def _failure_text(completed: Completed) -> str:
    code = completed.returncode
    ending = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    text = (completed.errors.strip() or completed.output.strip()).splitlines()
    tail = "\n".join(f"  {redacted(line)}" for line in text[-_TAIL_LINES:])
    return f"{ending}\n{tail}" if tail else f"{ending}, and wrote nothing"
