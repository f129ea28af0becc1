"""What keeps two builds equal stands in every rendered Dockerfile: one test for each cause in docs/determinism.md."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.lockfile.lock import INSTALLER, Lock
from builder.lockfile.reading import load_lock
from builder.render.fetches import Addresses, Inputs
from builder.render.files import render as render_locks
from tests.render.reader import read

ROOT = Path(__file__).resolve().parents[2]
APT = {
    "/var/cache/apt/*.bin",
    "/var/cache/debconf/*-old",
    "/var/cache/ldconfig/aux-cache",
    "/var/lib/apt/lists/*",
    "/var/lib/dpkg/*-old",
    "/var/log/alternatives.log",
    "/var/log/apt",
    "/var/log/dpkg.log",
}
DPKG = APT - {"/var/cache/apt/*.bin", "/var/lib/apt/lists/*", "/var/log/apt"}
BYTECODE = [
    "find",
    "/",
    "-xdev",
    "-type",
    "d",
    "-name",
    "__pycache__",
    "-prune",
    "-exec",
    "rm",
    "-rf",
    "{}",
    "+",
]


def committed() -> list[Path]:
    return sorted((ROOT / "lock").glob("*/*/*.toml"))


@pytest.fixture(scope="module", params=committed(), ids=lambda path: "/".join(path.parts[-3:]))
def lock(request: pytest.FixtureRequest) -> Lock:
    path: Path = request.param
    return load_lock(path.read_bytes(), place=path.name)


@pytest.fixture(scope="module")
def scripts(lock: Lock) -> tuple[tuple[str, ...], ...]:
    """The commands of every RUN, one a line."""
    data = (ROOT / "lock" / lock.target.path).read_bytes()
    text = render_locks([(lock, data)], inputs=Inputs.STORE, addresses=Addresses()).dockerfile
    runs = ("\n".join(item.heredoc) for item in read(text) if item.keyword == "RUN" and item.heredoc)
    return tuple(tuple(script.replace("\\\n", "").split("\n")) for script in runs)


def words(lines: tuple[str, ...]) -> Iterator[str]:
    for line in lines:
        try:
            yield from shlex.split(line)
        except ValueError:  # a line of a script whose quotes close later
            continue


def index(lines: tuple[str, ...], *signs: str) -> int:
    return max(number for number, line in enumerate(lines) if all(sign in line for sign in signs))


def test_package_managers_leave_no_log_no_cache_no_backup(scripts: tuple[tuple[str, ...], ...]) -> None:
    installing = [lines for lines in scripts if any("apt-get install" in line for line in lines)]
    configuring = [lines for lines in scripts if any(line == "dpkg --configure --pending" for line in lines)]
    assert installing
    for lines in installing:
        start = index(lines, "apt-get install")
        assert set(words(lines[start:])) >= APT
        assert shlex.split(lines[-1]) == BYTECODE, "installing compiles Python: times of sources"
    for lines in configuring:
        assert set(words(lines[index(lines, "dpkg --configure") :])) >= DPKG


def test_the_linker_s_cache_of_inodes_is_removed_where_it_is_made(
    scripts: tuple[tuple[str, ...], ...],
) -> None:
    for lines in scripts:
        if "ldconfig" in lines:
            removed = index(lines, "rm ", "/var/cache/ldconfig/aux-cache")
            assert removed > lines.index("ldconfig")


def test_pip_installs_and_compiles_nothing(lock: Lock, scripts: tuple[tuple[str, ...], ...]) -> None:
    lines = [line for script in scripts for line in script]
    installs = [line for line in lines if "--no-index" in line and " install " in line]
    assert bool(installs) == any(set(row.for_) - {INSTALLER} for row in lock.python)
    assert all("--no-compile" in line and "--no-cache-dir" in line for line in installs)
    # pip imports what an earlier run of it has installed, and would leave that one's bytecode there.
    assert all(line.startswith("env PYTHONDONTWRITEBYTECODE=1 ") for line in installs)
    assert not any(shlex.split(line)[0] == "uv" for line in lines if line.startswith("uv")), (
        "uv leaves the time of its cache in each dist-info"
    )


def test_components_are_built_without_what_depends_on_the_builder(lock: Lock) -> None:
    for build in lock.builds:
        said = [word for step in build.steps for word in step]
        assert "-march=native" not in " ".join(said)
        if build.component == "ucx":
            assert "--disable-optimizations" in said, "it would run probes for the builder's processor"
            if lock.environment.cuda:
                assert any("-Wl,--build-id=none" in word for word in said), "nvcc's process id"
        if build.wheels:
            assert dict(build.env).get("PYTHONDONTWRITEBYTECODE") == "1", build.component


def test_steps_run_in_folders_of_fixed_names(scripts: tuple[tuple[str, ...], ...]) -> None:
    """No temporary name reaches debug information or a build id: sources lie where the lock says."""
    assert not [line for script in scripts for line in script if "mktemp" in line]
