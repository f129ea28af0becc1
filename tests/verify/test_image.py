"""`verify --image` on small images of a lock: all is explained; what is added or changed by hand is named."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.lockfile.lock import RECIPE, Image, Lock, OsPackage, Repository
from builder.lockfile.reading import dump_lock, load_lock
from builder.model.digest import Evidence, Sha256
from builder.rootfs.deb import LockedDeb
from builder.rootfs.rootfs import write_rootfs_tar
from builder.store.store import Store
from tests.oci.samples_oci import File, image
from tests.rootfs.tiny_debs import deb, member

FAULTS = Path(__file__).resolve().parents[1] / "faults"
VENV = "opt/venv"
SITE = f"{VENV}/lib/python3.13/site-packages"
SCRIPT = """\
#!/opt/venv/bin/python
import sys
from idna.cli import main
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(main())
"""
OWN = "idna-3.10.dist-info/RECORD"
_HI = b"#!hi\n"
LISTED = "/.\n/usr\n/usr/bin\n/usr/bin/hi\n"


def _file(
    path: str, data: bytes = b"", mode: int = 0o644, *, kind: bytes = tarfile.REGTYPE, target: str = ""
) -> File:
    return File(path=path, data=data, mode=mode, kind=kind, target=target)


class Made:
    """A project of one lock, its store, and the layers of its image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.store = Store(folder / "store")
        wheel = _wheel(folder)
        package = deb(folder, "hi", [member("./usr/bin/hi", b"#!hi\n", mode=0o755)])
        self.wheel, self.deb = (self.store.add_bytes(path.read_bytes()) for path in (wheel, package.path))
        shutil.copytree(FAULTS / "project" / "lock" / "1.0", self.project / "lock" / "1.0")
        self.path = self.project / "lock/1.0/plain/tiny-x86_64.toml"
        data = dump_lock(self._lock(load_lock(self.path.read_bytes(), place="lock")))
        self.path.write_bytes(data)
        self.labels = {
            "lockwright.lock": f"sha256:{hashlib.sha256(data).hexdigest()}",
            "lockwright.target": "1.0/plain/tiny-x86_64",
        }
        self.layers = [self._system(), [*_folders("opt/zlib"), _file("opt/zlib/lib/libz.so", b"z")]]
        self.layers += [[_file("opt/tool/bin/tool", b"t", 0o755)], _python(wheel)]
        self.layers += [
            [_file("etc/ld.so.conf.d/00-components.conf", b"/opt/zlib/lib\n")],
            [_file("etc/ld.so.cache")],
        ]

    def _lock(self, lock: Lock) -> Lock:
        rows = tuple(
            dataclasses.replace(row, sha256=Sha256(self.wheel)) if row.name == "idna" else row
            for row in lock.python
        )
        package = OsPackage(
            name="hi",
            version="1.0",
            arch="amd64",
            file="pool/h/hi/hi_1.0_amd64.deb",
            size=1,
            sha256=Sha256(self.deb),
            origin="files",
            for_=("runtime",),
            via=(RECIPE,),
        )
        repository = Repository(
            origin="files",
            suite="plain",
            components=("main",),
            date="2026-11-21T00:53:03Z",
            snapshot="20261121T005303Z",
            inrelease=Sha256("1" * 64),
            indexes=(Sha256("2" * 64),),
        )
        return dataclasses.replace(lock, python=rows, os_packages=(package,), repositories=(repository,))

    def _system(self) -> list[File]:
        status = b"Package: hi\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n"
        sums = f"{hashlib.md5(_HI).hexdigest()}  usr/bin/hi\n".encode()
        return [
            _file("usr/bin/hi", b"#!hi\n", 0o755),
            _file("bin", kind=tarfile.SYMTYPE, target="usr/bin"),
            _file("var/lib/dpkg/status", status),
            _file("var/lib/dpkg/info/hi.list", LISTED.encode()),
            _file("var/lib/dpkg/info/hi.md5sums", sums),
            _file("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"),
        ]

    def verify(self, capsys: pytest.CaptureFixture[str], *more: list[File], **config: Any) -> Any:
        """Return exit code and findings of the image with more layers; notes are left out."""
        settings: dict[str, Any] = {
            "Env": [
                f"PATH=/{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/home/app",
            ],
            "User": "1000:0",
            "WorkingDir": "/home/app",
        }
        settings |= {"Labels": self.labels, **config}
        path = image(
            self.folder / f"image-{len(more)}.tar",
            [*self.layers, *more],
            config={"config": settings},
            tar=True,
        )
        return self.run(path, capsys)

    def run(self, path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
        words = ["--image", str(path), "--project", str(self.project), "--quiet", "--format", "json"]
        code = main(["verify", *words, "--store", str(self.store.root)])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        document = json.loads(said.out)
        if "error" in document:
            return code, said.err
        found = [f for f in document["findings"] if f["level"] != "note"]
        return code, [(f["rule"], f["row"], f["text"].partition(":")[0]) for f in found]


def _folders(path: str) -> list[File]:
    parts = path.split("/")
    return [_file("/".join(parts[:n]), kind=tarfile.DIRTYPE, mode=0o755) for n in range(1, len(parts) + 1)]


def _wheel(folder: Path) -> Path:
    path = folder / "idna-3.10-py3-none-any.whl"
    info = "idna-3.10.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("idna/__init__.py", "x = 1\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.4\nName: idna\nVersion: 3.10\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\nidna = idna.cli:main\n")
        archive.writestr(f"{info}/RECORD", "")
        # As setuptools does: another distribution, carried inside with all that belongs to it.
        inner = "idna/_vendor/carried-1.0.dist-info"
        archive.writestr(f"{inner}/METADATA", "Metadata-Version: 2.4\nName: carried\nVersion: 1.0\n")
        archive.writestr(f"{inner}/entry_points.txt", "[console_scripts]\ncarried = carried:main\n")
        archive.writestr(f"{inner}/RECORD", "carried/__init__.py,,\n")
    return path


def _python(wheel: Path) -> list[File]:
    with zipfile.ZipFile(wheel) as archive:
        files = {f"{SITE}/{name}": archive.read(name) for name in archive.namelist() if name != OWN}
    files[f"{VENV}/bin/idna"] = SCRIPT.encode()
    files[f"{SITE}/idna-3.10.dist-info/INSTALLER"] = b"pip\n"
    files[f"{SITE}/idna-3.10.dist-info/RECORD"] = record(files)
    files[f"{VENV}/pyvenv.cfg"] = b"home = /usr/bin\n"
    return [_file(path, data) for path, data in files.items()]


def record(files: dict[str, bytes]) -> bytes:
    """Return a RECORD of installed files."""
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        below = (
            path.removeprefix(f"{SITE}/")
            if path.startswith(SITE)
            else f"../../../{path.removeprefix(VENV + '/')}"
        )
        lines.append(f"{below},sha256={digest},{len(data)}\n")
    return "".join(lines).encode()


def distribution(name: str) -> list[File]:
    """Return a wheel as an installer leaves it."""
    info = f"{SITE}/{name}-1.0.dist-info"
    files = {
        f"{SITE}/{name}/__init__.py": b"",
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n".encode(),
    }
    return [*(_file(path, data) for path, data in files.items()), _file(f"{info}/RECORD", record(files))]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_all_is_explained(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert made.verify(capsys) == (0, [])


def test_a_wheel_a_package_and_a_stray_file_are_named_and_nothing_else(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    status = (
        made.layers[0][2].data
        + b"\nPackage: evil\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n"
    )
    added = [
        *distribution("extra"),
        _file("var/lib/dpkg/status", status),
        _file("var/lib/dpkg/status-old", made.layers[0][2].data),
        _file("var/lib/dpkg/info/evil.list", b"/.\n/usr\n/usr/bin\n/usr/bin/evil\n"),
        _file("usr/bin/evil", b"!"),
        _file("var/log/dpkg.log", b"installed evil\n"),
        _file("opt/zlib/lib/libstray.so", b"!"),
    ]
    code, found = made.verify(capsys, added)
    assert code == 1
    assert found == [
        ("foreign", "os-packages evil 2", "no row of the lock has it; 2 files, such as /usr/bin/evil"),
        (
            "foreign",
            "python extra 1.0",
            f"no row of the lock has it; 3 files, such as /{SITE}/extra-1.0.dist-info/METADATA",
        ),
        ("unexplained", "", "/opt/zlib/lib/libstray.so"),
    ]


CHANGED: dict[str, tuple[Sequence[File], int, tuple[str, str, str]]] = {
    "a file of a wheel": (
        [_file(f"{SITE}/idna/__init__.py", b"x = 2\n")],
        7,
        ("altered", "python idna 3.10", f"/{SITE}/idna/__init__.py"),
    ),
    "a script of a wheel": (
        [_file(f"{VENV}/bin/idna", SCRIPT.replace("idna.cli", "evil").encode())],
        7,
        ("altered", "python idna 3.10", f"/{VENV}/bin/idna"),
    ),
    "a file of a package": (
        [_file("usr/bin/hi", b"#!ho\n", 0o755)],
        7,
        ("altered", "os-packages hi 1.0", "/usr/bin/hi"),
    ),
    "rights of a package's file": (
        [_file("usr/bin/hi", b"#!hi\n", 0o4755)],
        7,
        ("altered", "os-packages hi 1.0", "/usr/bin/hi"),
    ),
    "a file of a build": (
        [_file("opt/zlib/lib/libz.so", b"!")],
        1,
        ("unexplained", "", "/opt/zlib/lib/libz.so"),
    ),
    "the list of users": (
        [_file("etc/passwd", b"evil::0:0::/:/bin/sh\n")],
        1,
        ("unexplained", "", "/etc/passwd"),
    ),
    "the linker's folders": (
        [_file("etc/ld.so.conf.d/00-components.conf", b"/tmp\n")],
        7,
        ("altered", "runtime library-path", "/etc/ld.so.conf.d/00-components.conf"),
    ),
    "a file taken away": (
        [_file(f"{SITE}/idna/.wh.__init__.py")],
        1,
        ("absent", "python idna 3.10", f"/{SITE}/idna/__init__.py is not in the image"),
    ),
    "a path that leaves": ([_file("../../etc/cron.d/x", b"!")], 1, ("strange", "", "../../etc/cron.d/x")),
    "a link among folders": (
        [_file("srv", kind=tarfile.SYMTYPE, target="etc"), _file("srv/x", b"!")],
        1,
        ("strange", "", "srv/x"),
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_in_a_later_layer_is_named(
    name: str, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    files, wanted, finding = CHANGED[name]
    code, found = made.verify(capsys, list(files))
    assert code == wanted
    assert finding in found


def test_compiled_modules_are_one_warning(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = made.verify(capsys, [_file(f"{SITE}/idna/__pycache__/__init__.cpython-313.pyc", b"!")])
    assert (code, [rule for rule, _, _ in found]) == (0, ["bytecode"])


def test_an_opaque_folder_takes_everything_away(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = made.verify(capsys, [_file(f"{SITE}/.wh..wh..opq")])
    assert code == 1
    assert ("absent", "python idna 3.10", "it is not installed") in found


def test_settings_are_the_locks(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = made.verify(capsys, Cmd=["sh"])
    assert (code, found) == (1, [("settings", "", "Cmd is ['sh'], locked is []")])


def test_the_user_is_the_lock_s(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    lock = load_lock(made.path.read_bytes(), place="lock")
    account = dataclasses.replace(lock.runtime, user="1000:0", home="/home/app", writable=("/home/app",))
    data = dump_lock(dataclasses.replace(lock, runtime=account))
    made.path.write_bytes(data)
    made.labels["lockwright.lock"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
    path = f"PATH=/{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    right = {"Env": [path, "HOME=/home/app"], "User": "1000:0", "WorkingDir": "/home/app"}
    assert made.verify(capsys, **right) == (0, [])
    code, found = made.verify(capsys, **{**right, "User": "0:0"})
    assert (code, found) == (1, [("settings", "", "User is '0")])
    code, found = made.verify(capsys, **{**right, "WorkingDir": "", "Env": [path]})
    assert [text for _, _, text in found] == [
        "WorkingDir is '', locked is '/home/app'",
        "HOME is '', locked is '/home/app'",
    ]


def test_another_lock_is_named(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made.labels["lockwright.lock"] = f"sha256:{'0' * 64}"
    code, found = made.verify(capsys)
    assert (code, [rule for rule, _, _ in found]) == (1, ["other-lock"])


def test_without_the_store_lists_are_all_there_is(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(made.store.root)
    assert made.verify(capsys) == (0, [])
    code, found = made.verify(capsys, [_file("usr/bin/hi", b"#!ho\n", 0o755)])
    assert (code, {row for _, row, _ in found}) == (7, {"os-packages hi 1.0"})


def test_a_damaged_file_of_the_store_is_no_proof(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    place = made.store.path(made.wheel)
    place.chmod(0o644)
    place.write_bytes(b"something else")
    code, found = made.verify(capsys)
    assert (code, [rule for rule, _, _ in found]) == (7, ["damaged"])


BROKEN = {
    "nothing": b"",
    "no tar": b"\x00" * 4096,
    "truncated": None,
    "index is a list": b"[]",
    "index without digest": b'{"manifests": [{}]}',
    "index of itself": b'{"manifests": [{"digest": 3}]}',
    "deep index": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_image_ends_in_a_message(
    name: str, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    path = made.folder / "broken.tar"
    data = BROKEN[name]
    if data is None:
        whole = image(made.folder / "whole.tar", made.layers, tar=True).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif name.startswith(("index", "deep")):
        path = made.folder / "layout"
        path.mkdir()
        (path / "index.json").write_bytes(data)
    else:
        path.write_bytes(data)
    code, said = made.run(path, capsys)
    assert code == 2
    assert said.startswith("error: ")


def test_a_changed_layer_is_no_image(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    path = image(made.folder / "layout", made.layers, config={"config": {"Labels": made.labels}})
    blob = next(file for file in (path / "blobs/sha256").iterdir() if file.read_bytes()[:2] == b"\x1f\x8b")
    blob.write_bytes(blob.read_bytes() + b"\0")
    code, said = made.run(path, capsys)
    assert (code, "has sha256" in said) == (7, True)


def test_every_file_of_the_store_is_hashed_again(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", str(made.path), "--project", str(made.project), "--quiet", "--format", "json"]
    assert main([*words, "--store", str(made.store.root)]) == 6, (
        "three rows have no file here: nothing is proven of them"
    )
    (proof,) = [p for p in json.loads(capsys.readouterr().out)["proofs"] if p["name"] == "store"]
    assert (proof["files"], proof["named"], proof["absent"]) == (2, 2, 3)
    place = made.store.path(made.deb)
    place.chmod(0o644)
    place.write_bytes(place.read_bytes() + b"!")
    assert main([*words, "--store", str(made.store.root)]) == 7
    found = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["level"] == "error"]
    assert [(f["rule"], f["row"]) for f in found] == [("damaged", "os-packages hi 1.0")]


def test_a_base_is_assembled_again(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    lock = load_lock(made.path.read_bytes(), place="lock")
    debs = [LockedDeb(name="hi", version="1.0", arch="amd64", path=made.store.path(made.deb))]
    tar = io.BytesIO()
    digest = write_rootfs_tar(debs, tar, arch="amd64")
    words = ["verify", str(made.path), "--project", str(made.project), "--quiet", "--rebuild-base"]
    for locked, code in ((digest, 0), ("0" * 64, 7)):
        base = Image(
            roles=("build", "runtime"), name="plain-base", tar=Sha256(locked), evidence=Evidence.OBSERVED
        )
        (row,) = (dataclasses.replace(row, for_=("base",)) for row in lock.os_packages)
        changed = dataclasses.replace(lock, images=(base,), os_packages=(row,), python=())  # it has no Python
        made.path.write_bytes(dump_lock(changed))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOCKWRIGHT_STORE", str(made.store.root))
            assert main(words) == code
    assert "error [base-differs] images plain-base: made of its 1 package," in capsys.readouterr().out
    made.store.path(made.deb).unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCKWRIGHT_STORE", str(made.store.root))
        assert main(words) == 6
    assert "unknown [unknown]" in capsys.readouterr().out
