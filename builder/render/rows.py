"""From the rows of one lock to the files that fetch stages hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from builder.errors import LockError
from builder.lockfile import BASE, INSTALLER, GitSource, Lock, OsPackage, PythonPackage
from builder.render.addresses import Addresses
from builder.render.fetches import FetchItem, FetchStages, Inputs, digests, grouped, single
from builder.render.instructions import File
from builder.render.quoting import line, sha256, shown
from builder.render.stages import Stage

__all__ = ["Fetches", "Form", "fetches", "wheel_requirement"]

_RELOCK = "run `python -m builder lock`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the rows of a lock become files: from their addresses, or all from the store."""

    inputs: Inputs
    addresses: Addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetches:
    """All fetch stages of one lock, and where each kind of row is."""

    os_packages: tuple[FetchStages, ...]
    python: tuple[FetchStages, ...]
    installer: tuple[Stage, ...]
    archives: tuple[tuple[str, tuple[Stage, ...]], ...]
    sources: tuple[tuple[str, tuple[Stage, ...]], ...]

    def stages(self) -> tuple[Stage, ...]:
        """Return every stage, in the order of the Dockerfile."""
        shared = (stage for group in (*self.os_packages, *self.python) for stage in group.stages)
        single_use = (stage for _, stages in (*self.archives, *self.sources) for stage in stages)
        return (*shared, *self.installer, *single_use)


def fetches(lock: Lock, form: Form) -> Fetches:
    """Return the fetch stages of `lock` (LockError for an incomplete row, UsageError without a place)."""
    arch = str(lock.arch)
    wheels = [row for row in lock.python if not row.build]
    components = sorted({row.component for row in lock.archives})
    return Fetches(
        os_packages=grouped(
            "rpms" if lock.environment.family == "rpm" else "debs",
            arch,
            "os-packages",
            [_os_item(row, form) for row in lock.os_packages],
            digests,
        ),
        python=grouped(
            "wheels",
            arch,
            "python",
            [(_row_environments(row), _wheel_item(row, form)) for row in wheels],
            _requirements_file,
        ),
        installer=single("installer", arch, "python for installer", _installer_items(wheels, form)),
        archives=tuple((name, _archive_stages(name, lock, form)) for name in components),
        sources=tuple((row.component, _source_stages(row, arch)) for row in lock.sources),
    )


def wheel_requirement(row: PythonPackage) -> str:
    """Return `name==version`, in which nothing can be taken for an option."""
    text = f"{row.name}=={row.version}"
    if not all(character.isalnum() or character in "._+!-=" for character in line(text)) or text[0] in "-.":
        raise LockError(f"{shown(text)} is not a name and version of a distribution")
    return text


def _row_environments(row: PythonPackage) -> tuple[str, ...]:
    return tuple(use for use in row.for_ if use != INSTALLER)


def _os_item(row: OsPackage, form: Form) -> tuple[tuple[str, ...], FetchItem]:
    uses = tuple(use for use in row.for_ if use != BASE)  # those of the base are in its tar
    url = ""
    if form.inputs is Inputs.REMOTE and uses:
        url = form.addresses.file_url(row)
    return uses, FetchItem(file=row.basename, sha256=row.sha256, url=url)


def _wheel_item(row: PythonPackage, form: Form) -> FetchItem:
    if not row.file or row.sha256 is None:
        cause = f"python: {shown(row.name)} is incomplete: neither a file with its sha256 nor a build"
        raise LockError(cause, hint=_RELOCK)
    url = form.addresses.file_url(row) if form.inputs is Inputs.REMOTE else ""
    requirement = f"{wheel_requirement(row)} --hash=sha256:{sha256(row.sha256)}"
    return FetchItem(file=row.file, sha256=row.sha256, url=url, requirement=requirement)


def _requirements_file(items: Iterable[FetchItem]) -> File:
    return File(lines=tuple(sorted(item.requirement for item in items)), target="/requirements.txt")


def _installer_items(rows: Iterable[PythonPackage], form: Form) -> list[FetchItem]:
    return [_wheel_item(row, form) for row in rows if INSTALLER in row.for_]


def _archive_stages(component: str, lock: Lock, form: Form) -> tuple[Stage, ...]:
    items = [
        FetchItem(
            file=row.file,
            sha256=row.sha256,
            url=form.addresses.file_url(row) if form.inputs is Inputs.REMOTE else "",
            mode="644",
        )
        for row in lock.archives
        if row.component == component
    ]
    return single(f"inputs-{component}", str(lock.arch), f"archives of {component}", items)


def _source_stages(row: GitSource, arch: str) -> tuple[Stage, ...]:
    """Return the stage of a git source, which always comes from the store: BuildKit fetches no git."""
    note = f"sources: {row.component} {row.version}, commit {row.commit}"
    return single(f"source-{row.component}", arch, note, [FetchItem(file=row.file, sha256=row.sha256)])
