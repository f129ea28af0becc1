"""The archive of dead sources, spoken to over its own protocol by a local server that has one commit."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.errors import FetchError
from builder.git.canonical_tar import CanonicalSpec, Tree, materialise, store_tar
from builder.git.heritage import archived_repository, directory_swhid, revision_swhid
from builder.git.process import git_environment
from builder.io.network import Network
from builder.lockfile.lock import GitSource
from builder.model.digest import Evidence, GitOid, Sha256
from builder.origins.origins import Origins
from builder.store.store import Store
from tests.git.conftest import RawRepository


class Vault:
    """`/api/1/vault/git-bare/…` for one commit: new, pending, done, and its bundle behind a redirect."""

    def __init__(self, server: HTTPServer, commit: str, bundle: bytes) -> None:
        self.asked: list[str] = []
        self.states = ["new", "pending", "done"]
        self._commit = commit
        self._bundle = bundle
        self._server = server
        for method, path in (("POST", ""), ("GET", ""), ("GET", "raw/")):
            place = f"/api/1/vault/git-bare/swh:1:rev:{commit}/{path}"
            server.expect_request(place, method=method).respond_with_handler(self._answer)
        server.expect_request("/storage/bundle").respond_with_data(bundle, content_type="application/x-tar")

    @property
    def base(self) -> str:
        return str(self._server.url_for("/"))

    def _answer(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.path.rpartition(self._commit)[2]}")
        if request.path.endswith("raw/"):
            return Response(status=302, headers={"Location": "/storage/bundle"})
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        body = {"status": state, "progress_message": "no such object" if state == "failed" else None}
        return Response(json.dumps(body), content_type="application/json")


def bundle_of(repository: Path, commit: str, **more: bytes) -> bytes:
    """Pack a bare repository as the vault does."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(repository, f"swh:1:rev:{commit}.git")
        for name, data in more.items():
            member = tarfile.TarInfo(f"swh:1:rev:{commit}.git/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def source(repository: RawRepository) -> GitSource:
    blob = repository.put("blob", b"int main(void) { return 0; }\n")
    tree = repository.tree((0o100644, b"main.c", blob))
    made = repository.commit(tree, ref="refs/heads/master")
    return GitSource(
        component="ucx",
        version="1.0",
        git="https://gone.invalid/ucx.git",
        commit=GitOid(made.commit),
        tree=GitOid(made.tree),
        sha256=Sha256("0" * 64),
        evidence=Evidence.OBSERVED,
        tag="v1",
    )


def locked(source: GitSource, repository: RawRepository, folder: Path) -> GitSource:
    """Give the source the digest of the tar that is made of the repository itself."""
    environment = git_environment({"PATH": os.environ["PATH"]}, protocols=("file",))
    spec = CanonicalSpec(
        name=source.component,
        version=source.version,
        source=Tree(repository=repository.path, commit=source.commit, tree=source.tree),
    )
    return dataclasses.replace(source, sha256=Sha256(store_tar(spec, Store(folder), environment)))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builder.git.heritage._PAUSE", 0.01)


def nowhere() -> dict[str, str]:
    """Make git find nothing, without a network."""
    return git_environment(
        {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "url./nonexistent/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://gone.invalid/",
            "PATH": os.environ["PATH"],
        }
    )


def test_the_identifiers_are_those_of_git(source: GitSource) -> None:
    assert revision_swhid(source.commit) == f"swh:1:rev:{source.commit}"
    assert directory_swhid(source.tree) == f"swh:1:dir:{source.tree}"


@pytest.mark.parametrize("packed", [False, True])
def test_a_dead_source_comes_from_the_archive(
    source: GitSource, repository: RawRepository, httpserver: HTTPServer, tmp_path: Path, packed: bool
) -> None:
    row = locked(source, repository, tmp_path / "first")
    if packed:
        repository.git(f"--git-dir={repository.path}", "gc", "--quiet")
    vault = Vault(httpserver, row.commit, bundle_of(repository.path, row.commit))
    store = Store(tmp_path / "store")
    path = materialise(
        row, store, tmp_path / "git", origins=Origins(heritage=vault.base), environment=nowhere()
    )
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256
    assert vault.asked == ["POST /", "GET /", "GET /", "GET /raw/"]


def test_without_an_archive_the_error_is_the_sources_own(source: GitSource, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        materialise(source, Store(tmp_path), tmp_path / "git", origins=Origins(), environment=nowhere())
    assert "vault" not in str(caught.value)


def test_what_the_archive_cannot_prepare(
    source: GitSource, repository: RawRepository, httpserver: HTTPServer, tmp_path: Path
) -> None:
    vault = Vault(httpserver, source.commit, b"")
    vault.states = ["new", "failed"]
    with pytest.raises(FetchError) as caught:
        materialise(
            source,
            Store(tmp_path),
            tmp_path / "git",
            origins=Origins(heritage=vault.base),
            environment=nowhere(),
        )
    said = str(caught.value)
    assert "gone.invalid" in said
    assert "could not prepare the commit: no such object" in said
    assert caught.value.exit_code == 6


def test_what_the_archive_does_not_have(source: GitSource, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x/").respond_with_data("", status=404)
    with (
        pytest.raises(FetchError, match=r"does not have this commit|HTTP 500"),
        archived_repository(source.commit, httpserver.url_for("/nothing/"), network=Network()),
    ):
        pass


def test_it_is_not_waited_for_without_end(
    source: GitSource, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.git.heritage._PATIENCE", 0.05)
    vault = Vault(httpserver, source.commit, b"")
    vault.states = ["pending"]
    with (
        pytest.raises(FetchError, match="still preparing") as caught,
        archived_repository(source.commit, vault.base, network=Network()),
    ):
        pass
    assert "later" in caught.value.hint


@pytest.mark.parametrize("bundle", [b"", b"no tar", bytes(10240)], ids=["empty", "no-tar", "no-objects"])
def test_a_broken_bundle(source: GitSource, httpserver: HTTPServer, bundle: bytes) -> None:
    vault = Vault(httpserver, source.commit, bundle)
    with (
        pytest.raises(FetchError, match="bundle"),
        archived_repository(source.commit, vault.base, network=Network()),
    ):
        pass


def test_only_objects_are_taken(
    source: GitSource, repository: RawRepository, httpserver: HTTPServer, tmp_path: Path
) -> None:
    evil: dict[str, Any] = {
        "../../escape": b"x",
        "hooks/post-checkout": b"#!/bin/sh\nfalse\n",
        "objects/info/alternates": b"/etc\n",
        "config": b"[core]\n\tfsmonitor = false\n",
    }
    vault = Vault(httpserver, source.commit, bundle_of(repository.path, source.commit, **evil))
    with archived_repository(source.commit, vault.base, network=Network()) as found:
        assert {path.name for path in found.iterdir()} == {"HEAD", "config", "objects", "refs"}
        assert "fsmonitor" not in (found / "config").read_text()
        assert not (found / "objects" / "info").exists()
        subprocess.run(["git", f"--git-dir={found}", "fsck", "--strict"], check=True, capture_output=True)
