"""What locks need of the store, what it lacks of that, and the way to fill it."""

from __future__ import annotations

from collections.abc import Sequence

from builder.errors import BuilderError
from builder.fetch import JOBS, BaseNeed, FileNeed, KnownFiles, Needs, fetch_all, needs
from builder.git import materialise
from builder.lockfile import Lock
from builder.model import Sha256
from builder.pin import store_base
from builder.project import Project
from builder.provision.progress import FetchProgress
from builder.render import Inputs
from builder.store import Request, recover

__all__ = ["fill_absent", "fill_store", "store_lacks", "store_needs"]


def fill_store(project: Project, locks: Sequence[Lock], inputs: Inputs, *, jobs: int = JOBS) -> Needs:
    """Bring into the store what building `locks` in this form takes from it, and return that.

    FetchError or DigestMismatchError naming each file that cannot be had.
    """
    wanted = store_needs(project, locks, inputs)
    fill_absent(project, store_lacks(project, wanted), jobs)
    return wanted


def store_needs(project: Project, locks: Sequence[Lock], inputs: Inputs) -> Needs:
    """Return what building `locks` in this form takes from the store."""
    return needs(locks, project.origins, everything=inputs is Inputs.STORE)


def store_lacks(project: Project, wanted: Needs) -> Needs:
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


def fill_absent(project: Project, missing: Needs, jobs: int, known: KnownFiles | None = None) -> None:
    """Download the files, then make the tars of git sources and bases (FetchError, DigestMismatchError).

    `known` are files that may have the right bytes, to explain wrong ones by.
    """
    if missing.files:
        _fetch_files(project, missing.files, jobs, known or KnownFiles(()))
    total = len(missing.sources) + len(missing.bases)
    if not total:
        return
    with project.console.steps("making tars", total) as steps:
        cache = project.git_cache
        for source in missing.sources:
            materialise(source, project.store, cache, origins=project.origins)
            steps.done(f"{source.component} {source.version}: commit {source.commit[:12]}")
        for base in missing.bases:
            _assemble_base(project, base)
            steps.done(f"{base.label}: assembled from {len(base.packages)} packages")


def _fetch_files(project: Project, files: Sequence[FileNeed], jobs: int, known: KnownFiles) -> None:
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
        fetch_all(
            project.store,
            requests,
            network=origins.network,
            jobs=jobs,
            progress=FetchProgress(project, shown),
        )


def _assemble_base(project: Project, base: BaseNeed) -> None:
    """Make the tar of an assembled base again, and insist on its digest."""
    try:
        store_base((row for row, _ in base.packages), project.store, expected=Sha256(base.sha256))
    except BuilderError as error:
        raise error.within(base.label) from None
