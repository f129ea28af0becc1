"""What `verify` proves of a lock: alone, against its recipe, the store, an index and an image.

In: a lock and what it is compared with. Out: findings, each with its rule, place and level,
and the proofs that were made. Imports `recipe`, `lockfile`, `store`, `rootfs`, `policy`; only
`verify.online` asks the network.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.verify.against_recipes import outdated, signed_indexes
    from builder.verify.built_images import image_proof, labelled
    from builder.verify.closure import LockMetadata, closure_faults
    from builder.verify.closures import ClosureQuestion, closure_proof
    from builder.verify.findings_documents import as_junit, as_sarif
    from builder.verify.index_metadata import IndexedMetadata
    from builder.verify.offline_proofs import lock_proofs
    from builder.verify.online import index_urls, judge_listed, offers_attestations, online_proof
    from builder.verify.os_index import os_index_proof
    from builder.verify.policies import advisories_proof, licenses_proof
    from builder.verify.rebuilds import rebuild_proof
    from builder.verify.report import as_text, as_value, gravest_first, not_proven
    from builder.verify.resolved_again import resolved_again_proof
    from builder.verify.second_resolver import (
        SecondResolver,
        explained_differences,
        pip_tools,
        second_resolver_proof,
    )
    from builder.verify.signatures import signature_findings
    from builder.verify.storage import base_proof, store_proof
    from builder.verify.store_metadata import stored_metadata
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "ClosureQuestion": "closures",
            "IndexedMetadata": "index_metadata",
            "LockMetadata": "closure",
            "advisories_proof": "policies",
            "as_text": "report",
            "as_junit": "findings_documents",
            "as_sarif": "findings_documents",
            "as_value": "report",
            "base_proof": "storage",
            "closure_faults": "closure",
            "closure_proof": "closures",
            "explained_differences": "second_resolver",
            "gravest_first": "report",
            "image_proof": "built_images",
            "index_urls": "online",
            "judge_listed": "online",
            "labelled": "built_images",
            "licenses_proof": "policies",
            "lock_proofs": "offline_proofs",
            "not_proven": "report",
            "offers_attestations": "online",
            "online_proof": "online",
            "os_index_proof": "os_index",
            "outdated": "against_recipes",
            "rebuild_proof": "rebuilds",
            "resolved_again_proof": "resolved_again",
            "SecondResolver": "second_resolver",
            "pip_tools": "second_resolver",
            "second_resolver_proof": "second_resolver",
            "signature_findings": "signatures",
            "signed_indexes": "against_recipes",
            "store_proof": "storage",
            "stored_metadata": "store_metadata",
        },
    )

__all__ = [
    "ClosureQuestion",
    "IndexedMetadata",
    "LockMetadata",
    "SecondResolver",
    "advisories_proof",
    "as_junit",
    "as_sarif",
    "as_text",
    "as_value",
    "base_proof",
    "closure_faults",
    "closure_proof",
    "explained_differences",
    "gravest_first",
    "image_proof",
    "index_urls",
    "judge_listed",
    "labelled",
    "licenses_proof",
    "lock_proofs",
    "not_proven",
    "offers_attestations",
    "online_proof",
    "os_index_proof",
    "outdated",
    "pip_tools",
    "rebuild_proof",
    "resolved_again_proof",
    "second_resolver_proof",
    "signature_findings",
    "signed_indexes",
    "store_proof",
    "stored_metadata",
]
