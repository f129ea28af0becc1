"""A name says what of what, and stands for one thing in the whole tree."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "builder"

ONE_PER_VERB = {"Options"}
"""Each file of `commands` has its verb's own: the same thing once for each verb."""

SHARED_CLASS_NAMES = {
    "Answer",
    "Archive",
    "Asked",
    "Change",
    "Choice",
    "Claim",
    "Conditions",
    "Entry",
    "Evidence",
    "Facts",
    "Fetched",
    "Finding",
    "Form",
    "Image",
    "Index",
    "IndexFile",
    "Installed",
    "Kind",
    "Layer",
    "Member",
    "Mode",
    "Node",
    "Origin",
    "Outcome",
    "Part",
    "Pin",
    "Plan",
    "Project",
    "Published",
    "Release",
    "Repository",
    "Request",
    "Row",
    "Section",
    "State",
    "Step",
    "Submodule",
    "Table",
    "Universe",
    "Variant",
    "_Reader",
    "_Seen",
    "_Site",
}
"""Class names that several modules define. The list only shrinks: whoever renames one removes it here."""

ONE_WORD_CEILINGS = {
    "": 12,
    "align": 26,
    "align.dockerfile": 64,
    "build": 25,
    "bundle": 11,
    "commands": 115,
    "diff": 90,
    "fetch": 24,
    "git": 34,
    "graph": 16,
    "index": 8,
    "io": 24,
    "lockfile": 38,
    "matrix": 19,
    "mirror": 21,
    "model": 21,
    "oci": 33,
    "origins": 9,
    "pin": 35,
    "policy": 28,
    "recipe": 53,
    "render": 48,
    "reproduce": 25,
    "resolve": 9,
    "resolve.debian": 76,
    "resolve.python": 28,
    "resolve.rpm": 36,
    "rootfs": 25,
    "sbom": 14,
    "store": 11,
    "tars": 9,
    "verbs": 7,
    "verify": 19,
    "verify.image": 16,
}
"""By package: how many private functions, methods and classes may have a one-word name.

Lower a number when its package has fewer. The aim is 15 % of all private names (pip-audit has 5 %, packaging
8 %, python-tuf 14 %): a reader can search for `_wheel_row`, not for `_row`.
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


def test_the_list_of_shared_class_names_is_current() -> None:
    shared = {name for name, paths in class_homes().items() if len(paths) > 1}
    assert not SHARED_CLASS_NAMES - shared, "these stand for one thing now: take them off the list"


def test_one_per_verb_is_in_commands_only() -> None:
    homes = class_homes()
    assert all(path.startswith("commands/") for name in ONE_PER_VERB for path in homes[name])


@pytest.mark.parametrize("package", sorted(private_names()))
def test_one_word_private_names_do_not_become_more(package: str) -> None:
    one_word = Counter(name for name in private_names()[package] if is_one_word(name))
    ceiling = ONE_WORD_CEILINGS.get(package, 0)
    assert one_word.total() <= ceiling, f"say what of what: {', '.join(sorted(one_word))}"
