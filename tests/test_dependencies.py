"""A plain install has the runtime dependencies only: every module must be importable with these alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

IMPORT_ALL = """
import importlib, sys

refused, modules = sys.argv[1].split(","), sys.argv[2].split(",")

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} belongs to no runtime dependency", name=name)

sys.meta_path.insert(0, Refusal())
for module in modules:
    try:
        importlib.import_module(module)
    except Exception as error:
        print(f"{module}: {error}")
"""


def closure(requirements: Iterable[str]) -> set[str]:
    """Return the normalised names of distributions that `requirements` bring along."""
    waiting = [Requirement(text) for text in requirements]
    met: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            name = canonicalize_name(requirement.name)
            if (name, extra) in met:
                continue
            met.add((name, extra))
            needed = [Requirement(text) for text in distribution(name).requires or ()]
            waiting += [row for row in needed if row.marker is None or row.marker.evaluate({"extra": extra})]
    return {name for name, _ in met}


def modules() -> list[str]:
    """Return every module of the program, by the name that imports it."""
    paths = sorted((ROOT / "builder").rglob("*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def failures(requirements: Iterable[str], imported: Iterable[str]) -> list[str]:
    """Import modules in a process that has the distributions of `requirements` only; return what failed."""
    installed = closure(requirements)
    refused = [
        package
        for package, owners in packages_distributions().items()
        if not installed & {canonicalize_name(owner) for owner in owners}
    ]
    command = [sys.executable, "-c", IMPORT_ALL, ",".join(refused), ",".join(imported)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_plain_install_can_import_every_module() -> None:
    assert failures(PROJECT["dependencies"], modules()) == []


SOLVES_RPM = {
    f"builder.resolve.rpm.{name}"
    for name in ("archive", "closure", "inventory", "libsolv", "no_solution", "pool")
}


def test_without_libsolv_only_the_solver_of_rpm_platforms_is_missing() -> None:
    """libsolv has wheels for Linux alone: elsewhere the marker in pyproject.toml leaves it out."""
    everywhere = [text for text in PROJECT["dependencies"] if not text.startswith("solv")]
    missing = [line.partition(": ") for line in failures(everywhere, modules())]
    assert {name for name, _, _ in missing} == SOLVES_RPM
    assert {text for _, _, text in missing} == {
        "RPM platforms need libsolv's Python module, which is not installed"
    }


@pytest.mark.parametrize("refused", ["pytest", "tomli_w"])
def test_the_refusal_works(refused: str) -> None:
    """pytest is a development dependency, and without requirements nothing that is not Python's own is there."""
    assert failures([], [refused])[0].startswith(f"{refused}: ")


PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")


@pytest.mark.network
@pytest.mark.parametrize("python", ["3.11", "3.14"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_plain_install_needs_wheels_alone(platform: str, python: str) -> None:
    """A machine without a compiler can install it: uv resolves for a platform that is not the running one."""
    words = ["--quiet", "--only-binary", ":all:", "--python-platform", platform, "--python-version", python]
    done = subprocess.run(
        [find_uv_bin(), "pip", "compile", *words, ROOT / "pyproject.toml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("solv==" in done.stdout) is ("linux" in platform)
