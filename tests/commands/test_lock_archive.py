"""`lock` end to end, offline: a signed OS archive and a Python index on loopback, whole and broken."""

from __future__ import annotations

import hashlib
import lzma
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pysequoia import SignatureMode, Tsk, sign
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.cli import main
from builder.lockfile.lock import Lock
from builder.lockfile.reading import load_lock
from tests.local_index import LocalIndex

SMALL = Path(__file__).resolve().parents[1] / "faults/project"
SUITE = "trixie"
AT = "2026-09-14T00:00:00Z"
RELEASE = """\
Suite: stable
Codename: trixie
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: {until}
Architectures: all amd64 arm64
Components: main
SHA256:
{table}
"""
STANZA = """\
Package: {name}
Version: {version}
Architecture: amd64
{more}Filename: pool/main/{name}_{bare}_amd64.deb
Size: 10
SHA256: {sha256}

"""


def stanza(name: str, version: str = "1.0", more: str = "") -> str:
    bare = version.partition(":")[2] or version
    sha256 = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
    return STANZA.format(name=name, version=version, bare=bare, more=more, sha256=sha256)


@dataclass
class Archive:
    """An archive whose files may be replaced after it was signed."""

    key: Tsk = field(default_factory=lambda: Tsk.generate("Archive <a@example.invalid>"))
    until: str = "Sat, 19 Sep 2026 07:55:41 UTC"
    packages: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self) -> str:
        """Sign what there is and return the InRelease's digest."""
        index = lzma.compress(self.packages.encode())
        path = "main/binary-amd64/Packages.xz"
        table = f" {hashlib.sha256(index).hexdigest()} {len(index)} {path}"
        text = RELEASE.format(until=self.until, table=table)
        inrelease = bytes(sign(self.key.signer(), text.encode(), mode=SignatureMode.CLEAR))
        self.files = {f"dists/{SUITE}/InRelease": inrelease, f"dists/{SUITE}/{path}": index}
        return hashlib.sha256(inrelease).hexdigest()

    def answer(self, request: Request) -> Response:
        path = request.path.partition("/archive/")[2]
        self.asked.append(path)
        data = self.files.get(path)
        return Response(data) if data is not None else Response(status=404)


@dataclass
class Bench:
    """A project with one platform on that archive."""

    root: Path
    archive: Archive
    index: LocalIndex
    requests: str = '["zlib-dev"]'

    def run(self, *words: str) -> int:
        return main(
            [
                *("lock", "--quiet", "--arch", "x86_64", "--index-url", self.index.url),
                *("--project", str(self.root), "--store", str(self.root / "cache/store"), *words),
            ]
        )

    def pin(self, inrelease: str) -> None:
        """Write the platform's repository with this pin."""
        path = self.root / "recipes/platforms/plain.toml"
        text = (SMALL / "recipes/platforms/plain.toml").read_text()
        repository = (
            f'[[repositories]]\norigin = "debian"\nsuite = "{SUITE}"\ncomponents = ["main"]\n'
            f'keys = ["archive.asc"]\ninrelease = "{inrelease}"\nat = "{AT}"\n\n'
            f"[packages]\nrun = {self.requests}\n\n"
        )
        inventory = (
            'inventory = ["base-files=13", "libc6=2.41-1", "python3=3.13.5-1"]\ninventory-by = "the test"\n'
        )
        text = text.replace("[[images.x86_64]]", f"{repository}[[images.x86_64]]\n{inventory}", 1)
        path.write_text(text)

    def lock(self) -> Lock:
        path = self.root / "lock/1.0/plain/tiny-x86_64.toml"
        return load_lock(path.read_bytes(), place=str(path))


@pytest.fixture
def bench(tmp_path: Path, httpserver: HTTPServer, index: LocalIndex) -> Bench:
    root = tmp_path / "project"
    shutil.copytree(SMALL, root)
    shutil.rmtree(root / "lock")
    tool = root / "recipes/components/tool.toml"
    needs = '[packages.debian]\nbuild = ["make"]\n\n[[versions'  # without archives nothing is known of a base
    tool.write_text(tool.read_text().replace("[[versions", needs, 1))
    archive = Archive()
    archive.packages = (
        stanza("base-files", "13")
        + stanza("libc6", "2.41-1")
        + stanza("zlib-dev", "1:1.3-2", "Depends: zlib1 (= 1:1.3-2), libc-dev\n")
        + stanza("zlib1", "1:1.3-2", "Depends: libc6 (>= 2.40)\n")
        + stanza("libc6-dev", "2.41-1", "Provides: libc-dev\nDepends: libc6 (= 2.41-1)\n")
        + stanza("python3", "3.13.5-1")
        + stanza("gcc", "14")
        + stanza("make", "4")
        + stanza("broken", "1", "Depends: absent\n")
        + stanza("sour", "1", "Conflicts: zlib1\n")
    )
    (root / "recipes/keys").mkdir(exist_ok=True)
    (root / "recipes/keys/archive.asc").write_bytes(bytes(archive.key.extract_certificate()))
    (root / "recipes/origins.toml").write_text(
        f'[origins.debian]\nurl = "{httpserver.url_for("/archive/")}"\nlayout = "pool"\n'
    )
    httpserver.expect_request(re.compile("^/archive/.*")).respond_with_handler(archive.answer)
    index.warehouse = True
    for name, version in (("idna", "3.10"), ("pip", "26.2.1")):
        index.wheel(name, version)
    found = Bench(root=root, archive=archive, index=index)
    found.pin(archive.publish())
    return found


