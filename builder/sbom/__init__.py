"""A lock as a software bill of materials: CycloneDX 1.6 in JSON, from the lock alone.

In: a lock. Out: the document, with package URLs. Imports `graph` and `lockfile`. Pure.
"""

from builder.sbom.cyclonedx import sbom

__all__ = ["sbom"]
