"""What only a mirror for apt needs: signed package lists, and the packages of assembled bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from builder.fetch import Session, fetch_all, index_paths, needs
from builder.lockfile import Lock, Repository
from builder.model import Sha256
from builder.project import Project
from builder.store import Request

__all__ = ["fill_package_lists"]


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
    kept = session.recipes / "indexes" / f"{repository.suite}-{repository.snapshot}"
    label = f"{repository.origin} {repository.suite}"
    path = f"dists/{repository.suite}/InRelease"
    inrelease = session.obtain(
        signed,
        (_list_url(repository, path, session),),
        kept=kept / "InRelease",
        label=f"{label} InRelease",
    )
    urls: dict[str, list[str]] = {}
    for path, sha256 in index_paths(repository, inrelease).items():
        urls.setdefault(sha256, []).append(_list_url(repository, path, session))
    for sha256, places in urls.items():
        name = _kept_file_name(places[0])
        session.obtain(sha256, tuple(places), kept=kept / name, label=f"{label} {name}")


def _list_url(repository: Repository, path: str, session: Session) -> str:
    return session.origins.archive_url(repository.origin, repository.snapshot, path)


def _kept_file_name(url: str) -> str:
    """Return the name under which recipes keep an index: `main-amd64.Packages.xz`."""
    component, binary, name = url.split("/")[-3:]
    return f"{component}-{binary.removeprefix('binary-')}.{name}"
