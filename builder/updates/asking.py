"""The places that list versions, asked about each pin: indexes, git servers, registries, OS archives.

A place that cannot be asked makes its pins "not looked up"; nothing is concluded from its silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from packaging.version import InvalidVersion, Version

from builder.errors import BuilderError
from builder.index import (
    IndexProject,
    IndexServices,
    parse_rfc3339,
    read_index_project,
    read_wheel_facts,
)
from builder.io import Client, first_answer, read_bytes
from builder.lockfile import LockSection, named_label
from builder.model import release_order, spdx_expression
from builder.oci import ImageIndex, Registry
from builder.policy import Advisory, AdvisorySubject, advisories_about
from builder.project import Project
from builder.recipe import PYPI, Component, ImageRecipe, Library, RepositoryRecipe
from builder.resolve.debian import check_suite, index_folder, read_inrelease
from builder.resolve.os import snapshot_stamp, utc_rfc3339
from builder.resolve.rpm import read_repomd, repository_path
from builder.scaffold import PinRequest, newest_version
from builder.updates.cooldown import Cooldown
from builder.updates.news import AdvisoryNews, LicenseNews, NewsState, PinNews
from builder.updates.pins import ProjectPin, ProjectPinKind
from builder.updates.tag_order import newer_tags, tag_of_version

__all__ = [
    "ASKED_TIMES",
    "AdvisorySource",
    "Questions",
    "advisory_subjects_of",
    "ask_about_pins",
    "with_advisories",
]

ASKED_TIMES = 2
"""So often a place is asked that does not answer: there are many, and it can be asked again later."""
_WORKERS = 8
_NO_ADVISORIES = "no --advisories was given"
AdvisorySource = Sequence[Advisory]
"""The records that are about any of the pins, or their newer versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What one run asks with."""

    project: Project
    library: Library
    client: Client
    services: IndexServices
    cooldown: Cooldown
    now: datetime


def ask_about_pins(pins: Sequence[ProjectPin], questions: Questions) -> list[PinNews]:
    """Return the answer for each pin, in their order; what fails for one says nothing of another."""
    with questions.project.console.steps("asking", len(pins)) as steps, ThreadPoolExecutor(_WORKERS) as pool:

        def one(pin: ProjectPin) -> PinNews:
            try:
                found = _ASK[pin.kind](pin, questions)
            except BuilderError as error:
                found = _unreached_news(pin, error)
            steps.done(f"{pin.kind} {pin.name}: {found.state.value}")
            return found

        return list(pool.map(one, pins))


def _unreached_news(pin: ProjectPin, error: BuilderError) -> PinNews:
    return PinNews(pin=pin, state=NewsState.NOT_LOOKED_UP, reason=_one_line(error), unreached=True)


def _one_line(error: BuilderError) -> str:
    return " ".join(str(error).split())


def _not_looked_up(pin: ProjectPin, reason: str) -> PinNews:
    return PinNews(pin=pin, state=NewsState.NOT_LOOKED_UP, reason=reason)


# --- Python -----------------------------------------------------------------------------------------------


def _ask_index(pin: ProjectPin, questions: Questions) -> PinNews:
    return _index_news(pin, pin.name, questions, sources=False)


def _index_news(pin: ProjectPin, name: str, questions: Questions, *, sources: bool) -> PinNews:
    """Ask an index for the versions of a distribution; with `sources`, an sdist counts as a wheel does."""
    services = questions.services
    page = read_index_project(services.client, pin.index_url or services.index_url, name)
    if page is None or not page.files:
        return _not_looked_up(pin, f"the index has no distribution {name}")
    try:
        own = Version(pin.version)
    except InvalidVersion:
        return _not_looked_up(pin, f"{pin.version} is not a version that can be compared")
    before = questions.cooldown.until(pin.name, questions.now)
    undated = all(item.uploaded is None for item in page.files)
    best = _newest_version(page, pin, own, before, sources=sources)
    ever = _newest_version(page, pin, own, questions.now, sources=sources)
    any_fit = max(
        (item.version for item in page.files if not item.yanked and _version_counts(item.version, own)),
        default=None,
    )
    notes = _version_notes(page, own, best, any_fit, ever, undated=undated)
    news = PinNews(
        pin=pin,
        state=_state_of(own, best, ever),
        newest=str(best) if best is not None and best > own else "",
        pinned_on=_upload_time(page, own),
        newest_on=_upload_time(page, best) if best is not None and best > own else None,
        notes=notes,
    )
    return _with_license(news, page, own, best, services) if news.newest else news


def _newest_version(
    page: IndexProject, pin: ProjectPin, own: Version, before: datetime, *, sources: bool
) -> Version | None:
    if sources:
        files = [
            item
            for item in page.files
            if not item.yanked and (item.uploaded is None or item.uploaded < before)
        ]
        return max((item.version for item in files if _version_counts(item.version, own)), default=None)
    return newest_version(page, PinRequest(before=before, pythons=pin.pythons, prereleases=own.is_prerelease))


def _version_counts(version: Version, own: Version) -> bool:
    return own.is_prerelease or not version.is_prerelease


def _state_of(own: Version, best: Version | None, ever: Version | None) -> NewsState:
    if best is not None and best > own:
        return NewsState.NEWER
    return NewsState.COOLING if ever is not None and ever > own else NewsState.NEWEST


def _version_notes(
    page: IndexProject,
    own: Version,
    best: Version | None,
    any_fit: Version | None,
    ever: Version | None,
    *,
    undated: bool,
) -> tuple[str, ...]:
    notes = []
    files = page.of(own)
    if not files:
        notes.append(f"the index does not list {own} any more")
    elif all(item.yanked for item in files):
        why = next((item.yanked_reason for item in files if item.yanked_reason), "")
        notes.append(f"{own} was withdrawn (yanked){f': {why}' if why else ''}")
    if ever is not None and ever > own and ever != best:
        notes.append(f"{ever} is younger than the cooldown")
    if any_fit is not None and any_fit > own and (ever is None or any_fit > ever):
        notes.append(f"{any_fit} has no wheel for every target")
    if undated:
        notes.append("the index states no upload times, so no cooldown was applied")
    return tuple(notes)


def _upload_time(page: IndexProject, version: Version | None) -> datetime | None:
    if version is None:
        return None
    return min((item.uploaded for item in page.of(version) if item.uploaded), default=None)


def _with_license(
    news: PinNews, page: IndexProject, own: Version, best: Version | None, services: IndexServices
) -> PinNews:
    """Add the licences of a wheel of both versions; the reason if none can be read."""
    before, after = page.some_wheel(own), page.some_wheel(best) if best else None
    if before is None or after is None:
        return replace(news, license_reason=f"no wheel of {own if before is None else best} with a hash")
    try:
        facts = [read_wheel_facts([(page.name, wheel)], services)[page.name] for wheel in (before, after)]
    except BuilderError as error:
        return replace(news, license_reason=_one_line(error))
    first, second = (spdx_expression(one.license) for one in facts)
    return replace(news, license=LicenseNews(before=first, after=second))


# --- components -------------------------------------------------------------------------------------------


def _ask_component(pin: ProjectPin, questions: Questions) -> PinNews:
    component = questions.library.component(pin.name, place=pin.path)
    version = component.versions[pin.version]
    if version.git is not None and version.git.tag:
        news = _ask_tags(pin, version.git.url, version.git.tag, questions)
    elif version.git is not None:
        news = _not_looked_up(pin, "a bare commit has no tag that others could be newer than")
    elif version.published or any(row.origin == PYPI for row in version.archives):
        news = _index_news(pin, _distribution_of(component), questions, sources=not version.published)
    elif version.wheels:
        news = _not_looked_up(pin, "it is made of wheels, whose versions follow from it")
    else:
        origins = ", ".join(sorted({row.origin for row in version.archives}))
        news = _not_looked_up(pin, f"its files come from {origins}, which lists no versions")
    return _with_recipe_versions(news, component)


def _distribution_of(component: Component) -> str:
    python = component.python
    return next(iter((*python.family, *(wheel.name for wheel in python.wheels))), component.name)


def _ask_tags(pin: ProjectPin, url: str, tag: str, questions: Questions) -> PinNews:
    try:
        refs = questions.project.git_places().refs(url, ("refs/tags/*",))
    except BuilderError as error:
        return _unreached_news(pin, error)
    tags = [name.removeprefix("refs/tags/") for name in refs if not name.endswith("^{}")]
    notes = [] if tag in tags else [f"{url} does not have the tag {tag} any more"]
    newer = newer_tags(tag, tags)
    if not newer:
        return PinNews(pin=pin, state=NewsState.NEWEST, notes=tuple(notes))
    version = tag_of_version(tag, newer[-1], pin.version)
    notes.append(f"tag {newer[-1]}; a list of tags states no day, so no cooldown was applied")
    if not version:
        notes.append(f"which version it stands for is not clear from {tag}")
    return PinNews(
        pin=pin,
        state=NewsState.NEWER,
        newest=version or newer[-1],
        tag=newer[-1] if version else "",
        notes=tuple(notes),
        license_reason="a tag states none; compare the sources",
    )


def _with_recipe_versions(news: PinNews, component: Component) -> PinNews:
    """Say which newer versions the component's recipe has already."""
    known = sorted(filter(None, (_parsed_version(text) for text in component.versions)))
    own = _parsed_version(news.pin.version)
    newer = [version for version in known if own is not None and version > own]
    newer = [version for version in newer if not version.is_prerelease or (own and own.is_prerelease)]
    if not newer:
        return news
    found = replace(news, notes=(*news.notes, f"its recipe has {', '.join(map(str, newer))}"))
    if found.state is NewsState.NOT_LOOKED_UP:
        return replace(
            found, state=NewsState.NEWER, newest=str(newer[-1]), license_reason="a recipe states one for all"
        )
    return found


