"""`report`: a static site that people look at, from locks and recipes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import builder
from builder import attest, diff
from builder.console import Console
from builder.errors import UsageError
from builder.io import read_bytes, replace_folder
from builder.locks import matrix_cells
from builder.matrix import newest_first
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.report import ReleaseDate, ReportFacts, read_build_records, read_judged_claims, report_pages
from builder.revisions import compare_sides, sides_of, targets_by_name
from builder.selection import Selection
from builder.verify import lock_proofs

__all__ = ["EXAMPLES", "Options", "add_options", "report_facts", "run", "write_report"]

EXAMPLES = """\
  python -m builder report                                 the default release, to report/
  python -m builder report --release all --output out/
  python -m builder report --against HEAD~1                with a page of what changed
  python -m builder report --release 1.4.2 --framework vllm --arch x86_64
  python -m builder report --record rendered/1.4.2/debian-13/dynamo/runtime.json
  python -m builder report --attestations attestations --keys keys.toml
"""
RECORD = "lockwright-report.json"
"""The file that marks a folder as a report, so that the next run may replace it."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `report`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write (default: report)")
    verb.add_argument(
        "--against",
        default="",
        metavar="REV-OR-DIR",
        help="add what changed since a revision, or beside the locks of a folder, in the words of diff",
    )
    verb.add_argument(
        "--record",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="add the timeline of a build: runtime.json or reproduce.json beside its image; may be repeated",
    )
    verb.add_argument(
        "--aligned",
        type=Path,
        metavar="FILE",
        help="show claims of documents beside the evidence: FILE is the output of align --format json",
    )
    verb.add_argument(
        "--attestations",
        type=Path,
        metavar="DIR",
        help="add a page of who signed that they built which digest, from the statements below a folder",
    )
    verb.add_argument(
        "--keys", type=Path, metavar="FILE", help="whose signatures count (with --attestations)"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the report; 0, or an error. Findings of `verify` are shown in it and do not make it fail."""
    return write_report(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            output=options.output,
            against=options.against,
            records=tuple(options.record),
            aligned=options.aligned,
            attestations=options.attestations,
            keys=options.keys,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    output: Path | None = None
    """The folder to write; without one, `report` in the project."""
    against: str = ""
    """A revision or folder that the locks are compared with."""
    records: tuple[Path, ...] = ()
    """Records of builds."""
    aligned: Path | None = None
    """What `align --format json` wrote."""
    attestations: Path | None = None
    """A folder of signed statements of rebuilds."""
    keys: Path | None = None
    """The keys of owners; without them nobody is known to have signed."""
    json: bool = False


def write_report(project: Project, options: Options) -> int:
    """Write the site into its folder; 0, or an error."""
    folder = options.output or project.root / "report"
    pages = report_pages(report_facts(project, options))
    replace_folder(folder, pages, record=RECORD)
    project.console.status(f"{len(pages)} pages, {sum(map(len, pages.values())):,} bytes")
    project.console.files([str(folder / "index.html")], as_json=options.json)
    return 0


def report_facts(project: Project, options: Options) -> ReportFacts:
    """Return what the pages show (the errors of `verify`, `matrix` and `diff`)."""
    library = project.library() if project.has_recipes else None
    selection = (
        options.selection.or_release(library.default_release.version) if library else options.selection
    )
    locks, proofs = lock_proofs(project, selection, (), library)
    return ReportFacts(
        version=builder.__version__,
        selection=str(options.selection),
        releases=tuple(
            ReleaseDate(version=one.version, date=str(one.date))
            for one in (newest_first(library) if library else ())
        ),
        cells=matrix_cells(project, selection) if library else (),
        locks=tuple(locks),
        proofs=tuple(proofs),
        builds=tuple(
            build
            for path in options.records
            for build in read_build_records(read_bytes(path), place=path.name)
        ),
        claims=read_judged_claims(read_bytes(options.aligned), place=str(options.aligned))
        if options.aligned
        else (),
        rebuilds=_signed_rebuilds(options),
        change=_compared_locks(project, options.against, selection) if options.against else None,
    )


def _signed_rebuilds(options: Options) -> tuple[attest.SignedRebuild, ...]:
    """Read the statements that were named, and who signed them."""
    if options.attestations is None:
        if options.keys is not None:
            raise UsageError("--keys requires --attestations", hint="name the folder of signed statements")
        return ()
    keys = attest.read_keys(options.keys) if options.keys is not None else None
    return attest.read_rebuilds(options.attestations, keys)


def _compared_locks(project: Project, against: str, selection: Selection) -> diff.Report:
    """Compare the selected locks with those of a revision or folder, as `diff` does."""
    words = (against, str(project.root)) if Path(against).is_dir() else (against,)
    sides = sides_of(project, words, staged=False)
    chosen = [name for name, group in targets_by_name(sides).items() if any(map(selection.holds, group))]
    if not chosen:
        raise UsageError("neither side has a lock of the selected targets", place=f"--against {against}")
    reading = compare_sides(sides, chosen)
    return diff.report(sides.before.label, sides.after.label, reading.compared, reading.unsound)
