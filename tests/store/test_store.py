from __future__ import annotations

import hashlib
import multiprocessing
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import DigestMismatchError, FetchError
from builder.store.store import Store, store_root

DATA = b"data"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def leftovers(store: Store) -> list[Path]:
    return list((store.root / "tmp").iterdir())


def test_layout_and_mode(store: Store) -> None:
    assert store.add_bytes(DATA) == SHA256
    path = store.root / "sha256" / SHA256[:2] / SHA256[2:]
    assert store.path(SHA256) == path
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert leftovers(store) == []


def test_has_open_read_and_digests(store: Store) -> None:
    assert not store.has(SHA256)
    assert list(store.digests()) == []
    others = [store.add_bytes(bytes([number])) for number in range(5)]
    store.add_bytes(DATA)
    assert store.has(SHA256)
    assert store.has(SHA256, 4)
    assert not store.has(SHA256, 5)
    with store.open(SHA256) as file:
        assert file.read() == DATA
    assert store.read(SHA256) == DATA
    assert list(store.digests()) == sorted([*others, SHA256])


def test_absent(store: Store) -> None:
    for ask in (store.open, store.read, store.verify):
        with pytest.raises(FetchError) as caught:
            ask(SHA256)
        assert str(caught.value) == f"sha256:{SHA256}: is not in the store"
        assert caught.value.hint == "run `python -m builder fetch`"


@pytest.mark.parametrize("text", ["", "abc", SHA256.upper(), f"../../{SHA256}", SHA256 + "\n", "g" * 64])
def test_only_digests_are_addresses(store: Store, text: str) -> None:
    with pytest.raises(ValueError, match="not a sha256 digest"):
        store.path(text)


def test_ingest_checks(store: Store) -> None:
    assert store.ingest(iter([b"da", b"ta"]), SHA256) == SHA256
    with pytest.raises(DigestMismatchError, match=f"expected sha256 {'0' * 64}, got"):
        store.ingest([b"other"], "0" * 64)
    assert list(store.digests()) == [SHA256]
    assert leftovers(store) == []


@pytest.mark.parametrize("fault", [ValueError("source"), KeyboardInterrupt()])
def test_broken_source_leaves_nothing(store: Store, fault: BaseException) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"some"
        raise fault

    with pytest.raises(type(fault)):
        store.ingest(chunks())
    assert list(store.digests()) == []
    assert leftovers(store) == []


def test_incoming_that_is_not_kept(store: Store) -> None:
    with store.incoming() as arriving:
        arriving.file.write(DATA)
    assert list(store.digests()) == []
    assert leftovers(store) == []


def test_verify_finds_damage_and_a_new_copy_repairs_it(store: Store) -> None:
    store.add_bytes(DATA)
    assert store.verify(SHA256) == 4
    path = store.path(SHA256)
    path.chmod(0o644)
    path.write_bytes(b"dama")
    with pytest.raises(DigestMismatchError) as caught:
        store.verify(SHA256)
    assert caught.value.place == str(path)
    store.add_bytes(DATA)
    assert store.verify(SHA256) == 4


def test_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FetchError) as caught:
        Store(tmp_path / "file" / "store").add_bytes(DATA)
    assert caught.value.cause == "the store cannot be written: Not a directory"
    assert "--store" in caught.value.hint


def _fill(root: Path) -> list[str]:
    store = Store(root)
    return [store.add_bytes(bytes([number]) * 100_000) for number in range(20)]


def test_processes_at_once(store: Store) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.map(_fill, [store.root, store.root])
    assert first == second
    assert list(store.digests()) == sorted(first)
    assert [store.verify(sha256) for sha256 in first] == [100_000] * 20
    assert leftovers(store) == []


def test_root(tmp_path: Path) -> None:
    assert store_root(tmp_path, environ={"LOCKWRIGHT_STORE": "/x"}) == tmp_path
    assert store_root(environ={"LOCKWRIGHT_STORE": "/x"}) == Path("/x")
    below_caches = store_root(environ={"LOCKWRIGHT_STORE": ""})
    assert below_caches is not None
    assert below_caches.parts[-2:] == ("lockwright", "store")
