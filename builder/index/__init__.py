"""The Python package index: project pages, metadata of wheels, and what an sdist says of itself.

In: project names and wheels. Out: files with hashes and upload times, core metadata,
build requirements. Nothing that it reads is executed. Imports `io` and `model`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.index.gateway import IndexGateway
    from builder.index.index_client import IndexClient
    from builder.index.metadata import (
        WheelFacts,
        digest_folder,
        parse_metadata,
        read_wheel_facts,
        with_sha256,
    )
    from builder.index.project_page import (
        CandidateWheel,
        DistributionFile,
        IndexProject,
        parse_rfc3339,
        read_index_project,
    )
    from builder.index.remote_wheel import read_metadata_member
    from builder.index.sdist import inspect_sdist
    from builder.index.services import IndexServices, default_index_url
    from builder.index.stated_files import VersionPage, with_stated_files
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "CandidateWheel": "project_page",
            "DistributionFile": "project_page",
            "IndexGateway": "gateway",
            "IndexClient": "index_client",
            "IndexProject": "project_page",
            "IndexServices": "services",
            "VersionPage": "stated_files",
            "WheelFacts": "metadata",
            "default_index_url": "services",
            "digest_folder": "metadata",
            "inspect_sdist": "sdist",
            "parse_metadata": "metadata",
            "parse_rfc3339": "project_page",
            "read_index_project": "project_page",
            "read_metadata_member": "remote_wheel",
            "read_wheel_facts": "metadata",
            "with_sha256": "metadata",
            "with_stated_files": "stated_files",
        },
    )

__all__ = [
    "CandidateWheel",
    "DistributionFile",
    "IndexClient",
    "IndexGateway",
    "IndexProject",
    "IndexServices",
    "VersionPage",
    "WheelFacts",
    "default_index_url",
    "digest_folder",
    "inspect_sdist",
    "parse_metadata",
    "parse_rfc3339",
    "read_index_project",
    "read_metadata_member",
    "read_wheel_facts",
    "with_sha256",
    "with_stated_files",
]
