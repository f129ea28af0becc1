"""`build`: locks to an image in OCI layout, with BuildKit or buildah."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builder.build import (
    BUILDAH,
    AnyEngine,
    BuildInputs,
    Built,
    WantedImage,
    build,
    build_inputs,
    find,
    stage_progress,
    stage_rows,
    timeline_rows,
)
from builder.console import Console
from builder.locks import select_image
from builder.oci import open_images
from builder.options import (
    ResultFormat,
    add_engine,
    add_format,
    add_inputs,
    add_places,
    add_selection,
    project_of,
    wanted_image,
)
from builder.project import Project
from builder.render import CHECK_TARGET, IMAGE_TARGETS, RUNTIME_TARGET, Inputs

__all__ = ["EXAMPLES", "Options", "add_options", "build_image", "run"]

EXAMPLES = """\
  python -m builder build --framework dynamo --platform debian-13 --arch x86_64
  python -m builder build --framework dynamo --target check
  python -m builder build --framework vllm --inputs store --output out/
  python -m builder build --framework dynamo --component ucx --arch x86_64
  python -m builder build --framework dynamo --engine buildah --inputs store
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `build`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, Inputs.REMOTE)
    add_engine(verb)
    what = verb.add_mutually_exclusive_group()
    what.add_argument(
        "--target",
        choices=IMAGE_TARGETS,
        default=RUNTIME_TARGET,
        help="the stage to build (default: %(default)s)",
    )
    what.add_argument(
        "--component", default="", metavar="NAME", help="build only this component and what it needs"
    )
    verb.add_argument("--no-cache", action="store_true", help="build every stage without cache")


def run(options: argparse.Namespace, console: Console) -> int:
    """Build one image for the locked architectures that the engine can run; 0, or an error."""
    return build_image(
        project_of(options, console),
        Options(
            wanted=wanted_image(options, Inputs(options.inputs)),
            target=options.target,
            cache=not options.no_cache,
            engine=options.engine,
            builder=options.builder,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    wanted: WantedImage
    target: str
    cache: bool
    engine: str
    builder: str = ""
    json: bool = False


def build_image(project: Project, options: Options) -> int:
    """Build one image for the locked architectures that the engine can run; 0, or an error.

    Only the image itself is written to a file: of every other target it is
    enough that it was built.
    """
    select_image(project, options.wanted.selection)  # a wrong name is reported before a missing engine
    engine = find(options.engine, options.builder, options.wanted.inputs)
    if options.engine == BUILDAH and options.cache:
        project.console.status("buildah builds every stage again: its cache is not reliable")
    with build_inputs(project, options.wanted, engine) as making:
        request = making.request(options.target, None if options.target == CHECK_TARGET else making.image)
        with stage_progress(
            project, request, f"building {options.wanted.component or options.target}"
        ) as heard:
            built = build(engine, replace(request, cache=options.cache), heard)
        record = _build_record(making, engine, built, options)
        making.write_record(options.wanted.component or options.target, record)
    _report_build(project, record, options)
    return 0


def _build_record(ready: BuildInputs, engine: AnyEngine, built: Built, options: Options) -> dict[str, Any]:
    """Return what was built, by what, and how long each stage took."""
    record: dict[str, Any] = dict(ready.what(options.target))
    if options.target != CHECK_TARGET:
        record |= digests(ready.image)
    return {
        **record,
        **ready.describe(engine),
        "seconds": built.seconds,
        "stages": stage_rows(built, ready.rendered.dockerfile),
        "timeline": timeline_rows(built, ready.rendered.dockerfile),
    }


def digests(image: Path) -> dict[str, Any]:
    """Return the digest that names an image, and of each platform's manifest."""
    with open_images(image) as layout:
        rows = {row.platform: row.digest for row in layout.images()}
        return {"image": str(image), "digest": layout.digest, "platforms": rows}


def _report_build(project: Project, record: dict[str, Any], options: Options) -> None:
    if options.json:
        project.console.json(record)
        return
    engine = ", ".join(f"{name} {version}" for name, version in record["engine"].items())
    project.console.status(f"{engine}; {record['seconds']} s")
    if options.target == CHECK_TARGET:
        project.console.data(f"{CHECK_TARGET}: passed")
    else:
        project.console.data(f"{record['digest']}  {record['image']}")
