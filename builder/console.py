"""What people see: data on standard output, everything else on standard error.

rich is loaded when it is needed: most runs write plain data, and should start fast.
"""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from builder.errors import BuilderError
from builder.io import redacted
from builder.model import printable

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from rich.progress import Progress

__all__ = ["Console", "Steps", "Transfers", "called_as"]

JSON_FORMAT = 1
"""The form of every JSON document that a command prints; raised when a key changes its meaning."""
_MODULE, _PROGRAM = "python -m builder", "lockwright"


def called_as() -> str:
    """Return how this program was called: `lockwright`, or `python -m builder`."""
    return _PROGRAM if Path(sys.argv[0] or "").stem == _PROGRAM else _MODULE


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
            self._terminal.print(_markup_free(label), style="dim", highlight=False, soft_wrap=True)


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
        self._show_progress()

    def advanced(self, difference: int) -> None:
        """Say how many more bytes there are than before; a file that starts again makes them fewer."""
        self._bytes += difference
        self._show_progress()

    def done(self, label: str) -> None:
        """Say that one file is there: by its name where there is no display."""
        self._done_files += 1
        self._show_progress()
        if self._progress is None:
            self.said(label)

    def said(self, text: str) -> None:
        """Say something above the display."""
        self._terminal.print(_markup_free(text), style="dim", highlight=False, soft_wrap=True)

    def _show_progress(self) -> None:
        if self._progress is not None and self._task is not None:
            files = f"{self._done_files}/{self._files} files"
            total = max(self._size, self._bytes)
            self._progress.update(self._task, completed=self._bytes, total=total or None, files=files)


