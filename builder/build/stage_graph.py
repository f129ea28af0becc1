"""The stages of a rendered Dockerfile, as its text says them."""

from __future__ import annotations

__all__ = ["StageNode", "instruction_lines", "is_counted", "other_order", "read_graph", "stages_for"]

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

COMPONENT = "builds: "
"""How the note of a stage begins that builds a component."""

_FROM = re.compile(r"FROM (?P<base>\S+) AS (?P<name>\S+)")
_USE = re.compile(r"(?:--from=|[=,]from=)(?P<name>[^\s,]+)")
_COUNTED = ("ADD ", "COPY ", "RUN ", "WORKDIR ")
_HEREDOC = re.compile(r"<<'(?P<end>[A-Z0-9]+)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageNode:
    """One stage: its base, the comment above it, which says its rows of the lock, and what it reads."""

    name: str
    base: str
    note: str
    uses: tuple[str, ...] = ()
    steps: int = 0
    """How many of its instructions BuildKit counts: those that make or change files."""


def read_graph(dockerfile: str) -> dict[str, StageNode]:
    """Return the stages of a Dockerfile that this program rendered, by name."""
    nodes: dict[str, StageNode] = {}
    note: list[str] = []
    name = ""
    for line in (text for text, outside in instruction_lines(dockerfile) if outside):
        found = _FROM.match(line)
        if found:
            name = found["name"]
            base = found["base"]
            nodes[name] = StageNode(name=name, base=base, note=" ".join(note), steps=int("@" in base))
        elif name:
            nodes[name] = _with_source_line(nodes[name], line)
        note = [*note, line[1:].strip()] if line.startswith("#") else []
    return nodes


def stages_for(nodes: Mapping[str, StageNode], target: str, arches: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stages that building `target` can run for `arches` (values of TARGETARCH), sorted."""
    found: set[str] = set()
    waiting = [target]
    while waiting:
        name = waiting.pop()
        names = [name.replace("${TARGETARCH}", arch) for arch in arches] if "$" in name else [name]
        for one in names:
            if one in nodes and one not in found:
                found.add(one)
                waiting += [nodes[one].base, *nodes[one].uses]
    return tuple(sorted(found))


def other_order(nodes: Mapping[str, StageNode], target: str, arches: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stages that build components, in an order unlike the file's; needs still come first."""
    wanted = set(stages_for(nodes, target, arches))
    waiting = [name for name in nodes if name in wanted and nodes[name].note.startswith(COMPONENT)]
    needs = {name: set(stages_for(nodes, name, arches)) - {name} for name in waiting}
    order: list[str] = []
    while waiting:
        last = next(name for name in reversed(waiting) if not needs[name] & set(waiting))
        waiting.remove(last)
        order.append(last)
    return tuple(order)


def _with_source_line(node: StageNode, line: str) -> StageNode:
    uses = tuple(match["name"] for match in _USE.finditer(line))
    return replace(node, uses=(*node.uses, *uses), steps=node.steps + is_counted(line))


def instruction_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it is an instruction's: the text of a here-document is not."""
    end = ""
    for line in text.splitlines():
        if end:
            end = "" if line == end else end
            yield line, False
            continue
        found = _HEREDOC.search(line)
        end = found["end"] if found else ""
        yield line, True


def is_counted(instruction: str) -> bool:
    """Tell whether an instruction is one of a stage's steps: one that makes or changes files."""
    return instruction.startswith(_COUNTED)
