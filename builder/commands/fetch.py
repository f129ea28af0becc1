"""`fetch`: everything that locks name into the store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.console import Console
from builder.errors import FetchError, UsageError
from builder.fetch import JOBS, KnownFiles, Needs
from builder.lockfile import Lock, component_part
from builder.locks import read_locks, select_locks
from builder.mirror import Catalogue, catalogue, guide, parse_address, serve
from builder.model import counted, human_size
from builder.options import (
    ResultFormat,
    add_format,
    add_inputs,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.project import Project
from builder.provision import (
    AbsentImages,
    absent_images,
    fill_absent,
    store_lacks,
    store_needs,
    write_layouts,
)
from builder.render import Inputs
from builder.selection import Selection
from builder.store import arrived_size

__all__ = ["EXAMPLES", "Options", "add_options", "fetch_locked", "run"]

EXAMPLES = """\
  python -m builder fetch --framework dynamo --arch x86_64 --dry-run   how much is missing?
  python -m builder fetch --framework dynamo --inputs remote           git sources and base only
  python -m builder fetch --framework vllm --component flashinfer      only what building it alone needs
  python -m builder fetch --framework vllm --compare-with old/store    why are bytes not the locked ones?
  python -m builder fetch --framework dynamo --serve 127.0.0.1:8080    a mirror for pip, uv, apt, BuildKit
"""
_MOST_NAMES = 3


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `fetch`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, Inputs.STORE)
    verb.add_argument(
        "--component", default="", metavar="NAME", help="only what building this component alone needs"
    )
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
        for given, name in ((options.dry_run, "--dry-run"), (options.component, "--component")):
            if given:
                raise UsageError(f"--serve does not go with {name}", hint="use one of them")
        return serve_store(
            project_of(options, console),
            ServeOptions(selection=selection_of(options), address=options.serve, json=json),
        )
    return fetch_locked(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            inputs=Inputs(options.inputs),
            component=options.component,
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
    component: str = ""
    """Brings what building this one alone needs, instead of everything."""
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
    locks = _parts_to_fetch([lock for lock, _ in read_locks(project, targets)], options.component)
    wanted = store_needs(project, locks, options.inputs)
    missing = store_lacks(project, wanted)
    images = absent_images(locks, project.store) if options.images else None
    report = _stock_report(project, wanted, missing, images)
    if not options.dry_run:
        fill_absent(project, missing, options.jobs, KnownFiles(options.compare_with))
    _tell_images(project, locks, options)
    _tell_stock(project, report, options, [] if options.component else _run_time_downloads(locks))
    return 0


def _parts_to_fetch(locks: Sequence[Lock], component: str) -> list[Lock]:
    """Return the locks, or what building `component` reads of those that build it (UsageError for none)."""
    if not component:
        return list(locks)
    building = [lock for lock in locks if any(build.component == component for build in lock.builds)]
    return [component_part(lock, component) for lock in building or locks]


def _tell_images(project: Project, locks: Sequence[Lock], options: Options) -> None:
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


def _run_time_downloads(locks: Sequence[Lock]) -> list[str]:
    """Return what the software may still download when it runs: no fetch brings that (trap T9)."""
    return sorted({f"{lock.framework}: {text}" for lock in locks for text in lock.runtime.downloads})


@dataclass(frozen=True, slots=True, kw_only=True)
class _StockReport:
    """What was wanted and lacking before anything was fetched."""

    counts: dict[str, tuple[int, int]]
    """Wanted and lacking, by kind."""
    size: int
    """Bytes to come."""
    arrived: int
    """Bytes that an interrupted fetch has left of what is lacking."""
    unsized: tuple[str, ...]
    """How many of which kind have a size that is not known yet."""


def _stock_report(
    project: Project, wanted: Needs, missing: Needs, images: AbsentImages | None
) -> _StockReport:
    counts = {
        "files": (len({file.sha256 for file in (*wanted.files, *missing.files)}), len(missing.files)),
        "git sources": (len(wanted.sources), len(missing.sources)),
        "assembled bases": (len(wanted.bases), len(missing.bases)),
        "programs of checks": (len(wanted.programs), len(missing.programs)),
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
    return _StockReport(counts=counts, size=size - arrived, arrived=arrived, unsized=tuple(unsized))


def _tell_stock(project: Project, report: _StockReport, options: Options, at_run_time: Sequence[str]) -> None:
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
    arrived = f" ({human_size(report.arrived)} had arrived before)" if report.arrived else ""
    project.console.data(
        f"{word}: {human_size(report.size)}{arrived}{unsized}; the store is {project.store.root}"
    )
    for text in at_run_time:
        project.console.status(f"not fetched, because the software gets it at run time only: {text}")


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
    locks = [lock for lock, _ in read_locks(project, targets)]
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
