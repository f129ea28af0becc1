from __future__ import annotations

import subprocess

import pytest

from builder.errors import LockError
from builder.render.bases import configure_base
from builder.render.instructions import Mount


def script() -> str:
    first, _, rest = configure_base("debian").text().partition("\n")
    assert first == "RUN --network=none <<'EOF'"
    return rest.removesuffix("\nEOF")


def test_what_comes_before_is_done_first_with_its_mounts() -> None:
    run = configure_base("debian", before=(("true",),), mounts=(Mount(stage="tar", target="/base"),))
    lines = run.text().splitlines()
    assert lines[0].startswith("RUN --network=none")
    assert "--mount=type=bind,from=tar,target=/base" in run.text()
    assert lines.index("true") < next(n for n, line in enumerate(lines) if "preinst" in line)


def test_the_script_is_one_that_a_posix_shell_takes() -> None:
    subprocess.run(["sh", "-n"], input=script(), text=True, check=True)
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(
            ["sh", "-n"], input=script().replace("done", ""), text=True, check=True, capture_output=True
        )


def test_configuring_comes_after_preparing_and_is_checked_before_cleaning() -> None:
    text = script()
    steps = (
        ".preinst; do",
        "preinst install",
        "dpkg --configure --pending",
        "dpkg --verify",
        "rm -f /var/cache",
    )
    places = [text.index(step) for step in steps]
    assert places == sorted(places)


def test_other_families_are_refused() -> None:
    with pytest.raises(LockError, match="'rpm' cannot be assembled"):
        configure_base("rpm")
