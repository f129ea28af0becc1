"""Known vulnerabilities of what a lock holds, by advisories in the OSV format. Pure.

Python rows are judged by PEP 440, Debian packages by their source package and
Debian's order, sources from git by the commits and tags that a record lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from packaging.version import InvalidVersion, Version

from builder.errors import UsageError
from builder.lockfile import (
    Finding,
    Lock,
    OsPackage,
    found,
    part_label,
    row_label,
    submodule_label,
)
from builder.model import StructureError, structure, toml
from builder.policy.accepted import AcceptedFinding, check_accepted
from builder.policy.osv import Advisory, AffectedPackage, Exposure

__all__ = [
    "AdvisoryPolicy",
    "AdvisorySubject",
    "advisories_about",
    "advisory_subjects",
    "judge_advisories",
    "read_advisory_policy",
    "relevant_advisories",
]

_REBUILT = re.compile(r"\+b\d+$")
_SUMMARY = 160  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryPolicy:
    """Which advisories somebody accepted."""

    accepted: tuple[AcceptedFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisorySubject:
    """Something in a lock that an advisory can be about."""

    row: str
    """As findings name it."""
    name: str
    """Of the row."""
    version: str
    """Of the row."""
    ecosystem: str = ""
    """PyPI, or a distribution and its version such as Debian:13; empty for sources from git."""
    package: str = ""
    """The name that the ecosystem's advisories use: for Debian that of the source package."""
    release: str = ""
    """The version that they are compared with."""
    repo: str = ""
    commit: str = ""
    tag: str = ""

    def answer(self, affected: AffectedPackage) -> Exposure:
        """Say whether `affected` is about this."""
        if self.repo:
            repos = {_canonical_repository(item.repo) for item in affected.ranges if item.repo}
            return affected.judge_commit(self.commit, self.tag) if self.repo in repos else Exposure.NO
        ecosystem = affected.ecosystem
        fits = ecosystem in {self.ecosystem, self.ecosystem.partition(":")[0]}
        fits = fits or (":" in self.ecosystem and ecosystem.startswith(f"{self.ecosystem}:"))
        return affected.judge(self.release) if fits and affected.name == self.package else Exposure.NO


def read_advisory_policy(data: bytes, *, place: str) -> AdvisoryPolicy:
    """Read what is accepted, in TOML (UsageError naming the key)."""
    try:
        policy = structure(toml.loads(data, place=place, error=UsageError), AdvisoryPolicy)
    except StructureError as error:
        raise UsageError(error.cause, place=f"{place}: {error.path}", hint=error.hint) from None
    check_accepted(policy.accepted, place=place, needs="id")
    return policy


def advisory_subjects(lock: Lock) -> tuple[AdvisorySubject, ...]:
    """Return everything in `lock` that an advisory can be about."""
    family, _, number = lock.environment.os.partition("-")
    ecosystem = f"{family.capitalize()}:{number}"
    rows = [
        AdvisorySubject(
            row=row_label(row),
            name=row.name,
            version=row.version,
            ecosystem="PyPI",
            package=row.name,
            release=_public_version(row.version),
        )
        for row in lock.python
    ]
    rows += [_os_subject(row, ecosystem) for row in lock.os_packages]
    rows += [
        AdvisorySubject(
            row=part_label(image, name, version),
            name=name,
            version=version,
            ecosystem=ecosystem,
            package=name,
            release=_REBUILT.sub("", version),
        )
        for image in lock.images
        for name, _, version in (line.partition("=") for line in image.inventory)
    ]
    rows += [
        AdvisorySubject(
            row=part_label(image, "python", name, version),
            name=name,
            version=version,
            ecosystem="PyPI",
            package=name,
            release=_public_version(version),
        )
        for image in lock.images
        for name, _, version in (line.partition("==") for line in image.python)
    ]
    rows += [
        AdvisorySubject(
            row=row_label(source),
            name=source.component,
            version=source.version,
            repo=_canonical_repository(source.git),
            commit=str(source.commit),
            tag=source.tag,
        )
        for source in lock.sources
    ]
    rows += [
        AdvisorySubject(
            row=submodule_label(source, module),
            name=module.path,
            version=str(module.commit),
            repo=_canonical_repository(module.git),
            commit=str(module.commit),
        )
        for source in lock.sources
        for module in source.submodules
    ]
    return tuple(dict.fromkeys(rows))


def relevant_advisories(
    advisories: Iterable[Advisory], asked: Iterable[AdvisorySubject]
) -> tuple[Advisory, ...]:
    """Return the advisories that name something of `asked`: a database is far larger than a lock."""
    index = _SubjectIndex(asked)
    return tuple(advisory for advisory in advisories if index.near(advisory, ()))


