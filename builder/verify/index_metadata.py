"""What package indexes say of the locked wheels: their metadata, from bytes that a hash covers.

A wheel's metadata counts with the hash that the index's page states beside the locked
hash of the wheel (PEP 714), or from the wheel itself, whose bytes have the locked hash.
Where the page states none and the wheel is too large to be read whole, nothing is proven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from builder.errors import BuilderError
from builder.index import (
    CandidateWheel,
    DistributionFile,
    IndexServices,
    WheelFacts,
    read_index_project,
    read_wheel_facts,
)
from builder.lockfile import Finding, Lock, PythonPackage, found, row_label
from builder.verify.closure import LockMetadata, required_metadata

__all__ = ["IndexedMetadata"]

BY_INDEX, BY_WHEEL = "index-hash", "whole-wheel"
"""What covers the bytes of metadata: the hash that the index's page states, or that of the whole wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedMetadata:
    """Reads the metadata of locked wheels from the indexes that list them; each wheel once in a run."""

    services: IndexServices
    indexes: Mapping[str, str]
    """The address of the simple index of each origin of wheels."""
    _answers: dict[str, WheelFacts | Finding] = field(default_factory=dict)
    _covers: dict[str, str] = field(default_factory=dict)

    def of_lock(self, lock: Lock) -> LockMetadata | list[Finding]:
        """Return what the locked wheels of `lock` say of themselves; findings where that is not known.

        OS packages are not among it: the signed index is asked for them as a whole.
        """
        wheels, _ = required_metadata(lock)
        new = {str(row.sha256): row for row in wheels if str(row.sha256) not in self._answers}
        with ThreadPoolExecutor(self.services.workers) as pool:
            self._answers.update(zip(new, pool.map(self._wheel_facts, new.values()), strict=True))
        answers = {str(row.sha256): self._answers[str(row.sha256)] for row in wheels}
        unknown = [answer for answer in answers.values() if isinstance(answer, Finding)]
        if unknown:
            return unknown
        facts = {key: answer for key, answer in answers.items() if isinstance(answer, WheelFacts)}
        return LockMetadata(wheels=facts, packages=None)

    def evidence(self) -> dict[str, int]:
        """Return how many wheels' metadata is covered by what."""
        counts = Counter(self._covers.values())
        return {cover: counts[cover] for cover in (BY_INDEX, BY_WHEEL)}

    def _wheel_facts(self, row: PythonPackage) -> WheelFacts | Finding:
        label = row_label(row)
        if row.origin not in self.indexes:
            return found("unknown", f"no index is known for its origin {row.origin}", row=label)
        try:
            listed = self._listed_file(row)
            if listed is None:
                text = (
                    f"its index does not list {row.file} with the locked hash, so its metadata is not known"
                )
                return found("unknown", text, row=label)
            wheel = CandidateWheel(
                file=row.file,
                url=listed.url,
                sha256=str(row.sha256),
                size=row.size,
                metadata_sha256=listed.metadata_sha256,
            )
            facts = read_wheel_facts([(row.name, wheel)], self.services)[row.name]
        except BuilderError as error:
            return found("unknown", f"its metadata could not be read: {error}", row=label, hint=error.hint)
        with self.services.lock:
            unhashed = row.file in self.services.unhashed_metadata
        if unhashed:
            text = "no hash covers its metadata: the index states none, and only parts of the wheel were read"
            return found("unknown", text, row=label, hint="read the whole wheel: fetch, then verify --store")
        self._covers[str(row.sha256)] = BY_INDEX if wheel.metadata_sha256 else BY_WHEEL
        return facts

    def _listed_file(self, row: PythonPackage) -> DistributionFile | None:
        """Return the file of `row` as its index lists it now; None where it has other bytes or is gone."""
        project = read_index_project(
            self.services.client, self.indexes[row.origin], row.name, wheels_of=row.version
        )
        files = project.files if project is not None else ()
        return next((file for file in files if (file.file, file.sha256) == (row.file, row.sha256)), None)
