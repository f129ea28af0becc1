"""A real registry on loopback: Debian's docker-registry, of this machine or of the lab."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "docker-registry"
USER, PASSWORD = "somebody", "secret-word"
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuUOabO4v2PoT/v47Y.znQK.9MsMDnesq\n"  # bcrypt of it


def registry_program() -> str:
    """Return the program's place; it is part of the lab's Debian root too."""
    lab = Path(os.environ.get("DOCKER_CONFIG", "/nonexistent")).parent / "root" / "usr" / "bin" / PROGRAM
    found = shutil.which(PROGRAM) or (str(lab) if lab.is_file() else "")
    assert found, "neither this machine nor the lab has docker-registry"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_registry(folder: Path, *, htpasswd: str = "") -> Iterator[str]:
    """Run a registry and yield its host and port; with `htpasswd` it wants a password."""
    folder.mkdir(parents=True)
    host = f"127.0.0.1:{free_port()}"
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host},
    }
    if htpasswd:
        (folder / "htpasswd").write_text(htpasswd)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    (folder / "config.json").write_text(json.dumps(config))  # JSON is YAML
    argv = [registry_program(), "serve", str(folder / "config.json")]
    with (folder / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            wait_for(host, process)
            yield host
        finally:
            process.terminate()


def wait_for(host: str, process: subprocess.Popen[bytes]) -> None:
    name, _, port = host.rpartition(":")
    for _ in range(200):
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex((name, int(port))) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"{host} does not answer")
