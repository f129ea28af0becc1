from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.errors import DigestMismatchError, FetchError
from builder.git.canonical_tar import materialise
from builder.lockfile.lock import GitSource, Submodule
from builder.model.digest import Evidence, GitOid, Sha256
from builder.pin.git import pin_git
from builder.recipe.component import Component, GitRecipe
from builder.recipe_editor import RecipeEditor


@pytest.fixture
def source(bench: Any, forge: Any, component: Callable[[str, str], Path]) -> GitSource:
    """What a lock says of a pinned version with a submodule."""
    inner = forge.make("inner")
    commit = forge.commit("inner", {"i": "inner\n"})
    url = forge.make("thing")
    forge.commit("thing", {"a": "1"})
    forge.submodule("thing", "ext/inner", commit, inner)
    forge.seal("thing", "v1.0")
    file = component("thing", f'[versions."1.0".git]\nurl = "{url}"\ntag = "v1.0"\n')
    pin_git(bench.context())
    git = RecipeEditor(file, place="x").parsed(Component).versions["1.0"].git
    assert isinstance(git, GitRecipe)
    assert git.tree is not None
    assert git.sha256 is not None
    return GitSource(
        component="thing",
        version="1.0",
        git=git.url,
        tag=git.tag,
        commit=git.commit,
        tree=git.tree,
        sha256=git.sha256,
        evidence=Evidence.OBSERVED,
        submodules=git.submodules,
    )


@pytest.fixture
def empty(tmp_path: Path) -> Any:
    from builder.store.store import Store  # noqa: PLC0415 - beside its use

    return Store(tmp_path / "other-store")


def test_a_locked_source_becomes_the_pinned_tar(source: GitSource, empty: Any, tmp_path: Path) -> None:
    path = materialise(source, empty, tmp_path / "cache")
    assert path == empty.path(source.sha256)
    assert empty.verify(source.sha256) == path.stat().st_size


def test_what_the_store_has_needs_no_git(
    source: GitSource, bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert materialise(source, bench.store, tmp_path / "none") == bench.store.path(source.sha256)
    assert not (tmp_path / "none").exists()


def test_a_moved_tag_does_not_matter_while_the_commit_is_there(
    source: GitSource, forge: Any, empty: Any, tmp_path: Path
) -> None:
    forge.git("thing", "tag", "--force", "v1.0", "HEAD~1")
    assert materialise(source, empty, tmp_path / "cache").is_file()


def test_another_tree_is_named(source: GitSource, empty: Any, tmp_path: Path) -> None:
    wrong = dataclasses.replace(source, tree=GitOid("1" * 40))
    with pytest.raises(DigestMismatchError, match=f"has the tree {source.tree}, not the locked {'1' * 40}"):
        materialise(wrong, empty, tmp_path / "cache")
    assert list(empty.digests()) == []


def test_another_submodule_commit_is_named(source: GitSource, forge: Any, empty: Any, tmp_path: Path) -> None:
    other = forge.commit("inner", {"i": "other\n"})
    (row,) = source.submodules
    tree = forge.git("inner", "rev-parse", "HEAD^{tree}")
    moved = Submodule(path=row.path, git=row.git, commit=GitOid(other), tree=GitOid(tree))
    with pytest.raises(DigestMismatchError, match=f"submodule is at {row.commit}, locked is {other}"):
        materialise(dataclasses.replace(source, submodules=(moved,)), empty, tmp_path / "cache")


def test_another_tar_is_named_and_not_stored(source: GitSource, empty: Any, tmp_path: Path) -> None:
    wrong = dataclasses.replace(source, sha256=Sha256("0" * 64))
    with pytest.raises(DigestMismatchError) as caught:
        materialise(wrong, empty, tmp_path / "cache")
    assert str(source.sha256) in caught.value.cause
    assert f"locked is {'0' * 64}" in caught.value.cause
    assert caught.value.place == "thing 1.0"
    assert list(empty.digests()) == []


def test_a_commit_that_is_gone_names_the_component(source: GitSource, empty: Any, tmp_path: Path) -> None:
    gone = dataclasses.replace(source, commit=GitOid("2" * 40), tag="")
    with pytest.raises(FetchError, match=f"^thing 1.0: .*{'2' * 40}"):
        materialise(gone, empty, tmp_path / "cache")
