"""The words of `init`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from builder.errors import UsageError
from builder.model import Arch
from builder.verbs.common import add_places, add_verb, project_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.project import Project
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder init framework router --summary "Dynamo's router alone" --license Apache-2.0 \\
      --root ai-dynamo --release 1.4.2 --platform debian-13
  python -m builder init component hwloc --git https://github.com/open-mpi/hwloc.git --tag hwloc-2.12.2 \\
      --version 2.12.2 --system autotools --summary "Topology of the machine" \\
      --homepage https://www.open-mpi.org/projects/hwloc --license BSD-3-Clause
  python -m builder init framework router       what is missing is asked on a terminal
"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "init", "Write a new framework or component recipe, valid at once.", _EXAMPLES)
    verb.add_argument("kind", choices=["framework", "component"])
    verb.add_argument("name", metavar="NAME", help="lower-case letters, digits and hyphens")
    verb.add_argument("--summary", default="", help="one line")
    verb.add_argument("--license", default="", metavar="SPDX", help="SPDX expression")
    framework = verb.add_argument_group("of a framework")
    for word, name, said in (
        ("--root", "NAME", "a Python distribution, with extras, without version; may be repeated"),
        ("--component", "NAME", "a component that it contains; may be repeated"),
        ("--pin", "NAME==VERSION", "version of a root in the release; may be repeated"),
        ("--platform", "NAME", "a platform of the release's targets; may be repeated"),
    ):
        framework.add_argument(word, action="append", default=[], metavar=name, help=said)
    framework.add_argument("--release", default="", metavar="NAME", help="the release that gets its targets")
    arches = [arch.value for arch in Arch]
    framework.add_argument("--arch", action="append", default=[], choices=arches, help="default: all")
    component = verb.add_argument_group("of a component")
    for word, name, said in (
        ("--homepage", "URL", "where it is at home"),
        ("--git", "URL", "https address to clone"),
        ("--tag", "TAG", "the tag to pin; a branch is refused"),
        ("--version", "VERSION", "default: the tag without its leading v"),
        ("--system", "NAME", "autotools, cmake, make, meson, python-wheel or prebuilt"),
        ("--prefix", "DIR", "default: /opt/NAME"),
    ):
        component.add_argument(word, default="", metavar=name, help=said)
    for word, said in (
        ("--need", "a component it is built against"),
        ("--flag", "a flag of its build system"),
    ):
        component.add_argument(word, action="append", default=[], help=f"{said}; may be repeated")
    add_places(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    project = project_of(options, console)
    if options.kind == "framework":
        return _framework(options, console, project)
    return _component(options, console, project)


def _framework(options: argparse.Namespace, console: Console, project: Project) -> int:
    from builder.commands import init  # noqa: PLC0415 - see the package's docstring

    _refuse(options, "component", ("homepage", "git", "tag", "version", "system", "prefix", "need", "flag"))
    roots = (
        options.root or _answer(options, console, "root", "Python distributions, separated by blanks").split()
    )
    return init.new_framework(
        project,
        init.FrameworkAnswers(
            name=options.name,
            summary=_answer(options, console, "summary", "What is it, in one line"),
            license=_answer(options, console, "license", "Its licence, as an SPDX expression"),
            roots=tuple(roots),
            components=tuple(options.component),
            pins=tuple(options.pin),
            release=options.release,
            platforms=tuple(options.platform),
            arches=tuple(Arch(arch) for arch in options.arch),
        ),
    )


def _component(options: argparse.Namespace, console: Console, project: Project) -> int:
    from builder.commands import init  # noqa: PLC0415 - see the package's docstring
    from builder.pin import Context  # noqa: PLC0415

    _refuse(options, "framework", ("root", "component", "pin", "platform", "release", "arch"))
    answers = init.ComponentAnswers(
        name=options.name,
        summary=_answer(options, console, "summary", "What is it, in one line"),
        homepage=_answer(options, console, "homepage", "Where is it at home (URL)"),
        license=_answer(options, console, "license", "Its licence, as an SPDX expression"),
        system=_answer(options, console, "system", "Its build system (autotools, cmake, make, meson, …)"),
        git=_answer(options, console, "git", "Where it is cloned from (https URL)"),
        tag=_answer(options, console, "tag", "The tag to pin"),
        version=options.version,
        prefix=options.prefix,
        needs=tuple(options.need),
        flags=tuple(options.flag),
    )
    return init.new_component(project, answers, Context(project=project))


def _answer(options: argparse.Namespace, console: Console, word: str, question: str) -> str:
    """Return an option's value, or what is answered on the terminal (UsageError where nothing is)."""
    said = getattr(options, word) or console.ask(question)
    if not said:
        raise UsageError(
            f"a {options.kind} needs --{word}", place=f"init {options.kind}", hint=f"{question}?"
        )
    return str(said)


def _refuse(options: argparse.Namespace, other: str, words: tuple[str, ...]) -> None:
    for word in words:
        if getattr(options, word):
            raise UsageError(f"--{word} is of a {other}", place=f"init {options.kind}", hint="leave it out")
