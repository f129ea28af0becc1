"""The support matrix: what is locked, what is not and why, versions and floors.

In: recipes, locks, recorded outcomes. Out: tables. Imports `recipe`, `lockfile`. Pure.
"""

from builder.matrix.cell import Cell, CellState, cells, command
from builder.matrix.floors import GENERATIONS, generations, wheel_floors
from builder.matrix.release_versions import Versions, accelerators, cuda_of, newest_first, versions
from builder.matrix.tables import (
    MatrixTable,
    cuda_table,
    gpu_table,
    summary,
    targets_table,
    versions_table,
    wheels_table,
)

__all__ = [
    "GENERATIONS",
    "Cell",
    "CellState",
    "MatrixTable",
    "Versions",
    "accelerators",
    "cells",
    "command",
    "cuda_of",
    "cuda_table",
    "generations",
    "gpu_table",
    "newest_first",
    "summary",
    "targets_table",
    "versions",
    "versions_table",
    "wheel_floors",
    "wheels_table",
]
