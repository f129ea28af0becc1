"""A lock as a software bill of materials: CycloneDX 1.6 in JSON, from the lock alone.

In: a lock. Out: the document, with package URLs. Imports `graph` and `lockfile`. Pure.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.sbom.cyclonedx import sbom
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "sbom": "cyclonedx",
        },
    )

__all__ = ["sbom"]
