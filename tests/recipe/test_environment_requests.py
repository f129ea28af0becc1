from __future__ import annotations

from builder.recipe.environment_requests import os_requests, python_requests
from builder.recipe.library import Library
from tests.recipe.samples import effective_of


def test_build_environments_ask_for_their_own(library: Library) -> None:
    requests = python_requests(effective_of(library, "debian-13-cuda-13.0"), preferences={}, upgrade=())
    by_name = {request.environment: request for request in requests}
    assert set(by_name) == {"cuda", "installer", "nixl", "runtime"}
    assert by_name["installer"].roots == ("pip==26.2.1",)
    assert [item.name for item in by_name["runtime"].stand_ins] == ["nixl", "nixl-cu13"]
    assert by_name["nixl"].stand_ins == ()


def test_builds_see_the_run_packages_of_what_they_need(library: Library) -> None:
    asked = os_requests(effective_of(library, "debian-13"))
    assert "librdmacm1" in asked["nixl"]
    assert "libabsl-dev" in asked["nixl"]
    assert "libabsl-dev" not in asked["runtime"]
    assert "autoconf" not in asked["runtime"]
