"""What two plans share, and what many plans hold together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from builder.layers.plan import Layer, LayerPlan

__all__ = ["LayerComparison", "LayerTotals", "compare_plans", "layer_totals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparison:
    """The layers of one plan, by whether another plan has them."""

    shared: tuple[Layer, ...]
    other: tuple[Layer, ...]
    """Layers that the other plan lacks: a machine that has its image pulls these."""

    @property
    def shared_bytes(self) -> int:
        """Bytes of downloaded files in the shared layers."""
        return sum(layer.size for layer in self.shared)

    @property
    def pulled_bytes(self) -> int:
        """Bytes of downloaded files in the other layers."""
        return sum(layer.size for layer in self.other)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTotals:
    """Layers of several images, and those of them that differ."""

    layers: int
    size: int
    distinct_layers: int
    distinct_size: int


def compare_plans(plan: LayerPlan, against: LayerPlan) -> LayerComparison:
    """Return which layers of `plan` are in `against`, by their keys."""
    keys = {layer.key for layer in against.layers}
    return LayerComparison(
        shared=tuple(layer for layer in plan.layers if layer.key in keys),
        other=tuple(layer for layer in plan.layers if layer.key not in keys),
    )


def layer_totals(plans: Iterable[LayerPlan]) -> LayerTotals:
    """Return how much the images of `plans` hold, and how much a registry keeps of them."""
    every = [layer for plan in plans for layer in plan.layers]
    distinct = {layer.key: layer for layer in every}.values()
    return LayerTotals(
        layers=len(every),
        size=sum(layer.size for layer in every),
        distinct_layers=len(distinct),
        distinct_size=sum(layer.size for layer in distinct),
    )
