"""A name says what of what, and stands for one thing in the whole tree."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "builder"

ONE_PER_VERB = {"Options"}
"""Each file of `commands` has its verb's own: the same thing once for each verb."""

SHARED_CLASS_NAMES = {
    "Evidence",
    "Finding",
    "Repository",
}
"""Class names that several modules define. The list only shrinks: whoever renames one removes it here."""

ONE_WORD_SHARE = 0.02
"""How many of all private functions, methods and classes may have a one-word name.

Others: pip-audit has 0.05, packaging 0.08, python-tuf 0.14. A reader can search for
`_wheel_row`, not for `_row`.
"""


@cache
def parsed_modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every file below `builder`, by its path."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def class_homes() -> dict[str, list[str]]:
    """Return the files that define each class name."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in parsed_modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(path)
    return homes


def is_one_word(name: str) -> bool:
    """Whether a private name has neither an inner underscore nor an inner capital."""
    bare = name.lstrip("_")
    return "_" not in bare and not re.search("[a-z][A-Z]", bare)


def private_names() -> dict[str, list[str]]:
    """Return the private names of functions, methods and classes by package, dunder methods left out."""
    names: dict[str, list[str]] = defaultdict(list)
    for path, tree in parsed_modules().items():
        package = path.rpartition("/")[0].replace("/", ".")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                is_dunder = node.name.startswith("__")
                if node.name.startswith("_") and not is_dunder:
                    names[package].append(node.name)
    return names


def test_a_class_name_stands_for_one_thing() -> None:
    shared = {name: paths for name, paths in class_homes().items() if len(paths) > 1}
    unexpected = {name: shared[name] for name in shared.keys() - SHARED_CLASS_NAMES - ONE_PER_VERB}
    assert not unexpected, "say of what each one is"


def test_one_per_verb_is_in_commands_only() -> None:
    homes = class_homes()
    assert all(path.startswith("commands/") for name in ONE_PER_VERB for path in homes[name])


def test_private_names_say_what_of_what() -> None:
    names = [name for package in private_names().values() for name in package]
    one_word = [name for name in names if is_one_word(name)]
    assert len(one_word) <= ONE_WORD_SHARE * len(names), f"say what of what: {sorted(one_word)}"
