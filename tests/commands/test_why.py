"""`why`: by name in every lock, and by line of a rendered Dockerfile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.commands.why import read_rendered
from builder.console import Console
from builder.lockfile.lock import Lock
from builder.project import open_project
from builder.render.provenance import origin_of

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project"
GOLDEN = Path(__file__).parent / "why"


def run(capsys: pytest.CaptureFixture[str], *words: str, project: Path = ROOT) -> tuple[int, str, str]:
    code = main(["why", *words, "--project", str(project)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("name", ["idna", "tool", "zlib-1.3.1.tar", "registry.invalid/base:1"])
def test_text_is_as_expected(name: str, capsys: pytest.CaptureFixture[str], update_golden: bool) -> None:
    code, out, _ = run(capsys, name, project=SMALL)
    path = GOLDEN / f"{name.replace('/', '_').replace(':', '_')}.txt"
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(out)
    assert (code, out) == (0, path.read_text())


def test_at_most_ten_askers_without_all(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("libc6", "--framework", "dynamo", "--arch", "x86_64")
    _, some, _ = run(capsys, *words)
    _, every, _ = run(capsys, *words, "--all")
    assert "more that require it; --all shows them" in some
    assert len(every.splitlines()) > len(some.splitlines()) + 40


def test_json_has_every_chain_and_lock(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "libc6", "--format", "json", "--framework", "dynamo", "--arch", "x86_64")
    said: dict[str, Any] = json.loads(out)
    assert (code, said["format"], said["asked"]) == (0, 1, "libc6")
    by_kind = {answer["kind"]: answer for answer in said["answers"]}
    package = by_kind["os-package"]
    assert len(package["chains"]) > 50
    for chain in package["chains"]:
        assert chain["steps"][0] == {"kind": "recipe", "name": "recipe"}
        assert chain["steps"][-1] == {"kind": "os-package", "name": "libc6"}
        assert chain["locks"]


def test_a_sha256_and_a_sloppy_spelling_find_the_row_too(capsys: pytest.CaptureFixture[str]) -> None:
    _, by_name, _ = run(capsys, "idna", project=SMALL)
    _, by_spelling, _ = run(capsys, "Idna", project=SMALL)
    _, by_digest, _ = run(capsys, "sha256:" + 64 * "8", project=SMALL)
    assert by_name == by_spelling == by_digest
    assert "recipe → Python idna  in all 2 locks" in by_name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nump"], "hint: did you mean numpy"),
        (["no-such-thing-\x1b[31m"], r"'no-such-thing-\x1b[31m'"),
        ([], "expected a name or --line N"),
        (["numpy", "--line", "3"], "expected a name or --line N"),
        (["numpy", "--release", "9.9"], "there is no release '9.9'"),
        (["--line", "3", "--dockerfile", "/nonexistent/Dockerfile"], "there is no Dockerfile"),
    ],
)
def test_what_cannot_be_answered_ends_in_two(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "\x1b" not in err


@pytest.fixture
def dockerfile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    shutil.copytree(SMALL, tmp_path / "project")
    words = ["render", "--quiet", "--inputs", "store", "--project", str(tmp_path / "project")]
    assert main(words) == 0
    capsys.readouterr()
    return tmp_path / "project/rendered/1.0/plain/tiny/Dockerfile"


def line_of(dockerfile: Path, text: str) -> str:
    lines = dockerfile.read_text().splitlines()
    return str(1 + next(number for number, line in enumerate(lines) if text in line))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("COPY --link --from=store sha256/88/", ["Python idna 3.10  idna-3.10-py3-none-any.whl"]),
        ("idna==3.10 --hash", ["Python idna 3.10"]),
        ("./configure --prefix=/opt/zlib", ["build zlib 1.3.1", "source zlib 1.3.1"]),
        ("ENV CFLAGS", ["build zlib 1.3.1"]),
        ("COPY --link --from=zlib-x86_64 /opt/zlib", ["build zlib 1.3.1"]),
        ("FROM registry.invalid/base@", ["image registry.invalid/base 1"]),
        ("LABEL org.opencontainers.image.title", ["table runtime"]),
        ("/opt/zlib/bin/zlib --version", ["build zlib 1.3.1"]),
        ("# Rendered by lockwright", ["no row of a lock"]),
        ("FROM scratch AS store", ["no row of a lock"]),
        ("FROM runtime-${TARGETARCH}", ["table runtime"]),
    ],
)
def test_a_line_names_its_rows(
    dockerfile: Path, text: str, rows: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    project = dockerfile.parents[4]
    code, out, _ = run(capsys, "--line", line_of(dockerfile, text), project=project)
    assert code == 0
    assert text in out.splitlines()[0]
    found = out.splitlines()[3:]
    assert len(found) == len(rows), out
    assert all(line.strip().startswith(row) for line, row in zip(found, rows, strict=True)), out


def test_a_line_as_json(dockerfile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = line_of(dockerfile, "sha256/55/")
    words = ("--line", line, "--dockerfile", str(dockerfile), "--format", "json")
    code, out, _ = run(capsys, *words, project=dockerfile.parents[4])
    said = json.loads(out)
    assert (code, said["line"], said["locks"]) == (0, int(line), ["1.0/plain/tiny-x86_64"])
    assert said["rows"] == [
        {"kind": "archive", "name": "tool", "version": "2.0", "file": "tool-2.0.tar.gz", "sha256": "5" * 64}
    ]


def test_a_dockerfile_of_another_lock_is_refused(
    dockerfile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = dockerfile.parents[4]
    dockerfile.write_text(
        dockerfile.read_text().replace("tiny-x86_64.toml sha256:", "tiny-x86_64.toml sha256:0")
    )
    assert run(capsys, "--line", "20", project=project)[0] == 2
    dockerfile.write_text("FROM scratch\n")
    code, _, err = run(capsys, "--line", "1", project=project)
    assert (code, "its header names no lock" in err) == (2, True)


def test_lines_that_are_not_there(dockerfile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = dockerfile.parents[4]
    many = len(dockerfile.read_text().splitlines())
    for line in ("-1", str(many + 1)):
        code, _, err = run(capsys, "--line", line, project=project)
        assert (code, f"which has {many} lines" in err) == (2, True)


def test_every_row_of_a_real_image_is_behind_some_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--framework",
        "dynamo",
        "--release",
        "1.4.2",
        "--platform",
        "debian-13-assembled",
        "--arch",
        "x86_64",
    ]
    assert (
        main(["render", *words, "--inputs", "store", "--output", str(tmp_path), "--project", str(ROOT)]) == 0
    )
    console = Console()
    project = open_project(project=str(ROOT), store="", origins=(), mirrors=(), console=console)
    rendering = read_rendered(project, tmp_path / "Dockerfile")
    text = rendering.dockerfile.text().splitlines()
    assert text == [*rendering.text]
    found: set[object] = set()
    for item in rendering.dockerfile.located():
        lines = item.instruction.text().splitlines()
        assert text[item.line - 1 : item.line - 1 + len(lines)] == lines
        found.update(origin_of(item.line, rendering.dockerfile, rendering.locks).rows)
    for lock in rendering.locks:
        assert wanted(lock) <= found


def wanted(lock: Lock) -> set[object]:
    packages = [row for row in lock.os_packages if row.for_ != ("base",)]
    wheels = [row for row in lock.python if row.file]
    rows = (*packages, *wheels, *lock.builds, *lock.sources, *lock.archives, *lock.images)
    return {*rows, lock.runtime}
