"""Programs heard while they run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.io.process import stream

ENV = {"PATH": os.environ["PATH"]}


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_both_streams_and_the_exit_code() -> None:
    heard: list[str] = []
    code = stream(
        python("import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"),
        env=ENV,
        heard=heard.append,
    )
    assert code == 3
    assert "".join(heard) == "out\nerr\n"


def test_text_is_heard_while_the_program_runs(tmp_path: Path) -> None:
    flag = tmp_path / "heard"
    code = f"""
import pathlib, time
print('first', flush=True)
for _ in range(500):
    if pathlib.Path({str(flag)!r}).exists(): break
    time.sleep(0.01)
else: raise SystemExit(1)
"""
    assert stream(python(code), env=ENV, heard=lambda text: flag.touch() if "first" in text else None) == 0


def test_a_character_split_between_pieces() -> None:
    heard: list[str] = []
    code = "import os, time; os.write(1, b'\\xe2\\x82'); time.sleep(0.2); os.write(1, b'\\xac\\xff')"
    assert stream(python(code), env=ENV, heard=heard.append) == 0
    assert "".join(heard) == "€\N{REPLACEMENT CHARACTER}"


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not installed") as caught:
        stream(["nothing-of-this-name"], env={"PATH": str(tmp_path)}, heard=print)
    assert caught.value.place == "nothing-of-this-name"


def test_an_interrupt_ends_the_program_and_its_children(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
open({str(file)!r}, 'w').write(str(child.pid))
print('ready', flush=True)
time.sleep(60)
"""

    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stream(python(code), env=ENV, heard=interrupt)
    assert time.monotonic() - began < 30
    # The grandchild is nobody's here to wait for: it dies when the machine next lets it run.
    status = Path(f"/proc/{file.read_text()}/stat")
    while is_alive(status):
        assert time.monotonic() - began < 30
        time.sleep(0.05)


def is_alive(status: Path) -> bool:
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
