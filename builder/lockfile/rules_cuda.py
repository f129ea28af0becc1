"""Rules of CUDA: CUDA builds, one major version, compilers no newer than their runtime (T2, T3, T15). Pure.

The rows decide, not what a recipe says of itself. Environments are judged one
by one: the image's, and each build's, whose code runs in the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from builder.lockfile.cuda import (
    CUDA_COMPILERS,
    DECLARES_RUNTIME,
    GPU_ONLY,
    TOLD_BY_LABEL,
    CudaVersion,
    cuda_build,
    cuda_family,
    cuda_version,
    is_cuda_runtime,
    is_for_other_gpus,
)
from builder.lockfile.labels import row_label
from builder.lockfile.lock import RECIPE, RUNTIME, Lock, PythonPackage
from builder.lockfile.rule import Fault, LockRule
from builder.model import Arch, ObjectMemo

__all__ = ["CUDA_RULES", "CudaStack", "cuda_build_faults", "cuda_stack", "cuda_stack_faults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaStack:
    """What the rules of CUDA judge: the Python rows of a target, and the CUDA of its platform."""

    rows: tuple[PythonPackage, ...]
    arch: Arch
    toolkit: str = ""
    """The platform's CUDA version, or empty."""
    release: str = ""
    framework: str = ""
    accelerated: frozenset[str] = frozenset()
    """Distributions that the recipe wants as CUDA builds on every platform."""

    def environments(self) -> Iterator[tuple[str, tuple[PythonPackage, ...]]]:
        """Yield every environment that has Python rows, with its rows."""
        yield from _ENVIRONMENTS.get(self.rows, compute=_rows_by_environment)


def _rows_by_environment(
    rows: tuple[PythonPackage, ...],
) -> tuple[tuple[str, tuple[PythonPackage, ...]], ...]:
    return tuple(
        (environment, tuple(row for row in rows if environment in row.for_))
        for environment in sorted({use for row in rows for use in row.for_})
    )


_ENVIRONMENTS: ObjectMemo[tuple[PythonPackage, ...], tuple[tuple[str, tuple[PythonPackage, ...]], ...]] = (
    ObjectMemo(limit=8)
)
"""Each rule asks for the environments of the same rows."""


def cuda_stack(lock: Lock) -> CudaStack:
    """Return what the rules of CUDA judge of `lock`."""
    return CudaStack(
        rows=lock.python,
        arch=lock.arch,
        toolkit=lock.environment.cuda,
        release=lock.release,
        framework=lock.framework,
    )


def cuda_stack_faults(stack: CudaStack) -> Iterator[tuple[LockRule, Fault]]:
    """Yield the faults of Python rows before there is a lock, with their rules, in the order of the table."""
    for rule, finds in _STACK_RULES:
        for fault in finds(stack):
            yield rule, fault


def _named_row(row: PythonPackage) -> str:
    """Return a row with who asks for it, as the subject of a sentence."""
    askers = [name for name in row.via if name != RECIPE]
    if not askers:
        return f"{row.name} {row.version}"
    more = f" and {len(askers) - 2} more" if len(askers) > 2 else ""
    shown = f"{', '.join(askers[:2])}{more}" if more else " and ".join(askers)
    return f"{row.name} {row.version} (asked for by {shown})"


def _pins_hint(stack: CudaStack, pins: Mapping[str, str]) -> str:
    table = f"[python.{stack.framework}] of recipes/releases/{stack.release}.toml"
    bindings = ", ".join(f'{name} = "{version}"' for name, version in sorted(pins.items()))
    return f"bind it in {table}: {bindings}"


def _same_asker(one: PythonPackage, other: PythonPackage) -> bool:
    return bool({*one.via} & {*other.via} - {RECIPE})


# Builds with CUDA (trap T3)


