"""The Python package index: project pages, metadata of wheels, and what an sdist says of itself.

In: project names and wheels. Out: files with hashes and upload times, core metadata,
build requirements. Nothing that it reads is executed. Imports `io` and `model`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.index.metadata import Facts, hashed, read_facts
    from builder.index.project import IndexFile, ListedWheel, Project, moment, read_project
    from builder.index.sdist import inspect_sdist
    from builder.index.services import Services, default_index
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Facts": "metadata",
            "IndexFile": "project",
            "ListedWheel": "project",
            "Project": "project",
            "Services": "services",
            "default_index": "services",
            "hashed": "metadata",
            "inspect_sdist": "sdist",
            "moment": "project",
            "read_facts": "metadata",
            "read_project": "project",
        },
    )

__all__ = [
    "Facts",
    "IndexFile",
    "ListedWheel",
    "Project",
    "Services",
    "default_index",
    "hashed",
    "inspect_sdist",
    "moment",
    "read_facts",
    "read_project",
]
