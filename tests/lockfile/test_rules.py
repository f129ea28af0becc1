"""The table of rules of locks: each rule has a lock that breaks it, and it only; every reader uses it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from builder.errors import LockError
from builder.lockfile.finding import RULES
from builder.lockfile.labels import row_label
from builder.lockfile.lock import Check, Lock, row_key, summary_digest
from builder.lockfile.reading import check_lock, dump_lock, examine, parse_lock
from builder.lockfile.rules import LOCK_RULES, lock_faults
from builder.model.digest import Evidence, ImageDigest, Sha256
from builder.model.structuring import Table
from builder.model.text import SourceLine

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "lock/1.4.2/debian-13-cuda-13.0/dynamo-x86_64.toml"
SOURCES = ROOT / "lock/1.4.2/debian-12-python-3.12/dynamo-x86_64.toml"
ASSEMBLED = ROOT / "tests/golden/assembled/lock-aarch64.toml"
INTERPRETER = ROOT / "tests/golden/own-interpreter/lock-x86_64.toml"
RPM = ROOT / "tests/golden/rpm/lock-x86_64.toml"

Row = TypeVar("Row")
Change = Callable[[Lock], Lock]


@cache
def sound(path: Path) -> Lock:
    """Return a lock that breaks no rule; golden ones have made-up inputs, which are completed."""
    lock = parse_lock(path.read_bytes(), place=path.name)
    if "golden" not in path.parts:
        return lock
    built = {f"component.{build.component}.version": "0" * 16 for build in lock.builds}
    table = Table({**dict(lock.inputs), **built})
    return dataclasses.replace(lock, inputs=table, recipe_digest=summary_digest(table))


def changed(row: Row, **changes: Any) -> Row:
    """Return a copy of a row or lock with other fields; their types are not known here."""
    made: Row = dataclasses.replace(row, **changes)  # type: ignore[type-var]
    return made


def head(**changes: Any) -> Change:
    return lambda lock: changed(lock, **changes)


def environment(**changes: Any) -> Change:
    return lambda lock: dataclasses.replace(
        lock, environment=dataclasses.replace(lock.environment, **changes)
    )


def runtime(**changes: Any) -> Change:
    return lambda lock: dataclasses.replace(lock, runtime=dataclasses.replace(lock.runtime, **changes))


def every(row: Any) -> bool:
    return row is not None


def first(section: str, where: Callable[[Any], object] = every, **changes: Any) -> Change:
    """Change fields of the first row of a section that fits; a value may be a function of the row."""

    def change(lock: Lock) -> Lock:
        rows = list(getattr(lock, section))
        at = next(number for number, row in enumerate(rows) if where(row))
        made = {key: value(rows[at]) if callable(value) else value for key, value in changes.items()}
        rows[at] = dataclasses.replace(rows[at], **made)
        return changed(lock, **{section: tuple(rows)})

    return change


def without(section: str, where: Callable[[Any], object] = every) -> Change:
    """Remove the first row of a section that fits."""

    def change(lock: Lock) -> Lock:
        rows = list(getattr(lock, section))
        del rows[next(number for number, row in enumerate(rows) if where(row))]
        return changed(lock, **{section: tuple(rows)})

    return change


def also(section: str, row: Callable[[Lock], Any]) -> Change:
    """Add a row to a section, in its place."""

    def change(lock: Lock) -> Lock:
        rows = sorted((*getattr(lock, section), row(lock)), key=row_key)
        return changed(lock, **{section: tuple(rows)})

    return change


def inputs(change: Callable[[dict[str, str]], None]) -> Change:
    """Change the table of inputs, and make its digest again, as somebody who hides it would."""

    def with_digest(lock: Lock) -> Lock:
        table = dict(lock.inputs)
        change(table)
        made = Table(table)
        return dataclasses.replace(lock, inputs=made, recipe_digest=summary_digest(made))

    return with_digest


def name_catalogue_file(table: dict[str, str]) -> None:
    table["catalogue.platforms/debian-13.toml"] = "0" * 16


def drop_component(table: dict[str, str]) -> None:
    name = next(key.split(".")[1] for key in table if key.startswith("component.") and key.count(".") > 1)
    for key in [key for key in table if key.startswith(f"component.{name}.")]:
        del table[key]


def malform(table: dict[str, str]) -> None:
    table[next(iter(table))] = "0123"


def fetched(row: Any) -> bool:
    return bool(row.file) and "runtime" in row.for_


def leaf(lock: Lock, section: str) -> Callable[[Any], bool]:
    asked = {name for row in getattr(lock, section) for name in row.via}
    return lambda row: row.name not in asked


def swapped(section: str) -> Change:
    def change(lock: Lock) -> Lock:
        rows = getattr(lock, section)
        return changed(lock, **{section: (rows[1], rows[0], *rows[2:])})

    return change


def unreached(section: str) -> Change:
    """Put a row into an environment in which nothing asks for it."""

    def change(lock: Lock) -> Lock:
        rows = getattr(lock, section)
        asked = {name for row in rows for name in row.via}
        roots = {"recipe", "required"}
        row = next(r for r in rows if r.name not in asked and len(r.for_) == 1 and not roots & {*r.via})
        taken = {use for other in rows if other.name in {row.name, *row.via} for use in other.for_}
        free = next(use for use in sorted(lock.environments - taken - {"installer"}))
        return first(section, lambda other: other is row, for_=tuple(sorted((free, *row.for_))))(lock)

    return change


def same_file_other_bytes(lock: Lock) -> Lock:
    """Have one wheel twice, for the image and for a build, with different bytes."""
    row = next(r for r in lock.python if r.file and r.for_ == ("runtime",) and r.via == ("recipe",))
    user = next(b.component for b in lock.builds)
    other = dataclasses.replace(row, for_=(user,), sha256=Sha256("1" * 64), via=("recipe",))
    return dataclasses.replace(lock, python=tuple(sorted((*lock.python, other), key=row_key)))


def two_versions(lock: Lock) -> Lock:
    row = next(r for r in lock.python if r.file and r.via == ("recipe",) and r.for_ == ("runtime",))
    other = dataclasses.replace(
        row,
        version=f"{row.version}.9",
        file=row.file.replace(row.version, f"{row.version}.9", 1),
        sha256=Sha256("1" * 64),
    )
    return dataclasses.replace(lock, python=tuple(sorted((*lock.python, other), key=row_key)))


def image_with_python(*distributions: str) -> Change:
    return first("images", lambda row: "runtime" in row.roles, python=distributions, python_by="somebody")


def over_the_image(lock: Lock) -> Lock:
    name = next(row.name for row in lock.python if "runtime" in row.for_)
    return image_with_python(f"{name}==0.1")(lock)


def named(name: str) -> Callable[[Any], bool]:
    return lambda row: bool(row.name == name)


def labelled(row: Any) -> str:
    return f"{row.version}+cpu"


def labelled_file(row: Any) -> str:
    return str(row.file.replace(row.version, f"{row.version}+cpu"))


def other_version(name: str, version: str) -> Change:
    """Give a distribution another version, in its file name as well."""
    return first(
        "python", named(name), version=version, file=lambda row: row.file.replace(row.version, version)
    )


def older_interpreter(lock: Lock) -> Lock:
    lock = first("builds", lambda build: build.component == "cpython", version="3.11.9")(lock)
    return first("archives", lambda row: row.component == "cpython", version="3.11.9")(lock)


def other_patch_line(lock: Lock) -> Lock:
    build = next(build for build in lock.builds if build.patches)
    patch = changed(build.patches[0], lines=(*build.patches[0].lines, SourceLine("+one more")))
    return first("builds", lambda row: row is build, patches=(patch, *build.patches[1:]))(lock)


BREAKS: dict[str, tuple[Path, Change]] = {
    "target-names": (DEBIAN, head(framework="Dynamo")),
    "glibc-agreement": (DEBIAN, environment(glibc="2.40")),
    "python-agreement": (INTERPRETER, older_interpreter),
    "environment-versions": (DEBIAN, environment(cuda="13")),
    "gpu-archs": (DEBIAN, environment(gpu_archs=("120", "100", "90", "89", "86", "80"))),
    "source-date-epoch": (DEBIAN, head(source_date_epoch=0)),
    "exclude-newer": (DEBIAN, head(exclude_newer="yesterday")),
    "resolver": (DEBIAN, head(resolver="uv")),
    "interpreter": (INTERPRETER, environment(interpreter="pypy")),
    "python-prefix": (SOURCES, environment(python_prefix="/opt/venv:2")),
    "library-path": (DEBIAN, runtime(library_path=("/opt/venv/lib", "/opt/venv/lib"))),
    "library-path-outside": (DEBIAN, runtime(library_path=("/usr/local/elsewhere",))),
    "runtime-user": (DEBIAN, runtime(user="app")),
    "runtime-variables": (DEBIAN, runtime(env=Table({"A-B": "x"}))),
    "runtime-checks": (DEBIAN, runtime(checks=(Check(run=()),))),
    "input-digests": (DEBIAN, inputs(malform)),
    "recipe-digest": (DEBIAN, head(recipe_digest=ImageDigest("sha256:" + "0" * 64))),
    "catalogue-digest": (DEBIAN, inputs(name_catalogue_file)),
    "inputs-and-builds": (DEBIAN, inputs(drop_component)),
    "row-order": (DEBIAN, swapped("os_packages")),
    "sorted-lists": (DEBIAN, first("python", lambda row: len(row.via) > 1, via=lambda row: row.via[::-1])),
    "publishers": (DEBIAN, first("python", fetched, by="somebody")),
    "sizes": (DEBIAN, first("os_packages", size=0)),
    "paths": (DEBIAN, first("os_packages", file=lambda row: f"../{row.file}")),
    "origin-names": (DEBIAN, first("python", fetched, origin="https://index.invalid/")),
    "environments": (
        DEBIAN,
        lambda lock: first("python", leaf(lock, "python"), for_=("rumtime",))(lock),
    ),
    "one-version": (DEBIAN, two_versions),
    "same-name": (DEBIAN, same_file_other_bytes),
    "same-bytes": (SOURCES, lambda lock: first("archives", sha256=lock.os_packages[0].sha256)(lock)),
    "image-roles": (DEBIAN, first("images", roles=("build",))),
    "image-identity": (DEBIAN, first("images", tag="")),
    "image-inventory": (DEBIAN, first("images", inventory=("apt",))),
    "base-packages": (
        ASSEMBLED,
        lambda lock: dataclasses.replace(
            lock,
            os_packages=tuple(
                dataclasses.replace(row, for_=uses)
                for row in lock.os_packages
                if (uses := tuple(use for use in row.for_ if use != "base"))
            ),
        ),
    ),
    "image-python": (DEBIAN, image_with_python("Not.Normal==1.0")),
    "installed-over": (DEBIAN, over_the_image),
    "repository-fields": (DEBIAN, first("repositories", inrelease=None)),
    "repository-dates": (DEBIAN, first("repositories", date="yesterday")),
    "repository-indexes": (DEBIAN, first("repositories", indexes=lambda row: (*row.indexes, row.indexes[0]))),
    "repository-once": (
        DEBIAN,
        lambda lock: dataclasses.replace(lock, repositories=(*lock.repositories, lock.repositories[0])),
    ),
    "repository-signers": (DEBIAN, first("repositories", signed_by=("somebody",))),
    "python-names": (
        DEBIAN,
        first("python", lambda row: fetched(row) and row.version.count(".") == 2, version=lambda row: f"{row.version}.post01"),
    ),
    "file-or-build": (DEBIAN, first("python", fetched, sha256=None)),
    "wheel-file-name": (DEBIAN, first("python", fetched, file=lambda row: row.file.replace("-", "x-", 1))),
    "wheel-tags": (
        DEBIAN,
        first("python", lambda row: "x86_64.whl" in row.file, file=lambda row: row.file.replace("x86_64", "i686")),
    ),
    "built-wheels": (DEBIAN, first("builds", lambda row: row.wheels, wheels=lambda row: row.wheels[1:])),
    "installer": (
        DEBIAN,
        first("python", lambda row: row.via == ("recipe",) and row.for_ == ("runtime",), for_=("installer", "runtime")),
    ),
    "python-askers": (DEBIAN, lambda lock: first("python", leaf(lock, "python"), via=())(lock)),
    "python-reached": (DEBIAN, unreached("python")),
    "license": (DEBIAN, first("python", fetched, license="see the file LICENSE")),
    "canonical-license": (DEBIAN, first("python", fetched, license="mit")),
    "os-names": (DEBIAN, first("os_packages", version=lambda row: f"v{row.version}")),
    "os-architecture": (DEBIAN, first("os_packages", arch="i386")),
    "os-file-name": (DEBIAN, first("os_packages", file=lambda row: row.file.replace(".deb", "x.deb"))),
    "os-origin": (DEBIAN, first("os_packages", origin="elsewhere")),
    "os-askers": (DEBIAN, lambda lock: first("os_packages", leaf(lock, "os_packages"), via=("nobody",))(lock)),
    "os-reached": (DEBIAN, unreached("os_packages")),
    "build-order": (DEBIAN, lambda lock: dataclasses.replace(lock, builds=(*lock.builds, lock.builds[0]))),
    "build-prefix": (DEBIAN, first("builds", lambda row: not row.prefix, runtime=True)),
    "patches": (DEBIAN, other_patch_line),
    "device-code": (DEBIAN, first("builds", lambda row: row.ptx, ptx="75")),
    "build-commands": (DEBIAN, first("builds", steps=lambda row: (*row.steps, ()))),
    "placeholders": (DEBIAN, first("builds", steps=lambda row: (*row.steps, ("echo", "{prefix}")))),
    "named-prefixes": (
        DEBIAN,
        lambda lock: first(
            "builds", steps=lambda row: (*row.steps, ("ls", next(b.prefix for b in lock.builds[1:] if b.prefix)))
        )(lock),
    ),
    "named-folders": (DEBIAN, first("builds", steps=lambda row: (*row.steps, ("ls", "/opt/elsewhere")))),
    "build-license": (DEBIAN, first("builds", license="")),
    "sources-used": (DEBIAN, first("sources", version=lambda row: f"{row.version}.1")),
    "archives-used": (SOURCES, first("builds", lambda row: row.archives, archives=())),
    "archive-versions": (SOURCES, first("archives", version=lambda row: f"{row.version}.1")),
    "archive-file": (SOURCES, first("archives", file=lambda row: f"a/{row.file}")),
    "source-paths": (DEBIAN, first("sources", omitted=("../elsewhere",))),
    "git-address": (DEBIAN, first("sources", git="ext::sh -c id")),
    "cuda-builds": (DEBIAN, first("python", named("torch"), version=labelled, file=labelled_file)),
    "one-cuda": (DEBIAN, other_version("cuda-bindings", "12.9.4")),
    "cuda-toolkit": (DEBIAN, environment(cuda="13.1")),
    "cuda-compilers": (DEBIAN, other_version("nvidia-cuda-nvcc", "13.3.70")),
    "cuda-families": (DEBIAN, first("python", named("nixl-cu13"), version="1.3.1")),
    "check-programs": (
        DEBIAN,
        runtime(checks=(Check(run=("python", "/checks/elf_closure.py"), program="checks/elf_closure.py"),)),
    ),
    "check-expectations": (
        DEBIAN,
        runtime(checks=(Check(run=("python", "-c", "import torch; print(torch.version.cuda)"), expect="12.8"),)),
    ),
    "reason-without-tag": (DEBIAN, first("sources", lambda row: row.tag and not row.reason, tag="")),
}  # fmt: skip
"""For each rule a lock that breaks it and nothing else: a real lock, and one change."""


@pytest.mark.parametrize(
    "path", [DEBIAN, SOURCES, ASSEMBLED, INTERPRETER, RPM], ids=lambda path: str(path.parent.name)
)
def test_real_locks_break_no_rule(path: Path) -> None:
    assert [fault for _, fault in lock_faults(sound(path))] == []


def test_every_rule_is_broken_here_and_is_there_once() -> None:
    ids = [rule.id for rule in LOCK_RULES]
    assert sorted(BREAKS) == sorted(ids)
    assert {rule.kind for rule in LOCK_RULES} <= RULES.keys()
    assert all(rule.says.endswith(".") and rule.why for rule in LOCK_RULES)


def test_a_rule_comes_after_those_that_explain_it() -> None:
    before: set[str] = set()
    for rule in LOCK_RULES:
        assert {*rule.after} <= before, rule.id
        before.add(rule.id)


@pytest.mark.parametrize("rule", LOCK_RULES, ids=lambda rule: rule.id)
def test_a_lock_that_breaks_one_rule_has_one_fault(rule: Any) -> None:
    path, change = BREAKS[rule.id]
    broken = change(sound(path))
    faults = [(broken_rule.id, fault) for broken_rule, fault in lock_faults(broken)]
    assert [name for name, _ in faults] == [rule.id], faults

    data = dump_lock(broken)
    findings = examine(data, name="broken.toml").findings
    assert [(f.lock_rule, f.rule.id) for f in findings] == [(rule.id, rule.kind)], "verify and diff"
    with pytest.raises(LockError):
        check_lock(broken, place="before writing", every_rule=True)
    if rule.stops:
        with pytest.raises(LockError, match="render"):
            check_lock(broken, place="render")
    else:
        check_lock(broken, place="render")


def with_rows(lock: Lock, section: str, rows: tuple[Any, ...]) -> Lock:
    fields: dict[str, Any] = {section: rows}
    return dataclasses.replace(lock, **fields)


@pytest.mark.parametrize("rule", [rule for rule in LOCK_RULES if rule.by_row], ids=lambda rule: rule.id)
def test_a_rule_about_rows_one_by_one_sees_nothing_but_the_row(rule: Any) -> None:
    path, change = BREAKS[rule.id]
    broken = change(sound(path))
    faults = list(rule.finds(broken))
    assert faults
    bare = dataclasses.replace(broken, archives=(), python=(), os_packages=())
    alone = [
        fault
        for section in ("archives", "python", "os_packages")
        for row in getattr(broken, section)
        for fault in rule.finds(with_rows(bare, section, (row,)))
        if fault not in rule.finds(bare)
    ]
    assert sorted(map(str, {*alone, *rule.finds(bare)})) == sorted(map(str, {*faults}))


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("os_packages", lambda row: row.file.replace("_", "_9", 1)),
        ("os_packages", lambda row: row.file.replace("/", "/../", 1)),
        ("python", lambda row: row.file.replace("-", "-9", 1)),
        ("python", lambda row: row.file.replace("-py3-", "-py2-").replace("-cp3", "-cp2")),
        ("python", lambda row: row.file.removesuffix(".whl")),
        ("python", lambda row: f"../{row.file}"),
        ("archives", lambda row: f"x{row.file}"),
        ("archives", lambda row: f"../{row.file}"),
    ],
)
def test_an_edited_file_name_is_one_finding(section: str, change: Callable[[Any], str]) -> None:
    edited = first(section, lambda row: row.file, file=change)(sound(SOURCES))
    findings = examine(dump_lock(edited), name="edited.toml").findings
    assert len(findings) == 1, findings


@pytest.mark.parametrize("section", ["os_packages", "python"])
def test_a_row_that_is_gone_is_one_finding_that_names_it(section: str) -> None:
    lock = sound(DEBIAN)
    rows = getattr(lock, section)
    asked = {name for row in rows for name in row.via}
    gone = next(row for row in rows if row.name in asked and len(row.for_) == 1)
    findings = examine(
        dump_lock(without(section, lambda row: row is gone)(lock)), name="edited.toml"
    ).findings
    assert [finding.row for finding in findings] == [row_label(gone).rpartition(" ")[0]]


def test_declared_evidence_needs_its_publisher_in_every_section() -> None:
    for section in ("images", "archives", "python"):
        broken = first(section, lambda row: row.evidence, evidence=Evidence.DECLARED, by="")(sound(SOURCES))
        assert [rule.id for rule, _ in lock_faults(broken)] == ["publishers"], section


def test_an_image_without_python_is_no_place_for_distributions() -> None:
    """A platform whose runtime packages do not name python3 once gave a lock: only a build had it."""
    lock = parse_lock(DEBIAN.read_bytes(), place="x")
    rows = []
    for row in lock.os_packages:
        uses = tuple(use for use in row.for_ if use != "runtime" or not row.name.startswith("python3"))
        rows += [dataclasses.replace(row, for_=uses)] if uses else []
    faults = lock_faults(dataclasses.replace(lock, os_packages=tuple(rows)))
    found = [(rule.id, fault.text) for rule, fault in faults if "brings it Python" in fault.text]
    assert found == [
        ("interpreter", "runtime has Python distributions, and no package or build brings it Python")
    ]
