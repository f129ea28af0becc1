"""The files of a new project: its two recipes, and what git, a CI and a reader want of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from builder.model import Arch, toml

__all__ = ["ProjectAnswers", "day_start", "project_texts", "recipe_name"]

_NOT_OF_A_NAME = re.compile(r"[^a-z0-9]+")
_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectAnswers:
    """What has to be known of a new project."""

    name: str
    """Of its framework."""
    summary: str
    license: str
    release: str
    """The version of its first release."""
    platforms: tuple[str, ...]
    arches: tuple[Arch, ...]
    roots: tuple[str, ...]
    pins: Mapping[str, str]
    """Exact versions of the roots by distribution."""
    components: tuple[str, ...] = ()
    extends: str = ""
    """A framework of the catalogue that it takes whole, else empty."""
    base: str = ""
    """The release of the catalogue whose versions it takes, else empty."""
    until: str = ""
    """The day, such as 2026-11-24, after which no file counts; empty takes that of `base`."""
    installer: Mapping[str, str] = field(default_factory=dict)
    """pip's version, where no release of the catalogue gives it."""


def recipe_name(text: str) -> str:
    """Return a folder's name as a recipe may be called: lower-case letters, digits and hyphens."""
    return _NOT_OF_A_NAME.sub("-", text.lower()).strip("-")


def day_start(day: str) -> str:
    """Return the first moment of a day such as 2026-11-24, as recipes write it."""
    return datetime.fromisoformat(day).strftime("%Y-%m-%dT%H:%M:%SZ")


def project_texts(answers: ProjectAnswers) -> dict[str, str]:
    """Return the text of each file by its path below the project's folder."""
    return {
        "lockwright.toml": _PROJECT,
        f"recipes/frameworks/{answers.name}.toml": _framework_text(answers),
        f"recipes/releases/{answers.release}.toml": _release_text(answers),
        ".gitattributes": "lock/*/*/*.toml diff=lockwright linguist-generated\n",
        ".gitignore": "/rendered/\n/origins.toml\n",
        ".pre-commit-config.yaml": _PRE_COMMIT,
        ".github/workflows/locks.yml": _WORKFLOW,
        ".github/workflows/upgrade.yml": _UPGRADE_WORKFLOW,
        "README.md": _readme_text(answers),
    }


_PROJECT = """\
# A project of lockwright: what recipes/ does not define comes from the catalogue of the installed package.
catalogue = true
"""

_PRE_COMMIT = """\
repos:
  - repo: local
    hooks:
      - id: lockwright-check
        name: do all locks fit their recipes?
        language: system
        entry: lockwright lock --release all --check
        files: ^(recipes|lock)/|^lockwright\\.toml$
        pass_filenames: false
"""

_INSTALL = """\
      - name: Install
        run: |
          test -n "$LOCKWRIGHT" || { echo "the variable LOCKWRIGHT says where the wheel is"; exit 1; }
          python3 -m venv "$RUNNER_TEMP/tool"
          "$RUNNER_TEMP/tool/bin/pip" install --only-binary :all: "$LOCKWRIGHT"
          echo "$RUNNER_TEMP/tool/bin" >> "$GITHUB_PATH"
"""

_WORKFLOW = f"""\
# Judges what is committed: does every lock fit its recipe, and does it say what is true?
name: Locks

on: [push, pull_request]

permissions:
  contents: read

jobs:
  judge:
    runs-on: ubuntu-24.04
    env:
      # Where lockwright's wheel is, a file or an address: a variable in the repository's settings.
      LOCKWRIGHT: ${{{{ vars.LOCKWRIGHT }}}}
    steps:
      - uses: {_CHECKOUT}
{_INSTALL}      - run: lockwright lock --release all --check
      - run: lockwright verify --release all
"""


