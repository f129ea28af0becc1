"""Completion of command lines by shells: verbs, options, and the names that a project's recipes have.

A shell runs the program with what was typed so far (`_ARGCOMPLETE` in the environment), and argcomplete
answers. Names come from the names of files: no recipe is read, so that an invalid one stops no completion.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable

from builder.console import Console
from builder.errors import BuilderError
from builder.model import Arch
from builder.project import open_project
from builder.selection import ALL

__all__ = ["SHELLS", "answer_shell", "is_asked", "shell_code"]

SHELLS = ("bash", "zsh", "fish")
"""Shells that `completion` writes code for."""

_PROGRAM = "lockwright"
_FOLDERS = ("frameworks", "components", "platforms", "releases")
_OPTION_FOLDERS = {"release": "releases", "platform": "platforms", "framework": "frameworks"}
_NO_NAMES = ("version", "file")
"""Arguments of `pin` that no file's name tells: files of the folder are offered for others."""
_PIN_FOLDERS = {"git": "components", "archive": "components"}


def is_asked() -> bool:
    """Whether a shell asks for completions, rather than a person for a command."""
    return "_ARGCOMPLETE" in os.environ


def shell_code(shell: str) -> str:
    """Return the code that makes a shell ask this program."""
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - only completion has a use for it

    return str(shellcode([_PROGRAM], shell=shell))


def answer_shell(command_line: Callable[[list[str]], argparse.ArgumentParser]) -> None:
    """Write what may follow the words typed so far; argcomplete ends the process then."""
    import argcomplete  # noqa: PLC0415
    from argcomplete.lexers import split_line  # noqa: PLC0415

    line, point = os.environ.get("COMP_LINE", ""), int(os.environ.get("COMP_POINT", "0"))
    _, _, _, words, _ = split_line(line, point)
    parser = command_line(words[1:])
    for action in _all_actions(parser):
        if action.dest in (*_OPTION_FOLDERS, "arch", "name", *_NO_NAMES):
            action.completer = _known_names(action.dest)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def _all_actions(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - as argcomplete itself does
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for verb in action.choices.values():
                yield from _all_actions(verb)


def _known_names(dest: str) -> Callable[..., list[str]]:
    """Return argcomplete's completer of an option or argument: names by the prefix, of the project meant."""

    def completer(*, prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        if dest == "arch":
            names = {arch.value for arch in Arch}
        elif dest in _NO_NAMES:
            names = set()
        elif dest == "name":
            names = _positional_names(parsed_args)
        else:
            names = _recipe_names(parsed_args, (_OPTION_FOLDERS[dest],))
            names |= {ALL} if dest == "release" else set()
        return sorted(name for name in names if name.startswith(prefix))

    return completer


def _positional_names(parsed: argparse.Namespace) -> set[str]:
    """Return what NAME may be: a recipe for `explain`, and for `pin` one of what the kind is about."""
    if hasattr(parsed, "accept_moved"):
        return _recipe_names(parsed, (_PIN_FOLDERS.get(parsed.kind, "platforms"),))
    return _recipe_names(parsed, _FOLDERS) if hasattr(parsed, "all") and hasattr(parsed, "kind") else set()


def _recipe_names(parsed: argparse.Namespace, folders: Iterable[str]) -> set[str]:
    try:
        project = open_project(
            project=getattr(parsed, "project", ""),
            store="",
            origins=(),
            mirrors=(),
            console=Console(quiet=True),
        )
    except BuilderError:
        return set()  # a shell has no room for a message; the command itself will say it
    roots = [project.recipes, *([project.catalogue] if project.catalogue else [])]
    wanted = [root / folder for root in roots for folder in folders]
    return {path.stem for folder in wanted for path in folder.glob("*.toml")}
