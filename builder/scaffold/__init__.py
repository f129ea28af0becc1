"""New recipes and projects: the texts of files that are valid at once, with the versions that they need.

In: answers of a person, a Python index. Out: texts by path, which `commands/init.py` writes.
Imports `index`, `model`, `recipe` and `project`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.scaffold.new_project import COOLDOWN_DAYS, ProjectRequest, new_project_texts
    from builder.scaffold.new_release import NewRelease, release_from_index
    from builder.scaffold.newest import PinRequest, newest_pins, newest_version
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "COOLDOWN_DAYS": "new_project",
            "NewRelease": "new_release",
            "PinRequest": "newest",
            "ProjectRequest": "new_project",
            "new_project_texts": "new_project",
            "release_from_index": "new_release",
            "newest_pins": "newest",
            "newest_version": "newest",
        },
    )

__all__ = [
    "COOLDOWN_DAYS",
    "NewRelease",
    "PinRequest",
    "ProjectRequest",
    "new_project_texts",
    "newest_pins",
    "newest_version",
    "release_from_index",
]
