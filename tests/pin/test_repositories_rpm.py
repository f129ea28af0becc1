"""`pin repositories` for RPM repositories, against a signed one on loopback."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pysequoia import Tsk
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.errors import BuilderError, DigestMismatchError, FetchError, RecipeError
from builder.fetch.session import Session
from builder.io.http import Client
from builder.io.network import Network
from builder.model.target import Arch
from builder.origins.origins import Origin, Origins
from builder.pin.repositories import pin_repositories
from builder.recipe.library import Library
from builder.recipe.platform import RepositoryRecipe
from builder.recipe.reading import parse_recipe
from builder.resolve.rpm.archive import open_rpm_archive
from builder.resolve.rpm.closure import resolve
from tests.standin.rpm_repository import Rpm, TinyRepo

NOW = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 18, 0, 0, tzinfo=UTC)
STAMP = "20261122T180000Z"
PLATFORM = """\
name = "p"
family = "rpm"

# why this repository
[[repositories]]
origin = "centos"
suite = "baseos"
path = "9/BaseOS/{arch:rpm}/os"
keys = ["archive.asc"]

# end
"""


@dataclass
class Archive:
    repo: TinyRepo = field(default_factory=TinyRepo)
    files: dict[str, bytes] = field(default_factory=dict)

    def publish(self, packages: tuple[Rpm, ...], arch: str) -> None:
        self.repo.packages = packages
        self.files |= {f"9/BaseOS/{arch}/os/{path}": data for path, data in self.repo.publish().items()}

    def answer(self, request: Request) -> Response:
        data = self.files.get(request.path.removeprefix("/rpm/"))
        return Response(data) if data is not None else Response(status=404)


@pytest.fixture
def archive(bench: Any, httpserver: HTTPServer) -> Archive:
    found = Archive()
    for arch in Arch:
        found.publish((Rpm(name="a", arch=arch.rpm),), arch.rpm)
    key = bench.root / "recipes/keys/archive.asc"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_bytes(found.repo.certificate)
    origin = Origin(name="centos", url=httpserver.url_for("/rpm/"), layout="pool")
    bench.origins = Origins(origins=(origin,))
    httpserver.expect_request(re.compile("/rpm/.*")).respond_with_handler(found.answer)
    return found


@pytest.fixture
def platform(bench: Any) -> Path:
    file: Path = bench.write("platforms/p.toml", PLATFORM)
    return file


def pinned(file: Path) -> dict[str, Any]:
    (row,) = tomllib.loads(file.read_text())["repositories"]
    return dict(row)


def test_both_architectures_are_pinned_and_kept(bench: Any, archive: Archive, platform: Path) -> None:
    assert pin_repositories(bench.context(), now=NOW) == 0
    row = pinned(platform)
    assert row["at"] == "2026-11-22T18:00:00Z"
    assert row["repomd"] == [
        {
            "arch": arch,
            "sha256": digest(archive, arch, "repomd.xml"),
            "signature": digest(archive, arch, "repomd.xml.asc"),
        }
        for arch in ("aarch64", "x86_64")
    ]
    for arch in Arch:
        folder = bench.root / f"recipes/indexes/centos-baseos-{arch}-{STAMP}"
        assert {file.name.rpartition("-")[2] for file in folder.iterdir()} == {
            "filelists.xml.gz",
            "primary.xml.gz",
            "repomd.xml",
            "repomd.xml.asc",
        }
    assert platform.read_text().endswith("\n# end\n")


def digest(archive: Archive, arch: str, name: str) -> str:
    return hashlib.sha256(archive.files[f"9/BaseOS/{arch}/os/repodata/{name}"]).hexdigest()


def test_what_is_kept_is_what_locking_reads_without_network(
    bench: Any, archive: Archive, platform: Path, tmp_path: Path
) -> None:
    pin_repositories(bench.context(), now=NOW)
    recipe = parse_recipe(pinned(platform), RepositoryRecipe, place="p")
    keys = {"archive.asc": archive.repo.certificate}
    library = Library(components={}, frameworks={}, platforms={}, releases={}, keys=keys)
    archive.files.clear()
    with Client(network=Network()) as client:
        session = Session(
            store=type(bench.store)(tmp_path / "empty"),
            origins=bench.origins,
            client=client,
            recipes=bench.root / "recipes",
        )
        for arch in Arch:
            found = open_rpm_archive((recipe,), arch, library=library, session=session)
            (choice,) = resolve(found.pool_of(()), ["a"])
            assert choice.arch == arch.rpm


def test_the_moment_stays_while_the_repository_does(bench: Any, archive: Archive, platform: Path) -> None:
    pin_repositories(bench.context(), now=NOW)
    before = platform.read_text()
    assert pin_repositories(bench.context(), now=LATER) == 0
    assert platform.read_text() == before
    archive.publish((Rpm(name="b"),), "x86_64")
    assert pin_repositories(bench.context(), now=LATER) == 0
    assert pinned(platform)["at"] == "2026-11-23T18:00:00Z"
    folders = sorted(path.name for path in (bench.root / "recipes/indexes").iterdir())
    assert folders == [f"centos-baseos-{arch}-20261123T180000Z" for arch in ("aarch64", "x86_64")]


def unsigned(archive: Archive) -> None:
    archive.files = {path: data for path, data in archive.files.items() if not path.endswith(".asc")}


def signed_by_another(archive: Archive) -> None:
    archive.repo.key = Tsk.generate("Other <o@example.invalid>")
    archive.publish((Rpm(name="a"),), "x86_64")


def without_primary(archive: Archive) -> None:
    archive.files = {path: data for path, data in archive.files.items() if "primary" not in path}


def changed_primary(archive: Archive) -> None:
    archive.files |= {path: data + b"x" for path, data in archive.files.items() if "primary" in path}


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (unsigned, FetchError, "there is no signature"),
        (signed_by_another, DigestMismatchError, "no good signature"),
        (without_primary, FetchError, "404"),
        (changed_primary, DigestMismatchError, "expected sha256 [0-9a-f]+, got"),
    ],
)
def test_what_cannot_be_trusted_is_not_pinned(
    bench: Any,
    archive: Archive,
    platform: Path,
    fault: Callable[[Archive], None],
    kind: type[BuilderError],
    said: str,
) -> None:
    fault(archive)
    with pytest.raises(kind, match=said):
        pin_repositories(bench.context(), now=NOW)
    assert platform.read_text() == PLATFORM
    assert not (bench.root / "recipes/indexes").exists()


def test_a_repository_without_a_path_is_said_to_lack_it(bench: Any, archive: Archive, platform: Path) -> None:
    platform.write_text(re.sub("path = .*\n", "", PLATFORM))
    with pytest.raises(
        RecipeError, match=r"recipes/platforms/\w+\.toml: repositories\[0\]: path: this key is missing"
    ):
        pin_repositories(bench.context(), now=NOW)
