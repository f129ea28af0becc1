"""Why a thing is in locks: the chains that lead to it, each said once for all locks that have it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from builder.errors import UsageError
from builder.graph.graph import LockGraph, LockNode, NodeKind, graph_of
from builder.lockfile import Lock
from builder.model import Target

__all__ = ["Chain", "ChainStep", "WhyAnswer", "WhyRow", "why"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ChainStep:
    """One link of a chain: a thing without its version, so that locks of several versions share chains."""

    kind: NodeKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """From the recipes to the thing asked about, and the locks that have this chain, sorted."""

    steps: tuple[ChainStep, ...]
    locks: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRow:
    """One version of the thing asked about, and the locks that have it, sorted."""

    version: str
    file: str
    sha256: str
    locks: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyAnswer:
    """What a name means in the locks, of one kind, and why it is there."""

    step: ChainStep
    rows: tuple[WhyRow, ...]
    chains: tuple[Chain, ...]
    """One for each asker, the shortest through it; shorter ones first."""


def why(name: str, locks: Mapping[Target, Lock]) -> tuple[WhyAnswer, ...]:
    """Return an answer for each kind of thing that `name` means in `locks`.

    A name is that of a Python distribution, an OS package, a component, a
    submodule's path or an image, a file name, or a SHA-256. UsageError where
    no lock has it.
    """
    graphs = {target: graph_of(lock) for target, lock in sorted(locks.items())}
    found: dict[ChainStep, dict[Target, list[LockNode]]] = {}
    for target, graph in graphs.items():
        for node in graph.askers:
            if _is_meant(name, node):
                step = _chain_step(node)
                found.setdefault(step, {}).setdefault(target, []).append(node)
    if not found:
        raise _unknown_name(name, graphs.values())
    return tuple(_why_answer(step, nodes, graphs) for step, nodes in sorted(found.items()))


def _is_meant(name: str, node: LockNode) -> bool:
    meanings = {node.name, node.file, node.sha256, f"sha256:{node.sha256}"}
    if node.kind is NodeKind.IMAGE:
        meanings |= {node.name.rpartition("/")[2], f"{node.name}:{node.version}"}
    if node.kind in {NodeKind.PYTHON, NodeKind.PYTHON_IN_IMAGE} and canonicalize_name(name) == node.name:
        return True
    return name in meanings - {"", "sha256:"}


def _chain_step(node: LockNode) -> ChainStep:
    return ChainStep(kind=node.kind, name=node.name)


def _why_answer(
    step: ChainStep, nodes: Mapping[Target, list[LockNode]], graphs: Mapping[Target, LockGraph]
) -> WhyAnswer:
    rows: dict[tuple[str, str, str], list[Target]] = {}
    chains: dict[tuple[ChainStep, ...], list[Target]] = {}
    for target, listed in nodes.items():
        for node in listed:
            rows.setdefault((node.version, node.file, node.sha256), []).append(target)
            for chain in graphs[target].chains(node):
                places = chains.setdefault(tuple(map(_chain_step, chain)), [])
                if target not in places:
                    places.append(target)
    return WhyAnswer(
        step=step,
        rows=tuple(
            WhyRow(version=version, file=file, sha256=sha256, locks=tuple(places))
            for (version, file, sha256), places in sorted(rows.items())
        ),
        chains=tuple(
            Chain(steps=steps, locks=tuple(places))
            for steps, places in sorted(chains.items(), key=lambda item: (len(item[0]), item[0]))
        ),
    )


def _unknown_name(name: str, graphs: Iterable[LockGraph]) -> UsageError:
    names = sorted(
        {text for graph in graphs for node in graph.askers for text in (node.name, node.file)} - {""}
    )
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "name a package, component, image, file or SHA-256"
    return UsageError(f"no selected lock has {name[:200]!r}", hint=hint)
