"""From parsed words to a verb's options. A verb's code is loaded when it runs: small verbs start fast."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from builder.console import Console
from builder.errors import UsageError
from builder.model.target import Arch

if TYPE_CHECKING:
    from builder.commands.project import Project
    from builder.resolve.targets import Selection

__all__ = ["build", "export", "fetch", "lock", "render", "reproduce"]


def _selection(options: argparse.Namespace) -> Selection:
    from builder.resolve.targets import Selection  # noqa: PLC0415 - see the module's docstring

    return Selection(
        releases=tuple(options.release),
        platforms=tuple(options.platform),
        frameworks=tuple(options.framework),
        arches=tuple(Arch(arch) for arch in options.arch),
    )


def _project(options: argparse.Namespace, console: Console) -> Project:
    from builder.commands.project import open_project  # noqa: PLC0415

    return open_project(
        project=options.project,
        store=options.store,
        origins=tuple(options.origin),
        mirrors=tuple(options.mirror),
        console=console,
    )


def lock(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import lock  # noqa: PLC0415

    if options.check and (options.dry_run or options.upgrade):
        raise UsageError("--check goes with neither --dry-run nor --upgrade", hint="use one of them")
    mode = lock.Mode.CHECK if options.check else lock.Mode.DRY_RUN if options.dry_run else lock.Mode.WRITE
    return lock.run(
        _project(options, console),
        lock.Options(
            selection=_selection(options),
            mode=mode,
            upgrade=tuple(options.upgrade),
            offline=options.offline,
            index_url=options.index_url,
            json=options.format == "json",
        ),
    )


def render(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import render  # noqa: PLC0415
    from builder.render import Inputs  # noqa: PLC0415

    return render.run(
        _project(options, console),
        render.Options(
            selection=_selection(options),
            inputs=Inputs(options.inputs),
            output=options.output,
            json=options.format == "json",
        ),
    )


def export(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import export  # noqa: PLC0415

    return export.run(
        _project(options, console),
        export.Options(selection=_selection(options), output=options.output, json=options.format == "json"),
    )


def fetch(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import fetch  # noqa: PLC0415
    from builder.render import Inputs  # noqa: PLC0415

    return fetch.run(
        _project(options, console),
        fetch.Options(
            selection=_selection(options),
            inputs=Inputs(options.inputs),
            dry_run=options.dry_run,
            jobs=options.jobs,
            json=options.format == "json",
        ),
    )


def build(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import build  # noqa: PLC0415
    from builder.render import Inputs  # noqa: PLC0415

    return build.run(
        _project(options, console),
        build.Options(
            selection=_selection(options),
            inputs=Inputs(options.inputs),
            target=options.target,
            output=options.output,
            cache=not options.no_cache,
            builder=options.builder,
            json=options.format == "json",
        ),
    )


def reproduce(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import reproduce  # noqa: PLC0415
    from builder.render import Inputs  # noqa: PLC0415

    return reproduce.run(
        _project(options, console),
        reproduce.Options(
            selection=_selection(options),
            inputs=Inputs(options.inputs),
            output=options.output,
            builder=options.builder,
            pause=options.pause,
            second_builder=options.second_builder,
            cgroup_parent=options.cgroup_parent,
            processors=options.processors,
            images=tuple(options.compare),
            keep=options.keep,
            json=options.format == "json",
        ),
    )
