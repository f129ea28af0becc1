"""Dockerfiles are read in another process: what a fault of native code there does to `align`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parents[3]


def die_of_a_mark(files: Iterable[tuple[bytes, str]]) -> tuple[tuple[()], ...]:
    """Die as native code does if a file has a mark."""
    given = list(files)
    if any(b"DEADLY" in data for data, _ in given):
        os.kill(os.getpid(), signal.SIGSEGV)
    return tuple(() for _ in given)


def test_a_fault_of_the_grammar_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builder.commands.align.pins_of_dockerfiles", die_of_a_mark)
    good, bad = tmp_path / "a.Dockerfile", tmp_path / "b.Dockerfile"
    good.write_text("FROM scratch\n")
    bad.write_text("FROM scratch\nRUN DEADLY\n")
    words = ["align", "--project", str(ROOT), "--offline", "--dockerfile", str(good)]
    assert main([*words, "--dockerfile", str(bad)]) == 8
    said = capsys.readouterr().err
    assert f"{bad}: the process that read it died (Segmentation fault)" in said
    assert "take out the RUN" in said
    assert str(good) not in said
    assert "Traceback" not in said