def advisories_about(subject: AdvisorySubject, advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """Return the advisories that affect `subject`, or whose records leave it open, by id.

    Of records of one vulnerability, which name each other as aliases, the first is there.
    """
    said: set[str] = set()
    hits = []
    for advisory in sorted(advisories, key=lambda advisory: advisory.id):
        answers = {subject.answer(affected) for affected in advisory.affected}
        if answers & {Exposure.YES, Exposure.OPEN}:
            if not said & advisory.names:
                hits.append(advisory)
            said |= advisory.names
    return tuple(hits)


def judge_advisories(
    lock: Lock,
    advisories: Iterable[Advisory],
    policy: AdvisoryPolicy,
    *,
    today: date,
    told: frozenset[tuple[str, str]] = frozenset(),
) -> Iterator[Finding]:
    """Yield a finding for each row and advisory that it is affected by, or may be.

    What is accepted on the day `today` is left out. `told` are pairs of an
    advisory's id and a commit that a service, which knows the repositories,
    called affected. Records of one vulnerability are one finding a row.
    """
    hits: dict[AdvisorySubject, list[tuple[Advisory, Exposure]]] = {}
    index = _SubjectIndex(advisory_subjects(lock))
    for advisory in advisories:
        called = [commit for name, commit in told if name == advisory.id]
        for subject in index.near(advisory, called):
            answers = {subject.answer(affected) for affected in advisory.affected}
            if subject.commit and subject.commit in called:
                answers.add(Exposure.YES)
            if answers & {Exposure.YES, Exposure.OPEN}:
                answer = Exposure.YES if Exposure.YES in answers else Exposure.OPEN
                hits.setdefault(subject, []).append((advisory, answer))
    for subject, group in hits.items():
        yield from _subject_findings(subject, group, policy, today)


class _SubjectIndex:
    """Subjects by the names that records use for them."""

    def __init__(self, advisory_subjects: Iterable[AdvisorySubject]) -> None:
        self._by: dict[str, list[AdvisorySubject]] = {}
        for subject in advisory_subjects:
            for name in (subject.package, subject.repo, subject.commit):
                self._by.setdefault(name, []).append(subject)

    def near(self, advisory: Advisory, commits: Iterable[str]) -> list[AdvisorySubject]:
        """Return the subjects that share a package's name or a repository with a record, or have a commit."""
        names = {affected.name for affected in advisory.affected}
        names |= {
            _canonical_repository(item.repo) for affected in advisory.affected for item in affected.ranges
        }
        wanted = sorted({*names, *commits} - {""})
        return list(dict.fromkeys(subject for name in wanted for subject in self._by.get(name, ())))


def _subject_findings(
    subject: AdvisorySubject, group: list[tuple[Advisory, Exposure]], policy: AdvisoryPolicy, today: date
) -> Iterator[Finding]:
    said: set[str] = set()
    # What is sure comes first, so that an open record of the same vulnerability adds nothing.
    for advisory, answer in sorted(group, key=lambda hit: (hit[1] is Exposure.OPEN, hit[0].id)):
        if said & advisory.names:
            said |= advisory.names
            continue
        said |= advisory.names
        entries = [
            entry
            for entry in policy.accepted
            if entry.id in advisory.names and entry.covers(subject.name, subject.version)
        ]
        if any(not entry.expired(today) for entry in entries):
            continue
        hint = f"the exception ended on {entries[-1].expires}" if entries else ""
        aliases = f" ({', '.join(advisory.aliases)})" if advisory.aliases else ""
        summary = f": {advisory.summary[:_SUMMARY]}" if advisory.summary else ""
        if answer is Exposure.YES:
            yield found("advisory", f"{advisory.id}{aliases}{summary}", row=subject.row, hint=hint)
        else:
            text = f"{advisory.id}{aliases} may affect it; its record does not decide that{summary}"
            yield found("advisory-open", text, row=subject.row, hint=hint)


def _os_subject(row: OsPackage, ecosystem: str) -> AdvisorySubject:
    """Return an OS package as its source package: the folder of a pool has its name."""
    parts = row.file.split("/")
    source = parts[-2] if parts[0] == "pool" and len(parts) > 2 else row.name
    return AdvisorySubject(
        row=row_label(row),
        name=row.name,
        version=row.version,
        ecosystem=ecosystem,
        package=source,
        release=_REBUILT.sub("", row.version),
    )


def _public_version(version: str) -> str:
    """Return a Python version without its local part, which advisories do not know."""
    try:
        return Version(version).public
    except InvalidVersion:
        return version


def _canonical_repository(url: str) -> str:
    """Return a repository's address in one spelling."""
    return url.lower().rstrip("/").removesuffix(".git")