def test_a_target_is_locked_whole(bench: Bench) -> None:
    assert bench.run() == 0
    lock = bench.lock()
    assert [(row.name, row.version, row.for_) for row in lock.os_packages] == [
        ("gcc", "14", ("zlib",)),
        ("libc6-dev", "2.41-1", ("runtime",)),
        ("make", "4", ("tool", "zlib")),
        ("zlib-dev", "1:1.3-2", ("runtime",)),
        ("zlib1", "1:1.3-2", ("runtime",)),
    ]
    assert [(row.name, row.version, row.for_) for row in lock.python] == [
        ("idna", "3.10", ("runtime",)),
        ("pip", "26.2.1", ("installer",)),
    ]
    (repository,) = lock.repositories
    assert (repository.suite, repository.date, repository.snapshot) == (
        SUITE,
        "2026-09-12T07:55:41Z",
        "20260914T000000Z",
    )
    assert repository.signed_by == (bench.archive.key.extract_certificate().fingerprint.upper(),)


def test_rows_say_who_asks_for_them_and_under_which_licence(bench: Bench) -> None:
    bench.index.wheel("idna", "3.11", licence="BSD-3-Clause")
    release = bench.root / "recipes/releases/1.0.toml"
    release.write_text(release.read_text().replace('"3.10"', '"3.11"'))
    assert bench.run() == 0
    lock = bench.lock()
    assert {row.name: row.via for row in lock.os_packages} == {
        "gcc": ("recipe",),
        "libc6-dev": ("zlib-dev",),
        "make": ("recipe",),
        "zlib-dev": ("recipe",),
        "zlib1": ("zlib-dev",),
    }
    assert {row.name: row.license for row in lock.python} == {"idna": "BSD-3-Clause", "pip": ""}


def test_a_second_run_asks_nobody(bench: Bench) -> None:
    assert bench.run() == 0
    before = (len(bench.archive.asked), len(bench.index.requests))
    assert bench.run() == 0
    assert (len(bench.archive.asked), len(bench.index.requests)) == before


def test_made_again_from_nothing_it_is_the_same(bench: Bench) -> None:
    assert bench.run() == 0
    path = bench.root / "lock/1.0/plain/tiny-x86_64.toml"
    first = path.read_bytes()
    shutil.rmtree(bench.root / "lock")
    shutil.rmtree(bench.root / "cache")
    assert bench.run() == 0
    assert path.read_bytes() == first


def test_existing_pins_stay_until_an_upgrade_is_asked_for(bench: Bench) -> None:
    bench.index.wheel("idna", "3.11", requires=["extra"])
    bench.index.wheel("extra", "1.0")
    release = bench.root / "recipes/releases/1.0.toml"
    release.write_text(release.read_text().replace('"3.10"', '"3.11"'))
    assert bench.run() == 0
    assert {row.name: row.version for row in bench.lock().python}["extra"] == "1.0"
    bench.index.wheel("extra", "2.0")
    shutil.rmtree(bench.root / "cache/uv")
    framework = bench.root / "recipes/frameworks/tiny.toml"
    framework.write_text(framework.read_text() + 'command = ["true"]\n')
    assert bench.run() == 0
    assert {row.name: row.version for row in bench.lock().python}["extra"] == "1.0"
    assert bench.run("--upgrade", "extra", "--dry-run") == 0
    assert {row.name: row.version for row in bench.lock().python}["extra"] == "1.0"
    assert bench.run("--upgrade", "extra") == 0
    assert {row.name: row.version for row in bench.lock().python}["extra"] == "2.0"


def tamper(bench: Bench) -> None:
    """Change the signed text, and pin the changed file: the signature is what is left to object."""
    path = f"dists/{SUITE}/InRelease"
    bench.archive.files[path] = bench.archive.files[path].replace(b"Suite: stable", b"Suite: stably")
    bench.pin(hashlib.sha256(bench.archive.files[path]).hexdigest())


def replace_inrelease(bench: Bench) -> None:
    path = f"dists/{SUITE}/InRelease"
    bench.archive.files[path] = bench.archive.files[path].replace(b"Suite: stable", b"Suite: stably")


def expire(bench: Bench) -> None:
    bench.archive.until = "Sun, 13 Sep 2026 00:00:00 UTC"
    bench.pin(bench.archive.publish())


def sign_with_another_key(bench: Bench) -> None:
    bench.archive.key = Tsk.generate("Other <o@example.invalid>")
    bench.pin(bench.archive.publish())


