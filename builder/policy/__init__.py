"""Policies of a project: allowed licences, known vulnerabilities, accepted exceptions.

In: a lock, a policy file, advisories in the OSV format. Out: findings. Imports `lockfile`,
`model` and, for the advisory service, `io`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.policy.advisories import (
        AdvisoryPolicy,
        AdvisorySubject,
        advisories_about,
        advisory_subjects,
        judge_advisories,
        read_advisory_policy,
        relevant_advisories,
    )
    from builder.policy.licenses import judge_licenses, licensed_rows, read_license_policy
    from builder.policy.osv import Advisory
    from builder.policy.osv_sources import (
        ServiceAnswer,
        advisories_of_source,
        ask_service,
        read_advisories,
    )
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Advisory": "osv",
            "AdvisoryPolicy": "advisories",
            "AdvisorySubject": "advisories",
            "ServiceAnswer": "osv_sources",
            "advisories_about": "advisories",
            "advisory_subjects": "advisories",
            "advisories_of_source": "osv_sources",
            "ask_service": "osv_sources",
            "judge_advisories": "advisories",
            "judge_licenses": "licenses",
            "licensed_rows": "licenses",
            "read_advisories": "osv_sources",
            "read_advisory_policy": "advisories",
            "read_license_policy": "licenses",
            "relevant_advisories": "advisories",
        },
    )

__all__ = [
    "Advisory",
    "AdvisoryPolicy",
    "AdvisorySubject",
    "ServiceAnswer",
    "advisories_about",
    "advisories_of_source",
    "advisory_subjects",
    "ask_service",
    "judge_advisories",
    "judge_licenses",
    "licensed_rows",
    "read_advisories",
    "read_advisory_policy",
    "read_license_policy",
    "relevant_advisories",
]
