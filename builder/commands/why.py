"""`why`: the chains that lead to a package, component or file, in every lock; or a Dockerfile line's rows."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from builder.commands.rendered import read_rendered
from builder.console import Console
from builder.errors import UsageError
from builder.graph import LineAnswer, as_json, as_text, line_as_json, line_as_text, node_of, why
from builder.locks import read_lock, select_image, select_locks
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.render import origin_of
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "add_options", "explain", "run"]

EXAMPLES = """\
  python -m builder why numpy                                 in every lock
  python -m builder why libibverbs1 --release 1.4.2 --all     every row that requires it
  python -m builder why ucx --framework dynamo --format json
  python -m builder why --line 120 --dockerfile rendered/1.4.2/debian-13/dynamo/Dockerfile
"""
_MOST_CHAINS = 10


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
    locks = {target: read_lock(project, project.locks / target.path)[0] for target in targets}
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
        path = project.root / "rendered" / first.release / first.platform / first.framework / "Dockerfile"
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
