"""What documents claim, what was published, and what our locks hold, side by side.

In: claims files, recorded or live facts of indexes and repositories, locks. Out: a verdict
with its evidence for each statement. Imports `index`, `matrix`, `recipe`, `lockfile`.
"""

from builder.align.claims import Document, check_document
from builder.align.evidence import DYNAMO, Evidence, repository_of, tag_version, version_of
from builder.align.judge import Row, judge_document, judge_release
from builder.align.locked_facts import Held, held
from builder.align.published import Tags, UnaskedError
from builder.align.published_index import Index
from builder.align.published_versions import existence, nearest
from builder.align.verdict import Status

__all__ = [
    "DYNAMO",
    "Document",
    "Evidence",
    "Held",
    "Index",
    "Row",
    "Status",
    "Tags",
    "UnaskedError",
    "check_document",
    "existence",
    "held",
    "judge_document",
    "judge_release",
    "nearest",
    "repository_of",
    "tag_version",
    "version_of",
]
