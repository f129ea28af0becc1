"""What the verbs share: which targets, where things are, the form of the result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.model import Arch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.console import Console
    from builder.project import Project
    from builder.selection import Selection

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names no public type

__all__ = [
    "add_engine",
    "add_format",
    "add_inputs",
    "add_places",
    "add_selection",
    "add_verb",
    "project_of",
    "selection_of",
]


def add_verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add a verb with its help and `--quiet`."""
    verb = verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.add_argument("--quiet", "-q", action="store_true", help="errors and results only")
    return verb


def add_selection(verb: argparse.ArgumentParser, *, otherwise: str = "the default release") -> None:
    """Add the options that choose targets; `selection_of` reads them. `otherwise` is said of no --release."""
    which = verb.add_argument_group("which targets")
    for word, said in (
        ("--release", f"a release, or all (default: {otherwise})"),
        ("--platform", "a platform; may be repeated"),
        ("--framework", "a framework; may be repeated"),
    ):
        which.add_argument(word, action="append", default=[], metavar="NAME", help=said)
    arches = [arch.value for arch in Arch]
    which.add_argument("--arch", action="append", default=[], choices=arches, help="may be repeated")


def add_places(verb: argparse.ArgumentParser, store: dict[str, Any] | None = None) -> None:
    """Add the options that say where things are; `project_of` reads them; `store` words `--store` anew."""
    where = verb.add_argument_group("where things are")
    where.add_argument("--project", default="", metavar="DIR", help="folder of recipes and locks")
    where.add_argument(
        "--store", metavar="DIR", **(store or {"default": "", "help": "content-addressed store"})
    )
    where.add_argument("--origin", action="append", default=[], metavar="NAME=URL", help="bind an origin")
    where.add_argument("--mirror", action="append", default=[], metavar="FROM=TO", help="use a mirror")


def add_format(verb: argparse.ArgumentParser, forms: Sequence[str] = ("text", "json")) -> None:
    """Add `--format`; the first form is the default."""
    verb.add_argument("--format", choices=forms, default=forms[0], help="form of the result")


def add_inputs(verb: argparse.ArgumentParser, default: str) -> None:
    """Add `--inputs`."""
    said = f"where files come from: their origins, or the store alone (default: {default})"
    verb.add_argument("--inputs", choices=("remote", "store"), default=default, help=said)


def add_engine(verb: argparse.ArgumentParser) -> None:
    """Add what the verbs share that build."""
    add_inputs(verb, "remote")
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder for the image and records")
    said = "what builds (default: buildkit); buildah takes --inputs store only"
    verb.add_argument("--engine", choices=("buildkit", "buildah"), default="buildkit", help=said)
    verb.add_argument("--builder", default="", metavar="NAME", help="builder of docker buildx")


def selection_of(options: argparse.Namespace) -> Selection:
    """Return which targets are meant."""
    from builder.selection import Selection  # noqa: PLC0415 - see the package's docstring

    return Selection(
        releases=tuple(options.release),
        platforms=tuple(options.platform),
        frameworks=tuple(options.framework),
        arches=tuple(Arch(arch) for arch in options.arch),
    )


def project_of(options: argparse.Namespace, console: Console) -> Project:
    """Find the project and read its configuration (UsageError)."""
    from builder.project import open_project  # noqa: PLC0415 - see the package's docstring

    return open_project(
        project=options.project,
        store=options.store or "",
        origins=tuple(options.origin),
        mirrors=tuple(options.mirror),
        console=console,
    )
