"""`why`: the chains that lead to a package, component or file, in every lock; or a Dockerfile line's rows."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, replace
from pathlib import Path

from builder.console import Console
from builder.errors import UsageError
from builder.graph import LineAnswer, as_json, as_text, line_as_json, line_as_text, node_of, why
from builder.io import read_text
from builder.lockfile import Lock, RecipeComparison, downloaded_rows
from builder.locks import lock_path, read_lock, select_image, select_locks
from builder.model import Sha256
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.render import Addresses, Dockerfile, Form, Inputs, origin_of, plan
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "Rendering", "add_options", "explain", "read_rendered", "run"]

EXAMPLES = """\
  python -m builder why numpy                                 in every lock
  python -m builder why libibverbs1 --release 1.4.2 --all     every row that requires it
  python -m builder why ucx --framework dynamo --format json
  python -m builder why --line 120 --dockerfile rendered/1.4.2/debian-13/dynamo/Dockerfile
"""
_MOST_CHAINS = 10
_LOCK_LINE = re.compile(r"#   lock/([^ ]+) sha256:([0-9a-f]{64})")
_FROM_STORE = "# Every input comes from the store."
_ANYWHERE = "https://place.invalid/file"
_RENDER_AGAIN = "render it again: python -m builder render"


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `why`."""
    verb.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME",
        help="a Python or OS package, component, submodule, image, file name or SHA-256",
    )
    verb.add_argument("--line", type=int, default=0, metavar="N", help="a line of a rendered Dockerfile")
    verb.add_argument(
        "--dockerfile", type=Path, metavar="FILE", help="the Dockerfile (default: where render writes it)"
    )
    verb.add_argument(
        "--all", action="store_true", help="show every row that requires it, not only the first ten"
    )
    add_selection(verb, otherwise="all; with --line the default release")
    add_places(verb)
    add_format(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Answer; 0, or 2 where no lock has the name."""
    return explain(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            name=options.name,
            line=options.line,
            dockerfile=options.dockerfile,
            all=options.all,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for: a name, or a line of a Dockerfile."""

    selection: Selection
    name: str = ""
    line: int = 0
    dockerfile: Path | None = None
    """The Dockerfile that `line` is of; without one, where `render` writes the selected image's."""
    all: bool = False
    json: bool = False


def explain(project: Project, options: Options) -> int:
    """Answer; 0, or 2 where no lock has the name."""
    if bool(options.name) == bool(options.line):
        raise UsageError("expected a name or --line N", hint="python -m builder why --help shows examples")
    if options.name and options.dockerfile:
        raise UsageError("--dockerfile requires --line", hint="leave it out: a name is looked for in locks")
    return _explain_name(project, options) if options.name else _explain_line(project, options)


def _explain_name(project: Project, options: Options) -> int:
    chosen = options.selection
    if not chosen.releases:
        chosen = replace(chosen, releases=("all",))
    targets = select_locks(project, chosen)
    locks = {target: read_lock(project, lock_path(project, target))[0] for target in targets}
    answers = why(options.name, locks)
    if options.json:
        project.console.json(as_json(options.name, answers))
    else:
        most = 0 if options.all else _MOST_CHAINS
        project.console.data(as_text(answers, most=most, locks=len(locks)))
    return 0


def _explain_line(project: Project, options: Options) -> int:
    path = options.dockerfile
    if path is not None and not options.selection.is_empty:
        raise UsageError(
            "--dockerfile decides which image it is about",
            place=str(options.selection),
            hint="leave out --release, --platform, --framework and --arch",
        )
    if path is None:
        first = select_image(project, options.selection)[0]
        path = project.rendered_folder(first) / "Dockerfile"
    if not path.is_file():
        raise UsageError(
            "there is no Dockerfile",
            place=str(path),
            hint="run `python -m builder render` with the same options first, or name another file",
        )
    rendered = read_rendered(project, path)
    origin = origin_of(options.line, rendered.dockerfile, rendered.locks)
    answer = LineAnswer(
        number=options.line,
        line=rendered.text[options.line - 1],
        stage=origin.stage,
        locks=origin.locks,
        rows=tuple(map(node_of, origin.rows)),
    )
    if options.json:
        project.console.json(line_as_json(answer))
    else:
        project.console.data(line_as_text(answer))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A Dockerfile's text, and the same as a value, but for the places of its inputs."""

    text: tuple[str, ...]
    dockerfile: Dockerfile
    locks: tuple[Lock, ...]


def read_rendered(project: Project, path: Path) -> Rendering:
    """Read the Dockerfile at `path` and the project's locks that its header names.

    UsageError where it is not rendered from the locks as they are now.
    """
    lines = tuple(read_text(path).splitlines())
    header = lines[: lines.index("") if "" in lines else len(lines)]
    named = [match for line in header if (match := _LOCK_LINE.fullmatch(line))]
    if not named:
        raise UsageError("its header names no lock", place=str(path), hint=_RENDER_AGAIN)
    locks = [_rendered_lock(project, match[1], match[2], path) for match in named]
    inputs = Inputs.STORE if _FROM_STORE in header else Inputs.REMOTE
    compared = next((one for one in RecipeComparison if f"# {one.value}" in header), RecipeComparison.AGREES)
    # Where inputs are does not move a line, so that no address must be known, or asked for, here.
    rows = [row for lock, _ in locks for row in downloaded_rows(lock)]
    addresses = Addresses(files=dict.fromkeys(rows, _ANYWHERE))
    dockerfile = plan(locks, Form(inputs=inputs, addresses=addresses, compared=compared))
    if len(dockerfile.text().splitlines()) != len(lines):
        raise UsageError(
            "it was changed, or another version rendered it", place=str(path), hint=_RENDER_AGAIN
        )
    return Rendering(text=lines, dockerfile=dockerfile, locks=tuple(lock for lock, _ in locks))


def _rendered_lock(project: Project, name: str, digest: str, path: Path) -> tuple[Lock, bytes]:
    place = project.locks / name
    if ".." in name.split("/") or not place.is_file():
        raise UsageError(
            f"it was rendered from lock/{name}, which is not here", place=str(path), hint=_RENDER_AGAIN
        )
    lock, data = read_lock(project, place)
    if Sha256.of(data) != digest:
        raise UsageError(f"lock/{name} changed since it was rendered", place=str(path), hint=_RENDER_AGAIN)
    return lock, data
