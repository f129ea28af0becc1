"""The build context holds exactly what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.build.request import build_context
from builder.errors import FetchError
from builder.store.store import Store


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_hard_links_in_the_layout_of_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    one, two = store.add_bytes(b"one"), store.add_bytes(b"two")
    store.add_bytes(b"not asked for")
    with build_context(store, [two, one, two]) as folder:
        assert content(folder) == {
            f"sha256/{one[:2]}/{one[2:]}": b"one",
            f"sha256/{two[:2]}/{two[2:]}": b"two",
        }
        assert (folder / "sha256" / one[:2] / one[2:]).samefile(store.path(one))
        first = folder
    assert not folder.exists()
    with build_context(store, [one, two]) as folder:
        assert folder == first, "the same content has the same name"
    with build_context(store, [one]) as folder:
        assert folder != first
    assert store.read(one) == b"one"


def test_an_empty_context(tmp_path: Path) -> None:
    with build_context(Store(tmp_path), []) as folder:
        assert folder.is_dir()
        assert content(folder) == {}


def test_what_an_interrupted_build_left_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.add_bytes(b"x")
    with build_context(store, [digest]) as folder:
        pass
    (folder / "stray").mkdir(parents=True)
    with build_context(store, [digest]) as again:
        assert list(content(again)) == [f"sha256/{digest[:2]}/{digest[2:]}"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    digest = "0" * 64
    with pytest.raises(FetchError, match=digest) as caught, build_context(Store(tmp_path), [digest]):
        pass
    assert "fetch" in caught.value.hint
    assert not list((tmp_path / "contexts").glob("????????????????"))
