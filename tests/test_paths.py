"""Every path that pages, programs and messages name exists; every link finds its page and its heading.

One problem is one line: where the name stands, what is wrong, and where a file of that name is now.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOPS = (".ci", "builder", "docs", "lock", "recipes", "scripts", "tests")
SOURCE_TOPS = (".ci", "builder", "docs/github", "recipes", "scripts", "tests")
SOURCE_SUFFIXES = {"", ".json", ".py", ".toml", ".txt", ".yml"}
OTHER_REPOSITORIES = {
    "docs/align-corpus.md",
    "recipes/claims",
    "recipes/tags.toml",
    "tests/align/corpus",
    "tests/cases",
}
"""What these name are files and tags of other repositories."""
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("scripts/**/*.md")}
    - {ROOT / name for name in OTHER_REPOSITORIES}
)
PLACEHOLDERS = re.compile(r"<[^<>]+>|\b(?:ARCH|FRAMEWORK|NAME|PLATFORM|RELEASE)\b")
"""The words that stand for any name. Another word in capitals is a name."""

_FENCED_BLOCK = re.compile(r"(?ms)^ *```.*?^ *```$")
_CODE_SPAN = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^()\s]+)\)|^\[[^\]]+\]: *(\S+)", re.MULTILINE)
_HEADING = re.compile(r"(?m)^#{1,6} +(.+?) *#*$")
_ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")


def named_paths(text: str, tops: tuple[str, ...] = TOPS) -> Iterator[tuple[int, str]]:
    """Yield each path below one of `tops` that a text names, with the number of its line.

    A path has no space; `./` before it and punctuation after it are not part of it, nor are an anchor and
    what stands after `::`. A path with something before it, as in a URL, is not one of this repository.
    """
    below = re.compile(
        r"(?<![\w./@:~+$}-])(?:\./)?((?:" + "|".join(map(re.escape, tops)) + r")/[^\s`'\"()\[\]|,;#\\{}]*)"
    )
    for number, line in enumerate(text.split("\n"), 1):
        for match in below.finditer(line):
            path = match[1].partition("::")[0]
            yield number, re.sub(r"(?::[0-9]+)?[.:…!?]*$", "", path)


def exists(root: Path, name: str) -> bool:
    """Tell whether a path is there: as it is, or by its wildcards and placeholders as a pattern."""
    if (root / name).exists():
        return True
    pattern = PLACEHOLDERS.sub("*", name)
    return "*" in pattern and next(root.glob(pattern), None) is not None


@cache
def paths_by_name(root: Path) -> dict[str, list[str]]:
    """Return the files of the repository by the last part of their path."""
    found: dict[str, list[str]] = {}
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            if "__pycache__" not in path.parts:
                found.setdefault(path.name, []).append(path.relative_to(root).as_posix())
    return found


def path_problems(root: Path, file: Path, tops: tuple[str, ...] = TOPS) -> list[str]:
    """Return one line for each path that a file names and that does not exist."""
    problems = []
    for number, name in named_paths(file.read_text("utf-8", "replace"), tops):
        if not exists(root, name):
            now = paths_by_name(root).get(Path(name).name, [])
            hint = f"; now at {' or '.join(now)}?" if 0 < len(now) < 4 else ""
            problems.append(f"{file.relative_to(root)}:{number}: {name} does not exist{hint}")
    return problems


def without_code(page: str) -> str:
    """Return a page without what is in fenced blocks and code spans; lines keep their numbers."""
    page = _FENCED_BLOCK.sub(lambda match: "\n" * match[0].count("\n"), page)
    return _CODE_SPAN.sub("``", page)


def anchors(page: str) -> set[str]:
    """Return the anchors of a page: those of its headings, by GitHub's rule, and those that it sets itself.

    The rule: small letters; every character but letters, digits, `_`, `-` and spaces is dropped; a space is
    a hyphen; the second heading of one text gets `-1`, the third `-2`.
    """
    found, seen = set(_ANCHOR.findall(page)), Counter[str]()
    for heading in _HEADING.findall(_FENCED_BLOCK.sub("", page)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def link_problems(root: Path, page: Path) -> list[str]:
    """Return one line for each link of a page to a file or heading of this repository that is not there."""
    problems = []
    text = without_code(page.read_text("utf-8"))
    for match in _LINK.finditer(text):
        link = match[1] or match[2]
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        where = f"{page.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or not target.is_relative_to(root.resolve()):
            problems.append(f"{where}: the link {link} leads to a file that does not exist")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target.read_text("utf-8"))):
            problems.append(f"{where}: the link {link} leads to a heading that {target.name} does not have")
    return problems


def sources() -> list[Path]:
    """Return the files other than pages whose texts name programs and pages."""
    found = [ROOT / "pyproject.toml", ROOT / ".pre-commit-hooks.yaml"]
    for top in SOURCE_TOPS:
        found += [
            path
            for path in sorted((ROOT / top).rglob("*"))
            if path.is_file() and path.suffix in SOURCE_SUFFIXES and "__pycache__" not in path.parts
        ]
    names = {path: path.relative_to(ROOT).as_posix() for path in found}
    return [path for path in found if not names[path].startswith(tuple(OTHER_REPOSITORIES))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_and_link_of_a_page_leads_somewhere(page: Path) -> None:
    problems = path_problems(ROOT, page) + link_problems(ROOT, page)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def test_programs_and_pages_that_sources_name_exist() -> None:
    problems = [
        line
        for file in sources()
        if file != Path(__file__)
        for line in path_problems(ROOT, file, ("docs", "scripts"))
    ]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


_IMPORT = re.compile(r"\b(?:from (builder[\w.]*) import (\w+)|import (builder[\w.]*))")


def import_problems(text: str) -> list[str]:
    """Return the imports of a text that no module satisfies, those of programs that a string holds included."""
    problems = []
    for match in _IMPORT.finditer(text):
        module, name = match.group(1) or match.group(3), match.group(2)
        try:
            found = not name or hasattr(import_module(module), name) or bool(find_spec(f"{module}.{name}"))
        except ModuleNotFoundError:
            found = False
        if not found:
            problems.append(match.group())
    return problems


def test_programs_inside_strings_import_what_exists() -> None:
    """A child that ends with an ImportError looks like one that a signal ended."""
    files = [file for file in sources() if file.suffix == ".py" and file.name != Path(__file__).name]
    wrong = {str(file.relative_to(ROOT)): import_problems(file.read_text("utf-8")) for file in files}
    assert {file: problems for file, problems in wrong.items() if problems} == {}
    assert import_problems("from builder.fetch.store import Store") == [
        "from builder.fetch.store import Store"
    ]
    assert import_problems("from builder.store import Stores") == ["from builder.store import Stores"]


def test_the_pages_name_many_paths_and_link_to_each_other() -> None:
    texts = [page.read_text("utf-8") for page in PAGES]
    assert sum(len(list(named_paths(text))) for text in texts) > 100, "paths are not found"
    assert sum(len(_LINK.findall(without_code(text))) for text in texts) > 50, "links are not found"


PAGE = """\
# Which?

