"""`init`: a new project, or a framework or component recipe, valid at once, and never half-written."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builder import pin
from builder.console import Console
from builder.errors import FetchError, UsageError
from builder.io import write_atomic
from builder.model import Arch, counted, toml, unstructure
from builder.options import add_arch, add_places, project_of
from builder.project import Project, coming_project
from builder.recipe import BUILD_SYSTEMS, Framework, TargetSet
from builder.recipe_editor import RecipeEditor
from builder.scaffold import COOLDOWN_DAYS, ProjectRequest, new_project_texts, release_from_index
from builder.selection import ALL, Selection, check_names, parse_arch

__all__ = [
    "EXAMPLES",
    "ComponentAnswers",
    "FrameworkAnswers",
    "add_options",
    "new_component",
    "new_framework",
    "run",
]

EXAMPLES = """\
  python -m builder init project web --root fastapi --root "uvicorn[standard]"
  python -m builder init project router --extends vllm --root acme-router --pin acme-router==3.1
  python -m builder init release 1.6.1           from the index: what ai-dynamo 1.6.1 and its engines require
  python -m builder init framework router --summary "Dynamo's router alone" --license Apache-2.0 \\
      --root ai-dynamo --release 1.4.2 --platform debian-13
  python -m builder init component hwloc --git https://github.com/open-mpi/hwloc.git --tag hwloc-2.12.2 \\
      --version 2.12.2 --system autotools --summary "Topology of the machine" \\
      --homepage https://www.open-mpi.org/projects/hwloc --license BSD-3-Clause
  python -m builder init framework router       asks on a terminal for missing values
