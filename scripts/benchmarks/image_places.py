"""What a conventional Dockerfile needs of this machine: a base image, an index, authorities, git mirrors.

Everything is read when the comparison runs: the apt archives from apt, the
Python index from pip's configuration, mirrors of git repositories from the
insteadOf pairs of GIT_CONFIG_COUNT. No place is named here.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from builder.build import Engine
from builder.errors import LockError, ToolError, UsageError
from builder.io import clean_environment, run, stop_group
from builder.lockfile import Lock

__all__ = ["base_image", "forget_base", "git_mirrors", "secrets"]

ROOT = Path(__file__).resolve().parents[2]
_INSTEAD_OF = re.compile(r"(?is)url\.(?P<place>.+)\.insteadof")
_SETTING = re.compile(r"(?P<where>[^.=]+)\.(?P<name>index-url|trusted-host)='(?P<value>.*)'")
_AUTHORITIES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_SLIM = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    *(f"path-exclude=/usr/share/{name}/*" for name in ("groff", "info", "linda", "lintian", "locale", "man")),
)
"""What Debian's slim images leave out."""
_BASE_LIMIT, _ASK_LIMIT, _START_LIMIT = 1200.0, 120.0, 10.0  # seconds


def base_image(
    engine: Engine, lock: Lock, work: Path, *, given: str = "", known: dict[str, str] | None = None
) -> dict[str, str]:
    """Return a base image, and what it is: `given`, the `known` one if it is there, or made now."""
    if given:
        return {"name": given, "what": "as given"}
    if known is not None and _engine_has_image(engine, known["name"]):
        return known
    name = _make_base(engine, lock, work)
    return {"name": name, "what": "made here by mmdebstrap, without what Debian's slim images leave out"}


def forget_base(engine: Engine, name: str) -> None:
    """Remove a base image that was made here."""
    argv = ("docker", "image", "rm", "--force", name)
    run(argv, env=engine.environment, timeout=_ASK_LIMIT, accept=(0, 1))


def _engine_has_image(engine: Engine, name: str) -> bool:
    argv = ("docker", "image", "inspect", "--format", "{{.Id}}", name)
    return run(argv, env=engine.environment, timeout=_ASK_LIMIT, accept=(0, 1)).returncode == 0


def _make_base(engine: Engine, lock: Lock, work: Path) -> str:
    """Give the engine a base image like Debian's slim one, of the lock's suite; return its name.

    UsageError where the engine does not see docker's own images.
    """
    if engine.driver != "docker":
        hint = "name an image that it can pull: --base IMAGE"
        raise UsageError(
            f"the builder's driver {engine.driver} sees no local image", place="--base", hint=hint
        )
    suite = next((row.suite for row in lock.repositories if row.origin == "debian"), "")
    if not suite:
        raise LockError("it names no suite of Debian", place=lock.target.path, hint="name a --base IMAGE")
    archives = _apt_archives(work)
    sources = [f"deb {archives['debian']} {name} main" for name in (suite, f"{suite}-updates")]
    if "debian-security" in archives:
        sources.append(f"deb {archives['debian-security']} {suite}-security main")
    root, name = work / "base.tar", f"lockwright-bench/{suite}-slim:{lock.arch.debian}"
    try:
        argv = ["mmdebstrap", "--variant=minbase", f"--architectures={lock.arch.debian}"]
        argv += [f"--dpkgopt={line}" for line in _SLIM]
        run([*argv, suite, str(root), *sources], env=clean_environment(), timeout=_BASE_LIMIT)
        imported = ("docker", "import", f"--platform={lock.arch.oci}", str(root), name)
        run(imported, env=engine.environment, timeout=_BASE_LIMIT)
    finally:
        root.unlink(missing_ok=True)
    return name


def _apt_archives(work: Path) -> dict[str, str]:
    """Return the archives that this machine's apt uses, as `scripts/lab` reads them."""
    file = work / "mirrors.toml"
    argv = (sys.executable, str(ROOT / "scripts/lab"), "mirrors", str(file))
    run(argv, env=clean_environment({"HOME": str(work)}), timeout=600.0)
    rows = tomllib.loads(file.read_text("utf-8"))["mirrors"]
    file.unlink()
    return {prefix.split("/")[-3]: places[0] for prefix, places in rows.items() if places}


