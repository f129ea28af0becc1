"""One engine and one set of limits: what counts for every exchange stands in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "builder"
NAMES = re.compile(r"_*(ATTEMPTS|FIRST_PAUSE|LONGEST_PAUSE|REDIRECTS|LOWEST_SPEED|SLOWEST|(\w+_)?TIMEOUT)")
ELSEWHERE = {"oci/registry.py": {"_ATTEMPTS"}}
"""Of an upload, which is a chain of requests and is begun anew."""

EXCHANGES = ("io", "fetch", "oci", "store", "index", "origins", "pin")
"""The packages that speak HTTP; others limit the time of programs."""


def constants(path: Path) -> set[str]:
    """Return the names of limits that a module assigns itself."""
    body = ast.parse(path.read_text("utf-8")).body
    names = {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {name for name in names if NAMES.fullmatch(name)}


def test_the_limits_of_exchanges_stand_once() -> None:
    paths = [path for package in EXCHANGES for path in (ROOT / package).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): constants(path) for path in paths}
    kept = {path: names for path, names in found.items() if names - ELSEWHERE.get(path, set())}
    assert set(kept) == {"io/network.py"}


@pytest.mark.parametrize("library", ["pycurl", "requests"])
def test_each_library_has_its_modules(library: str) -> None:
    """Files come by libcurl, documents by requests; another module with either would be a second engine."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if re.search(rf"^(import|from) {library}\b", path.read_text("utf-8"), re.MULTILINE)
    }
    wanted = {
        "pycurl": {"io/curl.py"},
        "requests": {"io/http.py", "io/upload.py", "io/watchdog.py", "oci/registry.py"},
    }
    assert users == wanted[library]


def test_only_libcurl_writes_files() -> None:
    """A `Transfer` is fed by a download alone, and a download is driven by libcurl alone."""
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Transfer"
    }
    assert makers == {"io/download.py", "fetch/queue.py"}
