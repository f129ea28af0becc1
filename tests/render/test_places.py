"""Places: from a row to its URL."""

from __future__ import annotations

import dataclasses

import pytest

from builder.errors import LockError
from builder.lockfile.lock import OsPackage, PythonPackage, Repository
from builder.render.places import Layout, Place, Places
from tests.render.golden import locks

BASE = "https://files.invalid/packages"


def wheel(**changes: str) -> PythonPackage:
    row = next(row for row in locks("fabric")[0][0].python if row.name == "torch")
    return dataclasses.replace(row, **{"path": "aa/bb", "file": "torch-2.11.0+cu130-x.whl", **changes})  # type: ignore[arg-type]


def package() -> tuple[OsPackage, Repository]:
    lock = locks("fabric")[0][0]
    return next(row for row in lock.os_packages if row.name == "g++"), lock.repositories[0]


@pytest.mark.parametrize(
    ("layout", "path", "url"),
    [
        ("warehouse", "aa/bb", f"{BASE}/aa/bb/torch-2.11.0%2Bcu130-x.whl"),
        ("flat", "", f"{BASE}/torch-2.11.0%2Bcu130-x.whl"),
        ("simple", "", f"{BASE}/torch/torch-2.11.0%2Bcu130-x.whl"),
        ("simple", "t", f"{BASE}/t/torch-2.11.0%2Bcu130-x.whl"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_wheels(layout: Layout, path: str, url: str, slash: str) -> None:
    places = Places(places={"pytorch": Place(url=BASE + slash, layout=layout)})
    assert places.python_url(wheel(path=path)) == url


def test_packages_of_a_pool_and_of_a_snapshot() -> None:
    row, repository = package()
    pool = Places(places={"debian": Place(url=BASE, layout="pool")})
    tail = f"pool/main/g/g%2B%2B/g%2B%2B_14.2.0-19_{row.arch}.deb"
    assert pool.os_url(row, repository) == f"{BASE}/{tail}"
    snapshot = Places(places={"debian": Place(url=BASE, layout="snapshot")})
    assert snapshot.os_url(row, repository) == f"{BASE}/20260828T000000Z/{tail}"
    with pytest.raises(LockError, match="no snapshot of debian is recorded"):
        snapshot.os_url(row, None)


def test_the_first_mirror_that_fits_is_taken() -> None:
    mirrors = ((f"{BASE}/aa/", "https://near.invalid/"), (BASE, "https://far.invalid"))
    places = Places(places={"pytorch": Place(url=BASE, layout="flat")}, mirrors=mirrors)
    assert places.python_url(wheel()) == "https://near.invalid/bb/torch-2.11.0%2Bcu130-x.whl"
    assert places.python_url(wheel(path="cc")) == "https://far.invalid/cc/torch-2.11.0%2Bcu130-x.whl"


def test_a_mirror_of_a_snapshot_place_is_an_archive_and_of_the_service_is_the_service() -> None:
    row, repository = package()
    places = {"debian": Place(url="https://snapshot.invalid/archive/debian", layout="snapshot")}
    archive = Places(
        places=places, mirrors=(("https://snapshot.invalid/archive/debian/", "http://m.invalid/debian/"),)
    )
    assert archive.os_url(row, repository).startswith("http://m.invalid/debian/pool/main/")
    service = Places(places=places, mirrors=(("https://snapshot.invalid/", "http://m.invalid/"),))
    assert service.os_url(row, repository).startswith(
        "http://m.invalid/archive/debian/20260828T000000Z/pool/"
    )


def test_images_are_mirrored_by_prefix() -> None:
    image = locks("fabric")[0][0].images[0]
    places = Places(mirrors=(("registry.invalid/", "127.0.0.1:5000/"),))
    assert places.image_reference(image) == f"127.0.0.1:5000/library/debian@{image.digest}"


@pytest.mark.parametrize("path", ["../x", "/etc", "a//b", ".", "a/../b"])
def test_no_path_leaves_its_place(path: str) -> None:
    places = Places(places={"pytorch": Place(url=BASE, layout="flat")})
    with pytest.raises(LockError, match="is not a path below an origin"):
        places.python_url(wheel(path=path))
