"""Two builds compared: equal digests, or each difference with the cause that explains it.

In: two images. Out: a comparison by layer and file, and known causes of differences.
Imports `build` and `oci`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.reproduce.builds import HOSTNAMES, Reproduction, Variation, reproduce
    from builder.reproduce.causes import CAUSES
    from builder.reproduce.comparison import IDENTICAL, Comparison, as_text, as_value, compare
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "CAUSES": "causes",
            "Comparison": "comparison",
            "HOSTNAMES": "builds",
            "IDENTICAL": "comparison",
            "Reproduction": "builds",
            "Variation": "builds",
            "as_text": "comparison",
            "as_value": "comparison",
            "compare": "comparison",
            "reproduce": "builds",
        },
    )

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