def cuda_build_faults(stack: CudaStack) -> Iterator[Fault]:
    """Yield the builds without CUDA where the platform or another row brings CUDA."""
    reported: set[str] = set()
    for _, rows in stack.environments():
        why = _wants_cuda(stack, rows)
        for row in rows:
            told = row.name in TOLD_BY_LABEL | stack.accelerated or is_for_other_gpus(row.version)
            if not told or row_label(row) in reported:
                continue
            build = cuda_build(row, rows)
            declares = row.name in DECLARES_RUNTIME | stack.accelerated
            without = build.cuda is False or (build.cuda is None and declares)
            wanted = why or ("the recipe wants CUDA" if row.name in stack.accelerated else "")
            if without and wanted:
                reported.add(row_label(row))
                reason = (
                    f"nothing that it requires on {stack.arch} is a CUDA runtime (nvidia-* or cuda-*)"
                    if not build.by
                    else f"{build.by} says so"
                )
                yield Fault(
                    row=row_label(row),
                    text=f"{row.file or f'{row.name} {row.version}'} is built without CUDA: {reason}, "
                    f"and {wanted}",
                    hint=f"name an index that has {row.name} {row.version.partition('+')[0]} with CUDA for "
                    f"{stack.arch}, such as its project's own, under `indexes`, and make {row.name} a root",
                )


def _wants_cuda(stack: CudaStack, rows: tuple[PythonPackage, ...]) -> str:
    """Return what brings CUDA into an environment, in words; empty where nothing does."""
    if stack.toolkit:
        return f"the target has CUDA {stack.toolkit}"
    for row in rows:
        if is_cuda_runtime(row.name):
            return f"{_named_row(row)} is beside it"
    for row in rows:
        # Its other libraries, such as nvidia-cudnn-cu13, load the runtime from wherever it is.
        if row.name.startswith("nvidia-") and cuda_build(row, rows).version is not None:
            return f"{_named_row(row)} is beside it"
    for row in rows:
        if row.name in GPU_ONLY and cuda_build(row, rows).cuda is not False:
            return f"{row.name} {row.version}, which runs on GPUs only, is beside it"
    return ""


# One major version (trap T15)


def _cuda_major_faults(stack: CudaStack) -> Iterator[Fault]:
    """Yield rows of another major version of CUDA than the platform, or than the runtime beside them.

    A row of which every asker is reported is not: it goes when they do. A
    family of which one distribution asks for members of both versions chooses
    when it runs (nixl does), so the member for this version is enough.
    """
    reported: set[str] = set()
    for _, rows in stack.environments():
        versions = _row_versions(rows)
        anchor, described = _anchor_version(stack, rows, versions)
        if anchor is None:
            continue
        foreign = {
            row.name: row
            for row in rows
            if row.name in versions
            and versions[row.name].major != anchor.major
            and not _chosen_at_run_time(row, rows, anchor)
        }
        # A torch for another CUDA comes first: what else is of that CUDA was chosen for it.
        for row in sorted(foreign.values(), key=lambda row: row.name not in DECLARES_RUNTIME):
            caused = bool(row.via) and all(name in foreign and name != row.name for name in row.via)
            if caused or row_label(row) in reported:
                continue
            reported.add(row_label(row))
            yield _cuda_major_fault(stack, row, versions[row.name], anchor, described)


def _row_versions(rows: tuple[PythonPackage, ...]) -> dict[str, CudaVersion]:
    builds = ((row.name, cuda_build(row, rows)) for row in rows)
    return {name: build.version for name, build in builds if build.version is not None}


def _anchor_version(
    stack: CudaStack, rows: tuple[PythonPackage, ...], versions: Mapping[str, CudaVersion]
) -> tuple[CudaVersion | None, str]:
    """Return the CUDA that the others must agree with, and in words where it comes from.

    The platform's; else that of what torch was built for; else the oldest runtime's; else the first row's.
    """
    platform = cuda_version(stack.toolkit)
    if platform is not None:
        return platform, f"the target has CUDA {stack.toolkit}"
    told = [row for row in rows if row.name in versions]
    ranked = sorted(
        told,
        key=lambda row: (
            row.name not in DECLARES_RUNTIME,
            not is_cuda_runtime(row.name),
            versions[row.name].major,
        ),
    )
    if not ranked:
        return None, ""
    first = ranked[0]
    build = cuda_build(first, rows)
    by = f" ({build.by} says so)" if first.name in DECLARES_RUNTIME else ""
    return versions[first.name], f"{first.name} {first.version} beside it is for CUDA {build.version}{by}"


