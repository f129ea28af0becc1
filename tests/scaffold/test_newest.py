"""Which version of a distribution a new project gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builder.errors import NoSolutionError
from builder.index.index_client import IndexClient
from builder.index.services import IndexServices
from builder.io.http import Client
from builder.io.network import Network
from builder.model.target import Arch
from builder.scaffold.newest import PinRequest, newest_pins
from tests.local_index import LocalIndex

REQUEST = PinRequest(
    before=datetime(2026, 1, 1, tzinfo=UTC),
    pythons=frozenset({(Arch.X86_64, "2.41", "3.13"), (Arch.AARCH64, "2.41", "3.13")}),
)


@contextmanager
def asked(index: LocalIndex, folder: Path) -> Iterator[IndexServices]:
    with Client(network=Network(), attempts=1) as client:
        yield IndexServices(client=IndexClient(client), uv_cache=folder, metadata=folder, index_url=index.url)


def test_the_newest_that_every_target_can_install(index: LocalIndex, tmp_path: Path) -> None:
    index.wheel("thing", "1.0")
    index.wheel("thing", "1.1", tag="cp313-cp313-manylinux_2_28_x86_64")
    index.wheel("thing", "1.1", tag="cp313-cp313-manylinux_2_28_aarch64")
    for number, words in enumerate(
        (
            {"uploaded": "2026-01-02T00:00:00Z"},  # younger than the bound
            {"yanked": "broken"},
            {"tag": "cp313-cp313-manylinux_2_28_x86_64"},  # of one architecture only
            {"tag": "cp313-cp313-musllinux_1_2_x86_64"},
        )
    ):
        index.wheel("thing", f"2.{number}", **words)
    index.wheel("thing", "3.0rc1")
    index.sdist("thing", "4.0", {"setup.py": ""})
    index.add("thing", "thing-5.0-py3-none-any.whl", b"", requires_python=">=3.14")
    with asked(index, tmp_path) as services:
        assert newest_pins(["thing"], REQUEST, services) == {"thing": "1.1"}


def test_a_name_that_the_index_lacks(index: LocalIndex, tmp_path: Path) -> None:
    with asked(index, tmp_path) as services, pytest.raises(NoSolutionError) as caught:
        newest_pins(["thing"], REQUEST, services)
    assert "the index has no distribution 'thing'" in str(caught.value)


@pytest.mark.parametrize(
    ("version", "uploaded", "hint"),
    [
        ("9.0", "2026-02-01T00:00:00Z", "give a later --until DAY"),
        ("1.0rc1", "2025-01-01T00:00:00Z", "1.0rc1"),
    ],
)
def test_what_there_is_instead_is_named(
    index: LocalIndex, tmp_path: Path, version: str, uploaded: str, hint: str
) -> None:
    index.wheel("thing", version, uploaded=uploaded)
    with asked(index, tmp_path) as services, pytest.raises(NoSolutionError) as caught:
        newest_pins(["thing"], REQUEST, services)
    assert hint in caught.value.hint
