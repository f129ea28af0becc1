"""The command line itself: help, version, streams, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder import __version__
from builder.cli import VERBS, main

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_for_each_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m builder {verb}" in text.partition("examples:")[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"lockwright {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ([], "the following arguments are required: COMMAND", "python -m builder --help"),
        (["lock", "--framwork", "x"], "not understood: --framwork x", "did you mean `--framework`?"),
        (
            ["lock", "--framework=vllm", "--uprade=x"],
            "not understood: --uprade=x",
            "did you mean `--upgrade`?",
        ),
        (["matrix", "--table", "sumary"], "argument --table: invalid choice: 'sumary'", "matrix --help"),
        (["lok"], "there is no command 'lok'", "did you mean `lock`?"),
        (["render", "--arch", "arm64"], "there is no architecture 'arm64'", "did you mean `aarch64`?"),
    ],
)
def test_usage_errors_end_in_two_and_say_what_to_do(
    words: list[str], said: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert hint in printed.err.partition("\nhint: ")[2]


@pytest.mark.parametrize(
    "words",
    [
        ["lock", "--framwork", "x", "--format", "json"],
        ["render", "--framework", "vlm", "--format=json"],
        ["verify", "--format", "json", "--arch", "amd64"],
    ],
)
def test_an_error_is_json_where_json_is_asked_for(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(words)
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert list(document) == ["format", "command", "exit-code", "error"]
    assert (document["command"], document["exit-code"]) == (words[0], code)
    assert set(document["error"]) == {"cause", "place", "hint"}
    assert document["error"]["cause"] in printed.err
    assert document["error"]["hint"] in printed.err


@pytest.mark.parametrize("name", ["lockwright", "python -m builder"])
def test_help_and_hints_name_the_program_as_it_was_called(name: str, tmp_path: Path) -> None:
    """Installed programs are called by their name, a checkout's by its package."""
    start = tmp_path / "lockwright"
    start.write_text("import sys\nfrom builder.cli import main\nsys.exit(main())\n")
    program = [str(start)] if name == "lockwright" else ["-m", "builder"]
    for words, found in ((["lock", "--help"], f"usage: {name} lock"), (["why"], f"{name} why --help")):
        done = subprocess.run(
            [sys.executable, *program, *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        assert found in text
        assert ("python -m builder" in text) == (name == "python -m builder")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["sbom"], "{"),
        (["export", "--only", "pylock"], "#"),
        (["export", "--only", "requirements"], "#"),
        (["render"], "# Rendered by lockwright"),
    ],
)
def test_one_document_goes_to_standard_output(
    words: list[str], first: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = ["--framework", "dynamo", "--platform", "debian-13-assembled", "--arch", "x86_64"]
    assert main([*words, *target, "--output", "-"]) == 0
    streamed = capsys.readouterr().out
    assert streamed.startswith(first)
    assert main([*words, *target, "--output", str(tmp_path)]) == 0
    assert streamed.encode() in [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not (ROOT / "-").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["sbom", "--framework", "dynamo"],
        ["export", "--framework", "dynamo", "--platform", "debian-13-assembled", "--arch", "x86_64"],
        ["render", "--framework", "dynamo", "--platform", "debian-13-assembled", "--format", "json"],
    ],
)
def test_two_documents_never_share_standard_output(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--output", "-"]) == 2
    assert "standard output takes one document" in capsys.readouterr().err


def test_a_folder_that_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "--project", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/recipes: no recipes here\nhint: go to a project, or name it: --project DIR\n"
    )


def test_the_reader_of_our_output_may_go_away() -> None:
    command = f"{sys.executable} -m builder lock --check --format json --quiet | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
