from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock

from builder.errors import LockError
from builder.export import to_pylock, to_requirements
from builder.io.process import clean_environment
from builder.lockfile.lock import Build, Environment, Lock, PythonPackage, Runtime
from builder.model.digest import Evidence, ImageDigest, Sha256
from builder.model.structuring import Table
from builder.model.target import Arch

SHA = Sha256("ab" * 32)


def row(name: str, version: str, **changes: Any) -> PythonPackage:
    usual: dict[str, Any] = {
        "for_": ("runtime",),
        "evidence": Evidence.INDEX,
        "file": f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
        "sha256": SHA,
        "size": 10,
        "origin": "pypi",
    }
    return PythonPackage(name=name, version=version, **{**usual, **changes})


def lock(*rows: PythonPackage) -> Lock:
    return Lock(
        format=1,
        release="1.4.2",
        framework="vllm",
        arch=Arch.X86_64,
        platform="debian-13",
        recipe_digest=ImageDigest("sha256:" + "0" * 64),
        source_date_epoch=1,
        exclude_newer="2026-08-29T00:00:00Z",
        resolver="uv 0",
        environment=Environment(
            family="debian",
            os="debian-13",
            glibc="2.41",
            python=f"3.{sys.version_info.minor}",
        ),
        runtime=Runtime(),
        inputs=Table(),
        images=(),
        python=rows,
        builds=(Build(component="nixl", version="1.3.2", license="Apache-2.0", system="meson"),),
    )


ROWS = (
    row("vllm", "0.26.0"),
    row("torch", "2.11.0+cu130", origin="pytorch"),
    row("setuptools", "80.0", for_=("nixl",)),
    PythonPackage(name="nixl-cu13", version="1.3.2", for_=("runtime",), build="nixl"),
    row("a-b", "1.0", for_=("nixl", "runtime"), size=None),
)


def url_of(item: PythonPackage) -> str:
    return f"https://{item.origin}.invalid/{item.file.replace('+', '%2B')}"


def test_pylock_is_valid_and_complete() -> None:
    text = to_pylock(lock(*ROWS), url_of)
    assert text.startswith("# nixl-cu13==1.3.2 has no wheel to download: the build of nixl 1.3.2 makes it.\n")
    pylock = Pylock.from_dict(tomllib.loads(text))
    assert [item.name for item in pylock.packages] == ["a-b", "torch", "vllm"]
    (wheel,) = pylock.packages[1].wheels or ()
    assert wheel.filename == "torch-2.11.0+cu130-py3-none-any.whl"
    assert wheel.hashes == {"sha256": SHA}
    assert wheel.url == "https://pytorch.invalid/torch-2.11.0%2Bcu130-py3-none-any.whl"


def test_pylock_of_a_build() -> None:
    text = to_pylock(lock(*ROWS), url_of, environment="nixl")
    assert [item["name"] for item in tomllib.loads(text)["packages"]] == ["a-b", "setuptools"]


def test_order_of_rows_does_not_matter() -> None:
    one, other = lock(*ROWS), lock(*reversed(ROWS))
    assert to_pylock(one, url_of) == to_pylock(other, url_of)
    assert to_requirements(one) == to_requirements(other)


def test_file_that_is_not_the_row_s_is_refused() -> None:
    with pytest.raises(LockError):
        to_pylock(lock(row("vllm", "0.26.0", file="torch-1-py3-none-any.whl")), url_of)


def test_requirements() -> None:
    text = to_requirements(lock(*ROWS))
    assert text.splitlines()[1:] == [
        "# Complete: install with --no-deps --require-hashes.",
        f"a-b==1.0 --hash=sha256:{SHA}",
        "# nixl-cu13==1.3.2 has no wheel to download: the build of nixl 1.3.2 makes it.",
        "# torch-2.11.0+cu130-py3-none-any.whl is on pytorch, not on the default index:",
        f"torch==2.11.0+cu130 --hash=sha256:{SHA}",
        f"vllm==0.26.0 --hash=sha256:{SHA}",
    ]


def test_installers_take_both(index: Any, tmp_path: Path) -> None:
    """Both uv and pip read what is exported and check the hashes."""
    digests = {name: index.wheel(name, "1.0") for name in ("app", "lib")}
    rows = [
        row(name, "1.0", sha256=Sha256(digest), file=f"{name}-1.0-py3-none-any.whl", size=None)
        for name, digest in digests.items()
    ]
    base = index.server.url_for("/default/files/")
    pylock, requirements = tmp_path / "pylock.toml", tmp_path / "requirements.txt"
    pylock.write_text(to_pylock(lock(*rows), lambda item: base + item.file).replace("x86_64", _machine()))
    requirements.write_text(to_requirements(lock(*rows)))
    environment = clean_environment({"UV_PYTHON_DOWNLOADS": "never", "UV_CACHE_DIR": str(tmp_path / "uv")})
    python = ["--python", sys.executable, "--default-index", index.url]
    uv = ["uv", "pip", "install", "--no-config", "--dry-run", "--break-system-packages", *python]
    for arguments in (["-r", str(pylock)], ["--no-deps", "--require-hashes", "-r", str(requirements)]):
        done = subprocess.run([_uv(), *uv[1:], *arguments], env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert b"app==1.0" in done.stderr
    pip = [sys.executable, "-m", "pip", "install", "--isolated", "--dry-run", "--no-deps", "--require-hashes"]
    more = ["--index-url", index.url, "--no-cache-dir", "-r", str(requirements)]
    done = subprocess.run([*pip, *more], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _uv() -> str:
    from uv import find_uv_bin  # noqa: PLC0415 - its place differs between machines

    return find_uv_bin()


def _machine() -> str:
    import platform  # noqa: PLC0415 - the exported lock is for x86_64, the test's machine may not be

    return platform.machine()