def _parsed_version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


# --- what a platform stands on ----------------------------------------------------------------------------


def _ask_registry(pin: ProjectPin, questions: Questions) -> PinNews:
    image = pin.image
    assert image is not None, "a pin of an image has it"  # noqa: S101
    with Registry(image.name, questions.project.origins, attempts=ASKED_TIMES) as registry:
        moved = _moved_tag(registry, image)
        try:
            newer = newer_tags(image.tag, registry.tags())
        except BuilderError as error:
            reason = f"the tag {'moved' if moved else 'is as pinned'}; other tags: {_one_line(error)}"
            state = NewsState.MOVED if moved else NewsState.NOT_LOOKED_UP
            return PinNews(pin=pin, state=state, newest=moved, reason=reason, unreached=True)
    notes = (f"the tag {image.tag} has the digest {moved} now",) if moved else ()
    if newer:
        return PinNews(pin=pin, state=NewsState.NEWER, newest=newer[-1], tag=newer[-1], notes=notes)
    return PinNews(pin=pin, state=NewsState.MOVED if moved else NewsState.NEWEST, newest=moved, notes=notes)


def _moved_tag(registry: Registry, image: ImageRecipe) -> str:
    """Return the digest that the image's tag has now, if that is not the pinned one; else an empty text."""
    digest, manifest = registry.manifest(image.tag)
    known = {image.digest, image.index_digest} - {None}
    if digest in known:
        return ""
    if isinstance(manifest, ImageIndex) and any(part.digest == image.digest for part in manifest.manifests):
        return ""
    return str(digest)


