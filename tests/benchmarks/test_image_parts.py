"""The parts of the comparison of images that need no engine: sizes, contents, mirrors, secrets, the report."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scripts.benchmarks.image_measure import compare, measure
from scripts.benchmarks.image_places import git_mirrors, secrets
from scripts.benchmarks.image_report import text
from tests.oci.samples_oci import File, image

SITE = "opt/venv/lib/python3.13/site-packages"
STATUS = """\
Package: zlib1g
Status: install ok installed
Version: 1:1.3.1-1
Description: a text
 Version: not this one

Package: gone
Status: deinstall ok config-files
Version: 1.0
"""
GIT = {"HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}


def files(*versions: str) -> list[File]:
    return [
        File(path="var/lib/dpkg/status", data=STATUS.encode()),
        *(File(path=f"{SITE}/{name}.dist-info/METADATA", data=b"x") for name in versions),
    ]


def test_sizes_and_contents_of_an_image(tmp_path: Path) -> None:
    older = [
        File(path="var/lib/dpkg/status", data=b"Package: old\nStatus: install ok installed\nVersion: 1\n")
    ]
    code = [
        File(path=f"{SITE}/__pycache__/a.cpython-313.pyc", data=b"12345"),
        File(path="usr/share/doc/x/README", data=b"123"),
        File(path="usr/share/documents", data=b"1"),
    ]
    found = measure(image(tmp_path / "one", [older, files("Some_Name-1.0", "x-2.0.post1"), code], tar=True))
    assert found["layers"] == 3
    assert found["bytecode"] == 5
    assert found["documentation"] == 3
    assert found["uncompressed"] == len(older[0].data) + len(STATUS) + 2 + 5 + 3 + 1
    assert 0 < found["compressed"] != found["uncompressed"]
    assert found["python"] == ["some-name==1.0", "x==2.0.post1"]
    assert found["os"] == {"zlib1g": "1:1.3.1-1"}, "the last layer's list of installed packages counts"


def test_contents_are_compared_by_name_and_version(tmp_path: Path) -> None:
    one = measure(image(tmp_path / "one", [files("idna-3.10", "six-1.0")]))
    two = measure(image(tmp_path / "two", [files("idna-3.10", "six-2.0", "pip-26.0")]))
    found = compare(one, two)
    assert found["python"] == {
        "same": 1,
        "only-ours": ["six==1.0"],
        "only-conventional": ["pip==26.0", "six==2.0"],
    }
    assert found["os"] == {"same": 1, "only-ours": [], "only-conventional": []}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A bare repository with one tag, and a commit that no name leads to."""
    work, bare = tmp_path / "work", tmp_path / "mirror"
    who = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")

    def git(*words: str) -> None:
        subprocess.run(["git", *words], check=True, env=GIT, capture_output=True)

    git("init", "--quiet", str(work))
    (work / "file").write_text("content")
    git("-C", str(work), "add", "file")
    git("-C", str(work), *who, "commit", "--quiet", "-m", "one")
    git("-C", str(work), "tag", "v1.0")
    git("clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def test_mirrors_are_served_on_loopback_under_their_public_names(tmp_path: Path, mirror: Path) -> None:
    public = "https://git.invalid/tool.git"
    environ = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{mirror}.insteadOf",
        "GIT_CONFIG_VALUE_0": public,
        "GIT_CONFIG_KEY_1": "url.https://mirror.invalid/.insteadOf",
        "GIT_CONFIG_VALUE_1": "https://elsewhere.invalid/",
    }
    config, target = tmp_path / "gitconfig", tmp_path / "cloned"
    clone = ["git", "clone", "--quiet", "--depth=1", "--branch=v1.0", public, str(target)]
    env = GIT | {"GIT_CONFIG_GLOBAL": str(config)}
    with git_mirrors(tmp_path, environ) as served:
        config.write_text(served)
        assert "https://mirror.invalid/" in served
        assert str(mirror) not in served, "a path of this machine means nothing inside the build"
        subprocess.run(clone, check=True, env=env, timeout=60)
    assert (target / "file").read_text() == "content"
    assert not (tmp_path / "git").exists()
    again = subprocess.run([*clone[:-1], str(tmp_path / "again")], check=False, env=env, timeout=60)
    assert again.returncode != 0, "the server has ended"


def test_without_mirrors_nothing_is_served(tmp_path: Path) -> None:
    with git_mirrors(tmp_path, {}) as served:
        assert served == ""


def test_secrets_hold_the_authority_and_the_mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("a certificate")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    found = secrets(tmp_path, "[mirrors]\n", {"SSL_CERT_FILE": str(authority)})
    assert found["ca"] == authority
    assert "index-url = https://index.invalid/simple\n" in found["pip"].read_text()
    assert "cert = /run/secrets/ca\n" in found["pip"].read_text()
    assert found["git"].read_text().startswith("[mirrors]\n[http]")
    none = secrets(tmp_path, "", {"SSL_CERT_FILE": str(tmp_path / "missing")})
    assert "ca" not in none
    assert "cert" not in none["pip"].read_text()


def test_the_report_shows_ratios_and_leaves_out_what_is_not_known() -> None:
    record = {
        "lock": "a/b/c.toml",
        "lock-digest": "sha256:0",
        "engine": {"buildkit": "docker 1"},
        "machine": {"processors": 2, "memory-gb": 8, "kernel": "6"},
        "pruned": True,
        "ours": {"cold": {"seconds": 50.0, "load-before": 0.5, "image": {"compressed": 3_000_000}}},
        "conventional": {"cold": {"seconds": 200.0, "load-before": 0.7, "image": {"compressed": 6_000_000}}},
    }
    lines = text(record).splitlines()
    assert any(
        line.split()[-3:] == ["50", "200", "0.25"] for line in lines if line.startswith("nothing cached")
    )
    assert any(line.split()[-3:] == ["3", "6", "0.50"] for line in lines if line.startswith("compressed"))
    assert any(line.split()[-3:] == ["-", "-", "-"] for line in lines if line.startswith("one Python pin"))
    assert "load of the machine before each build: ours cold 0.5, conventional cold 0.7" in lines
