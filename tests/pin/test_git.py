from __future__ import annotations

import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.errors import DigestMismatchError, FetchError, RecipeError, UsageError
from builder.origins.origins import Mirror, Origins
from builder.pin.git import pin_git

Write = Callable[[str, str], Path]


def table(file: Path, version: str = "1.0") -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(file.read_text())["versions"][version]["git"]
    return found


@pytest.fixture
def thing(forge: Any, component: Write) -> Path:
    """A component with one tagged version, not pinned yet."""
    url = forge.make("thing")
    forge.commit("thing", {"src/a.c": "int a;\n", "run.sh": "@#!/bin/sh\n", "link": "->src/a.c"}, tag="v1.0")
    return component("thing", f'\n# the first\n[versions."1.0".git]\nurl = "{url}"\ntag = "v1.0"\n# kept\n')


def test_a_tag_is_pinned_to_commit_tree_and_canonical_tar(bench: Any, forge: Any, thing: Path) -> None:
    head = forge.git("thing", "rev-parse", "HEAD")
    forge.commit("thing", {"src/a.c": "int later;\n"})

    assert pin_git(bench.context()) == 0

    pinned = table(thing)
    assert pinned["commit"] == head
    assert pinned["tree"] == forge.git("thing", "rev-parse", f"{head}^{{tree}}")
    assert pinned["evidence"] == "observed"
    assert bench.store.verify(pinned["sha256"]) > 0
    with tarfile.open(bench.store.path(pinned["sha256"])) as tar:
        members = {member.name: member for member in tar}
        content = tar.extractfile("thing-1.0/src/a.c")
        assert content is not None
        assert content.read() == b"int a;\n"
    assert sorted(members) == [
        "thing-1.0",
        "thing-1.0/link",
        "thing-1.0/run.sh",
        "thing-1.0/src",
        "thing-1.0/src/a.c",
    ]
    assert members["thing-1.0/run.sh"].mode == 0o755
    assert members["thing-1.0/src/a.c"].mode == 0o644
    assert members["thing-1.0/link"].linkname == "src/a.c"
    assert {member.mtime for member in members.values()} == {0}


def test_comments_and_layout_stay(bench: Any, thing: Path) -> None:
    before = thing.read_text()
    pin_git(bench.context(), "thing", "1.0")
    after = thing.read_text()
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.split(" = ")[0] for line in added] == ["commit", "tree", "sha256", "evidence"]
    assert [line for line in after.splitlines() if line not in added] == before.splitlines()
    assert after.endswith("# kept\n")


def test_a_second_run_changes_nothing(bench: Any, thing: Path) -> None:
    pin_git(bench.context())
    before = thing.read_bytes(), thing.stat().st_mtime_ns
    assert pin_git(bench.context()) == 0
    assert (thing.read_bytes(), thing.stat().st_mtime_ns) == before
    assert "every pin is as recorded" in bench.err.getvalue()


def test_the_table_shows_before_and_now(bench: Any, forge: Any, thing: Path) -> None:
    pin_git(bench.context())
    assert 'recipes/components/thing.toml: versions."1.0".git.evidence' in bench.out.getvalue()
    assert "observed" in bench.out.getvalue()


def test_dry_run_shows_and_writes_no_recipe(bench: Any, thing: Path) -> None:
    before = thing.read_text()
    assert pin_git(bench.context(dry_run=True)) == 0
    assert thing.read_text() == before
    assert "sha256" in bench.out.getvalue()


def test_a_light_tag_is_its_commit(bench: Any, forge: Any, thing: Path) -> None:
    forge.git("thing", "tag", "--delete", "v1.0")
    forge.git("thing", "tag", "v1.0")
    pin_git(bench.context())
    assert table(thing)["commit"] == forge.git("thing", "rev-parse", "HEAD")


def test_a_bare_commit_stays(bench: Any, forge: Any, component: Write) -> None:
    url = forge.make("thing")
    commit = forge.commit("thing", {"a": "1"})
    forge.commit("thing", {"a": "2"})
    file = component(
        "thing",
        f'[versions."1.0".git]\nurl = "{url}"\ncommit = "{commit}"\nreason = "no tag has the fix"\n',
    )
    pin_git(bench.context())
    assert table(file)["commit"] == commit
    assert table(file)["tree"] == forge.git("thing", "rev-parse", f"{commit}^{{tree}}")


def test_a_moved_tag_is_reported_with_both_commits(bench: Any, forge: Any, thing: Path) -> None:
    pin_git(bench.context())
    before, old = thing.read_bytes(), table(thing)["commit"]
    new = forge.commit("thing", {"src/a.c": "int evil;\n"}, tag="v1.0")

    assert pin_git(bench.context()) == 1
    assert thing.read_bytes() == before
    said = bench.err.getvalue()
    assert (
        f"tag v1.0 of https://git.example.invalid/thing.git moved: recorded is {old}, now it is {new}" in said
    )

    assert pin_git(bench.context(), accept_moved=True) == 0
    assert table(thing)["commit"] == new
    assert table(thing)["tree"] == forge.git("thing", "rev-parse", f"{new}^{{tree}}")