def _ask_archive(pin: ProjectPin, questions: Questions) -> PinNews:
    repository = pin.repository
    assert repository is not None, "a pin of an OS index has its repository"  # noqa: S101
    keys = tuple(questions.library.keys[name] for name in repository.keys)
    ask = _debian_index if repository.components else _rpm_index
    pinned, sha256, signed = ask(repository, keys, questions)
    at = _pinned_day(repository, keys, questions)
    if pinned == sha256:
        return PinNews(pin=pin, state=NewsState.NEWEST, pinned_on=at, notes=("the index is the pinned one",))
    # An archive signs again what it had: then its day is before the moment at which the other was pinned.
    later = at is None or signed > at
    return PinNews(
        pin=pin,
        state=NewsState.NEWER if later else NewsState.MOVED,
        newest=utc_rfc3339(signed),
        pinned_on=at,
        newest_on=signed,
        notes=() if later else ("the archive has another index now, and it is not known to be newer",),
    )


def _pinned_day(recipe: RepositoryRecipe, keys: tuple[bytes, ...], questions: Questions) -> datetime | None:
    """Return the day of the pinned index: as it was signed where that is kept, else the pinned moment."""
    if not recipe.at:
        return None
    if recipe.components:
        kept = questions.project.recipe_path(f"indexes/{index_folder(recipe)}/InRelease")
        if kept.is_file():
            return read_inrelease(read_bytes(kept), keys, place=str(kept)).date
    return parse_rfc3339(recipe.at)


def _debian_index(
    recipe: RepositoryRecipe, keys: tuple[bytes, ...], questions: Questions
) -> tuple[str, str, datetime]:
    """Return the pinned and the present SHA-256 of InRelease, and the day of the present one, verified."""
    stamp = snapshot_stamp(questions.now)
    url = questions.project.origins.archive_url(recipe.origin, stamp, f"dists/{recipe.suite}/InRelease")
    release = read_inrelease(_document_bytes(url, questions), keys, place=url)
    check_suite(release, recipe.suite)
    return str(recipe.inrelease or ""), release.sha256, release.date


