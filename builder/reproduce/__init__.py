"""Two builds compared: equal digests, or each difference with the cause that explains it.

In: two images. Out: a comparison by layer and file, and known causes of differences.
Imports `build` and `oci`.
"""

from builder.reproduce.builds import HOSTNAMES, Reproduction, Variation, reproduce
from builder.reproduce.causes import CAUSES
from builder.reproduce.comparison import IDENTICAL, Comparison, compare
from builder.reproduce.report import as_text, as_value

__all__ = [
    "CAUSES",
    "HOSTNAMES",
    "IDENTICAL",
    "Comparison",
    "Reproduction",
    "Variation",
    "as_text",
    "as_value",
    "compare",
    "reproduce",
]
