from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import DigestMismatchError, FetchError, ToolError
from builder.git.objects import Objects, cat_blobs, commit_info, ls_tree, open_objects
from builder.git.process import fetch_commit, git_environment, ls_remote

URL = "https://git.invalid/org/project.git"


class Upstream:
    """A small repository with three commits, a branch, and tags of both kinds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_NAME": "A" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "a@h.invalid" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_DATE": "1700000000 +0100" for who in ("AUTHOR", "COMMITTER")},
        }
        self.git("init", "-q", "-b", "main", str(path), here=False)
        self.commits = [self.commit(f"content {number}") for number in range(3)]
        self.git("tag", "v1", self.commits[0])
        self.git("tag", "-a", "-m", "two", "v2", self.commits[1])
        self.git("branch", "1.20.0")

    def git(self, *arguments: str, here: bool = True) -> str:
        where = ["-C", str(self.path)] if here else []
        done = subprocess.run(
            ["git", *where, *arguments], env=self.environment, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    def commit(self, content: str) -> str:
        (self.path / "dir").mkdir(exist_ok=True)
        (self.path / "dir" / "file").write_text(content)
        (self.path / "run.sh").write_text("#!/bin/sh\n")
        (self.path / "run.sh").chmod(0o755)
        if not (self.path / "link").is_symlink():
            (self.path / "link").symlink_to("dir/file")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", content)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "upstream")


@pytest.fixture
def environment(upstream: Upstream) -> dict[str, str]:
    return git_environment(
        {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{upstream.path}.insteadOf",
            "GIT_CONFIG_VALUE_0": URL,
        }
    )


@pytest.fixture
def objects(upstream: Upstream) -> Iterator[Objects]:
    with open_objects(upstream.path) as objects:
        yield objects


def _settings(environment: dict[str, str]) -> list[tuple[str, str]]:
    count = int(environment["GIT_CONFIG_COUNT"])
    return [(environment[f"GIT_CONFIG_KEY_{n}"], environment[f"GIT_CONFIG_VALUE_{n}"]) for n in range(count)]


def test_environment_keeps_only_instead_of_pairs() -> None:
    environment = git_environment(
        {
            "PATH": "/bin",
            "HOME": "/home/me",
            "SSL_CERT_FILE": "/ca.pem",
            "GIT_DIR": "/evil",
            "GIT_SSH_COMMAND": "evil",
            "GIT_PROXY_COMMAND": "evil",
            "GIT_CONFIG_PARAMETERS": "'core.pager=evil'",
            "GIT_CONFIG_COUNT": "5",
            "GIT_CONFIG_KEY_0": "core.sshCommand",
            "GIT_CONFIG_VALUE_0": "evil",
            "GIT_CONFIG_KEY_1": "URL.git://127.0.0.1/.InsteadOf",
            "GIT_CONFIG_VALUE_1": "https://a.invalid/",
            "GIT_CONFIG_KEY_2": "url./srv/mirror/.insteadof",
            "GIT_CONFIG_VALUE_2": "https://b.invalid/",
            "GIT_CONFIG_KEY_3": "url.https://evil.invalid/.pushInsteadOf",
            "GIT_CONFIG_VALUE_3": "https://a.invalid/",
            "GIT_CONFIG_KEY_4": "protocol.allow",
            "GIT_CONFIG_VALUE_4": "always",
        }
    )
    assert environment["GIT_ALLOW_PROTOCOL"] == "file:git:https:ssh"
    assert environment["GIT_SSL_CAINFO"] == "/ca.pem"
    assert environment["GIT_SSH_COMMAND"] == "ssh -oBatchMode=yes"
    assert not {"GIT_DIR", "GIT_PROXY_COMMAND", "GIT_CONFIG_PARAMETERS"} & environment.keys()
    assert _settings(environment)[-2:] == [
        ("url.git://127.0.0.1/.insteadOf", "https://a.invalid/"),
        ("url./srv/mirror/.insteadOf", "https://b.invalid/"),
    ]
    assert "evil" not in str(environment)


@pytest.mark.parametrize("count", ["", "x", "-1", "3"])
def test_environment_with_a_broken_count(count: str) -> None:
    environment = git_environment({"PATH": "/bin", "GIT_CONFIG_COUNT": count})
    assert not [key for key, _ in _settings(environment) if key.startswith("url.")]
    assert environment["GIT_ALLOW_PROTOCOL"] == "https:ssh"


def test_ls_remote(upstream: Upstream, environment: dict[str, str]) -> None:
    refs = {ref.name: ref.oid for ref in ls_remote(URL, ("refs/tags/*",), environment=environment)}
    assert list(refs) == ["refs/tags/v1", "refs/tags/v2", "refs/tags/v2^{}"]
    assert refs["refs/tags/v2^{}"] == upstream.commits[1]


def test_protocol_that_was_not_asked_for(upstream: Upstream, tmp_path: Path) -> None:
    plain = git_environment({"PATH": os.environ["PATH"]})
    with pytest.raises(FetchError, match="transport 'file' not allowed"):
        ls_remote(f"file://{upstream.path}", environment=plain)
    with pytest.raises(FetchError, match="transport 'ext' not allowed"):
        ls_remote(f"ext::touch {tmp_path}/evil", environment=plain)
    assert not (tmp_path / "evil").exists()
    asked = git_environment({"PATH": os.environ["PATH"]}, protocols=("file",))
    assert ls_remote(f"file://{upstream.path}", ("HEAD",), environment=asked)


def test_url_that_looks_like_an_option(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(FetchError):
        ls_remote(f"--upload-pack=touch {tmp_path}/evil", environment=environment)
    assert not (tmp_path / "evil").exists()


def test_unreachable_remote_names_it_without_credentials(tmp_path: Path) -> None:
    environment = git_environment({"PATH": os.environ["PATH"]}, protocols=("file",))
    with pytest.raises(FetchError) as caught:
        ls_remote(f"file://me:secret@localhost{tmp_path}/none", environment=environment)
    assert "secret" not in str(caught.value)
    assert caught.value.place.startswith("file://***@localhost")


def test_missing_git(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="git: is not installed"):
        ls_remote(URL, environment={"PATH": str(tmp_path)})
    with pytest.raises(ToolError, match="git: "), open_objects(tmp_path, environment={"PATH": str(tmp_path)}):
        pass


def _count(repository: Path) -> int:
    arguments = ["git", f"--git-dir={repository}", "rev-list", "--all", "--count"]
    return int(subprocess.run(arguments, check=True, capture_output=True).stdout)


def test_fetch_takes_only_the_commit(upstream: Upstream, environment: dict[str, str], tmp_path: Path) -> None:
    into = tmp_path / "cache" / "project.git"
    fetch_commit(URL, upstream.commits[1], "v2", into, environment=environment)
    assert _count(into) == 1
    with open_objects(into) as objects:
        assert commit_info(objects, upstream.commits[1]).committed == 1700000000
    shutil.rmtree(upstream.path)
    # No second look at the remote for what is here, and no old answer for what is not.
    fetch_commit(URL, upstream.commits[1], "v2", into, environment=environment)
    with pytest.raises(FetchError, match=f"commit {upstream.commits[0]} cannot be fetched"):
        fetch_commit(URL, upstream.commits[0], "v1", into, environment=environment)


def _old_server(environment: dict[str, str]) -> dict[str, str]:
    """Protocol 0, in which a server hands out only what it advertises."""
    settings = dict(_settings(environment)) | {"protocol.version": "0"}
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment | numbered


@pytest.mark.parametrize("ref", ["v2", "refs/heads/main", None])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_fetch_from_a_server_without_commits_by_id(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path, ref: str | None, number: int
) -> None:
    into = tmp_path / "project.git"
    old = _old_server(environment)
    commit = upstream.commits[number]
    fetch_commit(URL, commit, ref, into, environment=old)
    with open_objects(into) as objects:
        entries = list(ls_tree(objects, commit_info(objects, commit).tree))
        assert len(list(cat_blobs(objects, [entry.oid for entry in entries if entry.kind == "blob"]))) == 3


def test_moved_tag_names_both_commits(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
) -> None:
    upstream.git("checkout", "-q", "--orphan", "other")
    other = upstream.commit("rewritten")
    upstream.git("tag", "-f", "v1", other)
    old = upstream.commits[0]
    for branch in ("main", "1.20.0"):
        upstream.git("branch", "-D", branch)
    upstream.git("tag", "-d", "v2")
    upstream.git("reflog", "expire", "--expire=now", "--all")
    upstream.git("gc", "-q", "--prune=now")
    with pytest.raises(FetchError) as caught:
        fetch_commit(URL, old, "v1", tmp_path / "p.git", environment=environment)
    assert caught.value.cause == f"v1 is at {other}, which does not lead to commit {old}"
    assert caught.value.hint.startswith("compare both commits")


def test_short_commit_ids_are_refused(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not a full commit id: abc"):
        fetch_commit(URL, "abc", None, tmp_path / "p.git", environment=environment)


def test_hooks_and_templates_do_not_run(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
) -> None:
    into = tmp_path / "p.git"
    fetch_commit(URL, upstream.commits[0], "v1", into, environment=environment)
    assert not (into / "hooks").exists()
    (into / "hooks").mkdir()
    hook = into / "hooks" / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/evil\n")
    hook.chmod(0o755)
    fetch_commit(URL, upstream.commits[1], "v2", into, environment=environment)
    assert not (tmp_path / "evil").exists()


def test_locks_of_a_killed_git_do_not_block(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
) -> None:
    into = tmp_path / "p.git"
    fetch_commit(URL, upstream.commits[0], "v1", into, environment=environment)
    (into / "shallow.lock").touch()
    (into / "refs" / "lockwright" / "candidate.lock").touch()
    fetch_commit(URL, upstream.commits[1], "v2", into, environment=environment)


def test_commit_info(upstream: Upstream, objects: Objects) -> None:
    info = commit_info(objects, upstream.commits[2])
    assert info.tree == upstream.git("rev-parse", "HEAD^{tree}")
    assert info.committed == 1700000000
    with pytest.raises(FetchError, match=r"is a tree of .* not a commit"):
        commit_info(objects, info.tree)


def test_ls_tree_agrees_with_git(upstream: Upstream, objects: Objects) -> None:
    tree = commit_info(objects, upstream.commits[2]).tree
    shown = [
        f"{entry.mode:06o} {entry.kind} {entry.oid}\t{entry.path.decode()}"
        for entry in ls_tree(objects, tree)
    ]
    assert shown == upstream.git("ls-tree", "-r", "-t", "HEAD").splitlines()
    assert {line.split()[0] for line in shown} == {"040000", "100644", "100755", "120000"}


def test_cat_blobs_in_the_order_asked_for(upstream: Upstream, objects: Objects) -> None:
    oids = [upstream.git("rev-parse", f"HEAD{path}") for path in (":run.sh", ":dir/file", "~1:dir/file")]
    contents = [b"".join(blob.chunks) for blob in cat_blobs(objects, oids)]
    assert contents == [b"#!/bin/sh\n", b"content 2", b"content 1"]
    skipped = list(cat_blobs(objects, oids))
    assert [blob.size for blob in skipped] == [10, 9, 9]
    with pytest.raises(FetchError, match="is a commit, not a blob"):
        list(cat_blobs(objects, [upstream.commits[0]]))


def test_missing_object(objects: Objects) -> None:
    with pytest.raises(FetchError, match=f"object {'0' * 40} is missing"):
        objects.stream("0" * 40)


def test_object_that_is_not_what_its_name_says(upstream: Upstream) -> None:
    good = upstream.git("rev-parse", "HEAD:dir/file")
    other = upstream.git("rev-parse", "HEAD~1:dir/file")
    folder = upstream.path / ".git" / "objects"
    target = folder / good[:2] / good[2:]
    target.chmod(0o644)
    target.write_bytes((folder / other[:2] / other[2:]).read_bytes())
    with open_objects(upstream.path) as objects, pytest.raises((DigestMismatchError, ToolError), match=good):
        b"".join(objects.stream(good).chunks)


def test_replacements_are_ignored(upstream: Upstream) -> None:
    good = upstream.git("rev-parse", "HEAD:dir/file")
    upstream.git("replace", good, upstream.git("rev-parse", "HEAD~1:dir/file"))
    with open_objects(upstream.path) as objects:
        assert objects.read(good, "blob") == b"content 2"


def test_damaged_repository(upstream: Upstream) -> None:
    good = upstream.git("rev-parse", "HEAD:dir/file")
    target = upstream.path / ".git" / "objects" / good[:2] / good[2:]
    target.chmod(0o644)
    target.write_bytes(b"damaged")
    with open_objects(upstream.path) as objects, pytest.raises((ToolError, FetchError), match=good):
        b"".join(objects.stream(good).chunks)