Run `scripts/gone --now`, `./scripts/here`, scripts/here. And see docs/*/none.md, docs/*.md, `docs/NAME.md`,
`tests/test_x.py::test_y`, https://example.invalid/docs/none.md and `lock/<release>/x.toml`.

    builder/old/name.py   # a block

[one](other.md#a-heading-with-code) [two](other.md#none) [three](none.md) [four](#which) [five](../../etc)

```
[not](a-link.md)
# Not a heading
```
"""
OTHER = "## A heading, with `code`\n\n## Twice\n\n## Twice\n"


def test_each_problem_is_one_line(tmp_path: Path) -> None:
    for name, text in {
        "docs/page.md": PAGE,
        "docs/other.md": OTHER,
        "builder/new/name.py": "",
        "scripts/here": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    page = tmp_path / "docs/page.md"
    assert path_problems(tmp_path, page) == [
        "docs/page.md:3: scripts/gone does not exist",
        "docs/page.md:3: docs/*/none.md does not exist",
        "docs/page.md:4: tests/test_x.py does not exist",
        "docs/page.md:4: lock/<release>/x.toml does not exist",
        "docs/page.md:6: builder/old/name.py does not exist; now at builder/new/name.py?",
    ]
    assert link_problems(tmp_path, page) == [
        "docs/page.md:8: the link other.md#none leads to a heading that other.md does not have",
        "docs/page.md:8: the link none.md leads to a file that does not exist",
        "docs/page.md:8: the link ../../etc leads to a file that does not exist",
    ]
    assert anchors(OTHER) == {"a-heading-with-code", "twice", "twice-1"}
