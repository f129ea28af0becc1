"""A lock against what other tools read: exports say the same, and what differs is found."""

from __future__ import annotations

import tomllib

import pytest

from builder.diff.change import RowChange
from builder.diff.exports import compare_pins, marker_environment, pins_of, read_pylock, read_requirements
from builder.errors import LockError
from builder.export import to_pylock, to_requirements
from tests.diff.cases import base

ENVIRONMENT = marker_environment(base())


def found(text: str) -> list[tuple[str, str]]:
    """Return (name, class) of every difference of a requirements file."""
    pins = read_requirements(text, ENVIRONMENT, place="requirements.txt")
    return named(compare_pins(pins_of(base()), pins))


def named(changes: tuple[RowChange, ...]) -> list[tuple[str, str]]:
    return [(change.name, str(change.risk)) for change in changes]


def test_our_own_exports_say_the_same() -> None:
    pylock = tomllib.loads(to_pylock(base(), lambda row: f"https://files.invalid/{row.file}"))
    assert compare_pins(pins_of(base()), read_pylock(pylock, ENVIRONMENT, place="pylock.toml")) == ()
    assert found(to_requirements(base())) == []


@pytest.mark.parametrize(
    ("old", "new", "risk"),
    [
        ("idna==3.19", "idna==3.20", "minor"),
        ("idna==3.19", "idna==3.18", "downgrade"),
        ("idna==3.19", "idna>=3", "evidence"),
        ("idna==3.19", 'idna==3.19 ; python_version < "3"', "removed"),
        ("idna==3.19 --hash=sha256:", "idna==3.19 #", "evidence"),
        ("idna==3.19 --hash=sha256:", "idna==3.19 --hash=sha256:" + "0" * 64 + " #", "bytes"),
    ],
)
def test_a_changed_line_is_found(old: str, new: str, risk: str) -> None:
    text = to_requirements(base())
    assert old in text
    assert found(text.replace(old, new)) == [("idna", risk)]


def test_more_accepted_files_of_the_same_version_are_no_difference() -> None:
    text = to_requirements(base()).replace(
        "idna==3.19 ", f"idna==3.19 \\\n    --hash=sha256:{'0' * 64} \\\n    "
    )
    assert found(text) == []


def test_a_line_more_and_options_and_comments() -> None:
    text = "--index-url https://index.invalid/simple\n# a comment\n" + to_requirements(base())
    assert found(f"{text}\nSomething_New[extra]==1.0 ; sys_platform == 'linux'  # via nobody\n") == [
        ("something-new", "new")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-r other.txt\n", "requirements.txt: line 1: -r is not followed"),
        ("idna==3.19\n./local\n", "requirements.txt: line 2: not a requirement: './local'"),
        ("idna==3.19\nidna==3.18\n", "requirements.txt: idna is listed twice, as 3.19 and 3.18"),
        ("idna==3.19\x1b[31m\n", "requirements.txt: line 1: a control character"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(LockError) as caught:
        read_requirements(text, ENVIRONMENT, place="requirements.txt")
    assert str(caught.value).startswith(message)


def test_a_pylock_that_is_none() -> None:
    with pytest.raises(LockError, match=r"not a valid pylock\.toml"):
        read_pylock({"lock-version": "1.0"}, ENVIRONMENT, place="pylock.toml")
