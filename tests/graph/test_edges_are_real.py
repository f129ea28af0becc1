"""The edges of every committed lock against the metadata itself: wheels' Requires-Dist, Debian's Depends.

Nothing of the resolvers' own walk is used: requirements are read with
packaging, relations with python-debian, and compared with what the lock says.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from pathlib import Path

import pytest
from debian.deb822 import PkgRelation
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from builder.console import Console
from builder.fetch.file_base import discover_file_base
from builder.fetch.session import Session
from builder.index.remote_wheel import RemoteFile, read_metadata_member
from builder.io.exchange import NotFoundError
from builder.io.http import Client
from builder.io.network import Network
from builder.lockfile.lock import RECIPE, REQUIRED, Lock, OsPackage, PythonPackage
from builder.lockfile.reading import parse_lock
from builder.project import Project, open_project
from builder.recipe.effective import EffectiveRecipe, effective_recipe
from builder.recipe.environment_requests import os_requests, python_requests
from builder.resolve.debian.archive import open_debian_archive
from builder.resolve.debian.index import Stanza
from builder.resolve.debian.universe import Universe

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("lock/*/*/*.toml"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    store = str(tmp_path_factory.mktemp("cache") / "store")
    return open_project(project=str(ROOT), store=store, origins=(), mirrors=(), console=Console(quiet=True))


def read(path: str) -> Lock:
    return parse_lock((ROOT / path).read_bytes(), place=path)


@pytest.mark.network
def test_every_python_edge_is_a_requirement(project: Project) -> None:
    library = project.library()
    locks = [read(path) for path in LOCKS]
    with Client(network=Network()) as client:
        requirements = metadata(locks, client)
    wrong = []
    for lock in locks:
        requests = python_requests(effective_recipe(library, lock.target), preferences={}, upgrade=())
        roots = {canonicalize_name(Requirement(text).name) for request in requests for text in request.roots}
        rows = {(row.name, use): row for row in lock.python for use in row.for_}
        for row in lock.python:
            for name in row.via:
                if name == RECIPE:
                    fine = row.name in roots or row.name == "pip"
                else:
                    askers = [rows[name, use] for use in row.for_ if (name, use) in rows]
                    fine = any(asks(asker, row, lock, requirements) for asker in askers)
                if not fine:
                    wrong.append(f"{lock.target}: {name} -> {row.name}")
    assert not wrong


def metadata(locks: list[Lock], client: Client) -> dict[str, list[Requirement]]:
    """Return the requirements of every wheel of the default index, by its SHA-256."""
    base = discover_file_base(client)
    wheels = {str(row.sha256): row for lock in locks for row in lock.python if row.origin == "pypi"}

    def read_one(row: PythonPackage) -> list[Requirement]:
        url = f"{base}{row.path}/{row.file}"
        try:
            data = client.get_bytes(f"{url}.metadata")
        except NotFoundError:
            wheel = RemoteFile(row.size or 0, lambda start, end: client.get_range(url, start, end))
            data = read_metadata_member(wheel, name=row.name, place=url)
        return [Requirement(text) for text in message_from_bytes(data).get_all("Requires-Dist", [])]

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(wheels, pool.map(read_one, wheels.values()), strict=True))


def asks(asker: PythonPackage, row: PythonPackage, lock: Lock, known: dict[str, list[Requirement]]) -> bool:
    if str(asker.sha256) not in known:
        return True  # built here, or declared: its metadata is in the recipe
    python = lock.environment.python
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": lock.arch.value,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    return any(
        requirement.marker is None or requirement.marker.evaluate(environment | {"extra": extra})
        for requirement in known[str(asker.sha256)]
        if canonicalize_name(requirement.name) == row.name
        for extra in ("", *asker.extras)
    )


@pytest.mark.network
def test_every_os_edge_is_a_dependency(project: Project) -> None:
    library = project.library()
    wrong = []
    with Client(network=Network()) as client:
        session = Session(
            store=project.store, origins=project.origins, client=client, recipes=project.recipes
        )
        for path in LOCKS:
            lock = read(path)
            if lock.os_packages and lock.environment.family == "debian":
                recipe = effective_recipe(library, lock.target)
                archive = open_debian_archive(
                    recipe.platform.repositories, lock.arch, library=library, session=session
                )
                wrong += list(unfounded(lock, recipe, archive.universe()))
    assert not wrong


def unfounded(lock: Lock, recipe: EffectiveRecipe, universe: Universe) -> Iterator[str]:
    versions = {row.name: row.version for row in lock.os_packages}
    asked = {name.partition("=")[0] for names in os_requests(recipe).values() for name in names}
    upgraded = {line.partition("=")[0] for image in lock.images for line in image.inventory}
    for row in lock.os_packages:
        stanza = universe.find(row.name, row.version)
        assert stanza is not None, row
        if not row.via:
            yield f"{lock.target}: nobody -> {row.name}"
        for name in row.via:
            asker = universe.find(name, versions.get(name, ""))
            if name == RECIPE:
                fine = bool({row.name, *provides(stanza)} & {*asked, *recipe.platform.base})
            elif name == REQUIRED:
                fine = stanza.essential or stanza.priority == "required"
            else:
                fine = asker is not None and (row.name in upgraded or needs(asker, row, stanza))
            if not fine:
                yield f"{lock.target}: {name} -> {row.name}"


def needs(asker: Stanza, row: OsPackage, stanza: Stanza) -> bool:
    return bool({*relations(asker.depends), *relations(asker.pre_depends)} & {row.name, *provides(stanza)})


def provides(stanza: Stanza) -> set[str]:
    return relations(stanza.provides)


def relations(field: str) -> set[str]:
    return (
        {str(part["name"]) for group in PkgRelation.parse_relations(field) for part in group}
        if field
        else set()
    )
