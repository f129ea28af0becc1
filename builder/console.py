"""What people see: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from rich import box
from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from builder.errors import BuilderError

__all__ = ["Console", "Steps", "Transfers"]

_NARROWEST = 100


class Steps:
    """Progress of work that has a known number of steps; safe to call from several threads."""

    def __init__(self, progress: Progress | None, terminal: Terminal, title: str, total: int) -> None:
        self._progress = progress
        self._terminal = terminal
        self._task = progress.add_task(title, total=total) if progress else None
        self._mutex = threading.Lock()

    def done(self, label: str) -> None:
        """Say that one step has ended."""
        with self._mutex:
            if self._progress is not None and self._task is not None:
                self._progress.advance(self._task)
            self._terminal.print(escape(label), style="dim", highlight=False, soft_wrap=True)


class Transfers:
    """Progress of a fetch: files, bytes, rate and time left."""

    def __init__(self, progress: Progress | None, terminal: Terminal, title: str) -> None:
        self._progress = progress
        self._terminal = terminal
        self._task = progress.add_task(title, total=None, files="", start=True) if progress else None
        self._files = self._done_files = self._size = self._bytes = 0

    def planned(self, files: int, size: int) -> None:
        """Say how many files and bytes are to come."""
        self._files, self._size = files, size
        self._show()

    def advanced(self, difference: int) -> None:
        """Say how many more bytes there are than before; a file that starts anew makes them fewer."""
        self._bytes += difference
        self._show()

    def done(self, label: str) -> None:
        """Say that one file is there."""
        self._done_files += 1
        self._show()
        self.said(label)

    def said(self, text: str) -> None:
        """Say something above the display."""
        self._terminal.print(escape(text), style="dim", highlight=False, soft_wrap=True)

    def _show(self) -> None:
        if self._progress is not None and self._task is not None:
            files = f"{self._done_files}/{self._files} files"
            total = max(self._size, self._bytes)
            self._progress.update(self._task, completed=self._bytes, total=total or None, files=files)


class Console:
    """The two streams of the program; colour only on terminals and without NO_COLOR."""

    def __init__(
        self, out: IO[str] | None = None, err: IO[str] | None = None, *, quiet: bool = False
    ) -> None:
        self._out = out or sys.stdout
        self._quiet = quiet
        self._terminal = Terminal(file=err or sys.stderr, highlight=False)

    def data(self, text: str) -> None:
        """Write result text to standard output, as it is."""
        self._out.write(text if text.endswith("\n") else f"{text}\n")
        self._out.flush()

    def json(self, value: Any) -> None:
        """Write a result as JSON, keys in the order given."""
        self.data(json.dumps(value, indent=2, ensure_ascii=False))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table to standard output; cells are plain text."""
        terminal = Terminal(file=self._out, highlight=False)
        if not terminal.is_terminal:
            widest = 4 + sum(max(map(len, column)) + 3 for column in zip(columns, *rows, strict=True))
            terminal = Terminal(file=self._out, highlight=False, width=max(widest, _NARROWEST))
        table = Table(*columns, box=box.SIMPLE, pad_edge=False)
        for row in rows:
            table.add_row(*map(escape, row))
        terminal.print(table)

    def ask(self, question: str) -> str:
        """Return what a person answers on the terminal; empty where nobody can be asked."""
        if self._quiet or not (sys.stdin.isatty() and self._terminal.is_terminal):
            return ""
        try:
            return self._terminal.input(f"{escape(question)}: ").strip()
        except EOFError:
            return ""

    def status(self, text: str) -> None:
        """Tell what is going on."""
        if not self._quiet:
            self._terminal.print(escape(text), highlight=False, soft_wrap=True)

    def warning(self, text: str) -> None:
        """Tell what deserves attention and stops nothing."""
        self._terminal.print(f"[yellow]warning:[/] {escape(text)}", highlight=False, soft_wrap=True)

    def error(self, error: BuilderError) -> None:
        """Tell why the program cannot go on, and what to do next."""
        self._terminal.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        if error.hint:
            self._terminal.print(f"[cyan]hint:[/] {escape(error.hint)}", highlight=False, soft_wrap=True)

    @contextmanager
    def transfers(self, title: str) -> Iterator[Transfers]:
        """Show one display of a fetch while the block runs; on no terminal a line a file."""
        if self._quiet or not self._terminal.is_terminal:
            yield Transfers(None, Terminal(quiet=True) if self._quiet else self._terminal, title)
            return
        columns = (
            *(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[files]}"),
            ),
            *(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()),
        )
        with Progress(*columns, console=self._terminal, transient=True) as progress:
            yield Transfers(progress, self._terminal, title)

    @contextmanager
    def steps(self, title: str, total: int) -> Iterator[Steps]:
        """Show progress while the block runs; on no terminal a line a step."""
        if self._quiet or not self._terminal.is_terminal:
            quiet = Terminal(quiet=True) if self._quiet else self._terminal
            yield Steps(None, quiet, title, total)
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self._terminal, transient=True) as progress:
            yield Steps(progress, self._terminal, title, total)
