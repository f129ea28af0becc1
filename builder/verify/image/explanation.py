"""Every file of an image explained by a row of its lock, or named. Pure.

Which layer is what decides where a file may come from: OS packages, the folder
of a build, the Python environment.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from builder.lockfile import (
    BASE,
    LINKER_FILE,
    RUNTIME,
    Finding,
    Lock,
    LockSection,
    found,
    named_label,
    part_label,
    row_label,
)
from builder.model import FileFact, ImageFiles, LockedMembers, counted
from builder.verify.image import debs, wheels
from builder.verify.image.claim import FileClaim, Ground, fits
from builder.verify.image.generated import WriteScope, source_of, written_by
from builder.verify.image.libraries import LibraryClosure, library_closure

__all__ = ["Explanation", "LayerStack", "explain", "stack_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStack:
    """Layers by what they hold; each folder of a build is copied by one layer of its own."""

    system: frozenset[int]
    python: frozenset[int]
    prefixes: Mapping[str, frozenset[int]]

    def prefix(self, path: str) -> frozenset[int]:
        """Return the layers that may hold `path` because a build installs it; none for any other path."""
        for folder, layers in self.prefixes.items():
            if path.startswith(f"{folder}/"):
                return layers
        return frozenset()


def stack_of(lock: Lock, image: ImageFiles) -> LayerStack:
    """Find the layers of `image`: a folder's own is the first that holds nothing but files below it."""
    folders = [build.prefix.removeprefix("/") for build in lock.builds if build.runtime and build.prefix]
    python_prefix = _python_prefix(lock)
    own = {folder: _layers_of_folder(folder, image) for folder in (*folders, python_prefix)}
    first = min((layer for layers in own.values() for layer in layers), default=len(image.layers))
    python = own.pop(python_prefix)
    return LayerStack(system=frozenset(range(first)), python=python, prefixes=own)


def _python_prefix(lock: Lock) -> str:
    return lock.environment.python_prefix.removeprefix("/")


def _layers_of_folder(folder: str, image: ImageFiles) -> frozenset[int]:
    for layer, paths in enumerate(image.layers):
        if paths and all(path.startswith(f"{folder}/") for path in paths):
            return frozenset({layer})
    return frozenset()


