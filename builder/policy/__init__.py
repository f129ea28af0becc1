"""Policies of a project: allowed licences, known vulnerabilities, accepted exceptions.

In: a lock, a policy file, advisories in the OSV format. Out: findings. Imports `lockfile`,
`model` and, for the advisory service, `io`.
"""

from builder.policy.advisories import (
    AdvisoryPolicy,
    judge_advisories,
    read_advisory_policy,
    relevant,
    subjects,
)
from builder.policy.licenses import judge_licenses, licensed, read_license_policy
from builder.policy.osv_files import read_advisories
from builder.policy.osv_service import Told, ask

__all__ = [
    "AdvisoryPolicy",
    "Told",
    "ask",
    "judge_advisories",
    "judge_licenses",
    "licensed",
    "read_advisories",
    "read_advisory_policy",
    "read_license_policy",
    "relevant",
    "subjects",
]
