from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from builder.errors import DigestMismatchError, FetchError
from builder.git.canonical_tar import CanonicalSpec, SubmoduleTree, Tree, write_canonical_tar
from builder.git.process import fetch_commit, git_environment

if TYPE_CHECKING:
    from tests.git.conftest import RawRepository

FILE, PROGRAM, LINK, FOLDER, MODULE = 0o100644, 0o100755, 0o120000, 0o40000, 0o160000


def packed(source: Tree, *modules: tuple[str, Tree], omitted: tuple[str, ...] = (), mtime: int = 0) -> bytes:
    spec = CanonicalSpec(
        name="ucx",
        version="1.0",
        source=source,
        submodules=tuple(SubmoduleTree(path=path, source=tree) for path, tree in modules),
        omitted=omitted,
        mtime=mtime,
    )
    sink = io.BytesIO()
    digest = write_canonical_tar(spec, sink)
    assert digest == hashlib.sha256(sink.getvalue()).hexdigest()
    return sink.getvalue()


def listing(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [f"{m.name}{'/' if m.isdir() else ''} {m.mode:o} {m.linkname}".strip() for m in archive]


@pytest.fixture
def source(repository: RawRepository) -> Tree:
    """A tree with every kind, attributes that would change a checkout, and names whose order is easy to get wrong."""
    text = repository.put("blob", b"one\ntwo\n")
    substituted = repository.put("blob", b"$Format:%H$\r\n")
    attributes = repository.put("blob", b"* text eol=crlf\nversion export-subst\nhidden export-ignore\n")
    folder = repository.tree((FILE, b"x", text), (PROGRAM, b"run", text))
    return repository.commit(
        repository.tree(
            (FILE, b".gitattributes", attributes),
            (FILE, b"a-b", text),
            (FILE, b"a.c", text),
            (FOLDER, b"a", folder),
            (0o100664, b"group", text),
            (FILE, b"hidden", text),
            (LINK, b"link", repository.put("blob", b"a/x")),
            (FILE, b"version", substituted),
            (FILE, "ä".encode(), repository.put("blob", b"")),
        )
    )


def test_content_is_that_of_the_objects(source: Tree) -> None:
    data = packed(source)
    assert listing(data) == [
        "ucx-1.0/ 755",
        "ucx-1.0/.gitattributes 644",
        "ucx-1.0/a/ 755",
        "ucx-1.0/a-b 644",
        "ucx-1.0/a.c 644",
        "ucx-1.0/a/run 755",
        "ucx-1.0/a/x 644",
        "ucx-1.0/group 644",
        "ucx-1.0/hidden 644",
        "ucx-1.0/link 777 a/x",
        "ucx-1.0/version 644",
        "ucx-1.0/ä 644",
    ]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        version = archive.extractfile("ucx-1.0/version")
        assert version is not None
        assert version.read() == b"$Format:%H$\r\n"
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in archive} == {(0, 0, "", "", 0)}


def test_bytes_never_change(source: Tree) -> None:
    """The digest is the identity in every lock: a change of this value breaks all of them."""
    digest = hashlib.sha256(packed(source)).hexdigest()
    assert digest == "e3443d06fb93dd70f35034df7b6b3c4a25ef28feeb82c95d96a2e3657ba63013"


def test_time_is_the_given_one(source: Tree) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(source, mtime=1763337600))) as archive:
        assert {member.mtime for member in archive} == {1763337600}


def test_gnu_tar_unpacks_it(source: Tree, tmp_path: Path) -> None:
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=packed(source), check=True)
    assert (tmp_path / "ucx-1.0" / "link").read_bytes() == b"one\ntwo\n"
    assert os.access(tmp_path / "ucx-1.0" / "a" / "run", os.X_OK)


def test_clones_that_are_packed_differently_give_the_same_bytes(
    source: Tree, repository: RawRepository, tmp_path: Path
) -> None:
    expected = packed(source)
    environment = git_environment({"PATH": os.environ["PATH"]}, protocols=("file",))
    shallow, mirror = tmp_path / "shallow.git", tmp_path / "mirror.git"
    url = f"file://{repository.path}"
    fetch_commit(url, source.commit, "v1", shallow, environment=environment)
    repository.git("clone", "-q", "--mirror", url, str(mirror))
    repository.git(f"--git-dir={mirror}", "gc", "-q", "--aggressive")
    for clone in (shallow, mirror):
        assert packed(Tree(repository=clone, commit=source.commit, tree=source.tree)) == expected


