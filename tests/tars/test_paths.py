from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import FetchError
from builder.tars.paths import check_links, check_path


@pytest.mark.parametrize(
    "path", [b"a", b"a/b.c", b".gitignore", b".gitmodules", "ä/ñ".encode(), b"a b", b"-x", b"..."]
)
def test_paths_that_are_fine(path: bytes) -> None:
    check_path(path, "here")


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        (b"", "file name '' is not allowed"),
        (b"/etc", "file name '' is not allowed"),
        (b"a//b", "file name '' is not allowed"),
        (b"a/../b", "file name '..' is not allowed"),
        (b"./a", "file name '.' is not allowed"),
        (b"a/.git/config", "file name '.git' would be taken for a git repository"),
        (b".GIT", "file name '.GIT' would be taken for a git repository"),
        (b"a\nb", r"file name 'a\nb' contains a control character"),
        (b"a\0b", r"file name 'a\x00b' contains a control character"),
        (b"a\x1b[2J", r"file name 'a\x1b[2J' contains a control character"),
        (b"a\x7f", r"file name 'a\x7f' contains a control character"),
        ("a\x85".encode(), r"file name 'a\x85' contains a control character"),
        (b"a\xff", r"file name b'a\xff' is not UTF-8"),
    ],
)
def test_paths_that_are_refused(path: bytes, cause: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_path(path, "here")
    assert str(caught.value) == f"here: {cause}"


@pytest.mark.parametrize(
    "links",
    [
        {b"a": b"b"},
        {b"d/a": b"../b"},
        {b"d/e/a": b"../../b/./c/"},
        {b"a": b"."},
        {b"a": b"nowhere/at/all"},
        {b"a": b"a"},
        {b"a": b"b", b"b": b"a"},
        {b"d/a": b"..", b"d/b": b"a/d"},
    ],
)
def test_links_that_stay(links: dict[bytes, bytes]) -> None:
    check_links(links, "tree")


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ({b"a": b"/etc/passwd"}, "tree: a: is a link to the absolute path '/etc/passwd'"),
        ({b"a": b".."}, "tree: a: is a link to '..', which leaves the tree"),
        ({b"d/a": b"../../x"}, "tree: d/a: is a link to '../../x', which leaves the tree"),
        ({b"d/a": b"../x/../../y"}, "tree: d/a: is a link to '../x/../../y', which leaves the tree"),
        # Read as text, a/../x is d/e/x; the file system goes through the link to the top, and out.
        (
            {b"d/e/a": b"../..", b"d/e/z": b"a/../x"},
            "tree: d/e/z: is a link to 'a/../x', which leaves the tree",
        ),
        ({b"a": b"x\ny"}, r"tree: a: is a link to 'x\ny', which is not plain text"),
        ({b"a": b"\xff"}, r"tree: a: is a link to '\\xff', which is not plain text"),
    ],
)
def test_links_that_are_refused(links: dict[bytes, bytes], message: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_links(links, "tree")
    assert str(caught.value) == message


_NAMES = st.sampled_from(["a", "b", "c", ".."])
_TARGETS = st.lists(_NAMES, min_size=1, max_size=5).map("/".join)
_PLACES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)


@given(st.dictionaries(_PLACES, _TARGETS, max_size=5))
def test_accepted_links_stay_inside_on_a_real_file_system(
    tmp_path_factory: pytest.TempPathFactory, wanted: dict[str, str]
) -> None:
    top = tmp_path_factory.mktemp("links") / "out1" / "out2" / "tree"
    top.mkdir(parents=True)
    links = {}
    for place, target in sorted(wanted.items()):
        if (
            any((top / parent).is_symlink() for parent in [*Path(place).parents][:-1])
            or (top / place).exists()
        ):
            continue
        (top / place).parent.mkdir(parents=True, exist_ok=True)
        (top / place).symlink_to(target)
        links[place] = target
    try:
        check_links({os.fsencode(place): os.fsencode(target) for place, target in links.items()}, "tree")
    except FetchError:
        return
    for place in links:
        try:
            real = (top / place).resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        assert real.is_relative_to(top)
