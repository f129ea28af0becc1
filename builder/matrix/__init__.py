"""The support matrix: what is locked, what is not and why, what nobody tried, versions and floors.

In: recipes, locks, recorded outcomes. Out: tables. Imports `recipe`, `lockfile`. Pure.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.matrix.cell import Cell, CellState, cells, command, open_targets, suggestion, waiting_cells
    from builder.matrix.floors import GENERATIONS, generations, wheel_floors
    from builder.matrix.release_versions import ReleaseVersions, accelerators, cuda_of, newest_first, versions
    from builder.matrix.tables import (
        FrameworkSummary,
        LockedPlaces,
        MatrixTable,
        cuda_table,
        framework_summaries,
        gpu_table,
        overview_table,
        refusals_table,
        summary_table,
        targets_table,
        versions_table,
        wheels_table,
    )
    from builder.matrix.typed_refusals import (
        RefusalStanding,
        TypedRefusal,
        judge_refusals,
        without_typed_refusals,
    )
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Cell": "cell",
            "CellState": "cell",
            "GENERATIONS": "floors",
            "FrameworkSummary": "tables",
            "LockedPlaces": "tables",
            "MatrixTable": "tables",
            "RefusalStanding": "typed_refusals",
            "ReleaseVersions": "release_versions",
            "TypedRefusal": "typed_refusals",
            "accelerators": "release_versions",
            "cells": "cell",
            "command": "cell",
            "cuda_of": "release_versions",
            "cuda_table": "tables",
            "framework_summaries": "tables",
            "generations": "floors",
            "gpu_table": "tables",
            "judge_refusals": "typed_refusals",
            "newest_first": "release_versions",
            "open_targets": "cell",
            "overview_table": "tables",
            "refusals_table": "tables",
            "suggestion": "cell",
            "summary_table": "tables",
            "targets_table": "tables",
            "versions": "release_versions",
            "versions_table": "tables",
            "waiting_cells": "cell",
            "wheel_floors": "floors",
            "wheels_table": "tables",
            "without_typed_refusals": "typed_refusals",
        },
    )

__all__ = [
    "GENERATIONS",
    "Cell",
    "CellState",
    "FrameworkSummary",
    "LockedPlaces",
    "MatrixTable",
    "RefusalStanding",
    "ReleaseVersions",
    "TypedRefusal",
    "accelerators",
    "cells",
    "command",
    "cuda_of",
    "cuda_table",
    "framework_summaries",
    "generations",
    "gpu_table",
    "judge_refusals",
    "newest_first",
    "open_targets",
    "overview_table",
    "refusals_table",
    "suggestion",
    "summary_table",
    "targets_table",
    "versions",
    "versions_table",
    "waiting_cells",
    "wheel_floors",
    "wheels_table",
    "without_typed_refusals",
]
