"""Rules of repositories: what vouches for the OS packages' indexes, and when it was signed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.lockfile.labels import row_label
from builder.lockfile.lock import Lock, Repository
from builder.lockfile.rule import Fault, LockRule
from builder.lockfile.shapes import MOMENT, SNAPSHOT, clean_path
from builder.model import key_name

__all__ = ["REPOSITORY_RULES"]

_DEBIAN_FIELDS, _RPM_FIELDS = ("components", "inrelease"), ("path", "repomd", "signature")
_OWN_AND_FOREIGN = {"debian": (_DEBIAN_FIELDS, _RPM_FIELDS), "rpm": (_RPM_FIELDS, _DEBIAN_FIELDS)}
_RPM_INDEXES = 2  # primary and filelists
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


def _field_faults(lock: Lock) -> Iterator[Fault]:
    """Yield what a repository lacks, or has of the other family."""
    family = lock.environment.family
    own, foreign = _OWN_AND_FOREIGN.get(family, ((), ()))
    for row in lock.repositories:
        for key in ("date", "snapshot", "indexes", *own):
            if not getattr(row, key):
                yield Fault(row=row_label(row), text=f"{key_name(key)} is missing")
        for key in foreign:
            if getattr(row, key):
                text = f"{key_name(key)} is not of the family {family}"
                yield Fault(row=row_label(row), text=text)


def _date_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.repositories:
        if not MOMENT.fullmatch(row.date):
            text = f"its date {row.date!r} is not a moment such as 2026-11-21T00:53:03Z"
            yield Fault(row=row_label(row), text=text)
        if not SNAPSHOT.fullmatch(row.snapshot):
            text = f"its snapshot {row.snapshot!r} is not a time stamp such as 20261121T005303Z"
            yield Fault(row=row_label(row), text=text)


def _index_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.repositories:
        yield from (Fault(row=row_label(row), text=text) for text in _index_texts(row, lock))


def _index_texts(row: Repository, lock: Lock) -> Iterator[str]:
    if lock.environment.family == "rpm":
        if len(row.indexes) != _RPM_INDEXES:
            yield f"it has {len(row.indexes)} indexes, not primary and filelists"
        if not clean_path(row.path):
            yield f"{row.path!r} is not a folder below an archive"
    elif len(row.indexes) != len(row.components):
        yield f"it has {len(row.components)} components and {len(row.indexes)} indexes"
    elif len(set(row.components)) != len(row.components):
        yield "one of its components appears twice"


def _twice_faults(lock: Lock) -> Iterator[Fault]:
    labels = [row_label(row) for row in lock.repositories]
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        yield Fault(row=label, text="it appears twice")


def _signer_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.repositories:
        for fingerprint in row.signed_by:
            if not _FINGERPRINT.fullmatch(fingerprint):
                yield Fault(row=row_label(row), text=f"{fingerprint!r} is not a fingerprint")


REPOSITORY_RULES = (
    LockRule(
        id="repository-fields",
        says="A repository has what its family signs, and nothing of the other family.",
        stops=True,
        why="its packages could not be resolved again",
        finds=_field_faults,
    ),
    LockRule(
        id="repository-dates",
        says="Date and snapshot of a repository are moments.",
        stops=True,
        why="the snapshot is part of where packages are found",
        finds=_date_faults,
        after=("repository-fields",),
    ),
    LockRule(
        id="repository-indexes",
        says="A repository has an index for each component; for RPM primary and filelists.",
        stops=True,
        why="its packages could not be resolved again",
        finds=_index_faults,
        after=("repository-fields",),
    ),
    LockRule(
        id="repository-once",
        says="A suite of an origin is there once.",
        stops=True,
        why="which signature vouches for a package is not determined",
        finds=_twice_faults,
    ),
    LockRule(
        id="repository-signers",
        says="Signers are fingerprints of OpenPGP certificates.",
        stops=True,
        why="nobody could compare them with a key",
        finds=_signer_faults,
    ),
)
"""The rules of repositories, causes before consequences."""
