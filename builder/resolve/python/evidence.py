"""Who vouches for a wheel's hash: the index, or nobody but whoever fetched the bytes.

uv hashes what an index gives without a hash, and its answer does not say so.
The default index states every hash; of any other one the page is looked at,
once for each wheel that it states.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from builder.index import default_index_url
from builder.io import write_atomic
from builder.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.index import CandidateWheel, IndexServices
    from builder.recipe import PythonRequest

__all__ = ["hash_evidence"]


def hash_evidence(
    wheels: Mapping[str, CandidateWheel], request: PythonRequest, services: IndexServices
) -> dict[str, Evidence]:
    """Return the evidence of each wheel's SHA-256, by distribution."""
    if services.index_url == default_index_url() and not request.indexes:
        return dict.fromkeys(wheels, Evidence.INDEX)
    with ThreadPoolExecutor(max_workers=services.workers) as pool:
        stated = pool.map(lambda item: _is_stated(item[0], item[1], request, services), wheels.items())
        return {
            name: Evidence.INDEX if found else Evidence.OBSERVED
            for name, found in zip(wheels, stated, strict=True)
        }


def _is_stated(name: str, wheel: CandidateWheel, request: PythonRequest, services: IndexServices) -> bool:
    from builder.index import read_index_project  # noqa: PLC0415 - see there

    index = request.index_of(name)
    url = index.url if index else services.index_url
    if url == default_index_url():
        return True
    marker = services.metadata / f"{wheel.sha256}.{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    if marker.exists():
        return True
    project = read_index_project(services.client, url, name)
    found = project is not None and any(
        item.file == wheel.file and item.sha256 == wheel.sha256 for item in project.files
    )
    if found:
        write_atomic(marker, b"")
    return found