_UPGRADE_WORKFLOW = f"""\
# Opens a pull request with what is newer than the pins, or brings it up to date. Its text is the locks' diff.
name: Upgrade

on:
  schedule:
    - cron: "23 4 * * 1"
  workflow_dispatch:

permissions:
  contents: write
  pull-requests: write

concurrency: lockwright-upgrade

jobs:
  upgrade:
    runs-on: ubuntu-24.04
    env:
      # Where lockwright's wheel is, a file or an address: a variable in the repository's settings.
      LOCKWRIGHT: ${{{{ vars.LOCKWRIGHT }}}}
    steps:
      - uses: {_CHECKOUT}
{_INSTALL}      - run: lockwright upgrade --release all --all --format markdown > "$RUNNER_TEMP/body.md"
      - name: Open the pull request, or bring it up to date
        env:
          GH_TOKEN: ${{{{ github.token }}}}
        run: |
          git add --all
          if git diff --cached --quiet; then echo "nothing is newer"; exit 0; fi
          git switch --create lockwright/upgrade
          git -c user.name=lockwright -c user.email=lockwright@users.noreply.github.com \\
            commit --quiet --message "Upgrade pins"
          git push --quiet --force origin lockwright/upgrade
          state=$(gh pr view lockwright/upgrade --json state --jq .state 2>/dev/null || true)
          if [ "$state" = OPEN ]; then
            gh pr edit lockwright/upgrade --body-file "$RUNNER_TEMP/body.md"
          else
            gh pr create --head lockwright/upgrade --title "Upgrade pins" --body-file "$RUNNER_TEMP/body.md"
          fi
"""


def _framework_text(answers: ProjectAnswers) -> str:
    table: dict[str, Any] = {
        "name": answers.name,
        "summary": answers.summary,
        "license": answers.license,
        "extends": answers.extends,
    }
    text = toml.dumps({key: value for key, value in table.items() if value})
    text += "\n# Python distributions, with extras and without versions: those stand in the release.\n"
    text += toml.dumps({"roots": list(answers.roots)})
    if answers.components:
        text += toml.dumps({"components": list(answers.components)})
    if answers.roots:
        text += "\n# Each has the locked version in the image: `lockwright check` runs it.\n[[checks]]\n"
        text += toml.dumps(
            {
                "run": ["python", "{program}", "{roots}"],
                "program": "checks/versions.py",
                "expect": "all as locked",
                "seconds": 300,
            }
        )
    return text


def _release_text(answers: ProjectAnswers) -> str:
    head: dict[str, Any] = {"version": answers.release}
    if answers.base:
        head["extends"] = answers.base
    text = toml.dumps(head)
    if answers.until:
        text += "\n# No Python file and no tag that is newer counts.\n"
        text += toml.dumps({"date": answers.until, "exclude-newer": day_start(answers.until)})
    text += toml.dumps({"default": True})
    if not answers.base:
        text += "\n[components]\n"
    text += f"\n[python.{answers.name}]\n{toml.dumps(dict(sorted(answers.pins.items())))}"
    if answers.installer:
        text += f"\n[python.installer]\n{toml.dumps(dict(answers.installer))}"
    targets = {
        "framework": answers.name,
        "platforms": list(answers.platforms),
        "arches": [arch.value for arch in answers.arches],
    }
    return f"{text}\n[[targets]]\n{toml.dumps(targets)}"


def _readme_text(answers: ProjectAnswers) -> str:
    return f"""\
# {answers.name}

{answers.summary}

    lockwright lock            # recipes/ -> lock/: every byte of the image by hash
    lockwright lock --check    # do the locks still fit?
    lockwright render          # lock/ -> rendered/: a Dockerfile whose steps have no network
    lockwright build           # with BuildKit
    lockwright verify          # what is proven of the locks
    lockwright diff HEAD       # what changed since the last commit, the dangerous first
    lockwright outdated        # what is newer than the pins
    lockwright upgrade --all   # takes it; .github/workflows/upgrade.yml does so every week

`recipes/frameworks/{answers.name}.toml` says what the image contains, and
`recipes/releases/{answers.release}.toml` in which versions. What neither defines comes from the
catalogue of the installed package. Commit `lock/` too.
"""