def _rpm_index(
    recipe: RepositoryRecipe, keys: tuple[bytes, ...], questions: Questions
) -> tuple[str, str, datetime]:
    """Return the same of repomd.xml, of the first architecture that is pinned."""
    pinned = recipe.repomd[0]
    base = repository_path(recipe, pinned.arch)
    url = questions.project.origins.url(recipe.origin, "", f"{base}/repodata/repomd.xml")
    repomd = read_repomd(
        _document_bytes(url, questions), _document_bytes(f"{url}.asc", questions), keys, place=url
    )
    return str(pinned.sha256), repomd.sha256, repomd.date


def _document_bytes(url: str, questions: Questions) -> bytes:
    return first_answer(questions.project.origins.candidates(url), questions.client.get_bytes, place=url)


def _ask_catalogue(pin: ProjectPin, questions: Questions) -> PinNews:
    """Look for a newer release in the installed catalogue, which asks nobody."""
    library = questions.library
    known = [version for version in library.releases if f"releases/{version}.toml" in library.inherited]
    own = release_order(pin.version)
    newer = sorted((version for version in known if release_order(version) > own), key=release_order)
    said = f"of the installed catalogue, {library.catalogue_version}" if library.catalogue_version else ""
    return PinNews(
        pin=pin,
        state=NewsState.NEWER if newer else NewsState.NEWEST,
        newest=newer[-1] if newer else "",
        pinned_on=_release_day(library.releases[pin.version].date),
        newest_on=_release_day(library.releases[newer[-1]].date) if newer else None,
        notes=(said,) if said else (),
        license_reason="see the rows of its distributions" if newer else "",
    )


def _release_day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


_ASK: dict[ProjectPinKind, Callable[[ProjectPin, Questions], PinNews]] = {
    ProjectPinKind.PYTHON: _ask_index,
    ProjectPinKind.COMPONENT: _ask_component,
    ProjectPinKind.IMAGE: _ask_registry,
    ProjectPinKind.OS_INDEX: _ask_archive,
    ProjectPinKind.RELEASE: _ask_catalogue,
}


# --- advisories -------------------------------------------------------------------------------------------


def advisory_subjects_of(news: Iterable[PinNews]) -> list[AdvisorySubject]:
    """Return what advisories are asked about: each Python pin, and its newer version."""
    found = []
    for item in news:
        found += [subject for subject in _pair_of(item) if subject is not None]
    return list(dict.fromkeys(found))


def with_advisories(news: Iterable[PinNews], source: AdvisorySource | None) -> list[PinNews]:
    """Add to each answer the advisories about its versions; without a source, the reason."""
    done = []
    for item in news:
        before, after = _pair_of(item)
        if source is None:
            done.append(replace(item, advisories_reason=_NO_ADVISORIES))
        elif before is None:
            done.append(replace(item, advisories_reason="its versions are compared with no record"))
        else:
            done.append(replace(item, advisories=_advisory_news(before, after, source)))
    return done


def _pair_of(item: PinNews) -> tuple[AdvisorySubject | None, AdvisorySubject | None]:
    if item.pin.kind is not ProjectPinKind.PYTHON:
        return None, None
    return _pin_subject(item.pin, item.pin.version), _pin_subject(
        item.pin, item.newest
    ) if item.newest else None


def _pin_subject(pin: ProjectPin, version: str) -> AdvisorySubject:
    parsed = _parsed_version(version)
    return AdvisorySubject(
        row=named_label(LockSection.PYTHON, pin.name, version),
        name=pin.name,
        version=version,
        ecosystem="PyPI",
        package=pin.name,
        release=parsed.public if parsed else version,
    )


def _advisory_news(
    before: AdvisorySubject, after: AdvisorySubject | None, source: AdvisorySource
) -> AdvisoryNews:
    old = advisories_about(before, source)
    new = advisories_about(after, source) if after is not None else old
    old_names = {name for advisory in old for name in advisory.names}
    new_names = {name for advisory in new for name in advisory.names}
    return AdvisoryNews(
        fixed=tuple(one.id for one in old if not one.names & new_names),
        remaining=tuple(one.id for one in old if one.names & new_names),
        added=tuple(one.id for one in new if not one.names & old_names),
    )