def test_one_moved_tag_keeps_every_other_pin_from_being_written(
    bench: Any, forge: Any, thing: Path, component: Write
) -> None:
    pin_git(bench.context())
    forge.commit("thing", {"src/a.c": "int evil;\n"}, tag="v1.0")
    url = forge.make("other")
    forge.commit("other", {"b": "1"}, tag="v2")
    other = component("other", f'[versions."2".git]\nurl = "{url}"\ntag = "v2"\n')
    before = other.read_bytes()
    assert pin_git(bench.context()) == 1
    assert other.read_bytes() == before


def test_a_branch_is_refused_and_the_nearest_tag_offered(bench: Any, forge: Any, component: Write) -> None:
    url = forge.make("thing")
    forge.commit("thing", {"a": "1"}, tag="v1.20.0")
    forge.git("thing", "branch", "1.20.0")
    component("thing", f'[versions."1.20.0".git]\nurl = "{url}"\ntag = "1.20.0"\n')
    with pytest.raises(RecipeError) as caught:
        pin_git(bench.context())
    assert str(caught.value) == (
        'recipes/components/thing.toml: versions."1.20.0".git.tag: '
        f"'1.20.0' is a branch of {url}, not a tag: a branch moves, and may be deleted"
    )
    assert caught.value.hint == ("name a tag (nearest: v1.20.0), or give the commit alone with a `reason`")


def test_a_tag_beside_a_branch_of_its_name_is_the_tag(bench: Any, forge: Any, thing: Path) -> None:
    tagged = forge.git("thing", "rev-parse", "HEAD")
    forge.commit("thing", {"b": "1"})
    forge.git("thing", "branch", "v1.0")
    pin_git(bench.context())
    assert table(thing)["commit"] == tagged


def test_a_tag_that_nobody_has(bench: Any, forge: Any, component: Write) -> None:
    url = forge.make("thing")
    forge.commit("thing", {"a": "1"}, tag="v1.0.0")
    component("thing", f'[versions."1.1".git]\nurl = "{url}"\ntag = "v1.0.1"\n')
    with pytest.raises(FetchError) as caught:
        pin_git(bench.context())
    assert caught.value.cause == f"{url} has no tag 'v1.0.1'"
    assert caught.value.hint == "name a tag (nearest: v1.0.0), or a mirror that has it"


def test_submodules_are_followed_and_relative_addresses_resolved(
    bench: Any, forge: Any, component: Write
) -> None:
    deep = forge.make("deep")
    deep_commit = forge.commit("deep", {"d": "deep\n"})
    inner = forge.make("group/inner")
    forge.commit("group/inner", {"i": "inner\n"})
    forge.submodule("group/inner", "sub/deep", deep_commit, "../../deep.git")
    inner_commit = forge.seal("group/inner")
    url = forge.make("thing")
    forge.commit("thing", {"a": "1"})
    forge.submodule("thing", "ext/inner", inner_commit, inner)
    forge.seal("thing", "v1.0")
    file = component("thing", f'[versions."1.0".git]\nurl = "{url}"\ntag = "v1.0"\n')

    pin_git(bench.context())

    assert table(file)["submodules"] == [
        {
            "path": "ext/inner",
            "git": inner,
            "commit": inner_commit,
            "tree": forge.git("group/inner", "rev-parse", "HEAD^{tree}"),
        },
        {
            "path": "ext/inner/sub/deep",
            "git": deep,
            "commit": deep_commit,
            "tree": forge.git("deep", "rev-parse", "HEAD^{tree}"),
        },
    ]
    with tarfile.open(bench.store.path(table(file)["sha256"])) as tar:
        content = tar.extractfile("thing-1.0/ext/inner/sub/deep/d")
        assert content is not None
        assert content.read() == b"deep\n"


def test_an_omitted_submodule_is_not_even_fetched(bench: Any, forge: Any, component: Write) -> None:
    url = forge.make("thing")
    forge.commit("thing", {"a": "1"})
    forge.submodule("thing", "ext/gone", "1" * 40, "https://git.example.invalid/gone.git")
    forge.seal("thing", "v1.0")
    git = f'[versions."1.0".git]\nurl = "{url}"\ntag = "v1.0"\n'
    component("thing", git)
    with pytest.raises(FetchError):
        pin_git(bench.context())
    file = component("thing", git + 'omitted = ["ext/gone"]\n')
    pin_git(bench.context())
    assert "submodules" not in table(file)
    with tarfile.open(bench.store.path(table(file)["sha256"])) as tar:
        assert "thing-1.0/ext/gone" in tar.getnames()