def let_the_key_expire(bench: Bench) -> None:
    """Its certificate ends half a minute ago; sequoia makes keys that are a minute old."""
    ended = datetime.now(UTC) - timedelta(seconds=30)
    key = bench.archive.key
    certificate = key.extract_certificate().set_expiration(ended, key.certifier())
    (bench.root / "recipes/keys/archive.asc").write_bytes(bytes(certificate))
    bench.pin(bench.archive.publish())


def swap_packages(bench: Bench) -> None:
    path = f"dists/{SUITE}/main/binary-amd64/Packages.xz"
    bench.archive.files[path] = lzma.compress(stanza("zlib-dev", "9").encode())


def truncate_packages(bench: Bench) -> None:
    path = f"dists/{SUITE}/main/binary-amd64/Packages.xz"
    bench.archive.files[path] = bench.archive.files[path][:-20]


def drop_inrelease(bench: Bench) -> None:
    del bench.archive.files[f"dists/{SUITE}/InRelease"]


def ask_for_the_impossible(bench: Bench) -> None:
    bench.requests = '["zlib-dev", "broken"]'
    bench.pin(bench.archive.publish())


def ask_for_a_conflict(bench: Bench) -> None:
    bench.requests = '["zlib-dev", "sour"]'
    bench.pin(bench.archive.publish())


def ask_for_the_unknown(bench: Bench) -> None:
    bench.requests = '["zlib-dve"]'
    bench.pin(bench.archive.publish())


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (tamper, 7, ["InRelease", "no good signature"]),
        (replace_inrelease, 7, ["InRelease", "expected sha256"]),
        (expire, 6, ["expired on 2026-09-13 00:00:00 UTC"]),
        (
            sign_with_another_key,
            7,
            ["no good signature", "is by key", "; the keyring has", "put the key into recipes/keys"],
        ),
        (let_the_key_expire, 7, ["no good signature", "which expired on 20", "get the present certificate"]),
        (swap_packages, 7, ["Packages.xz", "expected sha256"]),
        (truncate_packages, 7, ["Packages.xz", "expected sha256"]),
        (drop_inrelease, 6, ["InRelease", "404"]),
        (ask_for_the_impossible, 5, ["broken", "absent"]),
        (ask_for_a_conflict, 5, ["sour", "zlib1"]),
        (ask_for_the_unknown, 5, ["zlib-dve"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_archive_is_a_clear_error_and_no_lock(
    bench: Bench,
    fault: Callable[[Bench], None],
    code: int,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault(bench)
    assert bench.run() == code
    said = capsys.readouterr().err
    assert "error: 1.0/plain/tiny-x86_64: " in said
    assert [word for word in words if word not in said] == [], said
    assert not list(bench.root.glob("lock/**/*.toml"))


def test_a_build_that_runs_what_nothing_brings_is_refused(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = bench.root / "recipes/components/tool.toml"
    tool.write_text(tool.read_text().replace('build = ["make"]', "build = []"))
    assert bench.run() == 3
    assert "tool.toml: it runs make, and nothing in its environment on debian-13 brings make" in (
        capsys.readouterr().err
    )
    assert not list(bench.root.glob("lock/**/*.toml"))


def keep_inrelease(bench: Bench) -> None:
    """Keep the signed file beside the recipes, as `pin` does."""
    folder = bench.root / f"recipes/indexes/{SUITE}-20260914T000000Z"
    folder.mkdir(parents=True)
    (folder / "InRelease").write_bytes(bench.archive.files[f"dists/{SUITE}/InRelease"])


def other_certificate(_: Bench) -> bytes:
    return bytes(Tsk.generate("Archive, new <a@example.invalid>").extract_certificate())


def ended_certificate(bench: Bench) -> bytes:
    """Return the archive's certificate as if its end, half a minute ago, had been known when it signed."""
    key = bench.archive.key
    ended = datetime.now(UTC) - timedelta(seconds=30)
    return bytes(key.extract_certificate().set_expiration(ended, key.certifier()))


@pytest.mark.parametrize(
    ("make_certificate", "words"),
    [
        (other_certificate, ["is by key", "; the keyring has", "put the key into recipes/keys"]),
        (ended_certificate, ["is by key", "which expired on 20", "get the present certificate"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_verify_says_which_key_no_longer_vouches_and_what_to_do(
    bench: Bench,
    make_certificate: Callable[[Bench], bytes],
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    certificate = make_certificate(bench)
    bench.pin(bench.archive.publish())
    assert bench.run() == 0
    keep_inrelease(bench)
    words_of_verify = ["verify", "--arch", "x86_64", "--project", str(bench.root)]
    assert main(words_of_verify) == 0
    (bench.root / "recipes/keys/archive.asc").write_bytes(certificate)
    capsys.readouterr()
    assert main(words_of_verify) == 7
    said = " ".join("".join(capsys.readouterr()).split())
    assert [word for word in words if word not in said] == [], said
