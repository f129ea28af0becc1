"""The built wheel in an empty environment and an empty folder, run by a user without rights.

It is watched: an audit hook in the environment writes down every file of this checkout that is opened.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.local_index import LocalIndex

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "nobody"
WATCH = """\
import os, sys
root, log = {root!r}, {log!r}
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and os.path.abspath(arguments[0]).startswith(root):
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND), "a") as file:
            file.write(arguments[0] + "\\n")
sys.addaudithook(watch)
"""


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel and nothing else, and a folder of its user."""

    python: Path
    home: Path
    opened: Path
    """What was opened of the checkout, a line each."""

    def run(self, *words: str, folder: Path | None = None, code: int = 0) -> str:
        """Run a command as the user; return its standard output."""
        root = os.geteuid() == 0
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LOCKWRIGHT"))
        }
        done = subprocess.run(
            [str(self.python.parent / "lockwright"), *words],
            cwd=folder or self.home,
            env=kept
            | {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / ".cache"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            user=NOBODY if root else None,
            group="nogroup" if root else None,
            extra_groups=() if root else None,
        )
        assert done.returncode == code, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done.stdout

    def own(self, folder: Path) -> None:
        """Give what this process wrote to the user."""
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, NOBODY, "nogroup")


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    # Not below pytest's own folder, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="installed-") as folder:
        Path(folder).chmod(0o755)
        yield install(Path(folder))


def install(top: Path) -> Installed:
    """Build the wheel, and install it into a new environment that is watched."""
    uv = str(Path(sys.executable).parent / "uv")
    # A user without rights cannot reach an interpreter in root's home.
    base = "/usr/bin/python3" if os.geteuid() == 0 else sys.executable
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", top / "dist", ROOT], check=True)
    subprocess.run([uv, "venv", "--quiet", "--python", base, top / "venv"], check=True)
    (wheel,) = (top / "dist").glob("*.whl")
    python = top / "venv/bin/python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, wheel], check=True)
    opened, home = top / "opened", top / "home"
    opened.touch()
    opened.chmod(0o666)
    (site,) = (top / "venv/lib").glob("python*/site-packages")
    (site / "watch.py").write_text(WATCH.format(root=f"{ROOT}/", log=str(opened)), "utf-8")
    (site / "watch.pth").write_text("import watch\n", "utf-8")
    home.mkdir()
    made = Installed(python=python, home=home, opened=opened)
    made.own(home)
    return made


def use_mirrors(installed: Installed, folder: Path) -> None:
    """Take the mirrors of this machine, which are configuration of its user, as `scripts/lab mirrors` wrote them."""
    if (ROOT / "origins.toml").is_file():
        shutil.copy(ROOT / "origins.toml", folder / "origins.toml")
        installed.own(folder)


def walk(installed: Installed, folder: Path) -> None:
    """Run what a newcomer runs, on a project that was just begun."""
    use_mirrors(installed, folder)
    installed.run("lock", folder=folder)
    assert "unchanged" in installed.run("lock", "--check", folder=folder)
    assert "Dockerfile" in installed.run("render", folder=folder)
    assert "findings: none" in installed.run("verify", folder=folder)
    shutil.copytree(folder / "lock", folder / "before")
    release = next((folder / "recipes/releases").glob("*.toml"))
    release.write_text(release.read_text("utf-8") + "\n# a remark\n", "utf-8")
    assert "unchanged" in installed.run("lock", "--check", folder=folder)
    assert "no difference" in installed.run("diff", "./before", "./lock", folder=folder)


@pytest.mark.network
def test_a_web_service(installed: Installed) -> None:
    installed.run("init", "project", "web", "--root", "fastapi", "--root", "uvicorn[standard]")
    folder = installed.home / "web"
    walk(installed, folder)
    locks = [path.read_text("utf-8") for path in folder.glob("lock/*/*/*.toml")]
    assert len(locks) == 2
    assert all('"catalogue.platforms/debian-13.toml"' in text and "[catalogue]\n" in text for text in locks)
    assert not any("dynamo" in text for text in locks)
    assert installed.opened.read_text() == ""


@pytest.mark.network
def test_vllm_and_one_package_of_ones_own(installed: Installed, httpserver: HTTPServer) -> None:
    index = LocalIndex(server=httpserver, prefix="acme")
    httpserver.expect_request(re.compile("/acme/.*")).respond_with_handler(index.answer)
    index.wheel("acme-router", "3.1")
    words = ("--extends", "vllm", "--root", "acme-router", "--pin", "acme-router==3.1", "--arch", "x86_64")
    installed.run("init", "project", "router", *words)
    folder = installed.home / "router"
    framework = folder / "recipes/frameworks/router.toml"
    place = f'[[indexes]]\nname = "acme"\nurl = "{index.url}"\npackages = ["acme-router"]\n'
    framework.write_text(f"{framework.read_text('utf-8')}\n{place}", "utf-8")
    origin = (
        f'[origins.acme]\nurl = "{httpserver.url_for("/acme/files/")}"\nlayout = "flat"\ninsecure = true\n'
    )
    (folder / "recipes/origins.toml").write_text(origin, "utf-8")
    walk(installed, folder)
    (lock,) = folder.glob("lock/*/*/*.toml")
    text = lock.read_text("utf-8")
    assert 'name = "vllm"\nversion = "0.26.0"' in text
    assert 'file = "acme_router-3.1-py3-none-any.whl"' in text
    assert installed.opened.read_text() == ""
