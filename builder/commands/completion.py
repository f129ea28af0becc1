"""`completion`: code for a shell, which then completes verbs, options and names."""

from __future__ import annotations

import argparse

from builder import completion
from builder.console import Console

__all__ = ["EXAMPLES", "add_options", "run"]

EXAMPLES = """\
  python -m builder completion bash                               look at the code
  eval "$(lockwright completion bash)"                            in ~/.bashrc
  eval "$(lockwright completion zsh)"                             in ~/.zshrc, after compinit
  lockwright completion fish > ~/.config/fish/completions/lockwright.fish
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `completion`."""
    verb.add_argument("shell", choices=completion.SHELLS)


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the code to standard output; 0."""
    console.data(completion.shell_code(options.shell))
    return 0