_SHOWN = 100
_UNSET = ("Volumes", "ExposedPorts", "OnBuild", "Healthcheck", "StopSignal", "Shell")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LINKER = LINKER_FILE.removeprefix("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is wrong with an image, and by what the rest is explained."""

    findings: tuple[Finding, ...]
    grounds: Mapping[str, int]
    """How many files are explained on each ground."""
    python: int
    os_packages: int
    files: int
    libraries: LibraryClosure


@dataclass(slots=True)
class _FileJudge:
    """What is explained so far, and what was found."""

    lock: Lock
    image: ImageFiles
    stack: LayerStack
    owners: dict[str, Ground] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def take(
        self,
        row: str,
        claims: Iterable[FileClaim],
        layers: frozenset[int],
        excused: frozenset[str] = frozenset(),
    ) -> None:
        """Take what a row claims; what is not proven by bytes must come from one of `layers`."""
        missing = []
        for claim in claims:
            fact = self.image.files.get(claim.path)
            if fact is None:
                if claim.sha256 or claim.md5 or claim.target:
                    missing.append(claim.path)
                continue
            if claim.path in self.owners:
                continue
            self.owners[claim.path] = claim.ground
            for why in fits(claim, fact):
                self.findings.append(found("altered", f"/{claim.path}: {why}", row=row))
            if claim.ground is not Ground.BYTES and fact.kind != "directory" and fact.layer not in layers:
                why = f"/{claim.path}: a later layer ({fact.layer + 1}) put it there"
                self.findings.append(found("altered", why, row=row))
        for path in sorted({*missing} - excused)[:_SHOWN]:
            self.findings.append(found("absent", f"/{path} is not in the image", row=row))


def explain(
    lock: Lock,
    image: ImageFiles,
    wheel_files: Mapping[str, LockedMembers],
    deb_files: Mapping[str, LockedMembers],
) -> Explanation:
    """Explain `image` by `lock`; the references are what the store has of its rows, by SHA-256."""
    judge = _FileJudge(lock=lock, image=image, stack=stack_of(lock, image))
    judge.findings += [found("strange", text) for text in image.strange]
    judge.findings += check_settings(lock, image.config)
    foreign = [*_explain_packages(judge, deb_files), *_explain_distributions(judge, wheel_files)]
    _explain_linker_file(judge)
    for row, claims in foreign:
        paths = [claim.path for claim in claims if claim.path not in judge.owners]
        files = [path for path in paths if path in image.files and image.files[path].kind != "directory"]
        judge.owners.update(dict.fromkeys(files, Ground.LIST))
        text = f"no row of the lock has it; {counted(len(files), 'file')}, such as /{min(files, default='')}"
        judge.findings.append(found("foreign", text, row=row))
    judge.findings += _explain_rest(judge)
    libraries = library_closure(lock, image)
    judge.findings += libraries.findings
    grounds = Counter(
        ground.value for path, ground in judge.owners.items() if _is_counted(image.files.get(path))
    )
    return Explanation(
        findings=tuple(judge.findings),
        grounds={ground.value: grounds[ground.value] for ground in Ground},
        python=sum(1 for _ in wheels.distributions(image)),
        os_packages=len(debs.packages(image)),
        files=sum(_is_counted(fact) for fact in image.files.values()),
        libraries=libraries,
    )


def _is_counted(fact: FileFact | None) -> bool:
    return fact is not None and fact.kind != "directory"


def _explain_packages(
    judge: _FileJudge, references: Mapping[str, LockedMembers]
) -> Iterator[tuple[str, list[FileClaim]]]:
    """Explain what dpkg installed; yield the packages that no row explains."""
    lock, image = judge.lock, judge.image
    rows = {row.name: row for row in lock.os_packages if {BASE, RUNTIME} & {*row.for_}}
    bases = [image for image in lock.images if RUNTIME in image.roles]
    inventory = {line: base for base in bases for line in base.inventory}
    where = debs.layout(image)
    seen = set()
    strangers = []
    for package in debs.packages(image):
        row = rows.get(package.name)
        name = named_label(LockSection.OS_PACKAGES, package.name, package.version)
        claims = list(debs.from_lists(package, image, where))
        if row is not None and (row.version, row.arch) == (package.version, package.arch):
            seen.add(package.name)
            reference = references.get(row.sha256)
            if reference is not None:
                claims = list(debs.from_deb(package, reference, where))
        elif base := inventory.get(f"{package.name}={package.version}"):
            name = part_label(base, package.name, package.version)
        else:
            strangers.append((name, claims))
            continue
        out = frozenset(claim.path for claim in claims if where.left_out(claim.path))
        judge.take(name, claims, judge.stack.system, out)
    for name in sorted(rows.keys() - seen):
        judge.findings.append(found("absent", "it is not installed", row=row_label(rows[name])))
    yield from strangers


def _explain_distributions(
    judge: _FileJudge, references: Mapping[str, LockedMembers]
) -> Iterator[tuple[str, list[FileClaim]]]:
    """Explain Python distributions outside OS packages; yield those that no row explains."""
    rows = {row.name: row for row in judge.lock.python if RUNTIME in row.for_}
    prefix = _python_prefix(judge.lock)
    seen = set()
    strangers = []
    for one in wheels.distributions(judge.image):
        if f"{one.info}/METADATA" in judge.owners:
            continue  # an OS package brings it
        row = rows.get(one.name)
        name = named_label(LockSection.PYTHON, one.name, one.version)
        claims = list(wheels.from_record(one, judge.image))
        ours = row is not None and row.version == one.version and one.folder.startswith(f"{prefix}/lib/")
        if row is None or not ours or one.name in seen:
            strangers.append((name, claims))
            continue
        seen.add(one.name)
        reference = references.get(row.sha256 or "")
        if reference is not None:
            listed = [claim for claim in claims if claim.path == wheels.optional(one)]
            claims = [*wheels.from_wheel(one, reference, prefix), *listed]
        judge.take(name, claims, judge.stack.python)
    for name in sorted(rows.keys() - seen):
        judge.findings.append(found("absent", "it is not installed", row=row_label(rows[name])))
    yield from strangers


def _explain_linker_file(judge: _FileJudge) -> None:
    folders = judge.lock.runtime.library_path
    if folders:
        text = "".join(f"{folder}\n" for folder in folders)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        judge.take(
            "runtime library-path", [FileClaim(path=_LINKER, ground=Ground.BYTES, sha256=sha256)], frozenset()
        )


def _explain_rest(judge: _FileJudge) -> Iterator[Finding]:
    """Explain the rest by builds and programs; yield what is left, file by file up to a number."""
    left: list[str] = []
    compiled: list[str] = []
    for path, fact in sorted(judge.image.files.items()):
        if path in judge.owners or fact.kind == "directory":
            continue
        ground = _ground_of_file(judge, path, fact)
        if ground is None:
            (compiled if source_of(path) in judge.owners else left).append(path)
        else:
            judge.owners[path] = ground
    for path in left[:_SHOWN]:
        fact = judge.image.files[path]
        yield found("unexplained", f"/{path}: no row explains this {fact.kind} (layer {fact.layer + 1})")
    if len(left) > _SHOWN:
        yield found("unexplained", f"{len(left) - _SHOWN} more files")
    if compiled:
        files = counted(len(compiled), "file")
        text = f"{files} beside the modules that their names point to, such as /{compiled[0]}"
        yield found("bytecode", text)


def _ground_of_file(judge: _FileJudge, path: str, fact: FileFact) -> Ground | None:
    if fact.layer in judge.stack.prefix(path):
        return Ground.PLACE
    if source_of(path) in judge.owners and fact.layer in judge.stack.python:
        return Ground.RULE  # pip ran there and imported it
    rule = written_by(fact, _python_prefix(judge.lock))
    if rule is None:
        return None
    layers = {WriteScope.SYSTEM: judge.stack.system, WriteScope.PYTHON: judge.stack.python}
    return Ground.RULE if rule.scope is WriteScope.ANY or fact.layer in layers[rule.scope] else None


def check_settings(lock: Lock, config: Mapping[str, object]) -> Iterator[Finding]:
    """Yield where variables, command or entrypoint are not the lock's; a published base may add variables."""
    yield from _check_commands(lock, config)
    lines = config.get("Env")
    there = dict(
        line.split("=", 1) for line in (lines if isinstance(lines, list) else []) if "=" in str(line)
    )
    wanted_env = dict(lock.runtime.env)
    if lock.runtime.user:
        wanted_env["HOME"] = lock.runtime.home
    assembled = any(image.tar for image in lock.images)
    yield from _check_user(lock, config, assembled=assembled)
    if any(RUNTIME in row.for_ for row in lock.python):
        wanted_env.setdefault("PATH", f"{lock.environment.python_prefix}/bin:{_SYSTEM_PATH}")
    for name, value in sorted(wanted_env.items()):
        if there.get(name) != value:
            yield found(
                "settings", f"{name} is {_shown_value(there.get(name, ''))}, locked is {_shown_value(value)}"
            )
    if assembled:
        for name in sorted(there.keys() - wanted_env.keys() - {"PATH"}):
            yield found("settings", f"the variable {str(name)[:100]} is set, but not in the lock")
        for key in _UNSET:
            if config.get(key) not in (None, "", [], {}, "/"):
                yield found("settings", f"{key} is set, but not in the lock")


def _check_commands(lock: Lock, config: Mapping[str, object]) -> Iterator[Finding]:
    for key, wanted in (("Cmd", lock.runtime.command), ("Entrypoint", lock.runtime.entrypoint)):
        here = config.get(key) or []
        if here != list(wanted):
            yield found("settings", f"{key} is {_shown_value(here)}, locked is {_shown_value(list(wanted))}")


def _check_user(lock: Lock, config: Mapping[str, object], *, assembled: bool) -> Iterator[Finding]:
    """Yield where user or working folder differ; where a lock has none, a published base may have its own."""
    for key, locked in (("User", lock.runtime.user), ("WorkingDir", lock.runtime.home)):
        here = config.get(key) or ""
        if here != locked and (locked or (assembled and here != "/")):
            yield found("settings", f"{key} is {_shown_value(here)}, locked is {_shown_value(locked)}")


def _shown_value(value: object) -> str:
    return repr(value)[:300]