def _chosen_at_run_time(row: PythonPackage, rows: Iterable[PythonPackage], anchor: CudaVersion) -> bool:
    family, token = cuda_family(row.name)
    if token is None or is_cuda_runtime(row.name):
        return False
    return any(
        cuda_family(other.name) == (family, anchor.major) and _same_asker(row, other) for other in rows
    )


def _cuda_major_fault(
    stack: CudaStack, row: PythonPackage, version: CudaVersion, anchor: CudaVersion, described: str
) -> Fault:
    family, token = cuda_family(row.name)
    if row.name in DECLARES_RUNTIME and stack.toolkit:
        text = f"{row.file or row.name} is a build for CUDA {version.major}, and {described}"
        hint = (
            f"take a platform with CUDA {version.major}, or one without a toolkit, or a {row.name} for CUDA "
            f"{anchor.major}"
        )
        return Fault(row=row_label(row), text=text, hint=hint)
    text = f"{_named_row(row)} is for CUDA {version}, and {described}"
    askers = " and ".join(name for name in row.via if name != RECIPE) or f"framework {stack.framework}"
    if "+" in row.version:  # a local version label; a lock may hold what is not a version at all
        hint = f"take a {row.name} for CUDA {anchor.major}: name its index under `indexes`"
    elif token is None and row.name.startswith("cuda-"):
        hint = _pins_hint(stack, {row.name: f"{anchor.major}.*"})
    elif is_cuda_runtime(row.name) or row.name.startswith("nvidia-"):
        # NVIDIA's libraries have another name for each major version: no pin changes which one is asked for.
        hint = f"take versions of {askers} that are for CUDA {anchor.major}"
    else:
        hint = f"take the member of {family} for CUDA {anchor.major}, or versions of {askers} that ask for it"
    return Fault(row=row_label(row), text=text, hint=hint)


# Compilers and runtimes (traps T3, T15)


def _toolkit_faults(stack: CudaStack) -> Iterator[Fault]:
    """Yield runtimes of the image that are older than the platform's toolkit.

    Within a major version an older program runs on a newer runtime, not the
    other way round: what the toolkit compiles may call functions that an older
    libcudart lacks.
    """
    toolkit = cuda_version(stack.toolkit)
    for row in stack.rows if toolkit else ():
        version = cuda_version(row.version)
        in_image = RUNTIME in row.for_ and is_cuda_runtime(row.name)
        if in_image and toolkit and version and toolkit.is_newer_than(version):
            text = (
                f"the target has the toolkit of CUDA {toolkit}, and {row.name} {row.version} is older: "
                "code built with that toolkit may call functions that this runtime lacks"
            )
            hint = f"take a platform with CUDA {version}, or versions that bring CUDA {toolkit}"
            yield Fault(row=row_label(row), text=text, hint=hint)
            return  # the meta package and the library that it brings are one fault


def _compiler_faults(stack: CudaStack) -> Iterator[Fault]:
    """Yield compilers that are newer than the runtime beside them, or than that of the image."""
    image = [row for row in stack.rows if RUNTIME in row.for_ and is_cuda_runtime(row.name)]
    image.sort(key=lambda row: row.name, reverse=True)  # the library itself before the meta package
    reported: set[str] = set()
    for _, rows in stack.environments():
        own = sorted((row for row in rows if is_cuda_runtime(row.name)), key=lambda row: row.name)
        runtimes = [*own[::-1], *image]
        newer = {}
        for row in rows:
            version = cuda_version(row.version)
            if cuda_family(row.name)[0] in CUDA_COMPILERS and version:
                bound = next((text for text in _older_runtimes(version, runtimes, stack.toolkit)), "")
                if bound and row_label(row) not in reported:
                    newer[row] = (version, bound)
        pins = {row.name: _fitting_pin(stack, row, runtimes) for row in newer}
        for row, (version, bound) in newer.items():
            reported.add(row_label(row))
            text = (
                f"{_named_row(row)} is of CUDA {version}, and {bound}: code "
                "built with it may call functions that this runtime lacks"
            )
            yield Fault(row=row_label(row), text=text, hint=_pins_hint(stack, pins))


def _older_runtimes(version: CudaVersion, runtimes: Iterable[PythonPackage], toolkit: str) -> Iterator[str]:
    none = True
    for row in runtimes:
        none = False
        beside = cuda_version(row.version)
        if beside and version.is_newer_than(beside):
            yield f"{row.name} {row.version} beside it of CUDA {beside}"
    platform = cuda_version(toolkit)
    if none and platform and version.is_newer_than(platform):
        yield f"the target has CUDA {toolkit}"


