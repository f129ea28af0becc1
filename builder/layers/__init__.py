"""The layer plan: into which layers the content of an image falls, and which of them two images share.

In: locks. Out: plans, predicted before anything is built. `render` does not follow the plan yet.
Imports `lockfile`, `model`. Pure.
"""

from builder.layers.comparison import LayerComparison, LayerTotals, compare_plans, layer_totals
from builder.layers.plan import LARGE_WHEEL, LAYER_LIMIT, Layer, LayerKind, LayerPlan, plan_layers

__all__ = [
    "LARGE_WHEEL",
    "LAYER_LIMIT",
    "Layer",
    "LayerComparison",
    "LayerKind",
    "LayerPlan",
    "LayerTotals",
    "compare_plans",
    "layer_totals",
    "plan_layers",
]
