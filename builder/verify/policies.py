"""`verify` against policies: licences that are allowed, and advisories about what locks hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from builder import policy as policies
from builder.io import read_bytes, redacted
from builder.lockfile import Examined, Finding, Lock, Proof
from builder.model import counted
from builder.policy import AdvisoryPolicy, ServiceAnswer
from builder.project import Project

__all__ = ["advisories_proof", "licenses_proof"]


def licenses_proof(locks: Sequence[Examined], policy: Path) -> Proof:
    """Judge the licences of every lock that could be read (UsageError for a broken policy)."""
    read = policies.read_license_policy(read_bytes(policy), place=str(policy))
    findings: list[Finding] = []
    rows = 0
    for name, lock in _readable_locks(locks):
        rows += len(policies.licensed_rows(lock))
        findings += [
            dataclasses.replace(item, lock=name)
            for item in policies.judge_licenses(lock, read, today=_today_utc())
        ]
    judged = counted(rows, "Python row or build", "Python rows and builds")
    says = f"{judged} of {counted(len(locks), 'lock')} against {policy}"
    return Proof(name="licenses", says=says, findings=tuple(findings), facts={"rows": rows})


def advisories_proof(
    locks: Sequence[Examined], source: str, accepted: Path | None, project: Project
) -> Proof:
    """Judge every lock that could be read by advisories of a file, a folder, a zip or a service (its URL)."""
    policy = AdvisoryPolicy()
    if accepted is not None:
        policy = policies.read_advisory_policy(read_bytes(accepted), place=str(accepted))
    readable = _readable_locks(locks)
    told = _known_advisories(source, [lock for _, lock in readable], project)
    findings: list[Finding] = []
    for name, lock in readable:
        judged = policies.judge_advisories(
            lock, told.advisories, policy, today=_today_utc(), told=told.commits
        )
        findings += [dataclasses.replace(item, lock=name) for item in judged]
    count = len(told.advisories)
    known = counted(count, "advisory", "advisories")
    says = f"{known} of {redacted(source)}, {counted(len(readable), 'lock')}"
    return Proof(name="advisories", says=says, findings=tuple(findings), facts={"advisories": count})


def _known_advisories(source: str, locks: Sequence[Lock], project: Project) -> ServiceAnswer:
    asked = dict.fromkeys(subject for lock in locks for subject in policies.advisory_subjects(lock))
    return policies.advisories_of_source(source, asked, project.client)


def _readable_locks(locks: Sequence[Examined]) -> list[tuple[str, Lock]]:
    return [(one.name, one.lock) for one in locks if one.lock is not None]


def _today_utc() -> date:
    return datetime.now(UTC).date()
