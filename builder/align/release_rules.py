"""Rules about a release itself: its day and its images. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from builder.align.claims import Claim, Document, ImageFact
from builder.align.evidence import DYNAMO, Evidence, end_of, version_of
from builder.align.published import UnaskedError
from builder.align.verdict import Status, Verdict

__all__ = ["built_on", "image", "released", "unreleased"]


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
