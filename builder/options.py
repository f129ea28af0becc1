"""Options that several verbs share: which targets, where things are, the engine, the form of the result.

A default stands in the option alone; the `Options` of a verb know only "not given".
Choices come from the enum or the table that owns them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder import build
from builder.errors import UsageError
from builder.model import Arch
from builder.project import Project, open_project
from builder.selection import Selection, parse_arch

if TYPE_CHECKING:
    from builder.build import WantedImage
    from builder.console import Console
    from builder.render import Inputs

__all__ = [
    "STDOUT",
    "DocumentOptions",
    "ResultFormat",
    "add_arch",
    "add_cooldown",
    "add_documents",
    "add_engine",
    "add_format",
    "add_index_url",
    "add_inputs",
    "add_output",
    "add_places",
    "add_selection",
    "documents_of",
    "one_for_stdout",
    "output_of",
    "project_of",
    "selection_of",
    "wanted_image",
]


STDOUT = Path("-")
"""What `--output -` means: the document goes to standard output, and no file is written."""


class ResultFormat(StrEnum):
    """The form of a result on standard output."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    JUNIT = "junit"


def add_selection(verb: argparse.ArgumentParser, *, otherwise: str = "the default release") -> None:
    """Add the options that choose targets; `selection_of` reads them.

    `otherwise` says in the help what is taken without `--release`.
    """
    which = verb.add_argument_group("which targets")
    for option, meaning in (
        ("--release", f"a release, or all (default: {otherwise})"),
        ("--platform", "a platform; may be repeated"),
        ("--framework", "a framework; may be repeated"),
    ):
        which.add_argument(option, action="append", default=[], metavar="NAME", help=meaning)
    add_arch(which, "may be repeated")


def add_arch(group: argparse._ActionsContainer, meaning: str) -> None:
    """Add `--arch` to a parser or a group of it."""
    names = " or ".join(arch.value for arch in Arch)
    group.add_argument("--arch", action="append", default=[], metavar="ARCH", help=f"{names}; {meaning}")


def add_places(verb: argparse.ArgumentParser, store: dict[str, Any] | None = None) -> None:
    """Add the options that say where things are; `project_of` reads them.

    `store` are the settings of `--store` where the verb takes it in another way.
    """
    where = verb.add_argument_group("where things are")
    where.add_argument("--project", default="", metavar="DIR", help="folder of recipes and locks")
    where.add_argument(
        "--store", metavar="DIR", **(store or {"default": "", "help": "content-addressed store"})
    )
    where.add_argument(
        "--origin", action="append", default=[], metavar="NAME=URL", help="set the place of an origin"
    )
    where.add_argument("--mirror", action="append", default=[], metavar="FROM=TO", help="use a mirror")


def add_format(verb: argparse.ArgumentParser, *others: ResultFormat) -> None:
    """Add `--format` for text and JSON, and for `others`."""
    forms = [form.value for form in (ResultFormat.TEXT, ResultFormat.JSON, *others)]
    verb.add_argument("--format", choices=forms, default=forms[0], help="output format")


def add_cooldown(verb: argparse.ArgumentParser) -> None:
    """Add `--cooldown`."""
    verb.add_argument(
        "--cooldown",
        action="append",
        default=[],
        metavar="DAYS",
        help='how old a version must be, such as "7 days", or longer for one: NAME=DAYS '
        "(default: lockwright.toml, or a week)",
    )


def add_inputs(verb: argparse.ArgumentParser, default: Inputs) -> None:
    """Add `--inputs` and `--stale`, of the verbs that render."""
    verb.add_argument(
        "--inputs",
        choices=[form.value for form in type(default)],
        default=default.value,
        help="where files come from: their origins, or the store alone (default: %(default)s)",
    )
    verb.add_argument(
        "--stale",
        action="store_true",
        help="render locks that differ from the recipes too; the header says so",
    )


def add_engine(verb: argparse.ArgumentParser) -> None:
    """Add the options of engines that build."""
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder for the image and records")
    verb.add_argument(
        "--engine",
        choices=build.ENGINES,
        default=build.BUILDKIT,
        help="what builds (default: %(default)s); buildah takes --inputs store only",
    )
    verb.add_argument("--builder", default="", metavar="NAME", help="builder of docker buildx")


def add_documents(verb: argparse.ArgumentParser) -> None:
    """Add the options of verbs that write documents of selected locks; `documents_of` reads them."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_output(verb, "the document of one lock")


def add_output(verb: argparse.ArgumentParser, what: str) -> None:
    """Add `--output` of verbs that write files; `what` of them may go to standard output."""
    verb.add_argument(
        "--output", metavar="DIR", help=f"folder to write to; - writes {what} to standard output"
    )


def output_of(options: argparse.Namespace) -> Path | None:
    """Return the folder of `--output`, STDOUT, or None (UsageError for STDOUT in two forms at once)."""
    if options.output == "-" and options.format == ResultFormat.JSON:
        raise UsageError(
            "standard output takes one document", place="--output -", hint="leave out --format json"
        )
    return None if options.output is None else Path(options.output)


def one_for_stdout(found: int, what: str) -> None:
    """Refuse to write several documents to standard output, one after another (UsageError)."""
    if found != 1:
        raise UsageError(
            f"standard output takes one document, and {found} {what} are selected",
            place="--output -",
            hint="name one: --release, --platform, --framework, --arch",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """Of which locks documents are written, and where."""

    selection: Selection
    output: Path | None = None
    """The folder to write to, or STDOUT; without one, the folder of the rendered image."""
    json: bool = False


def documents_of(options: argparse.Namespace) -> DocumentOptions:
    """Return what `add_documents` asked for (UsageError for an unknown architecture)."""
    return DocumentOptions(
        selection=selection_of(options),
        output=output_of(options),
        json=options.format == ResultFormat.JSON,
    )


def add_index_url(verb: argparse.ArgumentParser) -> None:
    """Add `--index-url`."""
    verb.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")


def selection_of(options: argparse.Namespace) -> Selection:
    """Return which targets are meant (UsageError for an unknown architecture)."""
    return Selection(
        releases=tuple(options.release),
        platforms=tuple(options.platform),
        frameworks=tuple(options.framework),
        arches=tuple(map(parse_arch, options.arch)),
    )


def project_of(options: argparse.Namespace, console: Console) -> Project:
    """Find the project and read its configuration (UsageError)."""
    return open_project(
        project=options.project,
        store=options.store or "",
        origins=tuple(options.origin),
        mirrors=tuple(options.mirror),
        console=console,
    )


def wanted_image(options: argparse.Namespace, inputs: Inputs) -> WantedImage:
    """Return what is to be built from `inputs`, by the options of `add_selection` and `add_engine`."""
    return build.WantedImage(
        selection=selection_of(options),
        inputs=inputs,
        stale=options.stale,
        component=options.component,
        output=options.output,
    )
