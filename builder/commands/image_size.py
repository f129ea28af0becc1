"""`image-size`: the planned layers of images, by size, and what two images share; from locks alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from builder.console import Console
from builder.layers import Layer, LayerPlan, compare_plans, layer_totals, plan_layers
from builder.lockfile import Lock
from builder.locks import lock_path, read_lock, select_locks
from builder.model import counted, human_size
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.selection import Selection

__all__ = ["EXAMPLES", "add_options", "run", "show_sizes"]

EXAMPLES = """\
  python -m builder image-size --framework vllm --arch x86_64
  python -m builder image-size --framework vllm --arch x86_64 --against lock/1.4.2/debian-13/efa-x86_64.toml
  python -m builder image-size --release all                  what a registry keeps of all of them
"""

_PREDICTED = (
    "This is a plan from the lock: sizes are those of the files that it names, as they are downloaded. "
    "A built image has other sizes, and `render` does not divide images into these layers yet."
)
_OPEN = "not known before it is built or pulled"


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `image-size`."""
    verb.add_argument(
        "--against", type=Path, metavar="LOCK", help="the lock of an image that is there already"
    )
    add_selection(verb)
    add_places(verb)
    add_format(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Show the layers of one lock, or a line for each of several; 0, or an error."""
    return show_sizes(
        project_of(options, console),
        selection_of(options),
        against=options.against,
        json=options.format == ResultFormat.JSON,
    )


def show_sizes(project: Project, selection: Selection, *, against: Path | None, json: bool) -> int:
    """Show the layers of one lock, or a line for each of several; 0, or an error."""
    locks = [read_lock(project, lock_path(project, target))[0] for target in select_locks(project, selection)]
    plans = [plan_layers(lock) for lock in locks]
    other = plan_layers(read_lock(project, against)[0]) if against is not None else None
    if json:
        project.console.json(_plans_as_json(locks, plans, other))
    elif len(locks) == 1:
        _show_one(project.console, locks[0], plans[0], other)
    else:
        _show_many(project.console, locks, plans, other)
    return 0


def _show_one(console: Console, lock: Lock, plan: LayerPlan, other: LayerPlan | None) -> None:
    keys = {layer.key for layer in other.layers} if other else set()
    columns = ("layer", "rows", "bytes of its files", *(("there already",) if other else ()))
    rows = [
        (
            layer.name,
            str(len(layer.rows)),
            _size_text(layer),
            *(("yes" if layer.key in keys else "no",) if other else ()),
        )
        for layer in plan.layers
    ]
    console.data(f"{lock.target}: {counted(len(plan.layers), 'planned layer')}\n")
    console.table(columns, rows)
    if other:
        console.data(f"{_shared_text(plan, other)}\n")
    console.data(f"{_PREDICTED}\n")


def _show_many(console: Console, locks: list[Lock], plans: list[LayerPlan], other: LayerPlan | None) -> None:
    rows = []
    for lock, plan in zip(locks, plans, strict=True):
        shared = (human_size(compare_plans(plan, other).pulled_bytes),) if other else ()
        size = human_size(sum(layer.size for layer in plan.layers))
        rows.append((str(lock.target), str(len(plan.layers)), size, *shared))
    console.table(("lock", "layers", "bytes of files", *(("to pull",) if other else ())), rows)
    total = layer_totals(plans)
    unknown = sum(1 for plan in plans for layer in plan.layers if layer.open_rows)
    console.data(
        f"all together: {counted(total.layers, 'layer')}, {human_size(total.size)}; "
        f"different ones: {counted(total.distinct_layers, 'layer')}, {human_size(total.distinct_size)}\n"
    )
    if unknown:
        console.data(f"not counted: {counted(unknown, 'layer')} with rows whose size is {_OPEN}\n")
    console.data(f"{_PREDICTED}\n")


def _size_text(layer: Layer) -> str:
    if not layer.open_rows:
        return human_size(layer.size)
    return f"{human_size(layer.size)}, and {counted(layer.open_rows, 'row')} {_OPEN}" if layer.size else _OPEN


def _shared_text(plan: LayerPlan, other: LayerPlan) -> str:
    compared = compare_plans(plan, other)
    unknown = sum(1 for layer in compared.other if layer.open_rows)
    more = f", and {counted(unknown, 'layer')} of unknown size" if unknown else ""
    return (
        f"there already: {counted(len(compared.shared), 'layer')}, {human_size(compared.shared_bytes)}; "
        f"to pull: {counted(len(compared.other), 'layer')}, {human_size(compared.pulled_bytes)}{more}"
    )


def _plans_as_json(locks: list[Lock], plans: list[LayerPlan], other: LayerPlan | None) -> dict[str, object]:
    keys = {layer.key for layer in other.layers} if other else set()
    total = layer_totals(plans)
    return {
        "basis": "plan",
        "images": [
            {
                "lock": str(lock.target),
                "layers": [
                    {
                        "name": layer.name,
                        "kind": layer.kind.value,
                        "rows": list(layer.rows),
                        "key": layer.key,
                        "bytes-of-files": layer.size,
                        "rows-of-unknown-size": layer.open_rows,
                        **({"shared": layer.key in keys} if other else {}),
                    }
                    for layer in plan.layers
                ],
            }
            for lock, plan in zip(locks, plans, strict=True)
        ],
        "layers": total.layers,
        "bytes-of-files": total.size,
        "distinct-layers": total.distinct_layers,
        "distinct-bytes-of-files": total.distinct_size,
    }
