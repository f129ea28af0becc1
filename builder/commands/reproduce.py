"""`reproduce`: two builds under other conditions, and whether they are one image."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.attest import RebuildStatement, SignaturePurpose, image_built, sign_bytes, write_attestation
from builder.build import (
    BUILDKIT,
    BuildInputs,
    WantedImage,
    build_inputs,
    find,
    find_engine,
    other_order,
    read_graph,
    stage_progress,
    stage_rows,
    timeline_rows,
)
from builder.console import Console
from builder.errors import UsageError
from builder.io import remove
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
from builder.render import RUNTIME_TARGET, Inputs
from builder.reproduce import (
    HOSTNAMES,
    IDENTICAL,
    Comparison,
    Reproduction,
    Variation,
    as_text,
    as_value,
    compare,
    reproduce,
)

__all__ = ["EXAMPLES", "Options", "add_options", "reproduce_image", "run"]

EXAMPLES = """\
  python -m builder reproduce --framework dynamo --platform debian-13 --arch x86_64
  python -m builder reproduce --framework dynamo --component ucx --arch x86_64
  python -m builder reproduce --framework vllm --against published.oci.tar --inputs store
  python -m builder reproduce --framework dynamo --attest ~/.ssh/id_ed25519
  python -m builder reproduce --compare first.tar second.tar --format json
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `reproduce`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    add_inputs(verb, Inputs.REMOTE)
    add_engine(verb)
    verb.add_argument("--against", type=Path, metavar="IMAGE", help="build once, and compare with this image")
    what = verb.add_mutually_exclusive_group()
    what.add_argument(
        "--component", default="", metavar="NAME", help="build only this component and what it needs"
    )
    verb.add_argument(
        "--pause", type=int, default=5, metavar="SECONDS", help="between the builds (default: %(default)s)"
    )
    verb.add_argument("--second-builder", default="", metavar="NAME", help="builder of the second build")
    verb.add_argument(
        "--cgroup-parent", default="", metavar="GROUP", help="control group of the second build"
    )
    verb.add_argument("--processors", type=int, metavar="N", help="processors of the second build")
    verb.add_argument(
        "--attest", type=Path, metavar="KEY", help="sign a statement of one digest with this private key"
    )
    what.add_argument(
        "--compare", nargs=2, type=Path, default=[], metavar="IMAGE", help="compare, build nothing"
    )
    verb.add_argument(
        "--keep", action="store_true", help="keep the second image even when both are identical"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Build twice and compare, or compare two images; 0 for one digest, 1 for differences, or an error."""
    return reproduce_image(
        project_of(options, console),
        Options(
            wanted=wanted_image(options, Inputs(options.inputs)),
            engine=options.engine,
            builder=options.builder,
            pause=options.pause,
            second_builder=options.second_builder,
            cgroup_parent=options.cgroup_parent,
            processors=options.processors,
            against=options.against,
            images=tuple(options.compare),
            keep=options.keep,
            attest=options.attest,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    wanted: WantedImage
    engine: str
    builder: str = ""
    pause: int
    """Seconds between the builds."""
    second_builder: str = ""
    cgroup_parent: str = ""
    """Of the second build."""
    processors: int | None = None
    """How many the second build has."""
    against: Path | None = None
    """An image that exists already, to be compared with one build instead of two."""
    images: tuple[Path, ...] = ()
    """Two images that exist already: they are compared, and nothing is built."""
    keep: bool = False
    """Whether the second image stays when both are identical."""
    attest: Path | None = None
    """A private key that signs what was built, if both builds are identical."""
    json: bool = False


def reproduce_image(project: Project, options: Options) -> int:
    """Build twice and compare, or compare two images; 0 for one digest, 1 for differences, or an error."""
    if options.attest is not None and (options.images or options.wanted.component or options.against):
        raise UsageError(
            "a statement is about two builds of a whole image",
            place="--attest",
            hint="leave out --compare, --component and --against",
        )
    if options.images:
        if not options.wanted.selection.is_empty:
            raise UsageError(
                "two images are compared as they are",
                place=str(options.wanted.selection),
                hint="leave out --release, --platform, --framework and --arch",
            )
        return _compare_images(project, options)
    if options.against is not None:
        with open_images(options.against):
            pass  # a file that is not an image is refused before anything is built
    select_image(project, options.wanted.selection)  # a wrong name is reported before a missing engine
    if options.attest is not None:
        # A key that cannot sign is refused before hours of building.
        sign_bytes(b"", options.attest, SignaturePurpose.REBUILD)
    engine = find(options.engine, options.builder, options.wanted.inputs)
    buildkit = options.engine == BUILDKIT
    if options.second_builder and not buildkit:
        raise UsageError("buildah has no builders", place="--second-builder", hint="leave it out")
    other = find_engine(options.second_builder) if options.second_builder else None
    with build_inputs(project, options.wanted, engine) as ready:
        second = ready.image.with_name(f"second-{ready.image.name}")
        request = ready.request(RUNTIME_TARGET, ready.image)
        arches = tuple(platform.partition("/")[2] for platform in request.platforms)
        variation = Variation(
            pause=0 if options.against else options.pause,
            engine=other,
            # buildah names containers itself, and makes all stages again for every target.
            order=other_order(read_graph(request.dockerfile), request.target, arches) if buildkit else (),
            hostname=HOSTNAMES[1] if buildkit else "",
            cgroup_parent=options.cgroup_parent,
            processors=options.processors,
        )
        found = reproduce(
            engine,
            request,
            second,
            variation,
            lambda title: stage_progress(project, request, title),
            against=options.against,
        )
        record = {
            **ready.what(RUNTIME_TARGET),
            **ready.describe(engine),
            **_comparison_record(found, ready.rendered.dockerfile),
        }
        ready.write_record("reproduce", record)
        if found.comparison.verdict == IDENTICAL and not options.keep:
            remove(second)
        if options.attest is not None and found.comparison.verdict == IDENTICAL:
            statement = _rebuild_statement(ready, record, engine.describe(), found)
            written = write_attestation(project.root / "attestations", statement, options.attest)
            record["attestation"] = [str(path) for path in written]
            project.console.status(f"signed: {written[0]}")
    return _report_comparison(project, found.comparison, record, options)


def _rebuild_statement(
    ready: BuildInputs, record: dict[str, Any], engine: Mapping[str, str], found: Reproduction
) -> RebuildStatement:
    """Return the statement that the builds of `ready` gave one digest."""
    digest, platforms = image_built(ready.image)
    first = ready.locks[0][0]
    return RebuildStatement(
        name=f"{first.release}/{first.platform}/{first.framework}",
        digest=digest,
        locks=tuple(sorted(record["locks"].items())),
        engine=tuple(sorted((str(name), str(version)) for name, version in engine.items())),
        conditions=tuple(found.variation.describe()),
        passed=("reproduce: identical",),
        platforms=platforms,
    )


def _compare_images(project: Project, options: Options) -> int:
    if options.against is not None:
        raise UsageError("--compare builds nothing", place="--against", hint="leave one of them out")
    if len(options.images) != 2:
        raise UsageError("expected two images", place="--compare", hint="--compare FIRST SECOND")
    comparison = compare(*options.images)
    return _report_comparison(project, comparison, as_value(comparison), options)


def _comparison_record(found: Reproduction, dockerfile: str) -> dict[str, Any]:
    return {
        "varied": found.variation.describe(),
        "seconds": [built.seconds for built in found.builds],
        **as_value(found.comparison),
        "stages": [stage_rows(built, dockerfile) for built in found.builds],
        "timeline": [timeline_rows(built, dockerfile) for built in found.builds],
    }


def _report_comparison(
    project: Project, comparison: Comparison, record: dict[str, Any], options: Options
) -> int:
    if options.json:
        project.console.json(record)
    else:
        for said in record.get("varied", ()):
            project.console.status(f"varied: {said}")
        project.console.data(as_text(comparison))
    return 0 if comparison.verdict == IDENTICAL else 1
