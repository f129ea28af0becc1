"""Fetch stages: files by hash, from their origin or from the store, grouped by who uses them.

The caller decides where each input is had (`Addresses`); rendering only reads.
The rows of a lock become files, and files become stages: a stage holds the rows
with exactly the same uses, so that it changes only when its users do, and at
most 90 files, because an image has few layers.
Each carries the digests of its files in a form that its users check again:
what comes from the store is not verified by BuildKit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from builder.errors import LockError, UsageError
from builder.lockfile import (
    BASE,
    INSTALLER,
    DownloadedRow,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    RecipeComparison,
    check_programs,
)
from builder.render.instructions import SCRATCH, Add, Copy, File, Mount
from builder.render.quoting import Command, file_name, line, sha256, shown
from builder.render.stages import STORE, Stage

__all__ = [
    "Addresses",
    "FetchItem",
    "FetchStages",
    "Fetches",
    "Form",
    "Inputs",
    "chunks",
    "digests",
    "fetches",
    "grouped",
    "mounts",
    "single",
    "store_path",
    "verify",
    "wheel_requirement",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """One address for each file and each published image of some locks."""

    files: Mapping[DownloadedRow, str] = field(default_factory=dict)
    """URLs by row, as `builder.origins` decides them; the form `store` needs none."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Names under which images are had instead of their own."""

    def file_url(self, row: DownloadedRow) -> str:
        """Return the URL of a row's file (UsageError when none was decided)."""
        if row not in self.files:
            raise UsageError(
                f"no address of {shown(row.file)} is known",
                hint=f"configure its origin: --origin {shown(row.origin)}=LAYOUT+URL, or use --inputs store",
            )
        return self.files[row]

    def image_reference(self, image: Image) -> str:
        """Return the name and digest of a published image."""
        return f"{self.images.get(image.name, image.name)}@{image.digest}"


_MOST_FILES = 90
_SHOWN_USES = 3


