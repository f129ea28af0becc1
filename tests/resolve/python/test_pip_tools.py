"""pip-tools, asked through the gateway on a real index on loopback."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.errors import FetchError, NoSolutionError
from builder.lockfile import parse_lock
from builder.model import Arch
from builder.recipe import StandIn
from builder.recipe.framework import PythonIndex
from builder.resolve.python import running_machine, solve_with_pip_tools
from builder.resolve.python.pip_tools import RunningMachine

ROOT = Path(__file__).resolve().parents[3]
HERE = ".".join(platform.python_version_tuple()[:2])


@pytest.fixture
def request_here(request_of: Any) -> Any:
    """Return a maker of requests for the machine that runs this."""
    glibc = running_machine().glibc
    if not glibc:
        pytest.skip("pip-tools is compared on machines with glibc")

    def request(*roots: str, **changes: Any) -> Any:
        return replace(request_of(*roots), arch=Arch(platform.machine()), glibc=glibc, python=HERE, **changes)

    return request


def test_it_chooses_as_uv_does_under_the_same_date(index: Any, services: Any, request_here: Any) -> None:
    index.wheel("app", "1.0", requires=("lib>=1", "more; extra == 'x'"), extras=("x",))
    index.wheel("lib", "1.5")
    index.wheel("lib", "2.0", uploaded="2099-01-01T00:00:00Z")
    index.wheel("more", "3.0")
    assert solve_with_pip_tools(request_here("app==1.0"), services) == {"app": "1.0", "lib": "1.5"}


def test_constraints_and_extras_count(index: Any, services: Any, request_here: Any) -> None:
    index.wheel("app", "1.0", requires=("lib>=1", "more; extra == 'x'"), extras=("x",))
    for version in ("1.2", "1.5"):
        index.wheel("lib", version)
    index.wheel("more", "3.0")
    request = request_here("app[x]==1.0", constraints=("lib<1.5",))
    assert solve_with_pip_tools(request, services) == {"app": "1.0", "lib": "1.2", "more": "3.0"}


def test_what_a_build_makes_counts_and_what_an_image_holds_is_left_out(
    index: Any, services: Any, request_here: Any
) -> None:
    index.wheel("app", "1.0", requires=("made", "held"))
    index.wheel("lib", "1.0")
    index.wheel("made", "9.0")
    given = (
        StandIn(name="made", version="1.0", requires=("lib",), build="made"),
        StandIn(name="held", version="2"),
    )
    request = request_here("app==1.0", stand_ins=given)
    assert solve_with_pip_tools(request, services) == {"app": "1.0", "lib": "1.0", "made": "1.0"}


def test_a_root_of_an_extra_index_comes_from_there_whatever_its_date(
    indexes: Any, services: Any, request_here: Any
) -> None:
    default, extra = indexes("first"), indexes("extra", dates=False)
    default.wheel("app", "1.0")
    extra.wheel("app", "1.0+cu130", requires=("lib",))
    default.wheel("lib", "1.0")
    request = request_here(
        "app==1.0+cu130",
        indexes=(PythonIndex(name="extra", url=extra.url, packages=("app",)),),
    )
    found = solve_with_pip_tools(request, replace(services, index_url=default.url))
    assert found == {"app": "1.0+cu130", "lib": "1.0"}


def test_no_solution_and_no_answer_are_told_apart(index: Any, services: Any, request_here: Any) -> None:
    index.wheel("app", "1.0", requires=("lib>=2",))
    index.wheel("lib", "1.0")
    with pytest.raises(NoSolutionError, match="lib>=2"):
        solve_with_pip_tools(request_here("app==1.0"), services)
    silent = replace(services, index_url="http://127.0.0.1:9/simple/")
    with pytest.raises(FetchError, match=r"127\.0\.0\.1:9"):
        solve_with_pip_tools(request_here("app==1.0"), silent)


def test_a_target_that_is_not_like_the_machine_is_named() -> None:
    path = ROOT / "lock/1.4.2/debian-12/dynamo-aarch64.toml"
    lock = parse_lock(path.read_bytes(), place=path.name)
    machine = RunningMachine(os="debian-12", arch="aarch64", glibc="2.36", python="3.11.9")
    assert machine.why_not(lock) == ""
    other = RunningMachine(os="", arch="x86_64", glibc="", python="3.13.5")
    assert other.why_not(lock) == (
        "machine aarch64, and this is x86_64; OS debian-12, and this is another; "
        "glibc 2.36, and this is another; Python 3.11, and this is 3.13"
    )
