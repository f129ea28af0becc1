"""What is found of one pin. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from builder.align import Evidence, Status, version_of
from builder.align.dockerfile.pin import Pin

__all__ = ["Finding", "decided_later", "finding", "of_release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the answer."""

    pin: Pin
    status: Status
    what: str
    """In one or two words, such as `holds`, `floating base`, `no such tag`, `unused`."""
    evidence: str


def finding(pin: Pin, status: Status, what: str, text: str) -> Finding:
    """Return a finding of a pin."""
    return Finding(pin=pin, status=status, what=what, evidence=text)


def decided_later(pin: Pin) -> Finding:
    """Return that a pin is not in the file."""
    return finding(pin, Status.UNKNOWN, "decided later", "only the build knows its value")


def of_release(pin: Pin, subject: str, version: str, evidence: Evidence, release: str) -> Finding | None:
    """Return what differs from our locks of the release, if there is one and anything does."""
    lock = evidence.locked(release, subject) if release else ""
    if not lock or any(version_of(item) == version_of(version) for item in lock.split(", ")):
        return None
    return finding(pin, Status.DRIFT, "another version", f"our lock of {release} has {subject} {lock}")
