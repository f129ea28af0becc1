"""`upgrade`: recipes edited, locks made again, what changed said; whole, or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.commands.upgrade import Options, upgrade_project
from builder.console import Console
from builder.errors import BuilderError, NoSolutionError, UsageError
from builder.io import write_atomic
from builder.options import ResultFormat
from builder.selection import Selection
from tests.commands.projects import opened
from tests.local_index import LocalIndex
from tests.pin.conftest import Forge, forge

__all__ = ["forge"]

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BEGIN, OLD, YOUNG = "2025-12-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z"
RELEASE = """\
version = "1"

# Until the day of the freeze.
date = "2026-01-01"
exclude-newer = "2026-01-01T00:00:00Z"
default = true
components = {}

[python.web]
api = "1.0"  # the framework
server = "2.0"

[python.installer]
pip = "26.1"

[[targets]]
framework = "web"
platforms = ["bare"]
arches = ["x86_64"]

[evidence]
"python.web.api" = "what the team chose in spring"
"""
FILES = {
    "lockwright.toml": "catalogue = false\n",
    "recipes/releases/1.toml": RELEASE,
    "recipes/frameworks/web.toml": (
        'name = "web"\nsummary = "A service"\nlicense = "Apache-2.0"\nroots = ["api", "server"]\n'
    ),
    "recipes/platforms/bare.toml": (
        'name = "bare"\nsummary = "A base"\nfamily = "debian"\nos = "debian-13"\nglibc = "2.36"\n'
        'python = "3.13"\n\n[[images.x86_64]]\nname = "registry.invalid/base"\ntag = "1"\n'
        f'digest = "sha256:{"6" * 64}"\nby = "the registry\'s page"\n'
    ),
}
Upgrade = Callable[..., tuple[int, str]]


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    """A project whose locks are made, and an index that has newer versions since."""
    folder = tmp_path / "project"
    index.warehouse = True
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    index.wheel("api", "1.0", uploaded=BEGIN, licence="MIT", requires=("base>=1",))
    index.wheel("server", "2.0", uploaded=BEGIN, licence="MIT")
    index.wheel("base", "1.0", uploaded=BEGIN)
    index.wheel("pip", "26.1", uploaded=BEGIN)
    assert main(["lock", "--quiet", "--project", str(folder), "--store", str(tmp_path / "first"), "--index-url", index.url]) == 0  # fmt: skip
    index.wheel("api", "1.1", uploaded=OLD, licence="BSD-3-Clause", requires=("base>=1", "extra"))
    index.wheel("api", "1.2", uploaded=YOUNG, licence="BSD-3-Clause")
    index.wheel("server", "2.1", uploaded=OLD, licence="MIT")
    index.wheel("base", "1.5", uploaded=OLD)
    index.wheel("extra", "0.1", uploaded=OLD, licence="MIT")
    return folder


@pytest.fixture
def upgrade(project: Path, index: LocalIndex) -> Upgrade:
    def run(*names: str, form: ResultFormat = ResultFormat.JSON, **changes: Any) -> tuple[int, str]:
        out = io.StringIO()
        found = replace(opened(project), console=Console(out, io.StringIO()))
        options = Options(
            names=names, selection=Selection(), index_url=index.url, now=NOW, form=form, **changes
        )
        return upgrade_project(found, options), out.getvalue()

    return run


def files_of(folder: Path) -> dict[str, bytes]:
    """Return what a project commits; the store and its caches are beside it."""
    paths = [path for name in ("recipes", "lock") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def release_of(project: Path) -> str:
    return (project / "recipes/releases/1.toml").read_text()


def lock_of(project: Path) -> str:
    return (project / "lock/1/bare/web-x86_64.toml").read_text()


def test_everything_that_is_newer_with_comments_and_reasons_kept(project: Path, upgrade: Upgrade) -> None:
    code, said = upgrade(all=True)
    assert code == 0
    assert release_of(project) == RELEASE.replace('"2026-01-01T00:00:00Z"', '"2026-11-24T00:00:00Z"').replace(
        'api = "1.0"', 'api = "1.1"'
    ).replace('server = "2.0"', 'server = "2.1"').replace(
        '"what the team chose in spring"',
        '"the newest on 2026-12-01 after a cooldown of 7 days; before: 1.0 (what the team chose in spring)"',
    )
    for name in ("api-1.1-", "server-2.1-", "base-1.5-", "extra-0.1-"):
        assert name in lock_of(project)
    value = json.loads(said)
    assert [edit["place"].rpartition(": ")[2] for edit in value["edits"]] == [
        "python.web.api",
        'evidence."python.web.api"',
        "exclude-newer",
        "python.web.server",
    ]
    assert {row["name"]: row["reason"] for row in value["left"]}["pip"] == "newest"
    assert value["diff"]["counts"]["new"] == 1
    assert main(["lock", "--check", "--quiet", "--project", str(project)]) == 0


def test_one_name_moves_alone(project: Path, upgrade: Upgrade) -> None:
    assert upgrade("server", reason="2.0 leaks")[0] == 0
    assert "base-1.0-" in lock_of(project)
    assert 'server = "2.1"' in release_of(project)
    assert 'api = "1.0"' in release_of(project)
    assert '"python.web.server" = "2.0 leaks; before: 2.0"' in release_of(project)


def test_a_locked_distribution_that_no_recipe_pins(project: Path, upgrade: Upgrade) -> None:
    upgrade("server")
    before = release_of(project)
    assert upgrade("base")[0] == 0
    assert release_of(project) == before
    assert "base-1.5-" in lock_of(project)


def test_a_version_that_is_named_and_a_cooldown(project: Path, upgrade: Upgrade) -> None:
    assert upgrade("api==1.1")[0] == 0
    assert 'api = "1.1"' in release_of(project)
    assert upgrade("api", cooldown=("1 day",))[0] == 0
    assert 'api = "1.2"' in release_of(project)
    assert 'exclude-newer = "2026-11-30T00:00:00Z"' in release_of(project)


def test_a_dry_run_says_the_same_and_writes_nothing(project: Path, upgrade: Upgrade) -> None:
    before = files_of(project)
    dry = json.loads(upgrade(all=True, dry_run=True)[1])
    assert files_of(project) == before
    real = json.loads(upgrade(all=True)[1])
    assert {**dry, "dry-run": False} == real


def test_what_cannot_be_locked_leaves_everything_as_it_was(
    project: Path, upgrade: Upgrade, index: LocalIndex
) -> None:
    index.wheel("server", "2.2", uploaded=OLD, requires=("nothing-of-it",))
    before = files_of(project)
    with pytest.raises(NoSolutionError) as caught:
        upgrade(all=True)
    assert "nothing-of-it" in str(caught.value)
    assert "no recipe and no lock was changed" in caught.value.hint
    assert files_of(project) == before


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(
    project: Path, upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(project)
    asked: list[Path] = []

    def fails_once(path: Path, data: bytes) -> bool:
        asked.append(path)
        if len(asked) == 2:
            raise UsageError("no space left", place=str(path))
        return write_atomic(path, data)

    monkeypatch.setattr("builder.updates.shadow.write_atomic", fails_once)
    with pytest.raises(UsageError):
        upgrade(all=True)
    assert files_of(project) == before


@pytest.mark.parametrize(
    ("names", "changes", "said"),
    [
        ((), {}, "say what is upgraded"),
        (("api",), {"all": True}, "say what is upgraded"),
        (("apy",), {}, "there is no pin and no locked distribution 'apy'"),
        (("base==1.5",), {}, "there is no pin 'base'"),
        (("registry.invalid/base (x86_64)",), {}, "not looked up"),
        (("api==9",), {}, "9"),
    ],
)
def test_what_is_refused_changes_nothing(
    project: Path, upgrade: Upgrade, names: tuple[str, ...], changes: dict[str, Any], said: str
) -> None:
    before = files_of(project)
    with pytest.raises(BuilderError) as caught:
        upgrade(*names, **changes)
    assert said in caught.value.cause
    assert files_of(project) == before


def test_nothing_newer_is_no_error(project: Path, upgrade: Upgrade) -> None:
    before = files_of(project)
    code, said = upgrade("pip")
    assert (code, json.loads(said)["edits"], json.loads(said)["diff"]) == (0, [], None)
    assert files_of(project) == before


def test_the_body_of_a_pull_request(upgrade: Upgrade, update_golden: bool) -> None:
    """Golden: `pytest --update-golden` writes it anew."""
    golden = Path(__file__).parent / "upgrade/pull-request.md"
    said = upgrade("api", "server", "pip", form=ResultFormat.MARKDOWN, reason="monthly")[1]
    if update_golden:
        golden.write_text(said)
    assert said == golden.read_text()


def test_a_component_of_the_project_gets_the_newer_tag_with_its_pins(
    project: Path, upgrade: Upgrade, forge: Forge
) -> None:
    url = forge.make("tool")
    first = forge.commit("tool", {"Makefile": "all:\n"}, tag="v1.0")
    component = project / "recipes/components/tool.toml"
    component.parent.mkdir()
    component.write_text(
        'name = "tool"\nsummary = "A tool"\nhomepage = "https://tool.invalid"\nlicense = "MIT"\n'
        'system = "prebuilt"\nprefix = "/opt/tool"\n\n# From git.\n[versions."1.0".git]\n'
        f'url = "{url}"\ntag = "v1.0"\ncommit = "{first}"\ntree = "{forge.git("tool", "rev-parse", "HEAD^{tree}")}"\n'
        f'sha256 = "{"0" * 64}"\n'
    )
    framework = project / "recipes/frameworks/web.toml"
    framework.write_text(framework.read_text() + 'components = ["tool"]\n')
    release = project / "recipes/releases/1.toml"
    release.write_text(release.read_text().replace("components = {}", 'components = { tool = "1.0" }'))
    second = forge.commit("tool", {"Makefile": "all: x\n"}, tag="v1.1")
    assert upgrade("tool")[0] == 0
    assert 'components = { tool = "1.1" }' in release_of(project)
    text = component.read_text()
    assert f'commit = "{second}"' in text
    assert "# From git." in text
    assert f'commit = "{second}"' in lock_of(project)
