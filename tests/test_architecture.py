"""Arrows point one way: who may import whom, checked on the source."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "builder"

ARROWS: dict[str, set[str]] = {
    # values and bytes
    "model": set(),
    "io": set(),
    "tars": set(),
    "openpgp": set(),
    "selection": {"model"},
    "store": {"io"},
    "origins": {"io", "lockfile", "model"},
    "oci": {"io", "model", "origins", "store", "tars"},
    # the lock and the recipe
    "lockfile": {"model"},
    "recipe": {"lockfile", "model", "selection"},
    "recipe_editor": {"io", "model", "recipe"},
    "export": {"lockfile", "model", "recipe"},
    # from recipes to locks
    "git": {"io", "lockfile", "model", "origins", "store", "tars"},
    "fetch": {"io", "lockfile", "model", "oci", "origins", "store", "tars"},
    "index": {"io", "model", "tars"},
    "resolve.python": {"index", "io", "lockfile", "model", "recipe"},
    "resolve.os": {"lockfile", "recipe"},
    "resolve.debian": {"fetch", "lockfile", "model", "openpgp", "recipe", "resolve.os"},
    "resolve.rpm": {"fetch", "lockfile", "model", "openpgp", "recipe", "resolve.os"},
    "resolve": {"fetch", "index", "io", "lockfile", "model", "project", "recipe"}
    | {"resolve.debian", "resolve.os", "resolve.python", "resolve.rpm"},
    "rootfs": {"io", "model", "tars"},
    "pin": {"console", "fetch", "git", "io", "lockfile", "model", "oci", "origins", "project", "recipe"}
    | {"recipe_editor", "resolve", "resolve.debian", "resolve.os", "resolve.rpm", "rootfs", "store", "tars"},
    # from locks to images
    "provision": {"console", "fetch", "git", "lockfile", "model", "oci", "pin", "project", "render", "store"},
    "bundle": {
        "attest",
        "fetch",
        "io",
        "lockfile",
        "locks",
        "model",
        "oci",
        "project",
        "provision",
        "render",
        "selection",
    }
    | {"store", "tars"},
    "render": {"lockfile", "model"},
    "build": {"console", "io", "lockfile", "locks", "model", "project", "provision", "render", "selection"}
    | {"store"},
    "reproduce": {"build", "oci", "tars"},
    "trial": {"build", "io", "lockfile", "oci", "tars"},
    "mirror": {"fetch", "lockfile", "model", "oci", "origins", "store"},
    # what auditors use
    "diff": {"lockfile", "model"},
    "revisions": {"diff", "git", "index", "io", "lockfile", "model", "project"},
    "graph": {"lockfile", "model"},
    "layers": {"lockfile", "model"},
    "sbom": {"graph", "lockfile", "model", "recipe"},
    "policy": {"io", "lockfile", "model", "resolve.debian", "tars"},
    "attest": {"io", "model", "oci", "openpgp"},
    "verify": {
        "attest",
        "diff",
        "fetch",
        "git",
        "index",
        "io",
        "lockfile",
        "locks",
        "model",
        "oci",
        "openpgp",
        "origins",
        "policy",
        "project",
        "recipe",
        "selection",
    }
    | {"resolve.debian", "resolve.python", "rootfs", "store", "verify.image"},
    "verify.image": {"lockfile", "model"},
    "matrix": {"lockfile", "model", "recipe", "selection"},
    "report": {"attest", "diff", "graph", "lockfile", "matrix", "model", "policy", "verify"},
    "align": {"git", "index", "io", "lockfile", "locks", "matrix", "model", "project", "recipe"},
    "align.dockerfile": {"align", "model"},
    # the program
    "console": {"io", "model"},
    "catalogue": set(),
    "project_file": {"model"},
    "scaffold": {"index", "model", "project", "project_file", "recipe", "selection"},
    "project": {"catalogue", "console", "fetch", "git", "index", "io", "model", "origins", "project_file"}
    | {"recipe", "store"},
    "locking": {
        "console",
        "fetch",
        "index",
        "io",
        "lockfile",
        "locks",
        "model",
        "project",
        "recipe",
        "resolve",
    },
    "updates": {"index", "io", "lockfile", "model", "oci", "policy", "project", "recipe", "scaffold"}
    | {"console", "pin", "recipe_editor", "resolve.debian", "resolve.os", "resolve.rpm", "selection"},
    "locks": {"io", "lockfile", "matrix", "model", "project", "recipe", "selection"},
    "completion": {"console", "model", "project", "selection"},
}
"""What each package may import, besides `EVERYWHERE`. CONTRIBUTING.md draws the same picture."""

EVERYWHERE = {"errors", "json_text", "lazy_face", "mail_date", "redact"}
"""What everything may import: errors and their redaction, parsers of JSON and of dates, the machinery of faces."""

PROGRAM = {"", "__main__", "cli", "commands", "options"} | EVERYWHERE
"""The program itself may import everything."""

FACELESS = {"", "commands"}
"""Packages whose modules are imported one by one."""

PURE = {"model", "lockfile", "recipe", "render", "diff", "graph"}
"""Packages without a clock, environment, network, file system, subprocess or host platform."""

IMPURE_MODULES = {"os", "sys", "time", "random", "socket", "subprocess", "pathlib", "tempfile", "shutil",
                  "platform", "locale", "requests", "urllib.request", "threading", "secrets", "getpass"}  # fmt: skip

IMPURE_PACKAGES = {"io", "store", "origins", "oci", "git", "fetch", "index", "build", "reproduce", "mirror", "pin",
                   "resolve.python", "resolve.debian", "resolve.rpm", "resolve", "project", "console",
                   "recipe_editor", "locks", "provision", "revisions", "catalogue",
                   "scaffold", "updates", "locking"}  # fmt: skip


@cache
def module_paths() -> dict[str, Path]:
    """Return every module's name below `builder`, and its file."""
    named = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))
    }
    return {name.removesuffix("__init__").rstrip("."): path for name, path in named.items()}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def package_of(module: str) -> str:
    """Return the package of a module; one that lies directly in `builder` is its own."""
    is_package = module_paths()[module].name == "__init__.py"
    return module if is_package or "." not in module else module.rpartition(".")[0]


