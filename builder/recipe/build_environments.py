"""Whether each build's environment has the programs that its steps run, from the rows of a lock. Pure.

A build sees the base image, its own OS packages, its own Python environment and the prefixes of what it
needs. Nothing can be fetched later, so a program that none of them brings is missing while the image is
built, hours after locking. Only programs of build systems are looked for, and the compiler and the generator
that these run themselves: their packages have known names.
On a platform without package archives nothing is known of the base, and nothing is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.errors import RecipeError
from builder.lockfile import BASE, Build, Lock

__all__ = ["check_build_environments"]

_PYTHON_PACKAGE = re.compile(r"python3(\.\d+)?(-minimal)?")
_PYTHON = "python3"
_MAKERS = {
    "autoreconf": frozenset({"autoconf"}),
    "cargo": frozenset({"cargo", "rust"}),
    "cmake": frozenset({"cmake"}),
    "git": frozenset({"git", "git-core"}),
    "go": frozenset({"golang", "golang-go"}),
    "make": frozenset({"make"}),
    "meson": frozenset({"meson"}),
    "ninja": frozenset({"ninja", "ninja-build"}),
    "patch": frozenset({"patch"}),
    "unzip": frozenset({"unzip"}),
}
"""Programs of build systems, and the distributions, OS packages and components that bring them."""
_COMPILER = re.compile(r"(gcc-toolset-\d+-)?gcc(-\d+)?|clang(-\d+)?")
_COMPILING = frozenset({"./configure", "cmake", "meson"})
"""What looks for a C compiler before everything else."""
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def check_build_environments(lock: Lock) -> None:
    """Raise RecipeError for the first build that runs a program which its environment lacks."""
    if not lock.repositories:
        return
    for build in lock.builds:
        for program, why in _missing_programs(lock, build):
            raise RecipeError(
                f"{why}, and nothing in its environment on {lock.environment.os} brings {program}",
                place=f"recipes/components/{build.component}.toml",
                hint=f"name it under [packages.{lock.environment.family}] build, or in `build-requires`",
            )


def _missing_programs(lock: Lock, build: Build) -> Iterator[tuple[str, str]]:
    here = {build.component, BASE}
    wheels = {row.name for row in lock.python if build.component in row.for_}
    packages = {row.name for row in lock.os_packages if here & {*row.for_}}
    packages |= {line.partition("=")[0] for image in lock.images for line in image.inventory}
    steps = [_command_words(step) for step in build.steps]
    runs = {step[0] for step in steps if step}
    interpreter = lock.environment.interpreter
    has_python = (interpreter and interpreter in build.needs) or any(map(_PYTHON_PACKAGE.fullmatch, packages))
    if not has_python and (wheels or _PYTHON in runs):
        yield _PYTHON, "it has a Python environment" if wheels else f"it runs {_PYTHON}"
    if ("python3", "-m", "pip") in {step[:3] for step in steps} and not {"pip", "python3-pip"} & {
        *wheels,
        *packages,
    }:
        yield "pip", "it runs pip"
    brought = {*wheels, *packages, *build.needs}
    for program in sorted(runs & _MAKERS.keys()):
        if not _MAKERS[program] & brought:
            yield program, f"it runs {program}"
    if "meson" in runs and not _MAKERS["ninja"] & brought:
        yield "ninja", "it runs meson, which runs ninja"
    if "cmake" in runs and not (_MAKERS["make"] | _MAKERS["ninja"]) & brought:
        yield "either", "it runs cmake, which runs make or ninja"
    for program in sorted(runs & _COMPILING):
        if not any(map(_COMPILER.fullmatch, packages)):
            yield "one", f"it runs {program}, which looks for a C compiler"


def _command_words(step: tuple[str, ...]) -> tuple[str, ...]:
    """Return a step from the program that it runs, without `env` and the variables that this sets."""
    words = step
    while words and (words[0] == "env" or (words is not step and _ASSIGNMENT.fullmatch(words[0]))):
        words = words[1:]
    return words
