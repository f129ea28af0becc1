"""`fetch` from a real server into a real store."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.console import Console
from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.fetch.needed_files import needs
from builder.lockfile.lock import Archive, Lock, OsPackage, PythonPackage
from builder.lockfile.reading import dump_lock, parse_lock
from builder.model import human_size
from builder.model.digest import Sha256
from builder.origins.origins import Origin, Origins
from builder.project import Project
from builder.render.fetches import Inputs
from builder.selection import Selection
from builder.store.store import Store
from tests.commands.fetching import fetch_into

GOLDEN = Path(__file__).parents[1] / "golden" / "fabric" / "lock-x86_64.toml"
EVERYTHING = Selection(releases=("all",), platforms=(), frameworks=(), arches=())
LAYOUTS: dict[str, Any] = {
    "debian": "snapshot",
    "debian-security": "pool",
    "github": "flat",
    "open-mpi": "flat",
    "pypi": "warehouse",
    "pytorch": "simple",
}


def content(row: Any) -> bytes:
    return f"content of {row.file}".encode()


def real(lock: Lock) -> Lock:
    """Give every row of the golden lock the digest and size of what the server has."""

    def sealed(row: Any) -> Any:
        if row.sha256 is None:
            return row
        data = content(row)
        size = {"size": len(data)} if hasattr(row, "size") else {}
        path = {"path": f"aa/bb/{'c' * 60}"} if getattr(row, "origin", "") == "pypi" else {}
        return dataclasses.replace(row, sha256=Sha256.of(data), **size, **path)

    rows: dict[str, Any] = {
        name: tuple(map(sealed, getattr(lock, name)))
        for name in ("archives", "python", "os_packages", "sources")
    }
    return dataclasses.replace(lock, **rows)


@dataclasses.dataclass
class Bench:
    project: Project
    lock: Lock
    out: io.StringIO
    asked: list[str]

    def run(self, **options: Any) -> int:
        return fetch_into(self.project, EVERYTHING, **options)


def rows_of(lock: Lock) -> list[Archive | PythonPackage | OsPackage]:
    return [*lock.archives, *lock.python, *lock.os_packages]


@pytest.fixture
def bench(tmp_path: Path, httpserver: HTTPServer) -> Bench:
    asked: list[str] = []

    def serve(request: Request) -> Response:
        asked.append(request.path)
        folder, _, name = request.path.strip("/").rpartition("/")
        if folder.startswith("nowhere"):
            return Response(status=404)
        if "damaged" in folder:
            return Response(b"other bytes of the same place")
        for row in rows_of(lock):
            if row.file.rpartition("/")[2] == name:
                return Response(content(row))
        return Response(status=404)

    httpserver.expect_request(re.compile("/.*")).respond_with_handler(serve)
    lock = real(parse_lock(GOLDEN.read_bytes(), place="golden"))
    file = tmp_path / "project" / "lock" / lock.target.path
    file.parent.mkdir(parents=True)
    file.write_bytes(dump_lock(lock))
    store = Store(tmp_path / "store")
    for source in lock.sources:
        store.add_bytes(content(source))
    out = io.StringIO()
    project = Project(
        root=tmp_path / "project",
        store=store,
        origins=Origins(origins=tuple(origins(httpserver.url_for))),
        console=Console(out, io.StringIO()),
    )
    return Bench(project=project, lock=lock, out=out, asked=asked)


def origins(url_for: Callable[[str], str]) -> list[Origin]:
    return [Origin(name=name, url=url_for(f"/{name}/"), layout=layout) for name, layout in LAYOUTS.items()]


def test_everything_that_a_lock_names_is_in_the_store_afterwards(bench: Bench) -> None:
    assert bench.run() == 0
    rows = rows_of(bench.lock)
    digests = {row.sha256 for row in rows if row.sha256 is not None}
    assert digests <= set(bench.project.store.digests())
    for digest in digests:
        assert hashlib.sha256(bench.project.store.read(digest)).hexdigest() == digest
    assert any(path.startswith("/debian/20260828T000000Z/pool/") for path in bench.asked)
    assert any(path.startswith("/debian-security/pool/") for path in bench.asked)
    assert any(path.startswith(f"/pypi/aa/bb/{'c' * 60}/") for path in bench.asked)
    before = len(bench.asked)
    assert bench.run() == 0
    assert len(bench.asked) == before, "what is there is not asked for again"


def test_a_dry_run_counts_and_asks_nobody(bench: Bench) -> None:
    assert bench.run(dry_run=True, json=True) == 0
    found = json.loads(bench.out.getvalue())
    files = len({r.sha256 for r in rows_of(bench.lock) if r.sha256})
    assert found["files"] == {"wanted": files, "missing": files}
    assert found["git sources"] == {"wanted": 3, "missing": 0}
    assert found["bytes"] == sum(row.size or 0 for row in rows_of(bench.lock))
    assert bench.asked == []


def test_the_remote_form_needs_only_what_buildkit_cannot_download(bench: Bench) -> None:
    assert bench.run(inputs=Inputs.REMOTE, json=True) == 0
    assert json.loads(bench.out.getvalue())["files"] == {"wanted": 0, "fetched": 0}
    assert bench.asked == []
    wanted = needs([bench.lock], bench.project.origins, everything=False)
    assert wanted.digests() == tuple(sorted(source.sha256 for source in bench.lock.sources))


def test_what_a_place_has_not_is_named(bench: Bench, httpserver: HTTPServer) -> None:
    wrong = [
        dataclasses.replace(o, url=httpserver.url_for("/nowhere/")) for o in bench.project.origins.origins
    ]
    project = dataclasses.replace(bench.project, origins=Origins(origins=tuple(wrong)))
    with pytest.raises((FetchError, DigestMismatchError)) as caught:
        fetch_into(project, EVERYTHING)
    assert "files could not be fetched" in str(caught.value)


def test_other_bytes_are_refused(bench: Bench, httpserver: HTTPServer) -> None:
    wrong = [
        dataclasses.replace(o, url=httpserver.url_for("/damaged/")) if o.name == "github" else o
        for o in bench.project.origins.origins
    ]
    project = dataclasses.replace(bench.project, origins=Origins(origins=tuple(wrong)))
    with pytest.raises(DigestMismatchError):
        fetch_into(project, EVERYTHING)


def test_numbers_of_bytes_for_people() -> None:
    assert [human_size(size) for size in (0, 999, 1000, 237_500_000, 4_000_000_000_000_000)] == [
        *("0 bytes", "999 bytes", "1.0 KB", "237.5 MB", "4000.0 TB")
    ]


def test_what_a_crash_of_the_machine_damaged_is_fetched_again(bench: Bench) -> None:
    assert bench.run() == 0
    store = bench.project.store
    damaged = rows_of(bench.lock)[0].sha256
    assert damaged is not None
    right, status = store.read(damaged), store.path(damaged).stat()
    store.path(damaged).chmod(0o644)
    store.path(damaged).write_bytes(bytes(len(right)))
    os.utime(store.path(damaged), ns=(status.st_mtime_ns, status.st_mtime_ns))
    (store.arriving / "unsynced-1-1").write_text(f"another boot\n1\n{damaged}\n")
    assert bench.run() == 0
    assert store.read(damaged) == right


@pytest.mark.parametrize("jobs", [0, -3])
def test_no_jobs_at_all_is_refused(bench: Bench, jobs: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        bench.run(jobs=jobs)
    assert bench.asked == []
