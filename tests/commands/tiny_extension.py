"""A project of one small framework on our own base: a Python extension in C from its sdist, and one wheel."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any

from builder.build import WantedImage, build_inputs
from builder.build.buildkit import build, find_engine
from builder.build.request import Built
from builder.cli import main
from builder.console import Console
from builder.model.target import Arch
from builder.project import open_project
from builder.render.fetches import Inputs
from builder.selection import Selection

__all__ = ["build_stages", "build_with_wrong_check", "make_project", "ran", "record", "run"]

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = "debian-13-assembled"
# netifaces is published as an sdist only, with an extension in C: its build requirements are locked too.
COMPONENT = """\
name = "netifaces"
summary = "Addresses of network interfaces"
homepage = "https://github.com/al45tair/netifaces"
license = "MIT"
system = "python-wheel"

[packages.debian]
build = ["python3-dev"]

[python]
wheels = [{ name = "netifaces" }]
build-requires = ["pip==26.2.1", "setuptools==80.9.0"]

[[versions."0.11.0".archives]]
file = "netifaces-0.11.0.tar.gz"
origin = "pypi"
path = "a6/91/86a6eac449ddfae239e93ffc1918cf33fd9bab35c04d1e963b311e347a73"
sha256 = "043a79146eb2907edf439899f262b3dfe41717d34124298ed281139a8b93ca32"
evidence = "observed"
"""
FRAMEWORK = """\
name = "tiny"
summary = "One extension from source"
license = "MIT"
roots = ["idna", "netifaces"]
components = ["netifaces"]

[[checks]]
run = ["python", "-c", "import netifaces; print('netifaces', netifaces.version)"]
expect = "netifaces 0.11.0"
"""
RELEASE = """\
version = "1.0"
date = "2026-08-28"
exclude-newer = "2026-08-29T00:00:00Z"
default = true
components = {{ netifaces = "0.11.0" }}

[python.all]
idna = "3.10"
netifaces = "0.11.0"

[python.installer]
pip = "26.2.1"

[[targets]]
framework = "tiny"
platforms = ["debian-13-assembled"]
arches = {arches}
"""


def make_project(folder: Path, *arches: str) -> Path:
    """Write the recipes of the framework for these architectures, and lock them."""
    recipes = folder / "recipes"
    for name in ("keys", "indexes"):
        shutil.copytree(ROOT / "recipes" / name, recipes / name)
    shutil.copy2(ROOT / "recipes/origins.toml", recipes / "origins.toml")
    for name in ("debian-13", PLATFORM):
        (recipes / "platforms").mkdir(exist_ok=True)
        shutil.copy2(ROOT / f"recipes/platforms/{name}.toml", recipes / "platforms")
    for path, text in (
        ("components/netifaces.toml", COMPONENT),
        ("frameworks/tiny.toml", FRAMEWORK),
        ("releases/1.0.toml", RELEASE.format(arches=json.dumps(arches))),
    ):
        (recipes / path).parent.mkdir(exist_ok=True)
        (recipes / path).write_text(text)
    if (ROOT / "origins.toml").is_file():
        shutil.copy2(ROOT / "origins.toml", folder / "origins.toml")
    assert run(folder, "lock") == 0
    return folder


def run(project: Path, verb: str, *words: str) -> int:
    """Run one command of lockwright on the project, with a store of its own."""
    return main(
        [verb, *words, "--project", str(project), "--store", str(project / "caches/store"), "--quiet"]
    )


def build_stages(
    project: Path, target: str, output: Path, *arches: Arch, anew: tuple[str, ...] = ()
) -> Built:
    """Build any stage from the store into `output`; those of `anew` do not come from the cache."""
    console = Console(io.StringIO(), io.StringIO())
    store = str(project / "caches/store")
    opened = open_project(project=str(project), store=store, origins=(), mirrors=(), console=console)
    engine = find_engine()
    wanted = WantedImage(selection=Selection(arches=arches), inputs=Inputs.STORE, output=output.parent)
    with build_inputs(opened, wanted, engine) as ready:
        request = ready.request(target, output)
        return build(engine, dataclasses.replace(request, again=anew))


def record(folder: Path, name: str) -> dict[str, Any]:
    """Return what `build` or `reproduce` wrote down."""
    found: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return found


def ran(stages: list[dict[str, Any]]) -> set[str]:
    """Return the stages of which a step was run."""
    return {stage["stage"] for stage in stages if stage["ran"]}


def build_with_wrong_check(project: Path, arch: str, output: Path) -> int:
    """Build the checks stage of a lock that expects a version which is not there; the lock is put back.

    Only `--stale` renders a lock that its recipes do not make.
    """
    lock = project / "lock/1.0" / PLATFORM / f"tiny-{arch}.toml"
    before = lock.read_text("utf-8")
    try:
        lock.write_text(before.replace('expect = "netifaces 0.11.0"', 'expect = "netifaces 0.11.1"'), "utf-8")
        words = ("--target", "check", "--stale", "--output", str(output))
        return run(project, "build", "--arch", arch, *words)
    finally:
        lock.write_text(before, "utf-8")
