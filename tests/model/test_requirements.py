from __future__ import annotations

import sys

import pytest
from packaging.markers import Marker

from builder.errors import NoSolutionError
from builder.model.requirements import OpenMarkerError, marker_environment, marker_holds
from builder.model.target import Arch

MINOR = marker_environment(Arch.X86_64, "3.13")
FULL = marker_environment(Arch.X86_64, "3.13", "3.13.5")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("python_full_version >= '3.13'", True),
        ("python_full_version < '3.13'", False),
        ("python_full_version >= '3.14.0a1'", False),
        ("python_version == '3.13' and implementation_name == 'cpython'", True),
        ("python_full_version < '3.13.1' and sys_platform == 'win32'", False),
        ("implementation_version >= '3.13'", True),
    ],
)
def test_a_marker_that_every_patch_release_decides_alike(text: str, holds: bool) -> None:
    assert marker_holds(Marker(text), MINOR) is holds
    assert marker_holds(Marker(text), FULL) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("python_full_version >= '3.13.1'", True),
        ("python_full_version != '3.13.5'", False),
        ("implementation_version < '3.13.2'", False),
    ],
)
def test_a_marker_that_the_patch_release_decides(text: str, holds: bool) -> None:
    assert marker_holds(Marker(text), FULL) is holds
    with pytest.raises(OpenMarkerError):
        marker_holds(Marker(text), MINOR)


def test_the_running_interpreter_never_answers() -> None:
    running = ".".join(map(str, sys.version_info[:3]))
    assert not marker_holds(
        Marker(f"python_full_version == '{running}'"), marker_environment(Arch.X86_64, "3.20")
    )


def test_no_marker_holds_and_an_extra_counts() -> None:
    assert marker_holds(None, MINOR)
    assert marker_holds(Marker("extra == 'x'"), MINOR, "x")
    assert not marker_holds(Marker("extra == 'x'"), MINOR)


def test_a_marker_without_meaning_is_named() -> None:
    with pytest.raises(NoSolutionError, match=r"os_name ~= .*has no meaning"):
        marker_holds(Marker("os_name ~= 'posix'"), FULL)
