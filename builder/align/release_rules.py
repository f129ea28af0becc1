"""Rules about a release: what it contains and requires, its day, and its images. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from builder.align.claims import MAIN, Claim, Document, ImageFact
from builder.align.evidence import DYNAMO, Asked, Evidence, Status, UnaskedError, Verdict, end_of, version_of
from builder.align.published_versions import Existence, existence, existence_anywhere
from builder.model import (
    admits,
    bare_requirement,
    counted,
    exact_version,
    normalized_name,
    parsed_requirement,
)

__all__ = [
    "built_on",
    "fits",
    "image",
    "includes",
    "published",
    "released",
    "requires",
    "requires_image",
    "unreleased",
]


def released(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge the day of a release by its upload."""
    release = document.release_of(claim)
    day = f"{evidence.uploaded(release):%Y-%m-%d}"
    status = Status.ALIGNED if claim.date == day else Status.DRIFT
    recipe = evidence.library.releases.get(release)
    text = f"{DYNAMO} {release} was uploaded {day}"
    return Verdict(status=status, evidence=text, published=day, lock=recipe.date if recipe else "")


def unreleased(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a release was not out on the document's day."""
    release = document.release_of(claim)
    uploaded = evidence.uploaded(release)
    status = Status.ALIGNED if uploaded > end_of(document.date) else Status.DRIFT
    text = f"{DYNAMO} {release} was uploaded {uploaded:%Y-%m-%d}; the document is of {document.date}"
    return Verdict(status=status, evidence=text, published=f"{uploaded:%Y-%m-%d}")


def image(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge what a published image contains by what is recorded of it with who says so."""
    release, name = document.release_of(claim), str(canonicalize_name(claim.name))
    lock = evidence.locked(release, claim.name)
    fact = next(
        (fact for fact in _recorded_images(claim, release, evidence) if fact.contains.get(name)), None
    )
    if fact is None:
        raise UnaskedError(
            f"there is no record of the {claim.framework} image of {release}, and no image is opened"
        )
    version = fact.contains.get(name)
    same = version_of(version) == version_of(claim.version)
    text = f"the {claim.framework} image of {release} has {claim.name} {version}: {fact.by}"
    return Verdict(
        status=Status.ALIGNED if same else Status.DRIFT, evidence=text, published=version, lock=lock
    )


def built_on(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge what a published image is built on by what is recorded of its Dockerfile."""
    release = document.release_of(claim)
    image_of = f"the {claim.framework} image of {release}"
    fact = next((fact for fact in _recorded_images(claim, release, evidence) if fact.bases), None)
    if fact is None:
        raise UnaskedError(f"there is no record of what {image_of} is built on, and no image is opened")
    return Verdict(
        status=Status.ALIGNED if claim.image in fact.bases else Status.DRIFT,
        evidence=f"{image_of} is built on {' and '.join(fact.bases)}: {fact.by}",
        published=", ".join(fact.bases),
    )


def _recorded_images(claim: Claim, release: str, evidence: Evidence) -> Iterator[ImageFact]:
    """Yield what is recorded of the image of the claim's framework."""
    for fact in evidence.images:
        if (fact.release, fact.framework) == (release, claim.framework):
            yield fact


def includes(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a release contains a version: what the release requires decides, then upstream's sources."""
    release = document.release_of(claim)
    found = existence_anywhere(evidence, claim.name, claim.version)
    if release == MAIN:
        return _snapshot_verdict(found, document)
    lock = evidence.locked(release, claim.name, claim.framework)
    if not found.exists:
        column = _required_column(claim, release, evidence)
        return Verdict(status=Status.IMPOSSIBLE, evidence=found.said, published=column, lock=lock)
    asked = evidence.asked_of(release, evidence.distributions(claim.name), claim.framework)
    if not asked:
        return _by_upstream_sources(claim, release, evidence, found, lock)
    return _by_requirements(claim, release, evidence, asked, found, lock)


def _by_requirements(  # noqa: PLR0917
    claim: Claim, release: str, evidence: Evidence, asked: Sequence[Asked], found: Existence, lock: str
) -> Verdict:
    """Judge a version by what the release requires; of what a cap admits, pip took the newest of the day."""
    refusing = [item for item in asked if not admits(item.requirement.specifier, claim.version)]
    column = _requirement_column(asked)
    if refusing:
        text = f"{refusing[0]}; {claim.version} is {found.said}"
        return Verdict(status=Status.DRIFT, evidence=text, published=column, lock=lock)
    newest = _newest_admitted(asked, release, evidence)
    if _same_version(newest, claim.version) or any(
        exact_version(item.requirement.specifier) for item in asked
    ):
        return Verdict(status=Status.ALIGNED, evidence=str(asked[0]), published=column, lock=lock)
    text = (
        f"{asked[0]}, which admits {claim.version}; but on the day of the release "
        f"the newest that it admits is {newest}"
    )
    return Verdict(status=Status.DRIFT, evidence=text, published=column, lock=lock)


def _snapshot_verdict(found: Existence, document: Document) -> Verdict:
    """Judge a version of the development branch by whether it was out on the document's day."""
    if not found.exists:
        return Verdict(status=Status.IMPOSSIBLE, evidence=found.said)
    if found.uploaded is None:
        return Verdict(status=Status.UNKNOWN, evidence=f"{found.said}, of an unknown day")
    if found.uploaded > end_of(document.date):
        text = f"{found.said}, after the document's day {document.date}"
        return Verdict(status=Status.IMPOSSIBLE, evidence=text)
    text = f"{found.said}, by the document's day {document.date} ({document.date_by})"
    return Verdict(status=Status.ALIGNED, evidence=text)


def _by_upstream_sources(
    claim: Claim, release: str, evidence: Evidence, found: Existence, lock: str
) -> Verdict:
    """Judge what no published metadata requires by what upstream's own sources of the release name.

    Our lock decides nothing: it holds what our recipes build, and maybe of one framework only.
    """
    if canonicalize_name(claim.name) == DYNAMO:
        status = Status.ALIGNED if _same_version(release, claim.version) else Status.DRIFT
        return Verdict(status=status, evidence=f"{DYNAMO} {release} is the release itself", lock=lock)
    nobody = f"nothing that {DYNAMO} {release} binds requires {claim.name}"
    stated = evidence.upstream_versions(release, claim.name, claim.framework)
    if not stated:
        ours = f"; our lock has {lock}, which does not decide what upstream released" if lock else ""
        text = f"{nobody}, and no recorded source of upstream names its version; it is {found.said}{ours}"
        return Verdict(status=Status.UNKNOWN, evidence=text, lock=lock)
    if claim.framework:
        stated = stated[:1]
    same = next((item for item in stated if _same_version(item.version, claim.version)), None)
    shown = same or stated[0]
    return Verdict(
        status=Status.ALIGNED if same else Status.DRIFT,
        evidence=f"{nobody}; upstream's sources have {shown.version} ({shown.by})",
        published=shown.version,
        lock=lock,
    )


def _same_version(one: str, other: str) -> bool:
    """Whether two versions are one; where only one of them has a local label, it does not count."""
    if not one:
        return False
    first, second = version_of(one), version_of(other)
    if first.local and second.local:
        return first == second
    return first.public == second.public


def _newest_admitted(asked: Sequence[Asked], release: str, evidence: Evidence) -> str:
    """Return the newest version that all of `asked` admit and that was out with the release."""
    project = evidence.project(asked[0].requirement.name)
    known = project.versions(before=end_of(f"{evidence.uploaded(release):%Y-%m-%d}"))
    fitting = [v for v in known if all(admits(item.requirement.specifier, str(v)) for item in asked)]
    finals = [version for version in fitting if not version.is_prerelease]
    return str((finals or fitting)[-1]) if fitting else ""


def _required_column(claim: Claim, release: str, evidence: Evidence) -> str:
    try:
        return _requirement_column(
            evidence.asked_of(release, evidence.distributions(claim.name), claim.framework)
        )
    except UnaskedError:
        return ""


def _requirement_column(asked: Iterable[Asked]) -> str:
    texts = (bare_requirement(item.requirement) for item in asked)
    return " and ".join(dict.fromkeys(texts))


def fits(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a pin is admitted by what the release requires."""
    release = document.release_of(claim)
    lock = evidence.locked(release, claim.name, claim.framework)
    found = existence_anywhere(evidence, claim.name, claim.version)
    asked = evidence.asked_of(release, evidence.distributions(claim.name), claim.framework)
    column = _requirement_column(asked)
    if not found.exists:
        said = f"{found.said}; {asked[0]}" if asked else found.said
        return Verdict(status=Status.IMPOSSIBLE, evidence=said, published=column, lock=lock)
    if not asked:
        text = f"nothing that {DYNAMO} {release} binds requires {claim.name}; it is {found.said}"
        return Verdict(status=Status.UNKNOWN, evidence=text, lock=lock)
    refusing = [item for item in asked if not admits(item.requirement.specifier, claim.version)]
    status = Status.DRIFT if refusing else Status.ALIGNED
    return Verdict(status=status, evidence=str((refusing or asked)[0]), published=column, lock=lock)


def requires(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a version requires something, in these words."""
    release = document.release_of(claim)
    name, version = claim.name or DYNAMO, claim.version or release
    try:
        wanted = parsed_requirement(claim.requirement)
    except InvalidRequirement as error:
        raise UnaskedError(f"{claim.requirement!r} is not a requirement: {error}") from None
    names = evidence.distributions(wanted.name)
    lock = evidence.locked(release, wanted.name)
    exact = exact_version(wanted.specifier)
    own = [
        item for item in evidence.requirements(name, version) if normalized_name(item.requirement) in names
    ]
    if exact:
        found = existence_anywhere(evidence, wanted.name, exact)
        if not found.exists:
            said = f"{found.said}; {own[0]}" if own else found.said
            return Verdict(
                status=Status.IMPOSSIBLE, evidence=said, published=_requirement_column(own), lock=lock
            )
    if not own:
        beside = _requirement_beside(name, release, names, evidence)
        text = f"{name} {version} does not require {wanted.name}{beside}"
        return Verdict(status=Status.DRIFT, evidence=text, lock=lock)
    fitting = [item for item in own if _says_the_same(wanted, item.requirement)]
    status = Status.ALIGNED if fitting else Status.DRIFT
    return Verdict(
        status=status, evidence=str((fitting or own)[0]), published=_requirement_column(own), lock=lock
    )


def _requirement_beside(name: str, release: str, names: Collection[str], evidence: Evidence) -> str:
    """Say what ai-dynamo requires where the named distribution does not: it explains a mix-up."""
    if canonicalize_name(name) == DYNAMO:
        return ""
    try:
        asked = evidence.requirements(DYNAMO, release)
    except UnaskedError:
        return ""
    bringing = {item.who for item in asked if normalized_name(item.requirement) == canonicalize_name(name)}
    found = [item for item in asked if normalized_name(item.requirement) in names]
    nearest_first = sorted(found, key=lambda item: item.who not in bringing)  # the extra that brings both
    return f"; {nearest_first[0]}" if found else ""


def _says_the_same(claimed: Requirement, found: Requirement) -> bool:
    if not claimed.extras <= found.extras:
        return False
    return not claimed.specifier or claimed.specifier == found.specifier


def requires_image(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a distribution requires a container image: its metadata can require distributions only."""
    asked = evidence.requirements(claim.name, claim.version)
    torch = [item for item in asked if normalized_name(item.requirement) == "torch"]
    lock = evidence.locked(document.release_of(claim), "torch")
    if not asked:
        text = f"{claim.name} {claim.version} states no requirements"
        return Verdict(status=Status.UNKNOWN, evidence=text, lock=lock)
    what = (
        f"{torch[0]}"
        if torch
        else f"{claim.name} {claim.version} requires {counted(len(asked), 'distribution')}"
    )
    return Verdict(
        status=Status.DRIFT,
        evidence=f"no image is required: {what}, whichever image brings it",
        published=_requirement_column(torch),
        lock=lock,
    )


def published(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Judge that a distribution is on the index, and since which version."""
    lock = evidence.locked(document.release_of(claim), claim.name)
    project = evidence.published.project(str(canonicalize_name(claim.name)))
    if project is None:
        return Verdict(status=Status.IMPOSSIBLE, evidence=f"the index has no project {claim.name}", lock=lock)
    versions = project.versions()
    column = counted(len(versions), "version")
    if claim.version:
        if label := version_of(claim.version).local:
            raise UnaskedError(
                f"+{label} is the label of another index's build, and only the default one is asked"
            )
        found = existence(evidence, claim.name, claim.version)
        status = Status.ALIGNED if found.exists else Status.IMPOSSIBLE
        return Verdict(status=status, evidence=found.said, published=column, lock=lock)
    finals: Sequence[Version] = [version for version in versions if not version.is_prerelease] or versions
    first = finals[0]
    if claim.since and not _same_version(str(first), claim.since):
        return Verdict(
            status=Status.DRIFT, evidence=f"its first version is {first}", published=column, lock=lock
        )
    return Verdict(
        status=Status.ALIGNED, evidence=f"on the index, first {first}", published=column, lock=lock
    )