def _fitting_pin(stack: CudaStack, row: PythonPackage, runtimes: list[PythonPackage]) -> str:
    """Return the version to bind a compiler to: one that another environment has, else any of that CUDA."""
    wanted = cuda_version(runtimes[0].version) if runtimes else cuda_version(stack.toolkit)
    others = [
        other for other in stack.rows if other.name == row.name and cuda_version(other.version) == wanted
    ]
    return others[0].version if others else f"{wanted}.*"


# Families (trap T2)


def _family_faults(stack: CudaStack) -> Iterator[Fault]:
    """Yield members of one family whose versions differ: `nixl` 0.7.1 beside `nixl-cu12` 1.5.1."""
    reported: set[str] = set()
    for _, rows in stack.environments():
        families: dict[str, list[PythonPackage]] = {}
        for row in rows:
            families.setdefault(cuda_family(row.name)[0], []).append(row)
        for family, members in families.items():
            names, versions = {row.name for row in members}, {_public_version(row) for row in members}
            if len(names) < 2 or len(versions) == 1:
                continue
            base = min(members, key=lambda row: (row.name != family, RECIPE not in row.via, row.name))
            for row in members:
                if _public_version(row) == _public_version(base) or row_label(row) in reported:
                    continue
                # NVIDIA's libraries count per major version: nvidia-cublas goes with no nvidia-cublas-cu12.
                together = _same_asker(row, base) or base.name in row.via
                if family.startswith("nvidia-") and not together:
                    continue
                reported.add(row_label(row))
                text = (
                    f"{_named_row(row)} is of one family with {base.name} "
                    f"{base.version}, and their versions differ"
                )
                yield Fault(row=row_label(row), text=text, hint=_pins_hint(stack, {row.name: base.version}))


def _public_version(row: PythonPackage) -> str:
    return _public_part(row.version)


@lru_cache(maxsize=8192)  # the locks of a release share most of their rows
def _public_part(version: str) -> str:
    try:
        return Version(version).public
    except InvalidVersion:
        return version


# The table


CUDA_RULES = (
    LockRule(
        id="cuda-builds",
        says="torch and what else needs a GPU are CUDA builds, where the platform or a row brings CUDA.",
        stops=True,
        why="it would run on the CPU, or not at all",
        finds=lambda lock: cuda_build_faults(cuda_stack(lock)),
        unsolvable=True,
    ),
    LockRule(
        id="cuda-families",
        says="Distributions that differ in `-cuNN` of their name only have one version.",
        stops=True,
        why="upstream makes and tries them together (trap T2)",
        finds=lambda lock: _family_faults(cuda_stack(lock)),
        unsolvable=True,
    ),
    LockRule(
        id="one-cuda",
        says="The platform and all rows of an environment are of one major version of CUDA.",
        stops=True,
        why="libraries of another major version are not found when it runs",
        finds=lambda lock: _cuda_major_faults(cuda_stack(lock)),
        unsolvable=True,
        after=("cuda-builds", "cuda-families"),
    ),
    LockRule(
        id="cuda-toolkit",
        says="The CUDA runtime of the image is at least as new as the platform's toolkit.",
        stops=True,
        why="what the toolkit compiles may call functions that the runtime lacks",
        finds=lambda lock: _toolkit_faults(cuda_stack(lock)),
        unsolvable=True,
    ),
    LockRule(
        id="cuda-compilers",
        says="No compiler of CUDA is newer than the CUDA runtime beside it, or in the image.",
        stops=True,
        why="what it compiles may call functions that the runtime lacks",
        finds=lambda lock: _compiler_faults(cuda_stack(lock)),
        unsolvable=True,
    ),
)
"""The rules of CUDA, causes before consequences."""

_STACK_RULES = tuple(
    zip(
        CUDA_RULES,
        (cuda_build_faults, _family_faults, _cuda_major_faults, _toolkit_faults, _compiler_faults),
        strict=True,
    )
)
"""Each rule with the function on rows alone, which `lock` asks before OS packages are resolved."""
