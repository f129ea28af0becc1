"""What two revisions of locks hold: read from git, folders or files, paired, and compared by `diff`.

In: words as `git diff` takes them, a project. Out: two sides of lock files, compared locks, and
what is known of the changes from outside (commits between, withdrawn files). `diff` compares
values only; here is what reads. Imports `diff`, `git`, `index`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.revisions.outside_facts import histories, yanked
    from builder.revisions.pairs import compare_sides, targets_by_name
    from builder.revisions.revision_words import sides_of
    from builder.revisions.sides import Sides, sides_of_files, sides_of_folders
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Sides": "sides",
            "compare_sides": "pairs",
            "histories": "outside_facts",
            "sides_of": "revision_words",
            "sides_of_files": "sides",
            "sides_of_folders": "sides",
            "targets_by_name": "pairs",
            "yanked": "outside_facts",
        },
    )

__all__ = [
    "Sides",
    "compare_sides",
    "histories",
    "sides_of",
    "sides_of_files",
    "sides_of_folders",
    "targets_by_name",
    "yanked",
]