class Console:
    """The two streams of the program; colour only on terminals and without NO_COLOR.

    `command` is the verb that runs: JSON documents name it.
    """

    def __init__(
        self,
        out: IO[str] | None = None,
        err: IO[str] | None = None,
        *,
        quiet: bool = False,
        command: str = "",
    ) -> None:
        self._out = out or sys.stdout
        self._command = command
        self._written = False
        if isinstance(self._out, io.TextIOWrapper):
            self._out.reconfigure(errors="backslashreplace")  # a name that the locale cannot write
        self._quiet = quiet
        self._err = err or sys.stderr

    @cached_property
    def _terminal(self) -> Terminal:
        return _rich_terminal(self._err)

    def data(self, text: str) -> None:
        """Write result text to standard output, as it is."""
        self._written = True
        self._out.write(text if text.endswith("\n") else f"{text}\n")
        self._out.flush()

    def json(self, value: Mapping[str, Any]) -> None:
        """Write a result as one JSON document: its format, the command, then the keys in the order given."""
        named = {"format": JSON_FORMAT, **({"command": self._command} if self._command else {}), **value}
        text = json.dumps(named, indent=2, ensure_ascii=False)
        self.data("\n".join(map(_json_visible, text.split("\n"))))

    def json_error(self, error: BuilderError) -> None:
        """Write an error as a JSON document, unless a result was already written."""
        if not self._written:
            said = {"cause": error.cause, "place": error.place, "hint": _with_program_name(error.hint)}
            self.json({"exit-code": error.exit_code, "error": said})

    def files(self, paths: Sequence[str], *, as_json: bool) -> None:
        """Write which files were written, one a line, or as JSON under `files`."""
        if as_json:
            self.json({"files": list(paths)})
        else:
            self.data("\n".join(paths))

    def styled(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        """Write lines of (text, style) to standard output; styles show on terminals only."""
        if not self._out.isatty():
            self.data("".join(f"{''.join(text for text, _ in line)}\n" for line in lines))
            return
        from rich.text import Text  # noqa: PLC0415

        terminal = _rich_terminal(self._out)
        for line in lines:
            terminal.print(Text.assemble(*line), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table to standard output; cells are plain text.

        A terminal gets a grid without the columns that are empty, or one block a row if the grid is too
        wide for it. A pipe or a file gets one line a row, with tabs between the cells: programs can read it.
        """
        if not self._out.isatty():
            lines = [columns, *rows]
            self.data("".join("\t".join(map(_one_cell, line)) + "\n" for line in lines))
            return
        from rich.box import SIMPLE  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        terminal = _rich_terminal(self._out)
        self._written = True
        used = [place for place in range(len(columns)) if any(row[place] for row in rows)] or [0]
        columns = [columns[place] for place in used]
        rows = [[row[place] for place in used] for row in rows]
        table = Table(*columns, box=SIMPLE, pad_edge=False, show_edge=False)
        for row in rows:
            table.add_row(*(_markup_free(cell) for cell in row))
        if (
            terminal.measure(table, options=terminal.options.update(max_width=10**6)).maximum
            <= terminal.width
        ):
            terminal.print(table)
            return
        for row in rows:
            blocks = Table.grid(padding=(0, 2))
            for column, cell in zip(columns, row, strict=True):
                if cell:
                    blocks.add_row(f"[bold]{column}[/]", _markup_free(cell))
            terminal.print(blocks)
            terminal.print()

    def ask(self, question: str) -> str:
        """Return what a person answers on the terminal; empty without a terminal."""
        if self._quiet or not (sys.stdin.isatty() and self._terminal.is_terminal):
            return ""
        try:
            return self._terminal.input(f"{_markup_free(question)}: ").strip()
        except EOFError:
            return ""

    def status(self, text: str) -> None:
        """Tell what is going on."""
        if not self._quiet:
            self._terminal.print(
                _markup_free(redacted(_with_program_name(text))), highlight=False, soft_wrap=True
            )

    def warning(self, text: str) -> None:
        """Tell what deserves attention and stops nothing."""
        self._terminal.print(
            f"[yellow]warning:[/] {_markup_free(redacted(_with_program_name(text)))}",
            highlight=False,
            soft_wrap=True,
        )

    def error(self, error: BuilderError) -> None:
        """Tell why the program cannot go on, and what to do next; passwords in URLs are hidden."""
        self._terminal.print(
            f"[red]error:[/] {_markup_free(redacted(_with_program_name(str(error))))}",
            highlight=False,
            soft_wrap=True,
        )
        if error.hint:
            self._terminal.print(
                f"[cyan]hint:[/] {_markup_free(redacted(_with_program_name(error.hint)))}",
                highlight=False,
                soft_wrap=True,
            )

    @contextmanager
    def transfers(self, title: str) -> Iterator[Transfers]:
        """Show one display of a fetch while the block runs; on no terminal a line a file."""
        if self._quiet or not self._terminal.is_terminal:
            yield Transfers(
                None, _rich_terminal(self._err, quiet=True) if self._quiet else self._terminal, title
            )
            return
        from rich import progress as shown  # noqa: PLC0415

        columns = (
            *(
                shown.SpinnerColumn(),
                shown.TextColumn("{task.description}"),
                shown.BarColumn(),
                shown.TextColumn("{task.fields[files]}"),
            ),
            *(shown.DownloadColumn(), shown.TransferSpeedColumn(), shown.TimeRemainingColumn()),
        )
        with shown.Progress(*columns, console=self._terminal, transient=True) as progress:
            yield Transfers(progress, self._terminal, title)

    @contextmanager
    def steps(self, title: str, total: int) -> Iterator[Steps]:
        """Show progress while the block runs; on no terminal a line a step."""
        if self._quiet or not self._terminal.is_terminal:
            quiet = _rich_terminal(self._err, quiet=True) if self._quiet else self._terminal
            yield Steps(None, quiet, title, total)
            return
        from rich import progress as shown  # noqa: PLC0415

        columns = (
            shown.SpinnerColumn(),
            shown.TextColumn("{task.description}"),
            shown.BarColumn(),
            shown.MofNCompleteColumn(),
        )
        with shown.Progress(
            *columns, shown.TimeElapsedColumn(), console=self._terminal, transient=True
        ) as progress:
            yield Steps(progress, self._terminal, title, total)


def _rich_terminal(file: IO[str], *, width: int | None = None, quiet: bool = False) -> Terminal:
    from rich.console import Console as Rich  # noqa: PLC0415

    return Rich(file=file, highlight=False, width=width, quiet=quiet)


def _with_program_name(text: str) -> str:
    """Return what is told to a person, with commands as this person calls the program."""
    return text.replace(_MODULE, called_as())


def _one_cell(text: str) -> str:
    """Return a cell on one line and without tabs, and without what steers a terminal."""
    return printable(" ".join(text.split()))


def _markup_free(text: str) -> str:
    """Return text for rich that shows as it is and steers no terminal, whoever wrote it."""
    from rich.markup import escape  # noqa: PLC0415

    return escape("\n".join(map(printable, text.split("\n"))))


def _json_visible(line: str) -> str:
    """Return a line of JSON that says the same, with what cannot be seen as JSON's own escapes."""
    if printable(line) == line:
        return line
    return "".join(json.dumps(item)[1:-1] if printable(item) != item else item for item in line)
