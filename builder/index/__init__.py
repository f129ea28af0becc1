"""The Python package index: project pages, metadata of wheels, and what an sdist says of itself.

In: project names and wheels. Out: files with hashes and upload times, core metadata,
build requirements. Nothing that it reads is executed. Imports `io` and `model`.
"""

from builder.index.metadata import Facts, hashed, read_facts
from builder.index.project import IndexFile, ListedWheel, Project, moment, read_project
from builder.index.sdist import inspect_sdist
from builder.index.services import Services, default_index

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
