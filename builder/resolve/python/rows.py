"""From uv's answer to rows: one wheel per distribution, chosen for the target and placed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from builder.errors import NoSolutionError, ToolError
from builder.index import parse_rfc3339
from builder.lockfile import PythonPackage
from builder.model import (
    Evidence,
    Sha256,
    normalized_name,
    printable,
    recipe_requirement,
    spdx_expression,
    target_tags,
    wheel_rank,
)
from builder.recipe import PYPI
from builder.resolve.python.no_solution import no_fitting_wheel

if TYPE_CHECKING:
    from builder.index import CandidateWheel, WheelFacts
    from builder.recipe import DeclaredWheel, PythonRequest, StandIn
    from builder.resolve.python.graph import DistributionDemand
    from builder.resolve.python.uv import SolvedDistribution

__all__ = ["built_row", "choose_wheel", "declared_row", "given_item", "split_file_url", "wheel_row"]

_WAREHOUSE = re.compile(r"(?P<base>.*/)(?P<path>[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60})/(?P<file>[^/]+)")


def given_item(listed: SolvedDistribution, request: PythonRequest) -> StandIn | DeclaredWheel | None:
    """Return what stands for `listed` in the request; ToolError when uv took another version of it."""
    for item in request.given:
        if canonicalize_name(item.name) == listed.name:
            if Version(item.version) != Version(listed.version):
                raise ToolError(
                    f"took {item.name} {listed.version}, not the given {item.version}", place="uv"
                )
            return item
    return None


# uv's answer may list several wheels of a version. The tag decides, then the build number, then the file name
# (`model.wheel_rank`): the choice does not depend on the order of the index.
def choose_wheel(listed: SolvedDistribution, request: PythonRequest) -> CandidateWheel:
    """Return the best wheel for the target among those not newer than the date bound and not withdrawn.

    Like pip, this takes a file that stands before a withdrawn one of the same version (PEP 592).
    """
    tags = target_tags(request.arch, request.glibc, request.python)
    bound = parse_rfc3339(request.exclude_newer)
    usable = [item for item in listed.wheels if not item.uploaded or parse_rfc3339(item.uploaded) < bound]
    ranked = [(position, item) for item in usable if (position := wheel_rank(item.file, tags))]
    if not ranked:
        names = sorted(item.file for item in usable or listed.wheels)
        text, hint = no_fitting_wheel(f"{listed.name} {listed.version}", names, request)
        raise NoSolutionError(f"{text} ({request.described()}): {', '.join(names)}", hint=hint)
    standing = [pair for pair in ranked if pair[1].withdrawn is None]
    if not standing:
        raise NoSolutionError(
            f"the index withdrew (yanked) every wheel of {listed.name} {listed.version} that fits "
            f"{request.described()}: {', '.join(sorted(_withdrawal_text(item) for _, item in ranked))}",
            hint=f"choose another version of {listed.name}",
        )
    best = min(standing, key=lambda pair: pair[0])[1]
    _check_index(listed.name, request)
    return best


def _withdrawal_text(wheel: CandidateWheel) -> str:
    return f"{wheel.file} ({printable(wheel.withdrawn)})" if wheel.withdrawn else wheel.file


def _check_index(name: str, request: PythonRequest) -> None:
    """Refuse a distribution that an extra index is named for, and that is not taken from it (trap T10)."""
    index = request.index_of(name)
    if index is not None and name not in {
        normalized_name(recipe_requirement(root)) for root in request.roots
    }:
        raise NoSolutionError(
            f"{name} is to come from index {index.name}, but only a root can name its index: "
            "the default index may have other bytes under the same name",
            hint=f"add {name} with its version to the roots of {request.environment}",
        )


def split_file_url(url: str) -> tuple[str, str]:
    """Split a file's URL into the base of its origin and the folder below it, empty where files lie flat."""
    found = _WAREHOUSE.fullmatch(url.partition("#")[0])
    if found:
        return found["base"], found["path"]
    return url.rpartition("/")[0] + "/", ""


def wheel_row(
    listed: SolvedDistribution,
    wheel: CandidateWheel,
    *,
    facts: WheelFacts,
    folder: str,
    asked: DistributionDemand,
    request: PythonRequest,
) -> PythonPackage:
    """Return the row of a published wheel, which lies in `folder` below its origin."""
    index = request.index_of(listed.name)
    return PythonPackage(
        name=listed.name,
        version=listed.version,
        for_=(request.environment,),
        evidence=Evidence.INDEX if wheel.hash_stated else Evidence.OBSERVED,
        file=wheel.file,
        sha256=Sha256(wheel.sha256),
        size=facts.size,
        origin=index.name if index else PYPI,
        path=folder,
        extras=asked.extras,
        via=asked.via,
        license=spdx_expression(facts.license),
    )


def declared_row(item: DeclaredWheel, asked: DistributionDemand, request: PythonRequest) -> PythonPackage:
    """Return the row of a wheel whose hash somebody published."""
    return PythonPackage(
        name=str(canonicalize_name(item.name)),
        version=item.version,
        for_=(request.environment,),
        evidence=Evidence.DECLARED,
        file=item.file,
        sha256=item.sha256,
        origin=item.origin,
        path=item.path,
        extras=asked.extras,
        via=asked.via,
        by=item.by,
    )


def built_row(item: StandIn, asked: DistributionDemand, request: PythonRequest) -> PythonPackage:
    """Return the row of a distribution that a build makes."""
    return PythonPackage(
        name=str(canonicalize_name(item.name)),
        version=item.version,
        for_=(request.environment,),
        build=item.build,
        extras=asked.extras,
        via=asked.via,
    )
