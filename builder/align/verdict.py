"""The answer to one statement. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Status", "Verdict"]


class Status(StrEnum):
    """What is to be thought of a statement or a pin."""

    ALIGNED = "aligned"
    """It agrees with what was published."""
    DRIFT = "drift"
    """It differs from what was published, or moves by itself."""
    IMPOSSIBLE = "impossible"
    """It names something that does not exist."""
    UNKNOWN = "unknown"
    """There is no evidence either way."""

    @property
    def alarming(self) -> bool:
        """Whether it makes the command end in 1."""
        return self in (Status.DRIFT, Status.IMPOSSIBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A status with its evidence, and the two columns beside the claim."""

    status: Status
    evidence: str
    published: str = ""
    """What the published metadata says about the same thing."""
    lock: str = ""
    """What our lock holds of it."""