@cache
def imported_modules(path: Path) -> frozenset[tuple[str, str]]:
    """Return each import of the project: the module that the statement names, and the module that is meant."""
    known = module_paths()
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "builder":
            source = (node.module or "").removeprefix("builder").lstrip(".")
            for alias in node.names:
                inner = f"{source}.{alias.name}".lstrip(".")
                found.add((source, inner if inner in known else source))
    return frozenset(found)


def foreign_imports(path: Path) -> set[str]:
    """Return the modules that a file imports from outside the project, with the names taken from them."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("builder"):
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return found


def imported_packages(module: str) -> set[str]:
    """Return the other packages that a module imports, besides those that everything may import."""
    own = package_of(module)
    packages = {package_of(meant) for _, meant in imported_modules(module_paths()[module])}
    return packages - {own, *EVERYWHERE, ""}


MODULES = sorted(module_paths())
PACKAGES = sorted(name for name, path in module_paths().items() if path.name == "__init__.py")


def enclosing(module: str) -> Iterator[str]:
    """Yield a module and the packages that it lies in."""
    yield module
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


@pytest.mark.parametrize("module", MODULES)
def test_a_package_imports_only_what_the_picture_allows(module: str) -> None:
    own = package_of(module)
    if own not in PROGRAM:
        wrong = imported_packages(module) - ARROWS[own]
        assert not wrong, f"builder.{module} may not import {sorted(wrong)}"


def test_every_arrow_of_the_picture_is_used() -> None:
    used: dict[str, set[str]] = {name: set() for name in ARROWS}
    for module in MODULES:
        if package_of(module) in used:
            used[package_of(module)] |= imported_packages(module)
    assert used == ARROWS


@pytest.mark.parametrize("module", MODULES)
def test_another_package_is_imported_through_its_face(module: str) -> None:
    own = package_of(module)
    wrong = []
    for source, meant in imported_modules(module_paths()[module]):
        target = package_of(source) if source else source
        if target not in FACELESS | {own} and source != target:
            wrong.append(meant)
    assert not wrong, f"builder.{module} reaches behind the face of {sorted(set(wrong))}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_is_and_what_it_offers(package: str) -> None:
    if package in FACELESS:
        return
    tree = parsed(module_paths()[package])
    docstring = ast.get_docstring(tree) or ""
    assert "In: " in docstring, f"builder.{package} does not say what goes in"
    assert "Out: " in docstring, f"builder.{package} does not say what comes out"
    offered = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node)
    ]
    assert offered, f"builder.{package} names nothing in __all__"
    bound = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("builder")
        for alias in node.names
    }
    names = ast.literal_eval(offered[0])
    assert set(names) == bound - {"lazy_face"}, f"builder.{package}: __all__ and the imports differ"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_face_gives_what_it_names_when_all_modules_are_loaded(package: str) -> None:
    """A module that is loaded later takes its name in the package from a function of that name."""
    for module in module_paths():
        if not module.endswith("__main__"):
            importlib.import_module(f"builder.{module}".rstrip("."))
    face = importlib.import_module(f"builder.{package}".rstrip("."))
    for node in ast.walk(parsed(module_paths()[package])):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("builder."):
            source = importlib.import_module(str(node.module))
            for alias in node.names:
                name = alias.asname or alias.name
                assert getattr(face, name) is getattr(source, alias.name), f"builder.{package}.{name}"


def test_what_a_lazy_face_loads_is_what_it_imports() -> None:
    """The table that is used at run time and the imports that type checkers read say the same."""
    for package in PACKAGES:
        tree = parsed(module_paths()[package])
        calls = [
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and "lazy_face" in ast.unparse(node)
        ]
        if not calls:
            continue
        imported = {
            alias.name: (node.module or "").rpartition(".")[2]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"builder.{package}.")
            for alias in node.names
        }
        assert ast.literal_eval(calls[0].args[1]) == imported, package


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of names that reach each other (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in sorted(edges.get(name, ())):
            if other not in order:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], order[other])
        if lowest[name] == order[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for name in sorted(edges):
        if name not in order:
            visit(name)
    return groups


def test_no_files_import_each_other_in_a_circle() -> None:
    edges = {
        module: {meant for _, meant in imported_modules(path)} - {module}
        for module, path in module_paths().items()
    }
    assert circles(edges) == []


def test_no_packages_import_each_other_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for module in MODULES:
        edges.setdefault(package_of(module), set()).update(imported_packages(module))
    assert circles(edges) == []


@pytest.mark.parametrize("module", MODULES)
def test_what_says_that_it_is_pure_reaches_for_nothing_outside(module: str) -> None:
    path = module_paths()[module]
    docstrings = (ast.get_docstring(parsed(module_paths()[name])) or "" for name in enclosing(module))
    if package_of(module) not in PURE and not any("Pure." in docstring for docstring in docstrings):
        return
    assert not foreign_imports(path) & IMPURE_MODULES, f"builder.{module} is pure and imports what is not"
    impure = imported_packages(module) & IMPURE_PACKAGES
    assert not impure, f"builder.{module} is pure and imports {sorted(impure)}"


def test_the_word_pure_stands_in_docstrings_of_modules_only() -> None:
    """A promise elsewhere, in a comment or of a function, is not covered by the test above."""
    for module, path in module_paths().items():
        count = path.read_text("utf-8").count("Pure.")
        assert count == (ast.get_docstring(parsed(path)) or "").count("Pure."), module


def test_only_the_command_line_ends_the_program() -> None:
    for module, path in module_paths().items():
        if module not in {"cli", "__main__"}:
            text = path.read_text("utf-8")
            assert "sys.exit" not in text, path
            assert "SystemExit" not in text, path
            assert "\nprint(" not in text.replace("    print(", "\nprint("), path


ARCHIVES = {
    "zipfile.ZipFile(": {"builder/tars/zips.py", "builder/resolve/python/stand_in_wheels.py"},
    "import tarfile": set(),
    "DebFile": set(),
    "shutil.unpack_archive": set(),
    "json.loads(": {"builder/json_text.py"},
    "parsedate_to_datetime(": {"builder/mail_date.py"},
    "json.load(": set(),
    "tomli.loads(": {"builder/model/toml.py"},
}
"""Ways into archives and documents, and who goes them: one guarded reader of each, and writers of our own."""


@pytest.mark.parametrize("way", ARCHIVES)
def test_foreign_bytes_have_one_reader(way: str) -> None:
    found = {
        f"builder/{path.relative_to(ROOT)}"
        for path in module_paths().values()
        if way in path.read_text("utf-8")
    }
    assert found == ARCHIVES[way]
    if way == "zipfile.ZipFile(":
        stand_ins = module_paths()["resolve.python.stand_in_wheels"].read_text("utf-8")
        assert stand_ins.count(way) == stand_ins.count('zipfile.ZipFile(buffer, "w")') == 1


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {module: path.read_text("utf-8").count("\n") for module, path in module_paths().items()}
    assert not {module: count for module, count in lengths.items() if count > 600}


TWINS = [["lockfile.lock.target", "recipe.outcomes.target"]]
"""Functions that may stand in several places: a property of two kinds of record, whose fields have the same names."""


def function_shape(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the body of a function without its docstring, texts, and the names of its own variables."""
    nodes = list(ast.walk(function))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    order: dict[str, str] = {}
    words = []
    for node in ast.walk(
        ast.Module(body=function.body[bool(ast.get_docstring(function)) :], type_ignores=[])
    ):
        if isinstance(node, ast.Name) and node.id in own:
            words.append(order.setdefault(node.id, f"v{len(order)}"))
        elif isinstance(node, ast.Name):
            words.append(node.id.strip("_"))
        elif isinstance(node, ast.Attribute):
            words.append(node.attr)
        elif isinstance(node, ast.keyword):
            words.append(str(node.arg))
        words.append(type(node).__name__)
    return " ".join(words)


def test_no_function_stands_in_two_places() -> None:
    places: dict[str, list[str]] = {}
    for module, path in module_paths().items():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                shape = function_shape(node)
                if shape.count(" ") > 30:
                    places.setdefault(shape, []).append(f"{module}.{node.name}")
    assert [names for names in places.values() if len(names) > 1] == TWINS


TEST_KINDS = {"benchmarks", "cases", "checks", "faults", "fuzz", "golden", "standin", "traps"}
"""Folders of tests that cross packages; every other folder with tests is named after its package."""


def test_folders_of_tests_are_named_after_packages() -> None:
    tests = Path(__file__).parent
    folders = {".".join(path.parent.relative_to(tests).parts) for path in tests.rglob("test_*.py")}
    packages = {package_of(module) for module in module_paths()}
    assert {folder for folder in folders if folder.split(".")[0] not in TEST_KINDS} <= packages
