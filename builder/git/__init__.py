"""Git repositories: objects read and checked, sources as canonical tars, the project's own history.

In: a repository or its place, and a commit. Out: files of a revision, submodules, and the
canonical tar whose SHA-256 a lock records. git runs without any configuration, hook or
prompt of the machine. Imports `origins`, `store`, `tars`, `io`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.git.canonical_tar import CanonicalSpec, SubmoduleTree, materialise, store_tar
    from builder.git.places import GitPlaces
    from builder.git.project import Log, Repository, find_repository, log_between
    from builder.git.submodules import find_submodules, open_checkout
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "CanonicalSpec": "canonical_tar",
            "GitPlaces": "places",
            "Log": "project",
            "Repository": "project",
            "SubmoduleTree": "canonical_tar",
            "find_repository": "project",
            "find_submodules": "submodules",
            "log_between": "project",
            "materialise": "canonical_tar",
            "open_checkout": "submodules",
            "store_tar": "canonical_tar",
        },
    )

__all__ = [
    "CanonicalSpec",
    "GitPlaces",
    "Log",
    "Repository",
    "SubmoduleTree",
    "find_repository",
    "find_submodules",
    "log_between",
    "materialise",
    "open_checkout",
    "store_tar",
]
