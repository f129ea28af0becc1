"""The matrix as tables for people: columns and rows of plain text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from builder.matrix.cell import Cell, CellState, command, suggestion
from builder.matrix.floors import GpuGenerations, WheelFloor
from builder.matrix.release_versions import Accelerated, ReleaseVersions
from builder.matrix.typed_refusals import TypedRefusal

__all__ = [
    "FrameworkSummary",
    "LockedPlaces",
    "MatrixTable",
    "cuda_table",
    "framework_summaries",
    "gpu_table",
    "refusals_table",
    "summary_table",
    "targets_table",
    "versions_table",
    "wheels_table",
]

_LIBRARIES = ("nvidia-", "cuda-")

Item = TypeVar("Item")
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixTable:
    """A heading, what it is about in one sentence, and the cells."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkSummary:
    """Where one framework is locked in one release, and how many of its cells are in each state."""

    release: str
    framework: str
    places: tuple[LockedPlaces, ...]
    counts: Mapping[CellState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPlaces:
    """Platforms that are locked for the same architectures."""

    platforms: tuple[str, ...]
    arches: tuple[str, ...]


def framework_summaries(cells: Sequence[Cell]) -> tuple[FrameworkSummary, ...]:
    """Return one summary for each release and framework, in the order of the cells."""
    return tuple(
        FrameworkSummary(
            release=release,
            framework=framework,
            places=tuple(_platform_places([cell for cell in group if cell.state is CellState.LOCKED])),
            counts={state: sum(cell.state is state for cell in group) for state in CellState},
        )
        for (release, framework), group in _grouped_by(cells, lambda cell: _cell_group_key(cell)[:2])
    )


def overview_table(found: Sequence[FrameworkSummary]) -> MatrixTable:
    """Return one line for each framework, and for each release how many of its cells are locked."""
    releases = tuple(dict.fromkeys(row.release for row in found))
    shares = {
        (row.framework, row.release): f"{row.counts[CellState.LOCKED]}/{sum(row.counts.values())}"
        for row in found
    }
    frameworks = sorted({row.framework for row in found})
    return MatrixTable(
        title="Overview",
        about="How many cells are locked, of all platforms and architectures.",
        columns=("framework", *releases),
        rows=tuple((name, *(shares.get((name, item), "") for item in releases)) for name in frameworks),
    )


def summary_table(found: Sequence[FrameworkSummary]) -> MatrixTable:
    """Return one line for each release and framework: where it is locked, and how many cells are not."""
    rows = []
    for row in found:
        where = "; ".join(f"{', '.join(item.platforms)}: {', '.join(item.arches)}" for item in row.places)
        unlocked = (
            CellState.REFUSED,
            CellState.LOCKABLE,
            CellState.STAND_IN,
            CellState.NOT_LOCKABLE,
            CellState.UNTRIED,
        )
        others = [f"{row.counts[state]} {state}" for state in unlocked if row.counts[state]]
        rows.append((row.release, row.framework, where or "nowhere", ", ".join(others)))
    return MatrixTable(
        title="Summary",
        about="Where each framework is locked, and the number of its other cells.",
        columns=("release", "framework", "locked", "not locked"),
        rows=tuple(rows),
    )


def targets_table(cells: Sequence[Cell]) -> MatrixTable:
    """Return every cell, those that differ in platform and architecture only in one line."""
    rows = []
    for key, group in _grouped_by(cells, _cell_group_key):
        release, framework, word, reason = key
        for places in _platform_places(group):
            merged = [cell for cell in group if cell.target.platform in places.platforms]
            why = "; ".join(filter(None, (reason, _command_text(merged))))
            platforms, arches = ", ".join(places.platforms), ", ".join(places.arches)
            rows.append((release, framework, platforms, arches, word, why))
    return MatrixTable(
        title="Targets",
        about=(
            "What is locked; what is refused, and the trap; what is lockable, and the command that was run; "
            "whose command was tried on a stand-in; what is not lockable, and what is missing; "
            "what nobody tried to its end, and a command to try."
        ),
        columns=("release", "framework", "platforms", "architectures", "state", "why"),
        rows=tuple(rows),
    )


def _command_text(group: Sequence[Cell]) -> str:
    """Return the command of cells that are lockable or untried, and which of the two it is."""
    if lock := command(group):
        return f"lock it with: {lock}"
    if attempt := suggestion(group):
        return f"to try it: {attempt}"
    return ""


def refusals_table(found: Sequence[TypedRefusal]) -> MatrixTable:
    """Return the refusals that people typed into releases, and what recipes and trials say without them."""
    rows = tuple(
        (
            one.release,
            one.row.framework,
            str(len(one.refused)),
            one.row.reason,
            f"{one.standing}: {one.said}" if one.said else one.standing.value,
        )
        for one in found
    )
    return MatrixTable(
        title="Refusals",
        about=(
            "Refusals that are typed into releases, the number of targets of each, "
            "and what the tool says without it."
        ),
        columns=("release", "framework", "targets", "typed reason", "without it"),
        rows=rows,
    )


def versions_table(found: Sequence[ReleaseVersions]) -> MatrixTable:
    """Return names against releases; a version that no lock holds stands in brackets."""
    releases = list(dict.fromkeys(row.release for row in found))
    cell = {(row.name, row.release): row for row in found}
    rows = [
        (name, *(_version_text(cell.get((name, release))) for release in releases))
        for name in sorted({row.name for row in found})
    ]
    return MatrixTable(
        title="Versions",
        about="Component and distribution versions of each release; in brackets if no lock holds them.",
        columns=("name", *releases),
        rows=tuple(rows),
    )


def _version_text(row: ReleaseVersions | None) -> str:
    if row is None:
        return "-"
    shown = ", ".join(row.versions)
    return shown if row.locked else f"({shown})"


def cuda_table(found: Sequence[Accelerated]) -> MatrixTable:
    """Return the CUDA of each locked image."""
    return MatrixTable(
        title="CUDA",
        about="The platform's toolkit, and the CUDA version of the libraries that the wheels bring.",
        columns=("release", "framework", "platform", "architectures", "toolkit", "libraries"),
        rows=tuple(
            (
                row.release,
                row.framework,
                row.platform,
                ", ".join(row.arches),
                row.toolkit or "-",
                row.libraries or "-",
            )
            for row in found
        ),
    )


def wheels_table(found: Sequence[WheelFloor]) -> MatrixTable:
    """Return the wheels that decide: roots, those with CUDA, and those with an image's highest glibc.

    NVIDIA's own libraries are left out: they are what the CUDA column is about.
    """
    highest = {
        key: max(_version_numbers(row.glibc) for row in group)
        for key, group in _grouped_by(found, lambda row: (row.release, row.framework))
    }
    rows = [
        (row.release, row.framework, row.name, row.version, row.glibc or "-", row.cuda or "-")
        for row in found
        if not row.name.startswith(_LIBRARIES)
        and (row.root or row.cuda or _version_numbers(row.glibc) == highest[row.release, row.framework])
    ]
    return MatrixTable(
        title="Wheels",
        about="The lowest glibc and the CUDA of wheels: roots, CUDA builds, those with the highest glibc.",
        columns=("release", "framework", "wheel", "version", "glibc", "CUDA"),
        rows=tuple(rows),
    )


def gpu_table(found: Sequence[GpuGenerations]) -> MatrixTable:
    """Return the GPU generations of each locked image with a CUDA toolkit."""
    return MatrixTable(
        title="GPUs",
        about="GPU generations that native code is built for here; published wheels have their own list.",
        columns=("release", "framework", "platform", "compute capabilities", "generations"),
        rows=tuple(
            (row.release, row.framework, row.platform, ", ".join(row.capabilities), ", ".join(row.names))
            for row in found
        ),
    )


def _cell_group_key(cell: Cell) -> tuple[str, str, str, str]:
    return cell.target.release, cell.target.framework, cell.word, cell.reason


def _version_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


def _grouped_by(items: Iterable[Item], key: Callable[[Item], Key]) -> Iterator[tuple[Key, list[Item]]]:
    """Group equal keys wherever they stand, in the order of their first."""
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    yield from found.items()


def _platform_places(cells: Sequence[Cell]) -> Iterator[LockedPlaces]:
    """Yield platforms that have the same architectures, with these."""
    arches = [
        (platform, tuple(cell.target.arch.value for cell in group))
        for platform, group in groupby(
            sorted(cells, key=lambda cell: cell.target.platform), key=lambda cell: cell.target.platform
        )
    ]
    for shown, group in _grouped_by(arches, lambda item: item[1]):
        yield LockedPlaces(platforms=tuple(platform for platform, _ in group), arches=shown)
