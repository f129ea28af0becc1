"""Places tried in turn, in one function with one error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.io import NotFoundError, first_answer, joined_error

ROOT = Path(__file__).resolve().parents[2] / "builder"
MISSING = NotFoundError("HTTP 404", place="https://a.invalid/f")
BUSY = FetchError("HTTP 503", place="https://b.invalid/f", hint="wait")
WRONG = DigestMismatchError("other bytes", place="https://c.invalid/f")


def answering(errors: dict[str, BuilderError], asked: list[str]) -> str:
    def ask(place: str) -> str:
        asked.append(place)
        if place in errors:
            raise errors[place]
        return place

    return first_answer(("a", "b", "c", "d"), ask, place="f")


def test_the_first_answer_ends_the_search() -> None:
    asked: list[str] = []
    assert answering({"a": MISSING, "b": WRONG}, asked) == "c"
    assert asked == ["a", "b", "c"]


def test_an_error_that_is_not_about_the_place_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        first_answer(("a", "b"), lambda _: str(1 // 0))


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ((MISSING, MISSING), NotFoundError),
        ((MISSING, BUSY, MISSING), FetchError),
        ((WRONG, BUSY, MISSING), DigestMismatchError),
    ],
)
def test_the_gravest_error_gives_the_class(
    errors: tuple[BuilderError, ...], kind: type[BuilderError]
) -> None:
    error = joined_error(errors, place="f")
    assert type(error) is kind
    lines = "".join(f"\n  {one}" for one in errors)
    assert str(error) == f"f: none of {len(errors)} places has it:{lines}"


def test_one_error_and_none() -> None:
    assert str(joined_error([BUSY], place="f")) == "f: https://b.invalid/f: HTTP 503"
    assert joined_error([BUSY], place="https://b.invalid/f") is BUSY
    assert joined_error([], place="f").hint == "configure its origin or a mirror in origins.toml"


def loops_that_collect_errors(path: Path) -> Iterator[int]:
    """Yield the lines of loops that go on after a FetchError and keep it."""
    for loop in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(loop, ast.For):
            continue
        for node in ast.walk(loop):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
                if caught & {"FetchError", "NotFoundError"} and ".append(" in ast.unparse(node):
                    yield loop.lineno


def test_places_are_tried_in_one_function() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if any(loops_that_collect_errors(path))
    }
    assert found == {"io/places.py"}
