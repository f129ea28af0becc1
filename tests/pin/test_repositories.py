from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pysequoia import Tsk
from pytest_httpserver import HTTPServer

from builder.errors import BuilderError, DigestMismatchError, FetchError, RecipeError, UsageError
from builder.fetch.session import Session
from builder.io.http import Client
from builder.io.network import Network
from builder.model.target import Arch
from builder.origins.origins import Mirror, Origin, Origins
from builder.pin import repositories
from builder.pin.repositories import pin_repositories
from builder.recipe.library import Library
from builder.recipe.platform import RepositoryRecipe
from builder.resolve.debian.archive import open_debian_archive
from tests.standin.signed_archive import SignedArchive

NOW = datetime(2026, 11, 22, 18, 0, 0, 654321, tzinfo=UTC)
STAMP = "20261122T180000Z"

REPOSITORY = """
# why this suite
[[repositories]]
origin = "debian"
suite = "%s"
components = ["main"]
keys = ["archive.asc"]
"""
KEY = Tsk.generate("Archive <archive@example.invalid>")


def stanza(name: str, arch: str = "amd64") -> bytes:
    return (
        f"Package: {name}\nVersion: 1.0\nArchitecture: {arch}\nSize: 1\n"
        f"Filename: pool/{name}.deb\nSHA256: {'a' * 64}\n\n"
    ).encode()


@pytest.fixture
def archive(bench: Any, httpserver: HTTPServer) -> SignedArchive:
    bench.write("keys/archive.asc", str(KEY.extract_certificate()))
    httpserver.no_handler_status_code = 404
    snapshot = httpserver.url_for("/snapshot/")  # has nothing: the mirror serves
    bench.origins = Origins(
        origins=(Origin(name="debian", url=snapshot, layout="snapshot"),),
        mirrors=(Mirror(prefix=f"{snapshot}*/", places=(httpserver.url_for("/debian/"),)),),
    )
    found = SignedArchive(
        server=httpserver, date=NOW - timedelta(hours=1), until=NOW + timedelta(days=7), key=KEY
    )
    httpserver.expect_request(re.compile("/debian/.*")).respond_with_handler(found.answer)
    found.publish("stable", {"main/amd64": stanza("a"), "main/arm64": stanza("a", "arm64")})
    return found


@pytest.fixture
def platform(bench: Any) -> Path:
    file: Path = bench.write("platforms/p.toml", 'name = "p"\n' + REPOSITORY % "stable" + "\n# end\n")
    return file


