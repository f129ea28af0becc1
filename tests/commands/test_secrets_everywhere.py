"""Every verb, as text and as JSON, with a different password from each source; nothing shows or keeps one.

The server is one machine with a name for each source. It refuses whoever brings no password, and sends what it is told
back in every part of its answers. Everything that is written is searched: outputs, project, store, caches, and
the argument lists of all programs that were started.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.cli import VERBS

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests/faults/project"
USER = "operator"
SECRETS = {
    "127.0.0.1": "url-horse-1947",  # in the URL of an option
    "localhost": "netrc-battery-5521",
    "127.0.0.2": "variable-staple-8810",
    "127.0.0.3": "keyring-correct-6302",
    "127.0.0.4": "docker-pony-2274",
}
WRITES_ARGUMENTS = """\
import os, sys

def hear(event, arguments):
    if event == "subprocess.Popen":
        line = repr(arguments[:2])
    elif event == "os.posix_spawn" or event == "os.exec":
        line = repr(arguments[:2])
    else:
        return
    with open(os.environ["ARGUMENTS"], "a") as file:
        file.write(line + "\\n")

sys.addaudithook(hear)
"""
KEYRING = f"""\
import types

def get_credential(host, name):
    return types.SimpleNamespace(username={USER!r}, password={SECRETS["127.0.0.3"]!r})
