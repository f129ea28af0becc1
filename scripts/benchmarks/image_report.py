"""The comparison of two images as text: figures of both sides, their ratio, and what differs in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["text"]

_SHOWN = 8


def text(record: dict[str, Any]) -> str:
    """Return the report of a record; what was not measured is left out."""
    return "\n".join(_report_lines(record)) + "\n"


def _report_lines(record: dict[str, Any]) -> Iterator[str]:
    machine, engine = record["machine"], record["engine"]
    yield f"lock/{record['lock']} ({record['lock-digest']})"
    yield (
        f"{machine['processors']} processors, {machine['memory-gb']} GB, Linux {machine['kernel']}; "
        + ", ".join(f"{name} {version}" for name, version in engine.items())
    )
    base = record.get("base")
    if base:
        yield f"base of the conventional Dockerfile: {base['name']}, {base['what']}"
    moved = record.get("unpinned", [])
    if moved:
        yield f"in the archive's present version, the locked one does not install now: {', '.join(moved)}"
    if not record["pruned"]:
        yield "the engine's cache was not emptied: what it had fetched before, it need not have fetched again"
    yield ""
    yield f"{'':44}{'lockwright':>14}{'conventional':>14}{'ratio':>8}"
    ours, other = record.get("ours", {}), record.get("conventional", {})
    for title, path, unit in (
        ("nothing cached, s", ("cold", "seconds"), 1),
        ("compressed, MB", ("cold", "image", "compressed"), 10**6),
        ("unpacked, MB", ("cold", "image", "uncompressed"), 10**6),
        ("of that compiled Python, MB", ("cold", "image", "bytecode"), 10**6),
        ("of that documentation and locales, MB", ("cold", "image", "documentation"), 10**6),
        ("layers", ("cold", "image", "layers"), 1),
        ("one Python pin changed, s", ("warm", "seconds"), 1),
    ):
        yield _figure_row(title, _figure_at(ours, path), _figure_at(other, path), unit)
    yield _component_count_row("components built then", ours, other)
    yield ""
    yield from _machine_load_line(ours, other)
    change = record.get("change")
    if change:
        yield f"the changed pin: {change['name']} {change['from']} -> {change['to']['version']}"
    yield from _content_lines(record.get("content"))
    if record.get("checks"):
        yield f"the lock's checks in the conventional image: {record['checks']}"


def _figure_at(side: dict[str, Any], path: tuple[str, ...]) -> float | None:
    found: Any = side
    for name in path:
        found = found.get(name) if found else None
    return None if found is None else float(found)


def _figure_row(title: str, ours: float | None, other: float | None, unit: int) -> str:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value / unit:,.0f}"

    ratio = f"{ours / other:.2f}" if ours is not None and other else "-"
    return f"{title:44}{shown(ours):>14}{shown(other):>14}{ratio:>8}"


def _component_count_row(title: str, ours: dict[str, Any], other: dict[str, Any]) -> str:
    words = [str(len(side["warm"]["components"])) if "warm" in side else "-" for side in (ours, other)]
    return f"{title:44}{words[0]:>14}{words[1]:>14}"


def _machine_load_line(ours: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Say how busy the machine was before each build: seconds are worth nothing beside other work."""
    words = [
        f"{name} {step} {side[step]['load-before']}"
        for name, side in (("ours", ours), ("conventional", other))
        for step in ("cold", "warm")
        if step in side
    ]
    if words:
        yield f"load of the machine before each build: {', '.join(words)}"


def _content_lines(content: dict[str, Any] | None) -> Iterator[str]:
    if not content:
        return
    for kind, title in (("python", "Python distributions"), ("os", "OS packages")):
        rows = content[kind]
        yield f"{title} of the same version in both: {rows['same']}"
        for side in ("only-ours", "only-conventional"):
            names = rows[side]
            if names:
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                yield f"  {side.replace('-', ' ')}: {', '.join(names[:_SHOWN])}{more}"