def secrets(work: Path, git: str, environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Write what pip and git read inside the build, and return the files by the secret's name."""
    source = os.environ if environ is None else environ
    authority = next((Path(source[name]) for name in _AUTHORITIES if source.get(name)), None)
    trusted = authority is not None and authority.is_file()
    pip = ["[global]", "timeout = 180", "retries = 10", "disable-pip-version-check = true"]
    pip += ["root-user-action = ignore", *(f"{name} = {value}" for name, value in _pip_settings())]
    pip += ["cert = /run/secrets/ca"] if trusted else []
    texts = {"pip": "\n".join(pip) + "\n", "git": git}
    texts["git"] += "[http]\n\tsslCAInfo = /run/secrets/ca\n" if trusted else ""
    files = {}
    for name, text in texts.items():
        files[name] = work / f"secret-{name}"
        files[name].write_text(text, "utf-8")
    if trusted and authority is not None:
        files["ca"] = authority
    return files


def _pip_settings() -> list[tuple[str, str]]:
    """Return the index that pip is configured with here; nothing means pip's own default."""
    python = getattr(sys, "_base_executable", sys.executable)
    env = {name: value for name, value in os.environ.items() if name == "HOME" or name.startswith("PIP_")}
    done = run(
        (python, "-m", "pip", "config", "list"),
        env=clean_environment(env),
        timeout=_ASK_LIMIT,
        accept=tuple(range(256)),
    )
    found: dict[str, tuple[bool, str]] = {}
    for line in done.output.splitlines():
        match = _SETTING.fullmatch(line.strip())
        if match:  # what the environment says is stronger than any file
            strength = match["where"] == ":env:"
            if strength >= found.get(match["name"], (False, ""))[0]:
                found[match["name"]] = (strength, match["value"])
    return [(name, value) for name, (_, value) in sorted(found.items())]


@contextmanager
def git_mirrors(work: Path, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve this machine's mirrors on loopback, and yield the gitconfig that leads to them.

    It is empty where the environment names no mirror: the real places are used then.
    """
    pairs = _instead_of_pairs(os.environ if environ is None else environ)
    folder = work / "git"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    served: dict[str, str] = {}
    for place, _ in pairs:
        if place.startswith("/") and place not in served:
            served[place] = str(len(served))
            (folder / served[place]).symlink_to(place)
    if not served:
        yield _gitconfig_text(pairs, {})
        return
    port = _free_port()
    process = _start_git_daemon(folder, port)
    try:
        _wait_for_git_daemon(process, port)
        yield _gitconfig_text(
            pairs, {place: f"git://127.0.0.1:{port}/{name}" for place, name in served.items()}
        )
    finally:
        stop_group(process)
        shutil.rmtree(folder, ignore_errors=True)


def _instead_of_pairs(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    count = environ.get("GIT_CONFIG_COUNT", "")
    found = []
    for number in range(int(count) if count.isdecimal() else 0):
        match = _INSTEAD_OF.fullmatch(environ.get(f"GIT_CONFIG_KEY_{number}", ""))
        if match:
            found.append((match["place"], environ.get(f"GIT_CONFIG_VALUE_{number}", "")))
    return found


def _gitconfig_text(pairs: list[tuple[str, str]], served: Mapping[str, str]) -> str:
    return "".join(f'[url "{served.get(place, place)}"]\n\tinsteadOf = {prefix}\n' for place, prefix in pairs)


def _start_git_daemon(folder: Path, port: int) -> subprocess.Popen[bytes]:
    settings = {"safe.directory": "*", "uploadpack.allowAnySHA1InWant": "true"}
    env = {"GIT_CONFIG_COUNT": str(len(settings)), "HOME": str(folder)}
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    argv = ("git", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", f"--port={port}")
    try:
        return subprocess.Popen(
            [*argv, f"--base-path={folder}", str(folder)],
            env=clean_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # one group to end
        )
    except OSError as cause:
        raise ToolError("is not installed", place="git", hint="install git") from cause


def _wait_for_git_daemon(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ToolError("did not come up on loopback", place="git daemon", hint="Is git whole on this machine?")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