"""
INDEX = ("--index-url", "http://operator:url-horse-1947@127.0.0.1:{port}/simple/")
BASE = "lock/1.0/plain/tiny-x86_64.toml"
WORDS: dict[str, list[tuple[str, ...]]] = {
    "lock": [("--upgrade", "all", *INDEX), ("--upgrade", "all", *INDEX, "--offline"), ("--check",)],
    "render": [("--inputs", "remote", "--output", "rendered", "--stale")],
    "export": [("--arch", "x86_64", "--output", "exported")],
    "fetch": [("--stale",), ("--compare-with", "other.toml")],
    "bundle": [
        ("--output", "out.tar"),
        ("--push", "127.0.0.4:{port}/team/bundle:1"),
        ("--pull", "127.0.0.4:{port}/team/bundle:1"),
    ],
    "build": [("--stale", "--arch", "x86_64")],
    "check": [("--image", "127.0.0.4:{port}/team/image:1", BASE)],
    "reproduce": [("--stale", "--arch", "x86_64")],
    "verify": [(), ("--online",), ("--advisories", "http://127.0.0.2:{port}/osv")],
    "pin": [("git",), ("archive", "tool", "1.0", "tool.tar.gz"), ("repositories",), ("image",)],
    "init": [("framework", "thing", "--root", "idna==3.10", "--platform", "plain", "--release", "1.0")],
    "outdated": [INDEX, ("--advisories", "http://127.0.0.2:{port}/osv")],
    "upgrade": [("--all", *INDEX), ("idna==3.11", *INDEX)],
    "matrix": [()],
    "report": [("--output", "site")],
    "explain": [("tiny",)],
    "why": [("idna",)],
    "image-size": [("--arch", "x86_64")],
    "store": [("gc", "--dry-run")],
    "sbom": [
        (
            "--arch",
            "x86_64",
        )
    ],
    "align": [INDEX],
    "diff": [(BASE, "other.toml", "--online", *INDEX)],
    "completion": [("bash",)],
    "git-driver": [(BASE,)],
}
"""What each verb is asked, so that it reaches for the network where it can."""

NO_JSON = {"pin", "init", "completion", "git-driver"}
"""Verbs without `--format json`."""


class Bench:
    """A project whose every place wants a password, and the server of those places."""

    def __init__(self, folder: Path, server: HTTPServer) -> None:
        self.folder = folder
        self.port = server.port
        self.seen: set[str] = set()
        self.said = ""
        server.expect_request(re.compile("/.*")).respond_with_handler(self.answer)
        shutil.copytree(SMALL, folder / "project")
        other = (folder / "project" / BASE).read_text().replace("3.10", "3.9")
        (folder / "project/other.toml").write_text(other)
        places = {"pypi": "localhost", "files": "127.0.0.2"}
        origins = "".join(
            f'[origins.{name}]\nurl = "http://{host}:{self.port}/{name}/"\nlayout = "flat"\ninsecure = true\n'
            for name, host in places.items()
        )
        hosts = json.dumps(list(SECRETS))
        (folder / "project/origins.toml").write_text(
            f'{origins}[insecure]\nhosts = {hosts}\n[credentials]\nkeyring = ["127.0.0.3"]\n'
            '[software-heritage]\nurl = ""\n'
        )
        tools = folder.parent / f"{folder.name}-tools"  # what holds the passwords is beside what is searched
        (tools / "docker").mkdir(parents=True)
        (tools / "sitecustomize.py").write_text(WRITES_ARGUMENTS)
        (tools / "keyring.py").write_text(KEYRING)
        (tools / "netrc").write_text(f"machine localhost login {USER} password {SECRETS['localhost']}\n")
        (tools / "netrc").chmod(0o600)
        auth = base64.b64encode(f"{USER}:{SECRETS['127.0.0.4']}".encode()).decode()
        config = {"auths": {f"127.0.0.4:{self.port}": {"auth": auth}}}
        (tools / "docker/config.json").write_text(json.dumps(config))
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{tools}",
            "ARGUMENTS": str(folder / "arguments"),
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "home"),
            "NETRC": str(tools / "netrc"),
            "DOCKER_CONFIG": str(tools / "docker"),
            "LOCKWRIGHT_AUTH": f"127.0.0.2:{self.port}={USER}:{SECRETS['127.0.0.2']}",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.http://127.0.0.3:{self.port}/git/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://",
        }

    def answer(self, request: Request) -> Response:
        header = request.headers.get("Authorization", "")
        if not header:
            return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="all"'})
        word = header.rpartition(" ")[2]
        password = base64.b64decode(word + "==").decode("utf-8", "replace").partition(":")[2]
        self.seen.add(password)
        echo = f"{header} {word} {password} http://{USER}:{password}@{request.host}/x?token={password}"
        if "METADATA" in request.path or request.path.endswith(".json"):
            return Response(status=302, headers={"Location": f"http://u:{password}@x.invalid/{word}"})
        if request.path.startswith("/simple/"):
            return Response(
                f'{{"name": "{echo}", "files": 3}}', content_type="application/vnd.pypi.simple.v1+json"
            )
        headers = {"X-Echo": echo, "ETag": f'"{word}"', "Retry-After": "0", "Content-Range": word}
        return Response(echo, status=f"403 {word} {password}", headers=headers)

    def run(self, verb: str, *words: str) -> None:
        argv = [sys.executable, "-m", "builder", verb, *(word.format(port=self.port) for word in words)]
        if verb not in NO_JSON | {"completion", "git-driver"}:
            argv += ["--project", str(self.folder / "project"), "--store", str(self.folder / "store")]
        project = self.folder / "project"
        done = subprocess.run(
            argv, cwd=project, env=self.environment, capture_output=True, text=True, check=False
        )
        self.said += done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert "unrecognized arguments" not in done.stderr, done.stderr
        self.check(verb)

    def check(self, verb: str) -> None:
        forms = [form for secret in SECRETS.values() for form in _forms(secret)]
        for form in forms:
            assert form not in self.said, f"{verb} says {form}:\n{self.said}"
        for path in self.folder.rglob("*"):
            assert not any(form in path.name for form in forms), f"{verb} names a file {path}"
            if path.is_file():
                data = path.read_bytes()
                found = [form for form in forms if form.encode() in data]
                assert not found, f"{verb} keeps {found} in {path}"
        self.said = ""


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as every encoding in which a header, a URL or a cache key may have it."""
    yield secret
    for text in (f"{USER}:{secret}", secret):
        for start in range(3):  # in base64 three alignments are possible
            word = base64.b64encode(b"\0" * start + text.encode()).decode().rstrip("=")
            yield word[4 if start else 0 : -2]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    server = HTTPServer(host="0.0.0.0")
    server.start()
    (tmp_path / "run").mkdir()
    yield Bench(tmp_path / "run", server)
    server.stop()


def test_the_words_cover_every_verb() -> None:
    assert WORDS.keys() == VERBS.keys()


def test_no_verb_shows_or_keeps_a_secret(bench: Bench) -> None:
    for verb, questions in WORDS.items():
        for words in questions:
            bench.run(verb, *words)
            if verb not in NO_JSON:
                form = "cyclonedx" if verb == "sbom" else "json"
                bench.run(verb, *words, "--format", form)
    assert bench.seen >= set(SECRETS.values()), "each password was asked for and given"
    assert "uv" in (bench.folder / "arguments").read_text(), "programs were started and seen"