def test_environment_locale_and_umask_do_not_matter(
    source: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = packed(source)
    config = tmp_path / "gitconfig"
    config.write_text("[core]\n\tautocrlf = true\n\tquotePath = true\n[tar]\n\tumask = 0\n")
    for name, value in {
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_DIR": str(tmp_path),
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Asia/Tokyo",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    old = os.umask(0o077)
    try:
        assert packed(source) == expected
    finally:
        os.umask(old)


@pytest.fixture
def module(other_repository: RawRepository) -> Tree:
    return other_repository.commit(
        other_repository.tree((FILE, b"m", other_repository.put("blob", b"module")))
    )


@pytest.fixture
def parent(repository: RawRepository, module: Tree) -> Tree:
    folder = repository.tree((MODULE, b"sub", module.commit))
    return repository.commit(repository.tree((FOLDER, b"external", folder)))


def test_submodule_is_filled(parent: Tree, module: Tree) -> None:
    assert listing(packed(parent, ("external/sub", module))) == [
        "ucx-1.0/ 755",
        "ucx-1.0/external/ 755",
        "ucx-1.0/external/sub/ 755",
        "ucx-1.0/external/sub/m 644",
    ]


def test_submodule_in_a_submodule(repository: RawRepository, parent: Tree, module: Tree) -> None:
    outer = repository.commit(repository.tree((MODULE, b"p", parent.commit)))
    data = packed(outer, ("p/external/sub", module), ("p", parent))
    assert listing(data)[-1] == "ucx-1.0/p/external/sub/m 644"
    partly = packed(outer, ("p", parent), omitted=("p/external/sub",))
    assert listing(partly)[-1] == "ucx-1.0/p/external/sub/ 755"


def test_omitted_submodule_is_an_empty_directory(parent: Tree) -> None:
    assert listing(packed(parent, omitted=("external/sub",)))[-1] == "ucx-1.0/external/sub/ 755"


def test_omitted_files_and_folders_are_not_there(repository: RawRepository) -> None:
    blob = repository.put("blob", b"x")
    inner = repository.tree((FILE, b"kept", blob), (FILE, b"large", blob))
    docs = repository.tree((FILE, b"a", blob), (FOLDER, b"deep", inner))
    tree = repository.tree((FOLDER, b"docs", docs), (FILE, b"docs-a", blob), (FOLDER, b"src", inner))
    data = packed(repository.commit(tree), omitted=("docs", "src/large"))
    assert listing(data) == ["ucx-1.0/ 755", "ucx-1.0/docs-a 644", "ucx-1.0/src/ 755", "ucx-1.0/src/kept 644"]


def test_an_omitted_file_need_not_be_there(repository: RawRepository) -> None:
    blob = repository.put("blob", b"x")
    source = repository.commit(repository.tree((FILE, b"a", blob), (FILE, b"large", "5" * 40)))
    with pytest.raises(FetchError):
        packed(source)
    assert listing(packed(source, omitted=("large",))) == ["ucx-1.0/ 755", "ucx-1.0/a 644"]


def test_a_submodule_in_an_omitted_folder_needs_no_source(parent: Tree) -> None:
    assert listing(packed(parent, omitted=("external",))) == ["ucx-1.0/ 755"]


def test_unfilled_submodule(parent: Tree, module: Tree) -> None:
    with pytest.raises(FetchError) as caught:
        packed(parent)
    assert str(caught.value) == (
        f"ucx 1.0: external/sub: is a submodule at commit {module.commit}, and nothing locked fills it"
    )
    assert caught.value.hint == "pin the submodule in the recipe, or list its path as omitted"


def test_submodule_at_another_commit(parent: Tree, module: Tree, source: Tree) -> None:
    with pytest.raises(DigestMismatchError) as caught:
        packed(parent, ("external/sub", source))
    assert caught.value.cause == f"submodule is at {module.commit}, locked is {source.commit}"


def test_submodule_that_is_none(source: Tree, module: Tree) -> None:
    with pytest.raises(FetchError, match=r"ucx 1\.0: a: is not a submodule of this commit"):
        packed(source, ("a", module))
    with pytest.raises(FetchError, match=r"ucx 1\.0: gone: is to be left out, and is not in this commit"):
        packed(source, omitted=("gone",))


def test_tree_that_is_not_the_locked_one(source: Tree) -> None:
    with pytest.raises(DigestMismatchError) as caught:
        packed(Tree(repository=source.repository, commit=source.commit, tree="0" * 40))
    assert (
        caught.value.cause == f"commit {source.commit} has the tree {source.tree}, not the locked {'0' * 40}"
    )


def test_missing_commit(source: Tree) -> None:
    with pytest.raises(FetchError, match=f"object {'1' * 40} is missing"):
        packed(Tree(repository=source.repository, commit="1" * 40, tree=source.tree))


def test_forged_object(repository: RawRepository) -> None:
    """A repository that answers for one object with the bytes of another is caught by the id."""
    good, other = repository.put("blob", b"good"), repository.put("blob", b"evil")
    tree = repository.commit(repository.tree((FILE, b"f", good)))
    folder = repository.path / "objects"
    target = folder / good[:2] / good[2:]
    target.chmod(0o644)
    target.write_bytes((folder / other[:2] / other[2:]).read_bytes())
    with pytest.raises(DigestMismatchError, match=f"object {good} has the id {other}"):
        packed(tree)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"..", "file name '..' is not allowed"),
        (b".", "file name '.' is not allowed"),
        (b".git", "file name '.git' would be taken"),
        (b"a/b", "is malformed"),
        (b"/etc", "is malformed"),
        (b"a\nb", "contains a control character"),
        (b"a\xff", "is not UTF-8"),
    ],
)
def test_names_in_a_hostile_tree(repository: RawRepository, name: bytes, message: str) -> None:
    tree = repository.commit(repository.tree((FILE, name, repository.put("blob", b"x"))))
    with pytest.raises(FetchError, match=message):
        packed(tree)


