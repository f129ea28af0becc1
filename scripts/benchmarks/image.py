"""An image beside what a conventional Dockerfile of the same content makes: seconds, sizes, layers.

    scripts/benchmarks/bench image                              vLLM of release 1.4.2, about an hour
    scripts/benchmarks/bench image --framework dynamo --platform debian-13-assembled
    scripts/benchmarks/bench image --write-only --output out    the conventional Dockerfile alone, no image

Both are built by one engine, one after the other, first with nothing cached,
then with one Python pin changed. The engine is the one of docker's variables
(`scripts/lab up`). Every step is recorded in OUTPUT/result.json when it is
done; with --resume it is not repeated. Ratios count; seconds are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

from builder.build import Engine, find_engine
from builder.console import Console
from builder.errors import BuilderError, UsageError
from builder.io import read_text, write_atomic
from builder.locks import read_lock, select_image
from builder.model import Arch, Sha256
from builder.project import Project, open_project
from builder.provision import first_addresses
from builder.selection import Selection
from scripts.benchmarks.conventional import conventional
from scripts.benchmarks.image_compare import Comparison, Record
from scripts.benchmarks.image_report import text

__all__ = ["add_options", "run"]

ROOT = Path(__file__).resolve().parents[2]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, value in (
        ("release", "1.4.2"),
        ("platform", "debian-13-assembled-cuda-13.0"),
        ("framework", "vllm"),
        ("arch", Arch.X86_64.value),
    ):
        parser.add_argument(f"--{name}", default=value, help="default: %(default)s")
    parser.add_argument("--project", default=str(ROOT), metavar="DIR", help="folder of locks and places")
    parser.add_argument("--output", type=Path, default=ROOT / "rendered/bench-image", metavar="DIR")
    parser.add_argument("--base", default="", metavar="IMAGE", help="default: made like Debian's slim image")
    parser.add_argument("--builder", default="", metavar="NAME", help="a buildx builder")
    parser.add_argument("--change", default="", metavar="NAME", help="the Python pin to change")
    parser.add_argument(
        "--only",
        choices=("ours", "conventional"),
        help="measure one side; the other one later, with --resume",
    )
    parser.add_argument("--resume", action="store_true", help="do not repeat what result.json has")
    parser.add_argument(
        "--prune", action="store_true", help="empty the engine's cache before each cold build"
    )
    parser.add_argument(
        "--write-only", action="store_true", help="write the conventional Dockerfile and stop"
    )
    parser.add_argument("--minutes", type=int, default=240, help="for one build (default: %(default)s)")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> bool:
    """Run the comparison; a failure is reported with its place, and decides the exit code."""
    console = Console()
    try:
        _run_comparison(options, console)
    except BuilderError as error:
        console.error(error)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        console.status("interrupted; go on with --resume")
        raise SystemExit(130) from None
    return True


def _run_comparison(options: argparse.Namespace, console: Console) -> None:
    project = open_project(project=options.project, store="", origins=(), mirrors=(), console=console)
    selection = Selection(
        releases=(options.release,),
        platforms=(options.platform,),
        frameworks=(options.framework,),
        arches=(Arch(options.arch),),
    )
    (target,) = select_image(project, selection)
    lock, data = read_lock(project, project.locks / target.path)
    output = options.output.resolve() / target.release / target.platform / f"{target.framework}-{target.arch}"
    addresses = first_addresses(project, [lock])
    form = conventional(lock, addresses.file_url)
    write_atomic(output / "Dockerfile", form.dockerfile.encode())
    write_atomic(output / "requirements.txt", form.requirements.encode())
    if options.write_only:
        console.data(str(output / "Dockerfile"))
        return
    engine = find_engine(options.builder)
    facts = {
        "lock": target.path,
        "lock-digest": f"sha256:{Sha256.of(data)}",
        "engine": engine.describe(),
        "machine": _machine_facts(),
        "pruned": options.prune,
    }
    record = Record(output / "result.json", console, _begin_record(output / "result.json", facts, options))
    record.write()
    work = output / "work"
    try:
        work.mkdir(exist_ok=True)
        _comparison_of_options(options, project, engine, work, record).run(lock, addresses)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.format == "json":
        console.json(record.facts)
    else:
        console.data(text(record.facts))


def _comparison_of_options(
    options: argparse.Namespace, project: Project, engine: Engine, work: Path, record: Record
) -> Comparison:
    return Comparison(
        project=project,
        engine=engine,
        work=work,
        record=record,
        sides=(options.only,) if options.only else ("ours", "conventional"),
        base=options.base,
        change=options.change,
        prune=options.prune,
        minutes=options.minutes,
    )


def _begin_record(file: Path, facts: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return what is known at the start: with --resume the record, which must be of the same things."""
    if not options.resume or not file.is_file():
        return facts
    known: dict[str, Any] = json.loads(read_text(file))
    for name in ("lock", "lock-digest", "engine"):
        if known.get(name) != facts[name]:
            hint = "run it without --resume, or name another --output"
            raise UsageError(f"is of another {name}", place=str(file), hint=hint)
    return known


def _machine_facts() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": len(os.sched_getaffinity(0)),
        "memory-gb": round(memory / 10**9),
        "kernel": platform.release(),
    }
