"""`init`: a new framework or component recipe, valid at once, and never half-written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import UsageError
from builder.io import write_atomic
from builder.model import Arch, toml, unstructure
from builder.project import Project, recipe_files
from builder.recipe import SYSTEMS, Framework, RecipeEditor, TargetSet, read_library

if TYPE_CHECKING:
    from builder.pin import Context

__all__ = ["ComponentAnswers", "FrameworkAnswers", "new_component", "new_framework"]

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
    path = f"frameworks/{_free(answers.name, project, 'frameworks')}.toml"
    framework = Framework(
        name=answers.name,
        summary=answers.summary,
        license=answers.license,
        roots=answers.roots,
        components=answers.components,
    )
    texts = {path: toml.dumps(unstructure(framework))}
    if answers.release:
        texts |= _with_targets(project, answers)
    elif answers.platforms or answers.pins:
        raise UsageError("platforms and pins are a release's", place="--release", hint="name the release")
    _write(project, texts)
    release = f" --release {answers.release}" if answers.release else ""
    said = f"python -m builder lock --framework {answers.name}{release}"
    hint = said if answers.release else f"add it to the targets of a release, then {said}"
    project.console.status(f"next: {hint}")
    return 0


def _with_targets(project: Project, answers: FrameworkAnswers) -> dict[str, str]:
    """Return the release's file with the pins and targets of a new framework before its first targets."""
    path = project.recipes / "releases" / f"{answers.release}.toml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.toml"))
        near = difflib.get_close_matches(answers.release, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"there is no release {answers.release!r}", place="--release", hint=hint)
    editor = RecipeEditor(path, place=f"recipes/releases/{path.name}")
    if answers.pins:
        editor.insert_block(f"[python.{answers.name}]", _pins(answers.pins), before="[[targets]]")
    row = TargetSet(
        framework=answers.name, platforms=_platforms(answers), arches=answers.arches or tuple(Arch)
    )
    editor.insert_block("[[targets]]", unstructure(row), before="[[targets]]")
    return {f"releases/{path.name}": editor.text}


def _platforms(answers: FrameworkAnswers) -> tuple[str, ...]:
    if not answers.platforms:
        raise UsageError("a release's targets need a platform", place="--platform", hint="name one or more")
    return answers.platforms


def _pins(pins: Sequence[str]) -> dict[str, str]:
    found = {}
    for pin in pins:
        name, equal, version = pin.partition("==")
        if not (name and equal and version):
            raise UsageError(f"{pin!r} is no exact version", place="--pin", hint="write NAME==VERSION")
        found[name.strip()] = version.strip()
    return found


def new_component(project: Project, answers: ComponentAnswers, context: Context) -> int:
    """Pin the tag, and write a recipe that builds it; FetchError where the repository cannot be had."""
    from builder.pin import fill_version  # noqa: PLC0415 - a framework needs no git

    name = _free(answers.name, project, "components")
    if answers.system not in SYSTEMS:
        raise UsageError(
            f"unknown build system {answers.system!r}", place="--system", hint=f"known: {', '.join(SYSTEMS)}"
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
    fill_version(editor, version, answers.git, answers.tag, context)
    _write(project, {f"components/{name}.toml": editor.text})
    project.console.status(f"next: name {name} in a framework's components, and {version} in a release's")
    return 0


def _free(name: str, project: Project, folder: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a recipe",
            place="init",
            hint="use lower-case letters, digits and hyphens",
        )
    if (project.recipes / folder / f"{name}.toml").exists():
        raise UsageError(
            "this recipe exists", place=f"recipes/{folder}/{name}.toml", hint="take another name, or edit it"
        )
    return name


def _write(project: Project, texts: Mapping[str, str]) -> None:
    """Write files of the recipe folder, after all recipes were read with them and found to fit."""
    files = recipe_files(project.recipes) | {path: text.encode() for path, text in texts.items()}
    read_library(files)
    for path, text in texts.items():
        write_atomic(project.recipes / path, text.encode())
        project.console.status(f"wrote recipes/{path}")
