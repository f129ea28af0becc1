"""Build systems: what each runs, in which order, with a component's flags."""

from __future__ import annotations

from collections.abc import Sequence

from builder.recipe.component import Component, ComponentVariant

__all__ = ["DEFAULT_STEPS", "FLAGS", "build_steps"]

_BuildSteps = tuple[tuple[str, ...], ...]

FLAGS = "{flags}"
"""In an argument of a step: it stands for one argument a flag."""

DEFAULT_STEPS: dict[str, _BuildSteps] = {
    "autotools": (
        ("./configure", "--prefix={prefix}", "--libdir={prefix}/lib", "{flags}"),
        ("make", "-j{jobs}"),
        ("make", "install-strip"),
    ),
    "cmake": (
        (
            "cmake",
            "-S",
            ".",
            "-B",
            "build",
            "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_INSTALL_PREFIX={prefix}",
            "-DCMAKE_INSTALL_LIBDIR=lib",
            "{flags}",
        ),
        ("cmake", "--build", "build", "--parallel", "{jobs}"),
        ("cmake", "--install", "build", "--strip"),
    ),
    "make": (
        ("make", "-j{jobs}", "prefix={prefix}", "{flags}"),
        ("make", "prefix={prefix}", "{flags}", "install"),
    ),
    "meson": (
        (
            "meson",
            "setup",
            "build",
            "--prefix={prefix}",
            "--libdir=lib",
            "--buildtype=release",
            "--wrap-mode=nodownload",
            "--strip",
            "{flags}",
        ),
        ("meson", "compile", "-C", "build", "-j", "{jobs}"),
        ("meson", "install", "-C", "build", "--no-rebuild"),
    ),
    "python-wheel": (
        (
            "python3",
            "-m",
            "pip",
            "wheel",
            "--no-index",
            "--no-deps",
            "--no-build-isolation",
            "--no-cache-dir",
            "--wheel-dir=/wheels",
            "{flags}",
            ".",
        ),
    ),
    "prebuilt": (),
}
"""What each build system runs where a recipe has no `steps`."""


def build_steps(component: Component, variants: Sequence[ComponentVariant]) -> _BuildSteps:
    """Return the steps of `component` with its variants' additions.

    An argument that contains `{flags}` stands for one argument a flag.
    """
    flags = component.flags + tuple(flag for variant in variants for flag in variant.flags)
    before = component.before + tuple(step for variant in variants for step in variant.before)
    after = component.after + tuple(step for variant in variants for step in variant.after)
    own = component.steps or DEFAULT_STEPS[component.system]
    for variant in variants:
        own = variant.steps or own
    return tuple(_expand_flags(step, flags) for step in (*before, *own, *after))


def _expand_flags(step: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    done: list[str] = []
    for argument in step:
        before, found, after = argument.partition(FLAGS)
        done.extend([f"{before}{flag}{after}" for flag in flags] if found else [argument])
    return tuple(done)
