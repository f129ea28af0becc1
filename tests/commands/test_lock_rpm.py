"""`lock` and `render` on an RPM platform, offline: signed repositories and a Python index on loopback."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pysequoia import Tsk
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.cli import main
from builder.lockfile.lock import Lock
from builder.lockfile.reading import load_lock
from tests.local_index import LocalIndex
from tests.render import hermetic
from tests.standin.rpm_repository import Rpm, TinyRepo

SMALL = Path(__file__).resolve().parents[1] / "faults/project"
AT = "2026-09-14T00:00:00Z"
FOLDERS = {"baseos": "9-stream/BaseOS/x86_64/os", "appstream": "9-stream/AppStream/x86_64/os"}
BASEOS = (
    Rpm(name="glibc", version="2.34-231.el9"),
    Rpm(name="bash", version="5.1.8-9.el9", requires=("glibc",)),
    Rpm(name="zlib", version="1.2.11-40.el9", requires=("glibc",)),
    Rpm(name="zlib", version="1.2.11-40.el9", arch="i686"),
    Rpm(name="gcc", version="11.5.0-5.el9", requires=("make", "glibc >= 2.34")),
    Rpm(name="make", version="1:4.3-8.el9", requires=("/usr/share/filesystem/mark",)),
    Rpm(name="filesystem", version="3.16-5.el9", files=("/usr/share/filesystem/mark",)),
    Rpm(name="sour", conflicts=("zlib",)),
    Rpm(name="broken", requires=("absent",)),
)
APPSTREAM = (
    Rpm(
        name="python3.12",
        version="3.12.5-2.el9",
        requires=("zlib",),
        location="../../../shared/python3.12-3.12.5-2.el9.x86_64.rpm",
    ),
    Rpm(name="tzdata", version="2026c-1.el9", arch="noarch"),
)


@dataclass
class Bench:
    """A project with one RPM platform, and the repositories that it is locked from."""

    root: Path
    index: LocalIndex
    key: Tsk = field(default_factory=lambda: Tsk.generate("Archive <a@example.invalid>"))
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    requests: str = '["python3.12", "tzdata"]'

    def publish(self, change: Callable[[str, str], str] = lambda _, text: text) -> None:
        for name, packages in (("baseos", BASEOS), ("appstream", APPSTREAM)):
            repo = TinyRepo(packages=packages, key=self.key, change=change)
            self.files |= {f"{FOLDERS[name]}/{path}": data for path, data in repo.publish().items()}

    def pin(self) -> None:
        """Write the platform with the digests of what is served now."""
        text = (SMALL / "recipes/platforms/plain.toml").read_text()
        text = text.replace('family = "debian"', 'family = "rpm"').replace('glibc = "2.41"', 'glibc = "2.34"')
        text = text.replace('python = "3.13"', 'python = "3.12"')
        repositories = "".join(self.repository(name) for name in FOLDERS)
        added = f"{repositories}[packages]\nbuild = ['gcc']\nrun = {self.requests}\n\n"
        inventory = 'inventory = ["bash=5.1.8-9.el9", "glibc=2.34-231.el9"]\ninventory-by = "the test"\n'
        text = text.replace("[[images.x86_64]]", f"{added}[[images.x86_64]]\n{inventory}", 1)
        (self.root / "recipes/platforms/plain.toml").write_text(text)

    def repository(self, name: str) -> str:
        pins = [
            hashlib.sha256(self.files[f"{FOLDERS[name]}/repodata/{file}"]).hexdigest()
            for file in ("repomd.xml", "repomd.xml.asc")
        ]
        path = FOLDERS[name].replace("x86_64", "{arch:rpm}")
        return (
            f'[[repositories]]\norigin = "centos"\nsuite = "{name}"\npath = "{path}"\nkeys = ["rpm.asc"]\n'
            f'repomd = [{{ arch = "x86_64", sha256 = "{pins[0]}", signature = "{pins[1]}" }}]\nat = "{AT}"\n\n'
        )

    def run(self, *words: str) -> int:
        return main(
            [
                *("lock", "--quiet", "--arch", "x86_64", "--index-url", self.index.url),
                *("--project", str(self.root), "--store", str(self.root / "cache/store"), *words),
            ]
        )

    @property
    def path(self) -> Path:
        return self.root / "lock/1.0/plain/tiny-x86_64.toml"

    def lock(self) -> Lock:
        return load_lock(self.path.read_bytes(), place=str(self.path))

    def answer(self, request: Request) -> Response:
        path = request.path.partition("/rpm/")[2]
        self.asked.append(path)
        data = self.files.get(path)
        return Response(data) if data is not None else Response(status=404)


@pytest.fixture
def bench(tmp_path: Path, httpserver: HTTPServer, index: LocalIndex) -> Bench:
    root = tmp_path / "project"
    shutil.copytree(SMALL, root)
    shutil.rmtree(root / "lock")
    for component in (root / "recipes/components").iterdir():
        if "[packages.debian]" in component.read_text():
            component.write_text(component.read_text() + "\n[packages.rpm]\n")
    index.warehouse = True
    for name, version in (("idna", "3.10"), ("pip", "26.2.1")):
        index.wheel(name, version)
    found = Bench(root=root, index=index)
    (root / "recipes/keys").mkdir(exist_ok=True)
    (root / "recipes/keys/rpm.asc").write_bytes(bytes(found.key.extract_certificate()))
    (root / "recipes/origins.toml").write_text(
        f'[origins.centos]\nurl = "{httpserver.url_for("/rpm/")}"\nlayout = "pool"\n'
    )
    httpserver.expect_request(re.compile("^/rpm/.*")).respond_with_handler(found.answer)
    found.publish()
    found.pin()
    return found


def test_a_target_is_locked_whole(bench: Bench) -> None:
    assert bench.run() == 0
    lock = bench.lock()
    assert [(row.name, row.version, row.arch, row.for_, row.via) for row in lock.os_packages] == [
        ("filesystem", "3.16-5.el9", "x86_64", ("tool", "zlib"), ("make",)),
        ("gcc", "11.5.0-5.el9", "x86_64", ("tool", "zlib"), ("recipe",)),
        ("make", "1:4.3-8.el9", "x86_64", ("tool", "zlib"), ("gcc",)),
        ("python3.12", "3.12.5-2.el9", "x86_64", ("runtime",), ("recipe",)),
        ("tzdata", "2026c-1.el9", "noarch", ("runtime",), ("recipe",)),
        ("zlib", "1.2.11-40.el9", "x86_64", ("runtime",), ("python3.12",)),
    ]
    files = {row.name: row.file for row in lock.os_packages}
    assert files["zlib"] == "9-stream/BaseOS/x86_64/os/Packages/zlib-1.2.11-40.el9.x86_64.rpm"
    assert files["python3.12"] == "9-stream/shared/python3.12-3.12.5-2.el9.x86_64.rpm"
    baseos, appstream = sorted(lock.repositories, key=lambda row: row.suite, reverse=True)
    assert (baseos.suite, baseos.path, baseos.date) == ("baseos", FOLDERS["baseos"], "2026-09-10T00:26:40Z")
    assert baseos.signed_by == (bench.key.extract_certificate().fingerprint.upper(),)
    assert len(baseos.indexes) == len(appstream.indexes) == 2


def test_made_again_from_nothing_it_is_the_same_and_a_second_run_asks_nobody(bench: Bench) -> None:
    assert bench.run() == 0
    first = bench.path.read_bytes()
    before = len(bench.asked)
    assert bench.run() == 0
    assert len(bench.asked) == before
    shutil.rmtree(bench.root / "lock")
    shutil.rmtree(bench.root / "cache")
    assert bench.run() == 0
    assert bench.path.read_bytes() == first


def test_a_closure_is_kept_and_a_damaged_one_is_computed_again(bench: Bench) -> None:
    assert bench.run() == 0
    first = bench.path.read_bytes()
    kept = list((bench.root / "cache/closures").glob("*.json"))
    assert kept
    for file in kept:
        file.write_text("[{}]")
    bench.path.unlink()
    assert bench.run() == 0
    assert bench.path.read_bytes() == first
    assert all(file.read_text() != "[{}]" for file in kept)


def test_kept_metadata_is_enough(bench: Bench) -> None:
    for name, folder in FOLDERS.items():
        kept = bench.root / f"recipes/indexes/centos-{name}-x86_64-20260914T000000Z"
        kept.mkdir(parents=True)
        for path in list(bench.files):
            if path.startswith(f"{folder}/repodata/"):
                (kept / path.rpartition("/")[2]).write_bytes(bench.files.pop(path))
    assert bench.run() == 0
    assert not [path for path in bench.asked if "repodata" in path]


def test_the_lock_does_not_depend_on_the_hash_seed(bench: Bench) -> None:
    found = set()
    for seed in ("0", "1"):
        shutil.rmtree(bench.root / "lock", ignore_errors=True)
        shutil.rmtree(bench.root / "cache", ignore_errors=True)
        command = [sys.executable, "-m", "builder", "lock", "--quiet", "--arch", "x86_64"]
        command += ["--index-url", bench.index.url, "--project", str(bench.root)]
        command += ["--store", str(bench.root / "cache/store")]
        root = Path(__file__).resolve().parents[2]
        subprocess.run(command, check=True, cwd=root, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"})
        found.add(bench.path.read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("form", ["remote", "store"])
def test_the_lock_is_rendered_hermetically(bench: Bench, form: str) -> None:
    assert bench.run() == 0
    words = ["render", "--quiet", "--arch", "x86_64", "--inputs", form, "--project", str(bench.root)]
    pypi = f"pypi=warehouse+{bench.index.url}"
    places = ["--origin", pypi, "--origin", "files=flat+https://files.invalid/"]
    assert main([*words, *places, "--store", str(bench.root / "cache/store")]) == 0
    (dockerfile,) = bench.root.glob("rendered/**/Dockerfile")
    text = dockerfile.read_text()
    hermetic.check(text)
    assert "rpm --upgrade --verbose --nosignature --oldpackage /rpms/*/*.rpm" in text
    assert ("/rpm/9-stream/shared/python3.12-3.12.5-2.el9.x86_64.rpm" in text) == (form == "remote")


def test_verify_agrees_and_finds_an_edited_row(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run() == 0
    words = ["verify", "--quiet", "--arch", "x86_64", "--project", str(bench.root)]
    assert main(words) == 0, capsys.readouterr()
    unfilled = [*words, "--store", str(bench.root / "cache/store")]
    assert main(unfilled) == 6, "its wheels are not in the store, so nothing is proven of them"
    bench.path.write_text(bench.path.read_text().replace('arch = "noarch"', 'arch = "i686"'))
    assert main(words) != 0
    assert "it is for i686, not for x86_64" in "".join(capsys.readouterr())


def tamper(bench: Bench) -> None:
    """Change the signed file and pin the changed one: the signature is what is left to object."""
    path = f"{FOLDERS['baseos']}/repodata/repomd.xml"
    bench.files[path] = bench.files[path].replace(b"<revision>1", b"<revision>2")
    bench.pin()


def replace_repomd(bench: Bench) -> None:
    path = f"{FOLDERS['baseos']}/repodata/repomd.xml"
    bench.files[path] = bench.files[path].replace(b"<revision>1", b"<revision>2")


def sign_with_another_key(bench: Bench) -> None:
    bench.key = Tsk.generate("Other <o@example.invalid>")
    bench.publish()
    bench.pin()


def drop_signature(bench: Bench) -> None:
    del bench.files[f"{FOLDERS['appstream']}/repodata/repomd.xml.asc"]


def primary(bench: Bench) -> str:
    return next(p for p in bench.files if p.startswith(FOLDERS["baseos"]) and p.endswith("primary.xml.gz"))


def swap_primary(bench: Bench) -> None:
    bench.files[primary(bench)] = gzip.compress(b"<metadata/>")


def truncate_primary(bench: Bench) -> None:
    bench.files[primary(bench)] = bench.files[primary(bench)][:-20]


def declare_entities(bench: Bench) -> None:
    bomb = '<!DOCTYPE metadata [<!ENTITY a "aaaaaaaaaa">]><metadata '
    bench.publish(lambda kind, text: text.replace("<metadata ", bomb) if kind == "primary" else text)
    bench.pin()


def cut_metadata_before_signing(bench: Bench) -> None:
    bench.publish(lambda kind, text: text[:-40] if kind == "primary" else text)
    bench.pin()


def state_another_size(bench: Bench) -> None:
    bench.publish(
        lambda kind, text: text.replace("<open-size>", "<open-size>1") if kind == "repomd" else text
    )
    bench.pin()


def leave_the_origin(bench: Bench) -> None:
    bench.publish(lambda kind, text: text.replace('href="Packages/', 'href="../../../../../'))
    bench.pin()


def call_a_file_otherwise(bench: Bench) -> None:
    bench.publish(lambda kind, text: text.replace('href="Packages/zlib-', 'href="Packages/zlob-'))
    bench.pin()


def be_newer_than_the_pin(bench: Bench) -> None:
    bench.publish(lambda _, text: text.replace("<timestamp>1789", "<timestamp>1989"))
    bench.pin()


def ask_for_the_impossible(bench: Bench) -> None:
    bench.requests = '["broken"]'
    bench.pin()


def ask_for_a_conflict(bench: Bench) -> None:
    bench.requests = '["zlib", "sour"]'
    bench.pin()


def ask_for_the_unknown(bench: Bench) -> None:
    bench.requests = '["zlibb"]'
    bench.pin()


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (tamper, 7, ["centos baseos repomd.xml", "no good signature"]),
        (replace_repomd, 7, ["repomd.xml", "expected sha256"]),
        (sign_with_another_key, 7, ["no good signature by a certificate of the keyring"]),
        (drop_signature, 6, ["centos appstream repomd.xml.asc", "404"]),
        (swap_primary, 7, ["primary.xml.gz", "expected sha256"]),
        (truncate_primary, 7, ["primary.xml.gz", "expected sha256"]),
        (declare_entities, 6, ["repository baseos", "declares a document type or entities"]),
        (cut_metadata_before_signing, 6, ["baseos primary", "cannot be read"]),
        (state_another_size, 6, ["repository baseos", "repomd.xml says"]),
        (leave_the_origin, 6, ["repository appstream", "leaves the origin"]),
        (call_a_file_otherwise, 6, ["zlob-1.2.11-40.el9.x86_64.rpm', not zlib-1.2.11-40.el9.x86_64.rpm"]),
        (be_newer_than_the_pin, 6, ["later than 2026-09-14 00:00:00 UTC"]),
        (ask_for_the_impossible, 5, ["nothing provides absent needed by broken-1.0-1.x86_64"]),
        (ask_for_a_conflict, 5, ["sour", "conflicts with zlib"]),
        (ask_for_the_unknown, 5, ["capability zlibb", "did you mean zlib"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_repository_is_a_clear_error_and_no_lock(
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


def test_a_component_that_says_nothing_of_rpm_packages_is_refused(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bench.root / "recipes/components/zlib.toml"
    path.write_text(path.read_text().replace("[packages.rpm]", ""))
    assert bench.run() == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "component zlib has no packages for rpm" in said
    assert "add [packages.rpm]" in said


def test_pins_that_are_missing_are_listed_with_the_way_to_fill_them(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bench.root / "recipes/platforms/plain.toml"
    text = re.sub(r"repomd = .*\n", "", path.read_text()).replace(f'path = "{FOLDERS["baseos"]}"', "")
    path.write_text(text.replace('path = "9-stream/BaseOS/{arch:rpm}/os"\n', ""))
    assert bench.run() == 6
    said = " ".join(capsys.readouterr().err.split())
    assert "path of the repository baseos" in said
    assert "repomd.xml of baseos for x86_64" in said
    assert "repomd.xml of appstream for x86_64" in said
    assert "python -m builder pin" in said
