"""Disks that are full or may not be written, below what does not come as a file: git, bundles, pulls."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.commands import bundle
from builder.errors import FetchError
from builder.git.process import fetch_commit
from builder.selection import Selection
from builder.store.store import Store
from tests.commands.stocked import make_stock


def read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


@pytest.mark.parametrize("full", [False, True], ids=["read-only", "full"])
def test_an_import(tmpfs: Callable[[str], Path], tmp_path: Path, full: bool) -> None:
    stock = make_stock(tmp_path / "here")
    file = tmp_path / "made.tar"
    assert (
        bundle.export_bundle(
            stock.project, bundle.Options(selection=Selection(releases=("all",)), output=file)
        )
        == 0
    )
    disk = tmpfs("size=12k" if full else "size=1m")
    if not full:
        read_only(disk)
    store = Store(disk / "store")
    there = dataclasses.replace(stock.elsewhere(tmp_path / "there").project, store=store)
    with pytest.raises(FetchError, match=r"No space left|Read-only file system") as caught:
        bundle.import_bundle(there, bundle.ImportOptions(file=file))
    assert "--store" in caught.value.hint
    assert list(store.digests()) == []
    assert not there.locks.exists()


@pytest.mark.parametrize("full", [False, True], ids=["read-only", "full"])
def test_a_git_source(tmpfs: Callable[[str], Path], tmp_path: Path, full: bool) -> None:
    work = tmp_path / "work"
    who = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")
    subprocess.run(["git", "init", "--quiet", str(work)], check=True)
    (work / "large").write_bytes(bytes(range(256)) * 400)
    subprocess.run(["git", "-C", str(work), "add", "."], check=True)
    subprocess.run(["git", "-C", str(work), *who, "commit", "--quiet", "-m", "one"], check=True)
    head = ["git", "-C", str(work), "rev-parse", "HEAD"]
    commit = subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()
    disk = tmpfs("size=16k" if full else "size=1m")
    if not full:
        read_only(disk)
    environment = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ALLOW_PROTOCOL": "file"}
    with pytest.raises(FetchError, match=r"(?i)no space left|read-only file system|cannot be fetched"):
        fetch_commit(str(work), commit, None, disk / "git" / "work.git", environment=environment)
