"""`verify --attestations`: how many named owners built an image's digest from the locks that are here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from builder.attest import StatementVerdict, TrustedKeys, WantedRebuild, image_built, judge_folder
from builder.lockfile import Examined, Proof, found
from builder.model import counted

__all__ = ["rebuild_proof"]


def rebuild_proof(
    image: Path, locks: Sequence[Examined], folder: Path, keys: TrustedKeys, *, threshold: int, now: datetime
) -> Proof:
    """Judge the statements below `folder` for an image that was made from `locks`.

    Passes only if keys of at least `threshold` different owners signed the image's digest for these
    locks, and count at the moment `now`. Every other statement is a finding with its reason.
    """
    digest, platforms = image_built(image)
    wanted = WantedRebuild(
        digest=digest, locks=frozenset(f"sha256:{one.sha256}" for one in locks), platforms=platforms
    )
    judged = judge_folder(folder, wanted, keys, now=now)
    owners = sorted({one.owner for one in judged if one.verdict is StatementVerdict.AGREES})
    rules = {
        StatementVerdict.REFUSED: "attestation-refused",
        StatementVerdict.DISAGREES: "rebuilt-differently",
    }
    findings = [
        found(rules[one.verdict], one.reason, row=one.place) for one in judged if one.verdict in rules
    ]
    if len(owners) < threshold:
        text = f"{counted(len(owners), 'owner')} built {digest} from these locks, {threshold} are required"
        findings.append(found("too-few-rebuilds", text))
    says = f"{digest}: built by {', '.join(owners) or 'no known owner'}; {counted(len(judged), 'statement')}"
    return Proof(
        name="rebuilds",
        says=says,
        findings=tuple(findings),
        facts={
            "digest": digest,
            "owners": owners,
            "threshold": threshold,
            "statements": [
                {"file": one.place, "verdict": one.verdict.value, "owner": one.owner, "reason": one.reason}
                for one in judged
            ],
        },
    )
