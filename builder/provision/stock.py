"""What locks need of the store, what it lacks of that, and the way to fill it, with progress on the console.

A mirror for apt needs more: signed package lists, and the packages of assembled bases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from builder.console import Transfers
from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.fetch import (
    JOBS,
    BaseNeed,
    FileNeed,
    KnownFiles,
    Needs,
    ProgramNeed,
    Session,
    fetch_all,
    index_paths,
    needs,
)
from builder.git import materialise
from builder.lockfile import Lock, Repository
from builder.model import Sha256, counted
from builder.pin import store_base
from builder.project import Project
from builder.render import Inputs
from builder.store import Quiet, Request, recover

__all__ = [
    "FetchProgress",
    "fill_absent",
    "fill_package_lists",
    "fill_store",
    "store_lacks",
    "store_needs",
]


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
    """Return what the store lacks; a missing base needs its packages instead of itself."""
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
        programs=tuple(program for program in wanted.programs if not has(program.sha256)),
    )


def fill_absent(project: Project, missing: Needs, jobs: int, known: KnownFiles | None = None) -> None:
    """Take programs, download files, then make the tars of git sources and bases.

    FetchError for what cannot be had, DigestMismatchError for other bytes than the locked ones.

    `known` are files that may have the right bytes, to explain wrong ones by.
    """
    for program in missing.programs:
        _take_program(project, program)
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
            steps.done(f"{base.label}: assembled from {counted(len(base.packages), 'package')}")


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


def _take_program(project: Project, program: ProgramNeed) -> None:
    """Bring a program of checks from the recipes into the store, and insist on its digest."""
    data = project.check_program(program.file)
    if data is None:
        raise FetchError(
            "is not beside the recipes, and not in the store",
            place=f"recipes/{program.file}",
            hint=f"restore it (its SHA-256 is {program.sha256}), or import a bundle that has it",
        )
    observed = Sha256.of(data)
    if observed != program.sha256:
        raise DigestMismatchError(
            f"has sha256 {observed}, and the lock says {program.sha256}",
            place=f"recipes/{program.file}",
            hint="run `python -m builder lock`, or restore the file",
        )
    project.store.add_bytes(data)


def _assemble_base(project: Project, base: BaseNeed) -> None:
    """Make the tar of an assembled base again, and insist on its digest."""
    try:
        store_base((row for row, _ in base.packages), project.store, expected=Sha256(base.sha256))
    except BuilderError as error:
        raise error.within(base.label) from None


class FetchProgress(Quiet):
    """Progress in bytes; a place that gave wrong bytes is reported when the file has come from another."""

    def __init__(self, project: Project, shown: Transfers) -> None:
        self._console = project.console
        self._shown = shown
        self._positions: dict[str, int] = {}
        self._said: dict[str, list[str]] = {}

    def planned(self, requests: Sequence[Request]) -> None:
        """Say how much is to come."""
        self._shown.planned(len(requests), sum(request.size or 0 for request in requests))

    def advanced(self, request: Request, position: int) -> None:
        """Count bytes."""
        self._shown.advanced(position - self._positions.get(request.sha256, 0))
        self._positions[request.sha256] = position

    def finished(self, request: Request) -> None:
        """Say which file has arrived."""
        self._shown.advanced((request.size or 0) - self._positions.pop(request.sha256, 0))
        for text in self._said.pop(request.sha256, []):
            self._console.warning(text)
        self._shown.done(request.label)

    def failed(self, request: Request, error: BuilderError) -> None:
        """Remember wrong bytes: a place that has them deserves attention, one that has none does not."""
        if isinstance(error, DigestMismatchError):
            self._said.setdefault(request.sha256, []).append(f"{request.label}: {error}")


def fill_package_lists(project: Project, locks: Sequence[Lock]) -> None:
    """Bring the package lists and base packages of `locks` into the store.

    FetchError for a list that its archive has replaced and nobody kept.
    """
    with project.client() as client:
        session = project.session(client)
        for repository in sorted(_locked_repositories(locks), key=lambda row: (row.origin, row.suite)):
            if repository.inrelease is not None:  # apt cannot use an RPM repository
                _obtain_lists(repository, repository.inrelease, session)
        bases = needs(locks, project.origins, everything=False).bases
        files = {file.sha256: file for base in bases for _, file in base.packages}
        requests = [
            Request(sha256=file.sha256, size=file.size, urls=file.urls(project.origins), label=file.label)
            for file in files.values()
        ]
        fetch_all(project.store, requests, network=project.origins.network)


def _locked_repositories(locks: Iterable[Lock]) -> set[Repository]:
    return {repository for lock in locks for repository in lock.repositories}


def _obtain_lists(repository: Repository, signed: Sha256, session: Session) -> None:
    kept = f"{repository.suite}-{repository.snapshot}"
    label = f"{repository.origin} {repository.suite}"
    path = f"dists/{repository.suite}/InRelease"
    inrelease = session.obtain(
        signed,
        (_list_url(repository, path, session),),
        kept=session.kept_index(kept, "InRelease"),
        label=f"{label} InRelease",
    )
    urls: dict[str, list[str]] = {}
    for path, sha256 in index_paths(repository, inrelease).items():
        urls.setdefault(sha256, []).append(_list_url(repository, path, session))
    for sha256, places in urls.items():
        name = _kept_file_name(places[0])
        session.obtain(sha256, tuple(places), kept=session.kept_index(kept, name), label=f"{label} {name}")


def _list_url(repository: Repository, path: str, session: Session) -> str:
    return session.origins.archive_url(repository.origin, repository.snapshot, path)


def _kept_file_name(url: str) -> str:
    """Return the name under which recipes keep an index: `main-amd64.Packages.xz`."""
    component, binary, name = url.split("/")[-3:]
    return f"{component}-{binary.removeprefix('binary-')}.{name}"
