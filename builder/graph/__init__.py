"""The graph of a lock, and why a thing is in it.

In: locks. Out: nodes with the edges that brought each in, and the chains that lead to one.
Imports `lockfile`. Pure.
"""

from builder.graph.chains import LineAnswer, as_json, as_text, chain_arrows, line_as_json, line_as_text, why
from builder.graph.graph import RECIPE_NODE, LockGraph, LockNode, NodeKind, graph_of, node_of, submodule_node

__all__ = [
    "RECIPE_NODE",
    "LineAnswer",
    "LockGraph",
    "LockNode",
    "NodeKind",
    "as_json",
    "as_text",
    "chain_arrows",
    "graph_of",
    "line_as_json",
    "line_as_text",
    "node_of",
    "submodule_node",
    "why",
]