def pinned(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(file.read_text())["repositories"]
    return found


def test_the_signed_state_of_now_is_pinned_and_kept(
    bench: Any, archive: SignedArchive, platform: Path
) -> None:
    assert pin_repositories(bench.context(), now=NOW) == 0
    signed = archive.served["dists/stable/InRelease"]
    assert pinned(platform) == [
        {
            "origin": "debian",
            "suite": "stable",
            "components": ["main"],
            "keys": ["archive.asc"],
            "inrelease": hashlib.sha256(signed).hexdigest(),
            "at": "2026-11-22T18:00:00Z",
        }
    ]
    folder = bench.root / "recipes" / "indexes" / f"stable-{STAMP}"
    names = ["InRelease", "main-amd64.Packages.xz", "main-arm64.Packages.xz"]
    assert sorted(file.name for file in folder.iterdir()) == names
    assert (folder / "InRelease").read_bytes() == signed
    text = platform.read_text()
    assert text.startswith('name = "p"\n\n# why this suite\n[[repositories]]\n')
    assert text.endswith("\n# end\n")


def test_what_is_kept_is_what_locking_reads_without_network(
    bench: Any, archive: SignedArchive, platform: Path, tmp_path: Path
) -> None:
    pin_repositories(bench.context(), now=NOW)
    (row,) = pinned(platform)
    recipe = RepositoryRecipe(
        origin="debian",
        suite="stable",
        components=("main",),
        keys=("archive.asc",),
        inrelease=row["inrelease"],
        at=row["at"],
    )
    keys = {"archive.asc": (bench.root / "recipes/keys/archive.asc").read_bytes()}
    library = Library(components={}, frameworks={}, platforms={}, releases={}, keys=keys)
    archive.clear()
    with Client(network=Network()) as client:
        session = Session(
            store=type(bench.store)(tmp_path / "empty"),
            origins=bench.origins,
            client=client,
            recipes=bench.root / "recipes",
        )
        for arch in Arch:
            found = open_debian_archive((recipe,), arch, library=library, session=session)
            assert found.universe().find("a", "1.0") is not None
            assert found.repositories[0].snapshot == STAMP


def test_a_large_index_is_in_the_store_only(
    bench: Any, archive: SignedArchive, platform: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repositories, "KEPT_LIMIT", 1000)
    many = b"".join(stanza(hashlib.sha256(bytes([n])).hexdigest()) for n in range(100))
    archive.clear()
    archive.publish("stable", {"main/amd64": many, "main/arm64": stanza("a", "arm64")})
    pin_repositories(bench.context(), now=NOW)
    folder = bench.root / "recipes" / "indexes" / f"stable-{STAMP}"
    assert sorted(file.name for file in folder.iterdir()) == ["InRelease", "main-arm64.Packages.xz"]
    large = archive.served["dists/stable/main/binary-amd64/Packages.xz"]
    assert bench.store.read(hashlib.sha256(large).hexdigest()) == large


def test_folders_that_nothing_refers_to_are_removed(
    bench: Any, archive: SignedArchive, platform: Path
) -> None:
    pin_repositories(bench.context(), now=NOW)
    other = bench.write("indexes/notes-of-mine/readme", "kept")
    archive.publish("stable", {"main/amd64": stanza("b"), "main/arm64": stanza("b", "arm64")})
    pin_repositories(bench.context(), now=NOW + timedelta(hours=2))
    folders = sorted(path.name for path in (bench.root / "recipes/indexes").iterdir())
    assert folders == ["notes-of-mine", "stable-20261122T200000Z"]
    assert other.is_file()
    assert f"removed recipes/indexes/stable-{STAMP}: no platform refers to it" in bench.err.getvalue()


def test_a_folder_of_a_platform_that_was_not_pinned_stays(
    bench: Any, archive: SignedArchive, platform: Path
) -> None:
    bench.write("platforms/q.toml", 'name = "q"\n' + REPOSITORY % "stable")
    platform.write_text(platform.read_text().replace('"stable"', '"older"'))
    archive.publish("older", {"main/amd64": stanza("a"), "main/arm64": stanza("a", "arm64")})
    pin_repositories(bench.context(), now=NOW)
    archive.publish("older", {"main/amd64": stanza("b"), "main/arm64": stanza("b", "arm64")})
    pin_repositories(bench.context(), "p", now=NOW + timedelta(hours=2))
    folders = sorted(path.name for path in (bench.root / "recipes/indexes").iterdir())
    assert folders == ["older-20261122T200000Z", f"stable-{STAMP}"]


def test_what_is_still_current_keeps_its_moment(bench: Any, archive: SignedArchive, platform: Path) -> None:
    pin_repositories(bench.context(), now=NOW)
    before = platform.read_bytes()
    for file in (bench.root / "recipes/indexes" / f"stable-{STAMP}").iterdir():
        file.unlink()
    later = bench.write("platforms/q.toml", 'name = "q"\n' + REPOSITORY % "stable")
    pin_repositories(bench.context(), now=NOW + timedelta(hours=2))
    assert platform.read_bytes() == before
    assert pinned(later) == pinned(platform)
    assert [path.name for path in (bench.root / "recipes/indexes").iterdir()] == [f"stable-{STAMP}"]
    assert (bench.root / "recipes/indexes" / f"stable-{STAMP}" / "InRelease").is_file()


def test_platforms_on_one_suite_are_pinned_alike(bench: Any, archive: SignedArchive, platform: Path) -> None:
    other = bench.write("platforms/q.toml", 'name = "q"\n' + REPOSITORY % "stable")
    pin_repositories(bench.context(), now=NOW)
    assert pinned(platform) == pinned(other)


def test_a_platform_that_extends_another_pins_the_others_file(
    bench: Any, archive: SignedArchive, platform: Path
) -> None:
    bench.write("platforms/q.toml", 'name = "q"\nextends = "p"\n')
    pin_repositories(bench.context(), "q", now=NOW)
    assert pinned(platform)[0]["at"] == "2026-11-22T18:00:00Z"


def test_only_the_architectures_of_the_images_are_fetched(
    bench: Any, archive: SignedArchive, platform: Path
) -> None:
    platform.write_text(platform.read_text() + '\n[[images.x86_64]]\nname = "x"\n')
    pin_repositories(bench.context(), now=NOW)
    folder = bench.root / "recipes" / "indexes" / f"stable-{STAMP}"
    assert sorted(file.name for file in folder.iterdir()) == ["InRelease", "main-amd64.Packages.xz"]


def test_dry_run_writes_nothing_but_the_store(bench: Any, archive: SignedArchive, platform: Path) -> None:
    before = platform.read_bytes()
    pin_repositories(bench.context(dry_run=True), now=NOW)
    assert platform.read_bytes() == before
    assert not (bench.root / "recipes" / "indexes").exists()
    assert bench.store.has(hashlib.sha256(archive.served["dists/stable/InRelease"]).hexdigest())


def republish(archive: SignedArchive) -> None:
    archive.clear()
    archive.publish("stable", {"main/amd64": stanza("a"), "main/arm64": stanza("a", "arm64")})


def refused(bench: Any, platform: Path) -> BuilderError:
    """Pin, expect an error, and check that nothing but the store was touched."""
    before = platform.read_bytes()
    with pytest.raises(BuilderError) as caught:
        pin_repositories(bench.context(), now=NOW)
    assert platform.read_bytes() == before
    assert not (bench.root / "recipes" / "indexes").exists()
    return caught.value


def test_an_expired_release_is_refused(bench: Any, archive: SignedArchive, platform: Path) -> None:
    archive.until = NOW - timedelta(minutes=1)
    republish(archive)
    error = refused(bench, platform)
    assert isinstance(error, FetchError)
    assert "expired on 2026-11-22 17:59:00 UTC, before 2026-11-22 18:00:00 UTC" in error.cause
    assert error.place == archive.server.url_for("/debian/dists/stable/InRelease")


def test_a_release_of_tomorrow_is_refused(bench: Any, archive: SignedArchive, platform: Path) -> None:
    archive.date = NOW + timedelta(days=1)
    republish(archive)
    assert "later than 2026-11-22 18:00:00 UTC" in refused(bench, platform).cause


def test_a_foreign_key_is_refused(bench: Any, archive: SignedArchive, platform: Path) -> None:
    archive.key = Tsk.generate("Somebody <else@example.invalid>")
    republish(archive)
    assert isinstance(refused(bench, platform), DigestMismatchError)


def test_a_changed_release_is_refused(bench: Any, archive: SignedArchive, platform: Path) -> None:
    path = "dists/stable/InRelease"
    archive.break_(path, archive.served[path].replace(b"Codename: stable", b"Codename: stabil"))
    assert isinstance(refused(bench, platform), DigestMismatchError)


def test_a_well_signed_file_of_another_suite_is_refused(
    bench: Any, archive: SignedArchive, platform: Path
) -> None:
    archive.publish("older", {"main/amd64": stanza("a"), "main/arm64": stanza("a", "arm64")})
    archive.break_("dists/stable/InRelease", archive.served["dists/older/InRelease"])
    assert refused(bench, platform).cause == "expected the index of stable, got that of older (older)"


def test_a_swapped_index_is_refused_and_named(bench: Any, archive: SignedArchive, platform: Path) -> None:
    path = "dists/stable/main/binary-amd64/Packages.xz"
    wanted = hashlib.sha256(archive.served[path]).hexdigest()
    archive.break_(path, b"other")
    error = refused(bench, platform)
    assert isinstance(error, DigestMismatchError)
    assert error.place == f"package index sha256 {wanted}"
    assert f"expected sha256 {wanted}, got {hashlib.sha256(b'other').hexdigest()}" in error.cause


def test_a_component_that_the_release_has_not(bench: Any, archive: SignedArchive, platform: Path) -> None:
    platform.write_text(platform.read_text().replace('["main"]', '["contrib"]'))
    assert refused(bench, platform).cause.startswith("contrib/binary-arm64/Packages.xz is not listed")


def test_a_place_that_is_not_there(bench: Any, archive: SignedArchive, platform: Path) -> None:
    archive.clear()
    error = refused(bench, platform)
    assert isinstance(error, FetchError)
    assert error.place == archive.server.url_for(f"/snapshot/{STAMP}/dists/stable/InRelease")
    assert "--mirror" in error.hint


def test_a_key_file_that_is_not_there(bench: Any, archive: SignedArchive, platform: Path) -> None:
    (bench.root / "recipes/keys/archive.asc").unlink()
    assert isinstance(refused(bench, platform), RecipeError)


def test_a_platform_that_is_not_there(bench: Any, platform: Path) -> None:
    with pytest.raises(UsageError, match="there is no platform 'x'"):
        pin_repositories(bench.context(), "x", now=NOW)
    platform.write_text('name = "p"\n')
    with pytest.raises(UsageError, match="no repositories"):
        pin_repositories(bench.context(), now=NOW)
