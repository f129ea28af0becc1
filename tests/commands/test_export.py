"""`export`: files that unmodified installers accept."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import uv
from packaging.pylock import Pylock

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]


def export(framework: str, platform: str, into: Path, *words: str, release: str = "1.4.2") -> None:
    selection = ["--framework", framework, "--platform", platform, "--release", release, "--arch", "x86_64"]
    assert main(["export", *selection, "--output", str(into), "--project", str(ROOT), "--quiet", *words]) == 0


@pytest.mark.parametrize(
    ("framework", "platform"), [("vllm", "debian-13-cuda-13.0"), ("dynamo", "debian-13")]
)
def test_the_pylock_is_valid_and_says_where(framework: str, platform: str, tmp_path: Path) -> None:
    export(framework, platform, tmp_path, "--origin", "pypi=https://files.example.invalid/packages/")
    data = tomllib.loads((tmp_path / f"pylock.{framework}-x86_64.toml").read_text("utf-8"))
    lock = Pylock.from_dict(data)
    assert len(lock.packages) > 50
    for package in lock.packages:
        for wheel in package.wheels or ():
            assert str(wheel.url).startswith("https://files.example.invalid/packages/")


def test_requirements_name_one_hash_each(tmp_path: Path) -> None:
    export("dynamo", "debian-13", tmp_path, "--origin", "pypi=https://files.example.invalid/packages/")
    lines = (tmp_path / "requirements.dynamo-x86_64.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    assert all(line.count("--hash=sha256:") == 1 and "==" in line for line in pins)
    names = [line.partition("==")[0] for line in pins]
    assert names == sorted(names)


# uv reads a pylock for the Python that it installs for: the lock is chosen to fit the one at hand.
LOCKS = {
    (3, 11): ("0.8.0", "debian-12", "vllm==0.12.0"),
    (3, 13): ("1.4.2", "debian-13-cuda-13.0", "vllm==0.26.0"),
}


@pytest.mark.network
@pytest.mark.skipif(sys.version_info[:2] not in LOCKS, reason="no vllm lock is for this Python")
@pytest.mark.parametrize("form", ["pylock.vllm-x86_64.toml", "requirements.vllm-x86_64.txt"])
def test_uv_accepts_both_forms_for_vllm(form: str, tmp_path: Path) -> None:
    release, platform, expected = LOCKS[sys.version_info[:2]]
    export("vllm", platform, tmp_path, release=release)
    command = [uv.find_uv_bin(), "pip", "install", "--dry-run", "--no-config", "--no-deps", "--target", "to"]
    command += [
        "--python",
        sys.executable,
        "--python-platform",
        "x86_64-manylinux_2_40",
        "--requirements",
        form,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert expected in done.stderr


@pytest.mark.network
def test_pip_accepts_the_requirements_of_dynamo(tmp_path: Path) -> None:
    export("dynamo", "debian-13", tmp_path)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--require-hashes",
        "--target",
        "to",
        "--no-deps",
    ]
    command += ["--only-binary", ":all:", "--python-version", "3.13", "--disable-pip-version-check"]
    command += [word for glibc in range(17, 41) for word in ("--platform", f"manylinux_2_{glibc}_x86_64")]
    command += ["--platform", "manylinux2014_x86_64", "-r", "requirements.dynamo-x86_64.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ai-dynamo-1.4.2" in done.stdout
