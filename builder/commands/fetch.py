"""`fetch`: everything that locks name into the store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.commands.images import AbsentImages, absent_images, write_layouts
from builder.commands.locks import select_locks
from builder.commands.transfers import Shown
from builder.console import Console
from builder.errors import BuilderError, FetchError, UsageError
from builder.fetch import BaseNeed, FileNeed, KnownFiles, Needs, fetch_all, needs
from builder.git import materialise
from builder.lockfile import Lock
from builder.mirror import Catalogue, catalogue, guide, parse_address, serve
from builder.model import Sha256, counted
from builder.options import (
    ResultFormat,
    add_format,
    add_inputs,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.pin import store_base
from builder.project import Project, read_lock
from builder.render import Inputs
from builder.selection import Selection
from builder.store import Request, arrived_size, recover

__all__ = ["EXAMPLES", "Options", "add_options", "fetch_locked", "fill_store", "human", "run"]

EXAMPLES = """\
  python -m builder fetch --framework dynamo --arch x86_64 --dry-run   how much is missing?
  python -m builder fetch --framework dynamo --inputs remote           git sources and base only
  python -m builder fetch --framework vllm --compare-with old/store    why are bytes not the locked ones?
  python -m builder fetch --framework dynamo --serve 127.0.0.1:8080    a mirror for pip, uv, apt, BuildKit
