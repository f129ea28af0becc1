"""`store gc`: what locks, recipes and stored documents name stays, whatever arrived lately too, the rest goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.model import Arch, Sha256
from builder.oci.images import layout_path, write_layout
from builder.store import Store, reachable_digests
from tests.commands.stocked import Stock, make_stock


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return make_stock(tmp_path / "here")


def collect(stock: Stock, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Run `store gc`; return what it says."""
    capsys.readouterr()
    where = ["--project", str(stock.project.root), "--store", str(stock.store.root), "--format", "json"]
    assert main(["store", "gc", "--quiet", *where, *words]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_what_nothing_names_goes_and_all_else_stays(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(stock.store.digests())
    junk = stock.store.add_bytes(b"junk")
    said = collect(stock, capsys, "--younger-than", "0", "--dry-run")
    assert said["deleted"] == {"files": 1, "bytes": 4}
    assert set(stock.store.digests()) == {*before, junk}
    assert collect(stock, capsys, "--younger-than", "0")["deleted"] == {"files": 1, "bytes": 4}
    assert set(stock.store.digests()) == before


def test_what_arrived_lately_stays(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    junk = stock.store.add_bytes(b"junk")
    said = collect(stock, capsys)
    assert (said["young"]["files"], said["deleted"]["files"]) == (1, 0)
    assert stock.store.has(junk)


def test_only_what_the_selected_locks_need_stays(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    lock = stock.locks[0]
    words = ("--release", lock.release, "--framework", lock.framework, "--arch", lock.arch.value)
    assert collect(stock, capsys, *words, "--younger-than", "0")["deleted"]["files"]
    assert all(stock.store.has(row.sha256) for row in lock.python if row.sha256)
    assert all(
        stock.store.has(blob)
        for image in lock.images
        if image.digest
        for blob in reachable_digests(stock.store, [image.digest.removeprefix("sha256:")])
    )


def test_what_another_project_names_stays(
    stock: Stock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = stock.store.add_bytes(b"theirs")
    lock = tmp_path / "other/lock/1.0/plain/tiny-x86_64.toml"
    lock.parent.mkdir(parents=True)
    lock.write_text(f'sha256 = "{theirs}"\n')
    collect(stock, capsys, "--younger-than", "0", "--also", str(tmp_path / "other"))
    assert stock.store.has(theirs)
    collect(stock, capsys, "--younger-than", "0")
    assert not stock.store.has(theirs)


def test_documents_are_followed_and_binaries_are_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    leaf, unnamed = store.add_bytes(b"leaf"), store.add_bytes(b"unnamed")
    index = store.add_bytes(f" {leaf} 4 main/Packages\n".encode())
    signed = store.add_bytes(f'{{"layers": ["sha256:{index}"]}}'.encode())
    binary = store.add_bytes(b"\0" + unnamed.encode())
    assert reachable_digests(store, [signed, binary, "0" * 64]) == {signed, index, leaf, binary}


def test_the_layout_of_an_image_goes_with_it(stock: Stock, capsys: pytest.CaptureFixture[str]) -> None:
    digest = next(image.digest for lock in stock.locks for image in lock.images if image.digest)
    manifest = Sha256(digest.removeprefix("sha256:"))
    write_layout(stock.store, manifest, Arch.X86_64)
    collect(stock, capsys, "--younger-than", "0")
    assert layout_path(stock.store, manifest).is_dir()
    for lock in stock.project.locks.rglob("*.toml"):
        lock.unlink()
    collect(stock, capsys, "--younger-than", "0")
    assert not layout_path(stock.store, manifest).exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--younger-than", "-1"), "expected 0 or more"),
        (("--also", "nowhere"), "is not a project"),
        (("--framework", "plian"), "there is no framework 'plian'"),
    ],
)
def test_a_wrong_argument_deletes_nothing(
    words: tuple[str, ...], reason: str, stock: Stock, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(stock.store.digests())
    where = ["--project", str(stock.project.root), "--store", str(stock.store.root)]
    assert main(["store", "gc", "--quiet", *where, "--younger-than", "0", *words]) == 2
    assert reason in capsys.readouterr().err
    assert set(stock.store.digests()) == before
