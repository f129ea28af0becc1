"""The one place that turns an error into text and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from builder.arguments import parser
from builder.console import Console
from builder.errors import BuilderError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name."""
    options = parser().parse_args(argv)
    console = Console(quiet=options.quiet)
    try:
        return int(options.run(options, console))
    except BuilderError as error:
        console.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        console.status("interrupted; nothing was left half-written")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what it wanted, it has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