class Inputs(StrEnum):
    """Where a Dockerfile takes its inputs from."""

    REMOTE = "remote"
    """Files from their origins; git sources and assembled bases from the store."""
    STORE = "store"
    """Everything from the store; the text names no place but those of images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchItem:
    """One file: its name in the stage, its digest, its address (empty: the store), and a requirement."""

    file: str
    sha256: str
    url: str = ""
    requirement: str = ""
    mode: str = ""
    """For files that steps may copy: a URL's would be another than the store's, and reach the image.

    For few files of a stage only: BuildKit does not merge such layers, and a mount has room for few.
    """

    def instruction(self) -> Add | Copy:
        """Return what brings the file into a stage."""
        target = f"/{file_name(self.file)}"
        if self.url:
            return Add(url=self.url, sha256=self.sha256, target=target, mode=self.mode)
        return Copy(stage=STORE, source=store_path(self.sha256), target=target, mode=self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchStages:
    """The stages that hold the rows of one set of uses."""

    uses: tuple[str, ...]
    stages: tuple[Stage, ...]


def store_path(digest: str) -> str:
    """Return the path of a file in the store."""
    digits = sha256(digest)
    return f"sha256/{digits[:2]}/{digits[2:]}"


def digests(items: Iterable[FetchItem]) -> File:
    """Return the digests of `items` as `sha256sum --check` reads them."""
    lines = tuple(f"{sha256(item.sha256)}  {file_name(item.file)}" for item in items)
    return File(lines=lines, target="/SHA256SUMS")


def verify(folder: str) -> Command:
    """Return the command that checks every file of a mounted fetch stage."""
    return ("env", f"--chdir={folder}", "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")


def mounts(stages: Iterable[str], folder: str) -> tuple[Mount, ...]:
    """Return one mount a stage, at `folder`/0, /1, …."""
    return tuple(Mount(stage=name, target=f"{folder}/{index}") for index, name in enumerate(stages))


def single(name: str, suffix: str, note: str, items: Iterable[FetchItem]) -> tuple[Stage, ...]:
    """Return the stages of files that must be seen in one folder; the last one has them all."""
    listed = sorted(items, key=lambda item: item.file)
    if len(listed) <= _MOST_FILES:
        return chunks(name, suffix, note, listed, digests)
    parts = chunks(f"{name}-part", suffix, note, listed, digests)
    copies = tuple(Copy(stage=part.name, source="/", target="/") for part in parts)
    whole = Stage(name=f"{name}-{suffix}", base=SCRATCH, notes=(note,), body=(*copies, digests(listed)))
    return (*parts, whole)


def chunks(
    name: str,
    suffix: str,
    note: str,
    items: Iterable[FetchItem],
    manifest: Callable[[Iterable[FetchItem]], File],
) -> tuple[Stage, ...]:
    """Return stages of at most 90 files each, with what `manifest` says of them."""
    listed = sorted(items, key=lambda item: item.file)
    for file, count in Counter(item.file for item in listed).items():
        if count > 1:
            raise LockError(f"{shown(file)} appears twice, with one use", place=shown(name))
    parts = [listed[start : start + _MOST_FILES] for start in range(0, len(listed), _MOST_FILES)]
    several = len(parts) > 1
    return tuple(
        Stage(
            name=f"{name}-{number}-{suffix}" if several else f"{name}-{suffix}",
            base=SCRATCH,
            notes=(f"{note} ({number} of {len(parts)})" if several else note,),
            body=(*(item.instruction() for item in part), manifest(part)),
        )
        for number, part in enumerate(parts, start=1)
    )


def grouped(
    kind: str,
    suffix: str,
    table: str,
    rows: Iterable[tuple[tuple[str, ...], FetchItem]],
    manifest: Callable[[Iterable[FetchItem]], File],
) -> tuple[FetchStages, ...]:
    """Return stages for rows given with their uses, one group a set of uses."""
    groups: dict[tuple[str, ...], list[FetchItem]] = {}
    for uses, item in rows:
        if uses:
            groups.setdefault(tuple(sorted(set(uses))), []).append(item)
    names = _fetch_stage_names(kind, sorted(groups))
    return tuple(
        FetchStages(
            uses=uses,
            stages=chunks(names[uses], suffix, f"{table} for {', '.join(uses)}", groups[uses], manifest),
        )
        for uses in sorted(groups)
    )


def _fetch_stage_names(kind: str, sets: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Name each set of uses after its members, or after the first of many."""
    names: dict[tuple[str, ...], str] = {}
    taken: Counter[str] = Counter()
    for uses in sets:
        more = len(uses) - 1
        word = "_".join(uses) if len(uses) <= _SHOWN_USES else f"{uses[0]}_and_{more}_more"
        taken[word] += 1
        names[uses] = f"{kind}-{word}" if taken[word] == 1 else f"{kind}-{word}_{taken[word]}"
    return names


_RELOCK = "run `python -m builder lock`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the rows of a lock become files: from their addresses, or all from the store."""

    inputs: Inputs
    addresses: Addresses
    compared: RecipeComparison = RecipeComparison.AGREES
    """How the locks compared with the recipes beside them; the header says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetches:
    """All fetch stages of one lock, and where each kind of row is."""

    os_packages: tuple[FetchStages, ...]
    python: tuple[FetchStages, ...]
    installer: tuple[Stage, ...]
    archives: tuple[tuple[str, tuple[Stage, ...]], ...]
    sources: tuple[tuple[str, tuple[Stage, ...]], ...]
    programs: tuple[Stage, ...] = ()
    """Of what checks run; the last stage has them all, and there is none where checks run no program."""

    def stages(self) -> tuple[Stage, ...]:
        """Return every stage, in the order of the Dockerfile."""
        shared = (stage for group in (*self.os_packages, *self.python) for stage in group.stages)
        single_use = (stage for _, stages in (*self.archives, *self.sources) for stage in stages)
        return (*shared, *self.installer, *single_use, *self.programs)


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
        programs=_program_stages(lock),
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


def _program_stages(lock: Lock) -> tuple[Stage, ...]:
    """Return the stages of the programs that checks run: they come from the store, as git sources do."""
    items = [
        FetchItem(file=file.rpartition("/")[2], sha256=sha256)
        for file, sha256 in check_programs(lock).items()
    ]
    if not items:
        return ()
    return single("check-programs", str(lock.arch), "programs of checks", items)


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
