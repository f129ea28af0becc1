"""Where docker is missing, old or silent, the message says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.build.buildkit import find_engine
from builder.errors import ToolError

SCRIPT = """#!/bin/sh
case "$*" in
  "buildx version") echo "{version}" ;;
  *inspect*) {inspect}
  ;;
  info*) echo '{{"ServerVersion": "26.1.5", "NCPU": 2}}' ;;
esac
"""
INSPECT = """cat <<'EOF'
Name:          default
Driver:        docker

Nodes:
Name:             default
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64, linux/amd64/v2, linux/arm64*
EOF"""
NEW = "github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3"


def docker(folder: Path, version: str = NEW, inspect: str = INSPECT) -> dict[str, str]:
    program = folder / "docker"
    program.write_text(SCRIPT.format(version=version, inspect=inspect))
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "DOCKER_HOST": "unix:///x"}


def test_an_engine_describes_itself(tmp_path: Path) -> None:
    engine = find_engine(environ=docker(tmp_path))
    assert engine.describe() == {"buildkit": "docker 26.1.5", "buildx": "0.13.1+ds1", "driver": "docker"}
    assert engine.platforms == ("linux/amd64", "linux/amd64/v2", "linux/arm64")
    assert engine.processors == 2
    assert engine.environment["DOCKER_HOST"] == "unix:///x"


def test_no_docker(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not installed") as caught:
        find_engine(environ={"PATH": str(tmp_path)})
    assert "scripts/lab" in caught.value.hint


def test_an_old_buildx(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"0\.10\.5 is too old"):
        find_engine(environ=docker(tmp_path, "github.com/docker/buildx v0.10.5 abc"))


def test_no_daemon(tmp_path: Path) -> None:
    silent = "echo 'ERROR: Cannot connect to the Docker daemon' >&2; exit 1"
    with pytest.raises(ToolError, match="Cannot connect") as caught:
        find_engine(environ=docker(tmp_path, inspect=silent))
    assert "DOCKER_HOST" in caught.value.hint


def test_a_node_that_does_not_answer(tmp_path: Path) -> None:
    silent = "printf 'Name: default\\nDriver: docker\\nError: Cannot connect\\n'"
    with pytest.raises(ToolError, match="Cannot connect"):
        find_engine(environ=docker(tmp_path, inspect=silent))
