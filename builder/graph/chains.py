"""Why a thing is in locks: the chains that lead to it, as text and as JSON. Pure.

Each chain is told once for all locks that have it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from builder.errors import UsageError
from builder.graph.graph import LockGraph, LockNode, NodeKind, graph_of
from builder.lockfile import Lock
from builder.model import Target

__all__ = [
    "FORMAT",
    "Chain",
    "ChainStep",
    "LineAnswer",
    "WhyAnswer",
    "WhyRow",
    "as_json",
    "as_text",
    "chain_arrows",
    "line_as_json",
    "line_as_text",
    "why",
]


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


FORMAT = 1
"""The version of the JSON form."""

_KINDS = {
    NodeKind.RECIPE: "recipe",
    NodeKind.PYTHON: "Python",
    NodeKind.OS_PACKAGE: "OS package",
    NodeKind.BUILD: "build",
    NodeKind.SOURCE: "source",
    NodeKind.SUBMODULE: "submodule",
    NodeKind.ARCHIVE: "archive",
    NodeKind.IMAGE: "image",
    NodeKind.IN_IMAGE: "in the image",
    NodeKind.PYTHON_IN_IMAGE: "Python in the image",
    NodeKind.RUNTIME: "table",
}
_NAMED_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswer:
    """A line of a Dockerfile, from 1, and the rows it comes from."""

    number: int
    line: str
    stage: str
    """Empty for the header."""
    locks: tuple[Target, ...]
    rows: tuple[LockNode, ...]


def as_text(answers: Sequence[WhyAnswer], *, most: int, locks: int) -> str:
    """Return the answers about `locks` locks as text, with at most `most` chains each; 0 for all."""
    return "\n\n".join("\n".join(_answer_lines(answer, most, locks)) for answer in answers)


def as_json(name: str, answers: Sequence[WhyAnswer]) -> dict[str, Any]:
    """Return the answers to `name` as plain values, with every chain."""
    return {
        "format": FORMAT,
        "asked": name,
        "answers": [
            {
                **_step_value(answer.step),
                "rows": [_row_value(row) for row in answer.rows],
                "chains": [
                    {"steps": [_step_value(step) for step in chain.steps], "locks": [*map(str, chain.locks)]}
                    for chain in answer.chains
                ],
            }
            for answer in answers
        ],
    }


def line_as_text(answer: LineAnswer) -> str:
    """Return what a line comes from, as text."""
    where = f"stage {answer.stage}" if answer.stage else "the header"
    lines = [answer.line, "", f"line {answer.number}, {where}, of {', '.join(map(str, answer.locks))}"]
    lines += [f"  {_KINDS[row.kind]} {_node_words(row)}" for row in answer.rows]
    if not answer.rows:
        lines.append("  no row of a lock: it is the same in every Dockerfile")
    return "\n".join(lines)


def line_as_json(answer: LineAnswer) -> dict[str, Any]:
    """Return what a line comes from as plain values."""
    return {
        "format": FORMAT,
        "line": answer.number,
        "text": answer.line,
        "stage": answer.stage,
        "locks": [*map(str, answer.locks)],
        "rows": [
            {
                "kind": row.kind.value,
                "name": row.name,
                "version": row.version,
                "file": row.file,
                "sha256": row.sha256,
            }
            for row in answer.rows
        ],
    }


def _node_words(row: LockNode) -> str:
    return "  ".join(text for text in (f"{row.name} {row.version}".rstrip(), row.file, row.sha256) if text)


def _step_value(step: ChainStep) -> dict[str, Any]:
    return {"kind": step.kind.value, "name": step.name}


def _row_value(row: WhyRow) -> dict[str, Any]:
    return {
        "version": row.version,
        "file": row.file,
        "sha256": row.sha256,
        "locks": [*map(str, row.locks)],
    }


def _answer_lines(answer: WhyAnswer, most: int, locks: int) -> Iterator[str]:
    yield f"{answer.step.name} ({_KINDS[answer.step.kind]})"
    versions = sorted({row.version for row in answer.rows})
    for version in versions:
        rows = [row for row in answer.rows if row.version == version]
        where = _lock_words(sorted({target for row in rows for target in row.locks}), locks)
        files = sorted({row.file for row in rows} - {""})
        yield "  ".join(text for text in (f"  {version}".rstrip(), *files[:1], f"in {where}") if text)
        yield from (f"    {' ' * len(version)}{file}" for file in files[1:])
    shown = answer.chains[: most or None]
    for chain in shown:
        yield f"    {chain_arrows(chain.steps)}  in {_lock_words(chain.locks, locks)}"
    rest = answer.chains[len(shown) :]
    if rest:
        yield f"    … and {len(rest)} more that require it; --all shows them"
    if not answer.chains:
        yield "    no chain leads to it: the lock names nothing that requires it"


def chain_arrows(chain: Sequence[ChainStep | LockNode]) -> str:
    """Return a chain as names and arrows; the kind stands before a name where it changes."""
    words = []
    before = None
    for step in chain:
        kind = "" if step.kind is NodeKind.RECIPE or step.kind is before else f"{_KINDS[step.kind]} "
        words.append(f"{kind}{step.name}")
        before = step.kind
    return " → ".join(words)


def _lock_words(targets: Sequence[Target], locks: int) -> str:
    """Return some of `locks` locks in few words: all, their names, or their frameworks and releases."""
    if len(targets) == locks > 1:
        return f"all {locks} locks"
    if len(targets) <= _NAMED_PLACES:
        return ", ".join(map(str, targets))
    frameworks = ", ".join(sorted({target.framework for target in targets}))
    releases = ", ".join(dict.fromkeys(target.release for target in targets))
    return f"{len(targets)} locks ({frameworks}; {releases})"
