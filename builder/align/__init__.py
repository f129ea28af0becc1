"""What documents claim, what was published, and what our locks hold, side by side.

In: claims files, recorded or live facts of indexes and repositories, locks. Out: a verdict
with its evidence for each statement. Imports `index`, `git`, `matrix`, `recipe`, `lockfile`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.align.claims import Document, check_document
    from builder.align.evidence import (
        DYNAMO,
        Evidence,
        LockedFacts,
        RepositoryTags,
        Status,
        UnaskedError,
        held,
        repository_of,
        tag_version,
        version_of,
    )
    from builder.align.gathering import (
        NAMED_LIKE_A_VERSION,
        ask_tags,
        evidence_of,
        known_names,
        read_documents,
        read_tags,
        tags_asker,
    )
    from builder.align.judge import StatementRow, judge_document, judge_release
    from builder.align.markdown_claims import claims_in_markdown
    from builder.align.published_index import Index
    from builder.align.published_versions import existence, existence_anywhere, nearest
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "DYNAMO": "evidence",
            "NAMED_LIKE_A_VERSION": "gathering",
            "Document": "claims",
            "Evidence": "evidence",
            "LockedFacts": "evidence",
            "Index": "published_index",
            "StatementRow": "judge",
            "Status": "evidence",
            "RepositoryTags": "evidence",
            "UnaskedError": "evidence",
            "ask_tags": "gathering",
            "check_document": "claims",
            "evidence_of": "gathering",
            "existence": "published_versions",
            "existence_anywhere": "published_versions",
            "held": "evidence",
            "judge_document": "judge",
            "judge_release": "judge",
            "known_names": "gathering",
            "claims_in_markdown": "markdown_claims",
            "nearest": "published_versions",
            "read_documents": "gathering",
            "read_tags": "gathering",
            "repository_of": "evidence",
            "tag_version": "evidence",
            "tags_asker": "gathering",
            "version_of": "evidence",
        },
    )

__all__ = [
    "DYNAMO",
    "NAMED_LIKE_A_VERSION",
    "Document",
    "Evidence",
    "Index",
    "LockedFacts",
    "RepositoryTags",
    "StatementRow",
    "Status",
    "UnaskedError",
    "ask_tags",
    "check_document",
    "claims_in_markdown",
    "evidence_of",
    "existence",
    "existence_anywhere",
    "held",
    "judge_document",
    "judge_release",
    "known_names",
    "nearest",
    "read_documents",
    "read_tags",
    "repository_of",
    "tag_version",
    "tags_asker",
    "version_of",
]
