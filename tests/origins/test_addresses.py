"""One function decides addresses: a Dockerfile has the one that a fetch tries first."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.cli import main
from builder.console import Console
from builder.errors import LockError
from builder.fetch.needed_files import needs
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock
from builder.origins.origins import LAYOUTS, Layout, Mirror, Origin, Origins
from builder.origins.reading import load_origins
from builder.project import Project
from builder.provision import first_addresses
from builder.store.store import Store
from tests.render.golden import locks

SMALL = Path(__file__).resolve().parents[1] / "faults/project"
BASE = "https://files.invalid/a/"
HEX = f"63/34/{'a' * 60}"
DAYS = ("20260820T000000Z", "20260828T000000Z", "20260901T120000Z")
FOLDERS = {"warehouse": HEX, "simple": "", "pool": "", "flat": "v1/src", "snapshot": DAYS[0]}

PREFIXES = (
    "https://files.invalid/",
    BASE,
    f"{BASE}*/",
    f"{BASE}pool/main/",
    f"{BASE}foo-bar/",
    f"{BASE}{DAYS[2]}/",
    "https://other.invalid/",
)
MIRRORS = st.lists(
    st.builds(
        Mirror,
        prefix=st.sampled_from(PREFIXES),
        places=st.lists(
            st.sampled_from(("https://m1.invalid/", "https://m2.invalid/x/")), max_size=2, unique=True
        ).map(tuple),
    ),
    max_size=4,
    unique_by=lambda mirror: mirror.prefix,
)
FILES = st.sampled_from(
    ("foo_bar-1.0-py3-none-any.whl", "Foo.Bar-1.0.tar.gz", "foo_bar-1.0+cu130-py3-none-any.whl")
)


def project_of(origins: Origins, root: Path) -> Project:
    console = Console(out=io.StringIO(), err=io.StringIO())
    return Project(root=root, store=Store(root / "store"), origins=origins, console=console)


def some_rows(layout: Layout, file: str, days: list[str]) -> Lock:
    """Return a lock with one row of each kind, all of one origin; only what addresses depend on is plausible."""
    lock = locks("fabric")[0][0]
    wheel = next(row for row in lock.python if row.file)
    python = dataclasses.replace(wheel, origin="o", path=FOLDERS[layout], file=file)
    archive = dataclasses.replace(lock.archives[0], origin="o", path=FOLDERS[layout], file=file)
    deb = dataclasses.replace(
        lock.os_packages[0], origin="o", file="pool/main/g/g++/g++_14_amd64.deb", for_=("runtime",)
    )
    repositories = [dataclasses.replace(lock.repositories[0], origin="o", snapshot=day) for day in days]
    fits = layout in {"pool", "snapshot"}
    return dataclasses.replace(
        lock,
        python=(python,),
        archives=(archive,),
        os_packages=(deb,) if fits else (),
        repositories=tuple(repositories),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    layout=st.sampled_from(LAYOUTS),
    mirrors=MIRRORS,
    file=FILES,
    days=st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
)
def test_a_dockerfile_has_the_address_that_a_fetch_tries_first(
    layout: Layout, mirrors: list[Mirror], file: str, days: list[str]
) -> None:
    origins = Origins(origins=(Origin(name="o", url=BASE, layout=layout),), mirrors=tuple(mirrors))
    lock = some_rows(layout, file, days)
    written = first_addresses(project_of(origins, Path("/nonexistent")), [lock])
    fetched = {need.file: need.urls(origins) for need in needs([lock], origins, everything=True).files}
    assert fetched
    for row, url in written.files.items():
        assert url == fetched[row.file][0]
        assert fetched[row.file][-1].startswith(BASE), "the origin itself comes last"


def test_an_os_package_of_no_recorded_snapshot() -> None:
    origins = Origins(origins=(Origin(name="o", url=BASE, layout="snapshot"),))
    lock = some_rows("snapshot", "foo_bar-1.0.tar.gz", [])
    with pytest.raises(LockError, match=r"g\+\+_14_amd64.deb: no snapshot of o is recorded"):
        origins.row_urls(lock.os_packages[0], lock.repositories)


MIRRORED = """\
[origins.pypi]
url = "https://files.invalid/"
layout = "warehouse"
[origins.files]
url = "https://files.invalid/tools/"
layout = "flat"
[mirrors]
"https://files.invalid/" = ["https://far.invalid/"]
"https://files.invalid/tools/" = ["https://near.invalid/"]
"""
SIMPLE = """\
[origins.pypi]
url = "https://files.invalid/"
layout = "warehouse"
[origins.files]
url = "https://files.invalid/tools/"
layout = "simple"
"""


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (MIRRORED, "https://near.invalid/foo-bar-2.0.tar.gz"),
        (SIMPLE, "https://files.invalid/tools/foo-bar/foo-bar-2.0.tar.gz"),
    ],
)
def test_render_writes_the_first_address_of_a_fetch(tmp_path: Path, text: str, url: str) -> None:
    """Two mirrors, of which the longer prefix counts; and a simple index, whose folders are whole project names."""
    root = shutil.copytree(SMALL, tmp_path / "project")
    shutil.rmtree(root / "recipes")
    path = root / "lock/1.0/plain/tiny-x86_64.toml"
    path.write_text(path.read_text().replace("tool-2.0.tar.gz", "foo-bar-2.0.tar.gz"))
    (root / "origins.toml").write_text(text)
    assert main(["render", "--quiet", "--project", str(root), "--arch", "x86_64"]) == 0
    written = next((root / "rendered").rglob("Dockerfile")).read_text()
    assert re.findall("https://[^ ]*foo-bar[^ ]*", written) == [url]
    lock = parse_lock(path.read_bytes(), place="lock")
    for need in needs([lock], load_origins(root), everything=True).files:
        assert f" {need.urls(load_origins(root))[0]} " in written