"""
JOBS = 16
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_MOST_NAMES = 3


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `fetch`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, Inputs.STORE)
    verb.add_argument("--dry-run", action="store_true", help="say how much is missing")
    verb.add_argument(
        "--jobs", type=int, default=JOBS, metavar="N", help="downloads at once (default: %(default)s)"
    )
    verb.add_argument(
        "--images", action="store_true", help="also bring the published base images, as OCI layouts"
    )
    verb.add_argument(
        "--compare-with",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="a file, folder or store with the right bytes, to say how wrong ones differ; may be repeated",
    )
    verb.add_argument(
        "--serve",
        default="",
        metavar="ADDRESS",
        help="fetch nothing; offer the store, read-only, at a port of loopback or HOST:PORT",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Bring what the selected locks name into the store, or offer what it has; 0, or an error."""
    json = options.format == ResultFormat.JSON
    if options.serve:
        if options.dry_run:
            raise UsageError("--serve does not go with --dry-run", hint="use one of them")
        return serve_store(
            project_of(options, console),
            ServeOptions(selection=selection_of(options), address=options.serve, json=json),
        )
    return fetch_locked(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            images=options.images,
            dry_run=options.dry_run,
            jobs=options.jobs,
            compare_with=tuple(options.compare_with),
            json=json,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    inputs: Inputs
    images: bool = False
    """Whether published base images are wanted too."""
    dry_run: bool = False
    jobs: int
    compare_with: tuple[Path, ...] = ()
    """Files, folders and stores that may have the right bytes, to explain wrong ones by."""
    json: bool = False


def fetch_locked(project: Project, options: Options) -> int:
    """Bring what the selected locks name into the store, or say how much is missing; 0, or an error."""
    if options.jobs < 1:
        raise UsageError(f"expected at least 1, got {options.jobs}", place="--jobs")
    targets = select_locks(project, options.selection)
    locks = [read_lock(project, project.locks / target.path)[0] for target in targets]
    wanted = _wanted(project, locks, options.inputs)
    missing = _missing(project, wanted)
    images = absent_images(locks, project.store) if options.images else None
    report = _report(project, wanted, missing, images)
    if not options.dry_run:
        _fill(project, missing, options.jobs, KnownFiles(options.compare_with))
    _images(project, locks, options)
    _tell(project, report, options, _at_run_time(locks))
    return 0


def fill_store(project: Project, locks: Sequence[Lock], inputs: Inputs, *, jobs: int = JOBS) -> Needs:
    """Bring into the store what building `locks` in this form takes from it, and return that.

    FetchError or DigestMismatchError naming each file that cannot be had.
    """
    wanted = _wanted(project, locks, inputs)
    _fill(project, _missing(project, wanted), jobs)
    return wanted


def _wanted(project: Project, locks: Sequence[Lock], inputs: Inputs) -> Needs:
    return needs(locks, project.origins, everything=inputs is Inputs.STORE)


def _missing(project: Project, wanted: Needs) -> Needs:
    """Return what the store has not; a missing base needs its packages instead of itself."""
    for digest in recover(project.store):
        project.console.warning(f"{digest} was damaged when the machine went down; it is fetched again")
    has = project.store.has
    bases = tuple(base for base in wanted.bases if not has(base.sha256))
    files = {file.sha256: file for base in bases for _, file in base.packages}
    files |= {file.sha256: file for file in wanted.files}
    return Needs(
        files=tuple(file for file in files.values() if not has(file.sha256, file.size)),
        sources=tuple(source for source in wanted.sources if not has(source.sha256)),
        bases=bases,
    )


def _fill(project: Project, missing: Needs, jobs: int, known: KnownFiles | None = None) -> None:
    if missing.files:
        _files(project, missing.files, jobs, known or KnownFiles(()))
    total = len(missing.sources) + len(missing.bases)
    if not total:
        return
    with project.console.steps("making tars", total) as steps:
        cache = project.git_cache
        for source in missing.sources:
            materialise(source, project.store, cache, origins=project.origins)
            steps.done(f"{source.component} {source.version}: commit {source.commit[:12]}")
        for base in missing.bases:
            _assemble(project, base)
            steps.done(f"{base.label}: assembled from {len(base.packages)} packages")


def _files(project: Project, files: Sequence[FileNeed], jobs: int, known: KnownFiles) -> None:
    origins = project.origins_of({file.origin for file in files})
    requests = [
        Request(
            sha256=file.sha256,
            size=file.size,
            urls=file.urls(origins),
            label=file.label,
            known=known.find(file.sha256),
        )
        for file in files
    ]
    with project.console.transfers("fetching") as shown:
        fetch_all(project.store, requests, network=origins.network, jobs=jobs, progress=Shown(project, shown))


def _assemble(project: Project, base: BaseNeed) -> None:
    """Make the tar of an assembled base again, and insist on its digest."""
    try:
        store_base((row for row, _ in base.packages), project.store, expected=Sha256(base.sha256))
    except BuilderError as error:
        raise error.within(base.label) from None


def _images(project: Project, locks: Sequence[Lock], options: Options) -> None:
    """Fetch published base images where that is asked for; say where they are, or that they were left out."""
    if options.images:
        layouts = {} if options.dry_run else write_layouts(project, locks, jobs=options.jobs)
        for image, folder in layouts.items():
            project.console.status(f"{image}: {folder}")
        return
    if options.inputs is not Inputs.STORE:
        return  # BuildKit downloads them itself
    published = [image for lock in locks for image in lock.images if image.digest]
    for name in sorted({f"{image.name}@{image.digest}" for image in published}):
        project.console.status(f"not fetched, because it is a published image (--images brings it): {name}")


def _at_run_time(locks: Sequence[Lock]) -> list[str]:
    """Return what the software may still download when it runs: no fetch brings that (trap T9)."""
    return sorted({f"{lock.framework}: {text}" for lock in locks for text in lock.runtime.downloads})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """What was wanted and lacking before anything was fetched."""

    counts: dict[str, tuple[int, int]]
    """Wanted and lacking, by kind."""
    size: int
    """Bytes to come."""
    arrived: int
    """Bytes that an interrupted fetch has left of what is lacking."""
    unsized: tuple[str, ...]
    """How many of which kind have a size that nobody knows yet."""


def _report(project: Project, wanted: Needs, missing: Needs, images: AbsentImages | None) -> _Report:
    counts = {
        "files": (len({file.sha256 for file in (*wanted.files, *missing.files)}), len(missing.files)),
        "git sources": (len(wanted.sources), len(missing.sources)),
        "assembled bases": (len(wanted.bases), len(missing.bases)),
    }
    size = sum(file.size or 0 for file in missing.files)
    unknown = sum(file.size is None for file in missing.files)
    unsized = [counted(unknown, "file")] if unknown else []
    lacking = [(file.sha256, file.size) for file in missing.files]
    if images is not None:
        counts["images"] = (images.wanted, images.incomplete)
        size += sum(images.parts.values())
        unsized += [counted(images.unsized, "image")] if images.unsized else []
        lacking += images.parts.items()
    arrived = sum(arrived_size(project.store, sha256, size) for sha256, size in lacking)
    return _Report(counts=counts, size=size - arrived, arrived=arrived, unsized=tuple(unsized))


def _tell(project: Project, report: _Report, options: Options, at_run_time: Sequence[str]) -> None:
    word = "missing" if options.dry_run else "fetched"
    if options.json:
        rows = {name: {"wanted": all_, word: lacking} for name, (all_, lacking) in report.counts.items()}
        sizes = {"bytes": report.size, "bytes there before": report.arrived}
        more = {"of unknown size": list(report.unsized), "at run time": list(at_run_time)}
        project.console.json({"store": str(project.store.root), **sizes, **rows, **more})
        return
    project.console.table(
        ("kind", "wanted", word),
        [(name, str(all_), str(lacking)) for name, (all_, lacking) in report.counts.items()],
    )
    unsized = "".join(f", and {text} of unknown size" for text in report.unsized)
    arrived = f" ({human(report.arrived)} had arrived before)" if report.arrived else ""
    project.console.data(f"{word}: {human(report.size)}{arrived}{unsized}; the store is {project.store.root}")
    for text in at_run_time:
        project.console.status(f"not fetched, because the software gets it at run time only: {text}")


def human(size: int) -> str:
    """Return a number of bytes for people."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{1 if unit else 0}f} {_UNITS[unit]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line asks for."""

    selection: Selection
    address: str
    json: bool = False


def serve_store(project: Project, options: ServeOptions) -> int:
    """Serve what the selected locks name until interrupted; 0, or an error. Nothing is fetched."""
    address = parse_address(options.address)
    targets = select_locks(project, options.selection)
    locks = [read_lock(project, project.locks / target.path)[0] for target in targets]
    offered = catalogue(locks, project.store)
    _tell_unserved(project, offered)

    def ready(base: str) -> None:
        if options.json:
            project.console.json({"url": base, "locks": [str(target) for target in targets]})
        else:
            project.console.data(guide(base, offered))

    serve(address, project.store, offered, ready=ready, heard=project.console.status)
    project.console.status("stopped")
    return 0


def _tell_unserved(project: Project, offered: Catalogue) -> None:
    """Say what cannot be served; an empty mirror is an error."""
    if not offered.paths and not offered.images:
        hint = "run `python -m builder fetch`, or import a bundle"
        place = str(project.store.root)
        raise FetchError("the store has nothing that these locks name", place=place, hint=hint)
    if offered.absent:
        names = sorted(set(offered.absent.values()))
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        project.console.warning(
            f"not in the store, so not served: {', '.join(names[:_MOST_NAMES])}{more} "
            "(package lists and base packages: `bundle --apt` brings them)"
        )