"""
_PROJECT, _RELEASE = "project", "release"
_FRAMEWORK, _COMPONENT = "framework", "component"
_NAME_HINT = "use lower-case letters, digits and hyphens"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TOOLS: Mapping[str, Sequence[str]] = {
    "autotools": ("autoconf", "automake", "gcc", "libtool", "make"),
    "cmake": ("cmake", "g++", "make"),
    "make": ("gcc", "make"),
    "meson": ("g++", "meson", "ninja-build", "pkgconf"),
    "prebuilt": (),
    "python-wheel": ("gcc", "python3-dev"),
}
"""What a build system usually needs of Debian, to begin with."""


_OF_A_PROJECT = ("called", "extends", "base", "until", "index_url")
_OF_A_COMPONENT = ("homepage", "git", "tag", "version", "system", "prefix", "need", "flag")


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `init`."""
    verb.add_argument("kind", choices=(_PROJECT, _RELEASE, _FRAMEWORK, _COMPONENT))
    verb.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        default="",
        help="of the recipe: lower-case letters, digits and hyphens; of a project: its folder (default: .); "
        "of a release: its version",
    )
    verb.add_argument("--summary", default="", help="one line")
    verb.add_argument("--license", default="", metavar="SPDX", help="SPDX expression")
    project = verb.add_argument_group("of a project")
    for option, name, meaning in (
        ("--called", "NAME", "name of its framework (default: the folder's)"),
        ("--extends", "NAME", "a framework of the catalogue that it takes whole, such as vllm"),
        (
            "--base",
            "VERSION",
            "with --extends: the release whose versions it takes (default: the catalogue's)",
        ),
        ("--until", "DAY", f"no newer file counts (default: {COOLDOWN_DAYS} days ago, or that of --base)"),
    ):
        project.add_argument(option, default="", metavar=name, help=meaning)
    project.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")
    framework = verb.add_argument_group("of a framework or project")
    for option, name, meaning in (
        ("--root", "NAME", "a Python distribution, with extras, without version; may be repeated"),
        ("--component", "NAME", "a component that it contains; may be repeated"),
        ("--pin", "NAME==VERSION", "version of a root in the release; may be repeated"),
        ("--platform", "NAME", "a platform of the release's targets; may be repeated"),
    ):
        framework.add_argument(option, action="append", default=[], metavar=name, help=meaning)
    framework.add_argument(
        "--release",
        default="",
        metavar="NAME",
        help="the release that gets its targets; of a project: its first (default: of the day)",
    )
    add_arch(framework, "default: all")
    component = verb.add_argument_group("of a component")
    for option, name, meaning in (
        ("--homepage", "URL", "home page"),
        ("--git", "URL", "https address to clone"),
        ("--tag", "TAG", "the tag to pin; a branch is refused"),
        ("--version", "VERSION", "default: the tag without its leading v"),
        ("--system", "NAME", f"{', '.join(BUILD_SYSTEMS[:-1])} or {BUILD_SYSTEMS[-1]}"),
        ("--prefix", "DIR", "default: /opt/NAME"),
    ):
        component.add_argument(option, default="", metavar=name, help=meaning)
    for option, meaning in (
        ("--need", "a component it is built against"),
        ("--flag", "a flag of its build system"),
    ):
        component.add_argument(option, action="append", default=[], help=f"{meaning}; may be repeated")
    add_places(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Ask for what the options do not say, and write the recipe; 0, or an error."""
    if options.kind == _PROJECT:
        return _ask_project(options, console)
    if not options.name:
        raise UsageError(f"a {options.kind} needs a name", place=f"init {options.kind}", hint="give NAME")
    if options.kind == _RELEASE:
        return _write_release(options, console)
    _refuse_options(options, _PROJECT, _OF_A_PROJECT)
    project = project_of(options, console)
    if options.kind == _FRAMEWORK:
        return _ask_framework(options, console, project)
    return _ask_component(options, console, project)


def _write_release(options: argparse.Namespace, console: Console) -> int:
    """Write a release of ai-dynamo as the index describes it; 6 if something must be added by hand."""
    _refuse_options(options, _PROJECT, tuple(name for name in _OF_A_PROJECT if name != "index_url"))
    _refuse_options(options, _COMPONENT, _OF_A_COMPONENT)
    _refuse_options(options, _FRAMEWORK, ("root", "component", "pin", "platform", "release", "arch"))
    project = project_of(options, console)
    made = release_from_index(project, options.name, index_url=options.index_url)
    _write_recipes(project, {made.path: made.text})
    console.status(f"{counted(made.facts, 'version')} from the index")
    if made.missing:
        listed = "\n".join(f"  {number}. {text}" for number, text in enumerate(made.missing, 1))
        count = counted(len(made.missing), "fact")
        raise FetchError(
            f"the release is written, and {count} must be added by hand:\n{listed}",
            place=f"recipes/{made.path}",
            hint=f"add them, then run `python -m builder lock --release {options.name}`",
        )
    console.status(f"next: python -m builder lock --release {options.name}")
    return 0


def _ask_project(options: argparse.Namespace, console: Console) -> int:
    _refuse_options(options, _COMPONENT, _OF_A_COMPONENT)
    if options.project:
        raise UsageError("the folder is the argument", place="--project", hint="init project DIR")
    root = Path(options.name or ".").resolve()
    project = coming_project(
        root,
        store=options.store or "",
        origins=tuple(options.origin),
        mirrors=tuple(options.mirror),
        console=console,
    )
    request = ProjectRequest(
        called=options.called,
        summary=options.summary,
        license=options.license,
        extends=options.extends,
        base=options.base,
        until=options.until,
        release=options.release,
        roots=tuple(options.root),
        components=tuple(options.component),
        pins=_root_pins(options.pin),
        platforms=tuple(options.platform),
        arches=tuple(map(parse_arch, options.arch)),
        index_url=options.index_url,
    )
    texts = new_project_texts(project, request, now=datetime.now(UTC))
    for path, text in texts.items():
        if (root / path).exists():
            console.status(f"kept {path}, which was there")
        else:
            write_atomic(root / path, text.encode())
            console.status(f"wrote {path}")
    where = "" if root == Path.cwd() else f"cd {options.name} && "
    console.status(f"next: {where}python -m builder lock")
    return 0


def _ask_framework(options: argparse.Namespace, console: Console, project: Project) -> int:
    _refuse_options(options, _COMPONENT, _OF_A_COMPONENT)
    roots = (
        options.root
        or _option_or_answer(options, console, "root", "Python distributions, separated by blanks").split()
    )
    return new_framework(
        project,
        FrameworkAnswers(
            name=options.name,
            summary=_option_or_answer(options, console, "summary", "What is it, in one line"),
            license=_option_or_answer(options, console, "license", "License, as an SPDX expression"),
            roots=tuple(roots),
            components=tuple(options.component),
            pins=tuple(options.pin),
            release=options.release,
            platforms=tuple(options.platform),
            arches=tuple(map(parse_arch, options.arch)),
        ),
    )


def _ask_component(options: argparse.Namespace, console: Console, project: Project) -> int:
    _refuse_options(options, _FRAMEWORK, ("root", "component", "pin", "platform", "release", "arch"))
    answers = ComponentAnswers(
        name=options.name,
        summary=_option_or_answer(options, console, "summary", "What is it, in one line"),
        homepage=_option_or_answer(options, console, "homepage", "Home page (URL)"),
        license=_option_or_answer(options, console, "license", "License, as an SPDX expression"),
        system=_option_or_answer(
            options, console, "system", "Its build system (autotools, cmake, make, meson, …)"
        ),
        git=_option_or_answer(options, console, "git", "Address to clone (https URL)"),
        tag=_option_or_answer(options, console, "tag", "The tag to pin"),
        version=options.version,
        prefix=options.prefix,
        needs=tuple(options.need),
        flags=tuple(options.flag),
    )
    return new_component(project, answers, pin.Context(project=project))


def _option_or_answer(options: argparse.Namespace, console: Console, word: str, question: str) -> str:
    """Return an option's value, or what is answered on the terminal (UsageError where nothing is)."""
    said = getattr(options, word) or console.ask(question)
    if not said:
        raise UsageError(
            f"a {options.kind} needs --{word}", place=f"init {options.kind}", hint=f"{question}?"
        )
    return str(said)


def _refuse_options(options: argparse.Namespace, other: str, words: tuple[str, ...]) -> None:
    for word in words:
        if getattr(options, word):
            raise UsageError(
                f"--{word.replace('_', '-')} belongs to a {other}",
                place=f"init {options.kind}",
                hint="leave it out",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkAnswers:
    """What has to be known of a new framework."""

    name: str
    summary: str
    license: str
    roots: tuple[str, ...]
    components: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    """Exact versions of roots for the release, each `name==version`."""
    release: str = ""
    """The release that gets the framework's targets; empty leaves releases alone."""
    platforms: tuple[str, ...] = ()
    arches: tuple[Arch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentAnswers:
    """What has to be known of a new component that is built from a git repository."""

    name: str
    summary: str
    homepage: str
    license: str
    system: str
    git: str
    tag: str
    version: str = ""
    """Empty means the tag without its leading v."""
    prefix: str = ""
    """Empty means /opt/NAME, or none for a Python wheel."""
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def new_framework(project: Project, answers: FrameworkAnswers) -> int:
    """Write the recipe, and its rows of a release where one is named; what is wrong is written nowhere."""
    named = Selection(releases=(answers.release,) if answers.release else (), platforms=answers.platforms)
    if not named.is_empty:
        check_names(named, project.library().target_names)
    path = f"frameworks/{_free_name(answers.name, project, 'frameworks')}.toml"
    framework = Framework(
        name=answers.name,
        summary=answers.summary,
        license=answers.license,
        roots=answers.roots,
        components=answers.components,
    )
    texts = {path: toml.dumps(unstructure(framework))}
    if answers.release:
        texts |= _release_with_targets(project, answers)
    elif answers.platforms or answers.pins:
        raise UsageError(
            "--platform and --pin belong to a release", place="--release", hint="name the release"
        )
    _write_recipes(project, texts)
    release = f" --release {answers.release}" if answers.release else ""
    said = f"python -m builder lock --framework {answers.name}{release}"
    hint = said if answers.release else f"add it to the targets of a release, then {said}"
    project.console.status(f"next: {hint}")
    return 0


def _release_with_targets(project: Project, answers: FrameworkAnswers) -> dict[str, str]:
    """Return the release's file with the pins and targets of a new framework before its first targets."""
    path = project.recipes / "releases" / f"{answers.release}.toml"
    if answers.release == ALL:
        raise UsageError(
            "a framework gets targets in one release", place="--release all", hint="name the release"
        )
    editor = RecipeEditor(path, place=f"recipes/releases/{path.name}")
    if answers.pins:
        editor.insert_block(f"[python.{answers.name}]", _root_pins(answers.pins), before="[[targets]]")
    row = TargetSet(
        framework=answers.name, platforms=_target_platforms(answers), arches=answers.arches or tuple(Arch)
    )
    editor.insert_block("[[targets]]", unstructure(row), before="[[targets]]")
    return {f"releases/{path.name}": editor.text}


def _target_platforms(answers: FrameworkAnswers) -> tuple[str, ...]:
    if not answers.platforms:
        raise UsageError("a release's targets need a platform", place="--platform", hint="name one or more")
    return answers.platforms


def _root_pins(pins: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in pins:
        name, equal, version = text.partition("==")
        if not (name and equal and version):
            raise UsageError(f"{text!r} is not an exact version", place="--pin", hint="write NAME==VERSION")
        found[name.strip()] = version.strip()
    return found


def new_component(project: Project, answers: ComponentAnswers, context: pin.Context) -> int:
    """Pin the tag, and write a recipe that builds it; FetchError where the repository cannot be had."""
    name = _free_name(answers.name, project, "components")
    if answers.system not in BUILD_SYSTEMS:
        raise UsageError(
            f"unknown build system {answers.system!r}",
            place="--system",
            hint=f"known: {', '.join(BUILD_SYSTEMS)}",
        )
    version = answers.version or answers.tag.removeprefix("v")
    wheel = answers.system == "python-wheel"
    table: dict[str, Any] = {
        "name": name,
        "summary": answers.summary,
        "homepage": answers.homepage,
        "license": answers.license,
        "system": answers.system,
        "prefix": answers.prefix or ("" if wheel else f"/opt/{name}"),
        "needs": list(answers.needs),
        "flags": list(answers.flags),
        "before": [["autoreconf", "--force", "--install"]] if answers.system == "autotools" else [],
        "library-path": [] if wheel else [f"{answers.prefix or f'/opt/{name}'}/lib"],
        "python": {"wheels": [{"name": name}], "build-requires": ["pip", "setuptools"]} if wheel else {},
    }
    text = toml.dumps({key: value for key, value in table.items() if value})
    text += f"\n[packages.debian]\n{toml.dumps({'build': list(_TOOLS[answers.system])})}"
    place = f"recipes/components/{name}.toml"
    editor = RecipeEditor(project.recipes / "components" / f"{name}.toml", place=place, text=text)
    project.console.status(f"reading {answers.git} {answers.tag}")
    pin.fill_version(editor, version, answers.git, answers.tag, context)
    _write_recipes(project, {f"components/{name}.toml": editor.text})
    project.console.status(f"next: name {name} in a framework's components, and {version} in a release's")
    return 0


def _free_name(name: str, project: Project, folder: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a recipe's name",
            place="init",
            hint=_NAME_HINT,
        )
    if (project.recipes / folder / f"{name}.toml").exists():
        raise UsageError(
            "this recipe exists", place=f"recipes/{folder}/{name}.toml", hint="take another name, or edit it"
        )
    return name


def _write_recipes(project: Project, texts: Mapping[str, str]) -> None:
    """Write files of the recipe folder, after all recipes were read with them and found to fit."""
    project.library_with(texts)
    for path, text in texts.items():
        write_atomic(project.recipes / path, text.encode())
        project.console.status(f"wrote recipes/{path}")
