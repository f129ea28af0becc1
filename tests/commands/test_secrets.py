"""No secret in any output: every file, log and message of runs with credentials is searched for them."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from builder.lockfile.reading import dump_lock, parse_lock
from tests.commands.test_fetch import GOLDEN, LAYOUTS, content, real, rows_of

USER, PASSWORD = "operator", "correct-horse-7731"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, BASIC, "signed-url-5519")
ROOT = Path(__file__).parents[2]
WHEEL = re.compile(r".*\.whl")


class Run:
    """A project, a home, and everything that runs of the program leave and say."""

    def __init__(self, folder: Path, server: HTTPServer) -> None:
        self.folder = folder
        self.server = server
        self.said = ""
        self.authorised: list[str] = []
        lock = real(parse_lock(GOLDEN.read_bytes(), place="golden"))
        self.lock = lock
        file = folder / "project" / "lock" / lock.target.path
        file.parent.mkdir(parents=True)
        file.write_bytes(dump_lock(lock))
        origins = "".join(
            f'[origins.{name}]\nurl = "{server.url_for(f"/{name}/")}"\nlayout = "{layout}"\n'
            for name, layout in LAYOUTS.items()
        )
        (folder / "project" / "origins.toml").write_text(f'{origins}[software-heritage]\nurl = ""\n')
        (folder / "home").mkdir()

    def __call__(self, *words: str, **variables: str) -> int:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.folder / "tmp"),
            "HOME": str(self.folder / "home"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "url./nonexistent/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://",
            **variables,
        }
        (self.folder / "tmp").mkdir(exist_ok=True)
        argv = [
            sys.executable,
            "-m",
            "builder",
            *words,
            "--release",
            "all",
            "--project",
            "project",
            "--store",
            "store",
        ]
        done = subprocess.run(argv, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        self.said += done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    def serve(self, answer: Callable[[Request], Response | None] = lambda _: None) -> None:
        def guarded(request: Request) -> Response:
            given = request.headers.get("Authorization", "")
            if given != f"Basic {BASIC}":
                return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="files"'})
            self.authorised.append(request.path)
            special = answer(request)
            if special is not None:
                return special
            name = request.path.rpartition("/")[2]
            found = [row for row in rows_of(self.lock) if row.file.rpartition("/")[2] == name]
            return Response(content(found[0])) if found else Response(status=404)

        self.server.expect_request(re.compile("/.*")).respond_with_handler(guarded)

    def check(self, *allowed: Path) -> None:
        """Search everything that was written and said."""
        for secret in SECRETS:
            assert secret not in self.said
            for path in self.folder.rglob("*"):
                if path.is_file() and path not in allowed:
                    assert secret.encode() not in path.read_bytes(), path


@pytest.fixture
def run(tmp_path: Path, httpserver: HTTPServer) -> Run:
    return Run(tmp_path, httpserver)


def auth(server: HTTPServer) -> str:
    return f"{server.host}:{server.port}={USER}:{PASSWORD}"


def test_credentials_of_the_environment(run: Run, httpserver: HTTPServer) -> None:
    run.serve()
    run("fetch", LOCKWRIGHT_AUTH=auth(httpserver))
    assert run.authorised, "the credentials were used"
    assert len(list((run.folder / "store/sha256").rglob("*"))) > 5
    assert run("render", "--inputs", "remote", "--output", "rendered", LOCKWRIGHT_AUTH=auth(httpserver)) == 0
    run.check()


def test_credentials_of_netrc(run: Run, httpserver: HTTPServer) -> None:
    run.serve()
    netrc = run.folder / "home" / ".netrc"
    netrc.write_text(f"machine {httpserver.host} login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    run("fetch")
    assert run.authorised
    run.check(netrc)


def test_credentials_of_a_broken_netrc(run: Run) -> None:
    netrc = run.folder / "home" / ".netrc"
    netrc.write_text(f"machine files.invalid login {USER} password {PASSWORD} {PASSWORD}\n")
    netrc.chmod(0o600)
    assert run("fetch") == 2
    assert "cannot be read as netrc" in run.said
    run.check(netrc)


def test_credentials_of_a_broken_variable(run: Run) -> None:
    assert run("fetch", LOCKWRIGHT_AUTH=f"{USER}:{PASSWORD}") == 2
    assert "entry 1" in run.said
    run.check()


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_error_of_the_server(run: Run, httpserver: HTTPServer, status: int) -> None:
    echo = {"X-Echo": BASIC}
    run.serve(
        lambda request: (
            Response(f"{BASIC}", status=status, headers=echo) if WHEEL.match(request.path) else None
        )
    )
    assert run("fetch", LOCKWRIGHT_AUTH=auth(httpserver)) == 6
    run.check()


def test_wrong_bytes(run: Run, httpserver: HTTPServer) -> None:
    run.serve(lambda request: Response(b"wrong") if WHEEL.match(request.path) else None)
    assert run("fetch", LOCKWRIGHT_AUTH=auth(httpserver)) == 7
    run.check()


def test_a_signed_url_at_the_end_of_a_redirect(run: Run, httpserver: HTTPServer) -> None:
    def elsewhere(request: Request) -> Response | None:
        if not WHEEL.match(request.path) or request.args:
            return None
        place = f"http://u:{PASSWORD}@files.invalid/x.whl?X-Amz-Signature=signed-url-5519"
        return Response(status=302, headers={"Location": place})

    run.serve(elsewhere)
    assert run("fetch", LOCKWRIGHT_AUTH=auth(httpserver)) == 6
    assert "***" in run.said
    run.check()


def test_credentials_in_configuration_are_refused(run: Run) -> None:
    origins = run.folder / "project" / "origins.toml"
    text = origins.read_text()
    origins.write_text(text + f'[mirrors]\n"https://a.invalid/" = ["https://u:{PASSWORD}@b.invalid/"]\n')
    assert run("fetch") == 2
    assert "credentials" in run.said
    run.check(origins)


@pytest.mark.parametrize(
    "words",
    [
        ("--origin", "files=flat+https://{}@h.invalid/"),
        ("--origin", "files=ftp://{}@h.invalid/"),
        ("--origin", "new=https://{}@h.invalid/"),
        ("--origin", "https://{}@h.invalid/"),
        ("--origin", "files=https:/{}@h.invalid/"),
        ("--origin", "files=flat+{}@h.invalid/"),
        ("--origin", "files=https://{}@[h.invalid/"),
        ("--origin", "files=https://{}/x@h.invalid/"),
        ("--mirror", "https://a.invalid/=https://{}@h.invalid/"),
        ("--mirror", "https://{}@a.invalid/=https://h.invalid/"),
        ("--mirror", "https://{}@h.invalid/"),
    ],
)
def test_credentials_on_the_command_line_and_in_its_variables_are_refused(
    run: Run, words: tuple[str, str]
) -> None:
    option, text = words[0], words[1].format(f"{USER}:{PASSWORD}")
    variable = {"--origin": "LOCKWRIGHT_ORIGIN", "--mirror": "LOCKWRIGHT_MIRROR"}[option]
    assert run("fetch", option, text) == 2
    assert run("fetch", **{variable: text}) == 2
    assert variable in run.said
    run.check()


@pytest.mark.parametrize(
    "text",
    [
        '[origins.files]\nurl = "ftp://{}@h.invalid/"\nlayout = "flat"\n',
        '[origins.files]\nurl = "https://{}@[h.invalid/"\nlayout = "flat"\n',
        '[mirrors]\n"https://{}@a.invalid/" = ["https://h.invalid/"]\n',
        '[network]\nproxy = "socks://{}@[h.invalid/"\n',
    ],
)
def test_malformed_urls_with_credentials_are_not_repeated(run: Run, text: str) -> None:
    origins = run.folder / "project" / "origins.toml"
    origins.write_text(text.format(f"{USER}:{PASSWORD}"))
    assert run("fetch") == 2
    run.check(origins)
