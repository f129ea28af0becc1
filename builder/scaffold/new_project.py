"""A new project from what a person said of it: versions are looked up, and every recipe is read before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from builder.errors import FetchError, UsageError
from builder.index import parse_rfc3339
from builder.model import Arch
from builder.project import Project
from builder.project_file import PROJECT_FILE
from builder.recipe import Library, Release, effective_recipe, lockable_targets, missing_pins
from builder.scaffold.newest import PinRequest, newest_pins
from builder.scaffold.project_files import ProjectAnswers, day_start, project_texts, recipe_name
from builder.selection import Selection, check_names

__all__ = ["COOLDOWN_DAYS", "ProjectRequest", "new_project_texts"]

COOLDOWN_DAYS = 7
"""How old a file must be to enter a new project, unless told: most bad uploads are withdrawn within days."""
_DEFAULT_PLATFORM = "debian-13"
_WEB_ROOTS = ("fastapi", "uvicorn[standard]")
"""What a project is of that is told nothing else: a small web service."""
_INSTALLER = "pip"
_OWN_LICENSE = "LicenseRef-Proprietary"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRequest:
    """What a person said of a new project; what is empty is looked up, or is as usual."""

    called: str = ""
    """Of its framework; empty means the folder's name."""
    summary: str = ""
    license: str = ""
    extends: str = ""
    """A framework of the catalogue."""
    base: str = ""
    """A release of the catalogue."""
    until: str = ""
    """A day such as 2026-11-24."""
    release: str = ""
    roots: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    arches: tuple[Arch, ...] = ()
    index_url: str = ""


def _check_free_folder(root: Path) -> None:
    """Refuse a folder that is a project already (UsageError); other files in it stay as they are."""
    for name in (PROJECT_FILE, "recipes", "lock"):
        if (root / name).exists():
            raise UsageError(
                "a project is here already",
                place=str(root / name),
                hint="take another folder, or add to it: `init framework`, `init component`",
            )


def new_project_texts(project: Project, request: ProjectRequest, *, now: datetime) -> dict[str, str]:
    """Return the files of a new project at `project.root` by path, after all recipes were read with them.

    Versions that are not stated are the newest that the index has, and that have wheels for every target.
    UsageError, RecipeError, NoSolutionError, FetchError: then there is nothing to write.
    """
    _check_free_folder(project.root)
    texts = project_texts(_project_answers(project, request, now=now))
    _check_lockable(project, texts)
    return texts


def _project_answers(project: Project, request: ProjectRequest, *, now: datetime) -> ProjectAnswers:
    library = project.library()
    name = request.called or recipe_name(project.root.name) or "app"
    if name != recipe_name(name):
        raise UsageError(
            f"{name!r} is not a recipe's name",
            place="--called",
            hint="use lower-case letters, digits and hyphens",
        )
    if name in library.frameworks:
        raise UsageError(
            f"the catalogue has a framework {name!r}",
            place="init project",
            hint="give yours a name: --called NAME",
        )
    base = _base_release(request, library)
    until = _last_day(request, base, now)
    platforms = request.platforms or _usual_platforms(request.extends, base)
    arches = request.arches or tuple(Arch)
    check_names(
        Selection(platforms=platforms, frameworks=(request.extends,) if request.extends else ()),
        library.target_names,
    )
    roots = request.roots or (() if request.extends else _WEB_ROOTS)
    before = parse_rfc3339(day_start(until) if until else _bound_of(base))
    platform_rows = [library.platform(platform) for platform in platforms]
    wanted = PinRequest(
        before=before,
        pythons=frozenset((arch, row.glibc, row.python) for row in platform_rows for arch in arches),
    )
    pins = dict(request.pins)
    stated = {name for group in base.python.values() for name, _ in group} if base else set()
    asked = [root for root in map(_root_name, roots) if root not in {*pins, *stated}]
    installer: dict[str, str] = {}
    if asked or base is None:
        with project.client() as client:
            services = project.services(client, index_url=request.index_url)
            project.console.status(f"looking up the newest versions until {before:%Y-%m-%d}")
            pins |= newest_pins(asked, wanted, services)
            installer = {} if base else newest_pins([_INSTALLER], wanted, services)
    release = request.release or f"{now.year}.{now.month}.{now.day}"
    if release in library.releases:
        raise UsageError(
            f"the catalogue has a release {release!r}", place="--release", hint="give yours another version"
        )
    return ProjectAnswers(
        name=name,
        summary=request.summary or _usual_summary(request.extends, roots),
        license=request.license or ("" if request.extends else _OWN_LICENSE),
        release=release,
        platforms=platforms,
        arches=arches,
        roots=roots,
        pins=pins,
        components=request.components,
        extends=request.extends,
        base=base.version if base else "",
        until=until,
        installer=installer,
    )


def _root_name(root: str) -> str:
    try:
        return str(canonicalize_name(Requirement(root).name))
    except InvalidRequirement as error:
        raise UsageError(f"{root!r} is not a requirement: {error}", place="--root") from None


def _base_release(request: ProjectRequest, library: Library) -> Release | None:
    """Return the release of the catalogue that the project stands on, if it extends a framework."""
    if not request.extends:
        if request.base:
            raise UsageError("--base goes with --extends", place="--base", hint="name the framework too")
        return None
    library.framework(request.extends)
    return library.release(request.base) if request.base else library.default_release


def _last_day(request: ProjectRequest, base: Release | None, now: datetime) -> str:
    """Return the day after which nothing counts; empty takes the bound of `base`."""
    if request.until:
        try:
            return date.fromisoformat(request.until).isoformat()
        except ValueError:
            raise UsageError(
                f"{request.until!r} is not a day", place="--until", hint="write it as 2026-11-24"
            ) from None
    return "" if base else (now - timedelta(days=COOLDOWN_DAYS)).date().isoformat()


def _bound_of(base: Release | None) -> str:
    return base.exclude_newer if base else ""


def _usual_platforms(framework: str, base: Release | None) -> tuple[str, ...]:
    """Return the platform that the release lists first for the framework, which it recommends thereby."""
    for row in base.targets if base else ():
        if row.framework == framework:
            return row.platforms[:1]
    return (_DEFAULT_PLATFORM,)


def _usual_summary(extends: str, roots: Sequence[str]) -> str:
    names = ", ".join(map(_root_name, roots))
    return f"{extends}, with {names}" if extends and names else extends or names


def _check_lockable(project: Project, texts: Mapping[str, str]) -> None:
    """Refuse a project whose recipes do not fit, or lack pins (RecipeError, FetchError)."""
    own = {path.removeprefix("recipes/"): text for path, text in texts.items() if path.startswith("recipes/")}
    library = project.library_with(own)
    for target in lockable_targets(library, Selection()):
        missing = missing_pins(effective_recipe(library, target))
        if missing:
            raise FetchError(
                f"pins are missing: {'; '.join(missing)}",
                place=f"--platform {target.platform}",
                hint="take a platform whose pins the catalogue has: see `python -m builder matrix`",
            )
