"""The steps of the comparison of two images, each recorded when it is done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from builder.build import Engine
from builder.console import Console
from builder.errors import ToolError
from builder.io import run as run_tool
from builder.io import write_atomic
from builder.lockfile import Lock
from builder.model import Sha256
from builder.project import Project
from builder.render import Addresses
from scripts.benchmarks.conventional import Conventional, conventional, os_pins
from scripts.benchmarks.image_build import Conventionally, Ours
from scripts.benchmarks.image_change import choose_change
from scripts.benchmarks.image_measure import compare, measure
from scripts.benchmarks.image_places import base_image, forget_base, git_mirrors, secrets

__all__ = ["Comparison", "Record"]

_PRUNE_LIMIT = 1800.0  # seconds
T = TypeVar("T", contravariant=True)  # noqa: PLC0105 - what a side builds


@dataclass(slots=True)
class Record:
    """What is known so far."""

    file: Path
    console: Console
    facts: dict[str, Any] = field(default_factory=dict)

    def has(self, side: str, name: str) -> bool:
        """Whether a step of a side is done."""
        return name in self.facts.get(side, {})

    def step(self, side: str, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do a step of a side, unless it is done."""
        if self.has(side, name):
            return
        self.console.status(f"{side}: {name}")
        began = {
            "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "load-before": round(os.getloadavg()[0], 1),
        }
        self.facts.setdefault(side, {})[name] = {**began, **work()}
        self.write()

    def write(self) -> None:
        """Replace the file."""
        write_atomic(self.file, (json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n").encode())


class _Side(Protocol[T]):
    """One way to build; `image` is where the last image is."""

    @property
    def image(self) -> Path: ...

    def build(self, what: T, *, cache: bool) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared, by which engine, and where its record is."""

    project: Project
    engine: Engine
    work: Path
    record: Record
    sides: tuple[str, ...]
    base: str
    change: str
    prune: bool
    minutes: int

    def run(self, lock: Lock, addresses: Addresses) -> None:
        """Measure the sides, ours first, and compare the contents of their images."""
        changed = self._changed_lock(lock)
        if "ours" in self.sides:
            root = self.project.root
            ours = Ours(engine=self.engine, source=root, work=self.work / "ours", minutes=self.minutes)
            self._measure_side("ours", ours, lock, changed)
        if "conventional" in self.sides and not self.record.has("conventional", "warm"):
            self._measure_conventional(lock, changed, addresses)
        facts = self.record.facts
        if all(self.record.has(side, "warm") for side in ("ours", "conventional")):
            facts["content"] = compare(*(facts[side]["cold"]["image"] for side in ("ours", "conventional")))
            self.record.write()
            if not self.base:
                forget_base(self.engine, facts["base"]["name"])

    def _changed_lock(self, lock: Lock) -> Lock:
        """Return the lock with one Python pin changed: the change on record, or one that is found now."""
        facts = self.record.facts
        if "change" not in facts:
            with self.project.client() as client:
                old, new = choose_change(lock, client, self.change)
            facts["change"] = {
                "name": old.name,
                "from": old.version,
                "to": {name: str(getattr(new, name)) for name in ("version", "file", "path", "sha256")},
            }
            self.record.write()
        change = facts["change"]
        to = {**change["to"], "sha256": Sha256(change["to"]["sha256"]), "size": None}
        return replace(
            lock,
            python=tuple(replace(row, **to) if row.name == change["name"] else row for row in lock.python),
        )

    def _measure_conventional(self, lock: Lock, changed: Lock, addresses: Addresses) -> None:
        facts, work = self.record.facts, self.work / "conventional"
        work.mkdir()
        facts["base"] = base_image(self.engine, lock, work, given=self.base, known=facts.get("base"))
        with git_mirrors(work) as git:
            side = Conventionally(
                engine=self.engine,
                base=facts["base"]["name"],
                platform=lock.arch.oci,
                secrets=secrets(work, git),
                work=work,
                minutes=self.minutes,
            )
            if "unpinned" not in facts:
                self.record.console.status("conventional: which OS packages the archive has")
                facts["unpinned"] = sorted(side.missing(os_pins(lock)))
                self.record.write()
            unpinned = frozenset(facts["unpinned"])
            form, other = (
                conventional(one, addresses.file_url, unpinned=unpinned) for one in (lock, changed)
            )
            write_atomic(self.record.file.with_name("Dockerfile"), form.dockerfile.encode())
            self._measure_side(
                "conventional", side, form, other, after=lambda: self._check_conventional(side, form)
            )

    def _check_conventional(self, side: Conventionally, form: Conventional) -> None:
        """Run the lock's checks in the conventional image; a failure is put on record."""
        if "checks" not in self.record.facts:
            said = "passed"
            try:
                side.check(form)
            except ToolError as error:
                said = str(error)
            self.record.facts["checks"] = said
            self.record.write()

    def _measure_side(
        self, name: str, side: _Side[T], what: T, changed: T, after: Callable[[], None] = lambda: None
    ) -> None:
        """Build with nothing cached, then with a changed pin; images are measured and removed."""
        if self.record.has(name, "cold"):
            if self.record.has(name, "warm"):
                return
            self.record.console.status(f"{name}: building what the next step changes")
            side.build(what, cache=True)
        self.record.step(name, "cold", lambda: self._build_uncached(side, what))
        after()
        self.record.step(name, "warm", lambda: side.build(changed, cache=True))
        side.image.unlink(missing_ok=True)

    def _build_uncached(self, side: _Side[T], what: T) -> dict[str, Any]:
        if self.prune:
            words = ("prune", *self.engine.arguments(), "--all", "--force")
            run_tool((*self.engine.argv, *words), env=self.engine.environment, timeout=_PRUNE_LIMIT)
        found = side.build(what, cache=False)
        try:
            return {**found, "image": measure(side.image)}
        finally:
            side.image.unlink(missing_ok=True)
