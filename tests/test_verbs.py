"""The table of verbs: one file a verb, and only the one that is asked is loaded."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from builder.cli import VERBS

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "builder" / "commands"
PROGRAM_FILES = [
    ROOT / "builder" / f"{name}.py" for name in ("cli", "options", "project", "locks", "selection")
]
NEEDLESS = ("requests", "pycurl", "solv", "debian", "pypi_simple", "builder.resolve", "builder.fetch",
            "builder.index", "builder.git", "builder.oci", "builder.render", "builder.build", "builder.pin")  # fmt: skip
"""What reading and judging locks has no use for; the face of a package alone does no harm."""


@cache
def loaded_by(*words: str) -> frozenset[str]:
    """Return the modules that a run of the program has loaded when it ends."""
    program = (
        "import json, sys\nfrom builder.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def verbs_loaded(*words: str) -> set[str]:
    return {verb for verb in VERBS if f"builder.commands.{module_of(verb)}" in loaded_by(*words)}


def module_of(verb: str) -> str:
    return verb.replace("-", "_")


def test_every_verb_is_one_file_and_every_file_one_verb() -> None:
    files = {path.stem for path in COMMANDS.glob("*.py")} - {"__init__"}
    assert files == {module_of(verb) for verb in VERBS}


def test_the_help_of_the_program_loads_no_verb() -> None:
    assert verbs_loaded("--help") == set()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_loads_no_other_verb(verb: str) -> None:
    assert verbs_loaded(verb, "--help") == {verb}


def test_a_check_of_locks_loads_no_other_verb() -> None:
    assert verbs_loaded("lock", "--check", "--quiet") == {"lock"}


@pytest.mark.parametrize(
    "words",
    [("lock", "--check"), ("verify", "lock/1.4.2/debian-13/dynamo-x86_64.toml")],
    ids=["lock", "verify"],
)
def test_what_reads_locks_alone_loads_nothing_that_only_resolving_needs(words: tuple[str, ...]) -> None:
    loaded = loaded_by(*words, "--quiet")
    assert not {name for name in loaded if name.startswith(tuple(f"{package}." for package in NEEDLESS))}


@pytest.mark.parametrize("path", [*sorted(COMMANDS.glob("*.py")), *PROGRAM_FILES], ids=lambda path: path.stem)
def test_the_program_imports_at_the_top(path: Path) -> None:
    """Faces are lazy: `from builder import git` loads git when it is used."""
    functions = (
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
    )
    inner = [
        node for one in functions for node in ast.walk(one) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inner, ast.unparse(inner[0])


def calls_of(path: Path, name: str) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name)]


def is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


SOURCES = sorted({*COMMANDS.glob("*.py"), ROOT / "builder" / "options.py"})


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_choices_come_from_what_owns_them(path: Path) -> None:
    """Values typed beside an enum or table that lists them come apart from it."""
    for call in calls_of(path, "add_argument"):
        for keyword in call.keywords:
            assert keyword.arg != "choices" or not is_literal(keyword.value), ast.unparse(call)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_default_stands_once(path: Path) -> None:
    """In the option: help repeats it by `%(default)s`, and a dataclass knows only 'not given'."""
    tree = ast.parse(path.read_text("utf-8"))
    for call in calls_of(path, "add_argument"):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        default = (
            ast.literal_eval(given["default"])
            if "default" in given and is_literal(given["default"])
            else None
        )
        said = ast.unparse(given["help"]) if "help" in given else ""
        assert not default or str(default) not in said, f"write %(default)s: {said}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or "Options" not in node.name:
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and field.value is not None:
                value = ast.literal_eval(field.value) if is_literal(field.value) else field.value
                assert value in (None, False, "", (), 0), f"{path.stem}: {ast.unparse(field)}"