@pytest.mark.parametrize(
    "url",
    [
        *("git@git.example.invalid:x/y.git", "http://git.example.invalid/x.git", "/srv/x", "file:///srv/x"),
        *("ext::sh -c touch% x", "--upload-pack=touch x", "-u./x", "https://[x/y", "fd::17", "https:x"),
    ],
)
def test_a_submodule_without_a_public_address_is_refused(
    bench: Any, forge: Any, component: Write, url: str
) -> None:
    outer = forge.make("thing")
    forge.commit("thing", {"a": "1"})
    forge.submodule("thing", "ext/x", "1" * 40, url)
    forge.seal("thing", "v1.0")
    component("thing", f'[versions."1.0".git]\nurl = "{outer}"\ntag = "v1.0"\n')
    with pytest.raises(RecipeError) as caught:
        pin_git(bench.context())
    assert caught.value.cause == f"submodule ext/x of {outer} is at {url}, which is not an https address"
    assert caught.value.hint.endswith('omitted = ["ext/x"]')


def test_a_gitlink_that_gitmodules_does_not_know(bench: Any, forge: Any, component: Write) -> None:
    url = forge.make("thing")
    forge.commit("thing", {"a": "1"})
    forge.git("thing", "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},ext/x")
    forge.seal("thing", "v1.0")
    component("thing", f'[versions."1.0".git]\nurl = "{url}"\ntag = "v1.0"\n')
    with pytest.raises(RecipeError, match=r"submodule ext/x of .* has no address in \.gitmodules"):
        pin_git(bench.context())


def test_other_bytes_for_the_same_commit_are_a_mismatch(bench: Any, thing: Path) -> None:
    pin_git(bench.context())
    sha256 = table(thing)["sha256"]
    wrong = "0" * 64
    thing.write_text(thing.read_text().replace(sha256, wrong))
    with pytest.raises(DigestMismatchError) as caught:
        pin_git(bench.context())
    assert sha256 in caught.value.cause
    assert wrong in caught.value.cause
    assert wrong in thing.read_text()


def test_another_tree_for_the_same_commit_is_a_mismatch(bench: Any, thing: Path) -> None:
    pin_git(bench.context())
    pinned = table(thing)
    thing.write_text(thing.read_text().replace(pinned["tree"], "0" * 40))
    with pytest.raises(DigestMismatchError) as caught:
        pin_git(bench.context())
    assert caught.value.cause == (
        f"commit {pinned['commit']} has tree {pinned['tree']}, recorded is {'0' * 40}"
    )


def test_a_new_version_comes_first_with_the_same_address(bench: Any, forge: Any, thing: Path) -> None:
    pin_git(bench.context())
    before = thing.read_text()
    new = forge.commit("thing", {"src/a.c": "int b;\n"}, tag="v1.1")

    assert pin_git(bench.context(), "thing", add="v1.1") == 0

    after = thing.read_text()
    assert table(thing, "1.1")["commit"] == new
    assert table(thing, "1.1")["url"] == table(thing)["url"]
    assert after.index('"1.1"') < after.index("# the first") < after.index('"1.0"')
    start = after.index('[versions."1.1".git]')
    assert after[:start] + after[after.index("# the first") :] == before


def test_a_new_version_must_be_new_and_its_tag_a_tag(bench: Any, forge: Any, thing: Path) -> None:
    with pytest.raises(UsageError, match=r"version '1\.0' exists"):
        pin_git(bench.context(), "thing", add="v1.0")
    forge.git("thing", "branch", "next")
    with pytest.raises(RecipeError, match="'next' is a branch"):
        pin_git(bench.context(), "thing", "2.0", add="next")
    with pytest.raises(UsageError, match="a new version needs its component"):
        pin_git(bench.context(), add="v1.1")


def test_names_that_do_not_exist(bench: Any, thing: Path) -> None:
    with pytest.raises(UsageError, match="there is no recipe 'thong'"):
        pin_git(bench.context(), "thong")
    with pytest.raises(UsageError, match=r"no git source of version '9'"):
        pin_git(bench.context(), "thing", "9")


def test_a_mirror_is_tried_before_the_place_itself(
    bench: Any, forge: Any, thing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public address leads nowhere; the configured mirror leads to the repositories."""
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://mirror.example.invalid/git/")
    bench.origins = Origins(
        mirrors=(
            Mirror(prefix="https://git.example.invalid/", places=("https://mirror.example.invalid/git/",)),
        )
    )
    pin_git(bench.context())
    assert table(thing)["commit"] == forge.git("thing", "rev-parse", "HEAD")
    assert table(thing)["url"] == "https://git.example.invalid/thing.git"


def test_an_invalid_recipe_is_not_written(bench: Any, forge: Any, thing: Path) -> None:
    thing.write_text(thing.read_text().replace('system = "make"', "systen = 1"))
    before = thing.read_text()
    with pytest.raises(RecipeError, match="systen"):
        pin_git(bench.context())
    assert thing.read_text() == before