def test_same_name_twice(repository: RawRepository) -> None:
    blob = repository.put("blob", b"x")
    folder = repository.tree((FILE, b"f", blob))
    tree = repository.commit(repository.tree((LINK, b"a", blob), (FOLDER, b"a", folder)))
    with pytest.raises(FetchError, match="a: occurs twice"):
        packed(tree)


@pytest.mark.parametrize("target", [b"/etc/passwd", b"..", b"b/../../x", b"", b"x" * 5000, b"a\0b"])
def test_links_that_are_refused(repository: RawRepository, target: bytes) -> None:
    tree = repository.commit(repository.tree((LINK, b"a", repository.put("blob", target))))
    with pytest.raises(FetchError, match="a: is a link to"):
        packed(tree)


@pytest.mark.parametrize("mode", [0o020666, 0o010644, 0o140644])
def test_other_kinds_are_refused(repository: RawRepository, mode: int) -> None:
    tree = repository.commit(repository.tree((mode, b"dev", repository.put("blob", b"x"))))
    with pytest.raises(FetchError, match=f"dev: has the mode {mode:o}"):
        packed(tree)


@pytest.mark.parametrize("data", [b"100644 x", b"100644 x\0short", b"999999 x\0" + bytes(20), b"junk"])
def test_malformed_tree(repository: RawRepository, data: bytes) -> None:
    tree = repository.commit(repository.put("tree", data))
    with pytest.raises(FetchError, match="is malformed"):
        packed(tree)


def test_entry_of_the_wrong_kind(repository: RawRepository) -> None:
    folder = repository.tree((FILE, b"f", repository.put("blob", b"x")))
    tree = repository.commit(repository.tree((FILE, b"a", folder)))
    with pytest.raises(FetchError, match="a: is a tree, not a blob"):
        packed(tree)


@pytest.mark.parametrize("version", ["../x", "1\n", ""])
def test_names_of_the_top_directory(source: Tree, version: str) -> None:
    spec = CanonicalSpec(name="" if version == "" else "u", version=version, source=source)
    if version == "":
        write_canonical_tar(spec, io.BytesIO())  # "-" is an ugly name, and a harmless one
        return
    with pytest.raises(FetchError, match="file name"):
        write_canonical_tar(spec, io.BytesIO())


def test_tree_bomb(repository: RawRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.git.objects._MOST_ENTRIES", 1000)
    tree = repository.tree((FILE, b"f", repository.put("blob", b"x")))
    for _ in range(12):
        tree = repository.tree((FOLDER, b"a", tree), (FOLDER, b"b", tree))
    with pytest.raises(FetchError, match="has more than 1000 entries"):
        packed(repository.commit(tree))
