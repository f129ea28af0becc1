"""From claims and releases to rows: each statement with its verdict. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from builder.align import file_rules, release_rules
from builder.align.claims import MAIN, Claim, Document, Says
from builder.align.evidence import DYNAMO, Asked, Evidence, Status, UnaskedError, Verdict
from builder.model import admits, normalized_name

__all__ = ["StatementRow", "judge", "judge_document", "judge_release"]

Rule = Callable[[Claim, Document, Evidence], Verdict]

_RULES: dict[Says, Rule] = {
    Says.INCLUDES: release_rules.includes,
    Says.FITS: release_rules.fits,
    Says.REQUIRES: release_rules.requires,
    Says.REQUIRES_IMAGE: release_rules.requires_image,
    Says.PUBLISHED: release_rules.published,
    Says.PYTHON: file_rules.python,
    Says.RUNS_ON_PYTHON: file_rules.runs_on_python,
    Says.NOT_ON_PYTHON: file_rules.not_on_python,
    Says.ONLY_ON_PYTHON: file_rules.only_on_python,
    Says.GLIBC: file_rules.glibc,
    Says.CUDA: file_rules.cuda,
    Says.CUDA_FLOOR: file_rules.cuda_floor,
    Says.ARCH: file_rules.arch,
    Says.PLATFORM: file_rules.platform,
    Says.GPU: file_rules.gpu,
    Says.RELEASED: release_rules.released,
    Says.UNRELEASED: release_rules.unreleased,
    Says.IMAGE: release_rules.image,
    Says.BUILT_ON: release_rules.built_on,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One line of the answer."""

    source: str
    """The document's name, or the distribution whose metadata was read."""
    section: str
    quote: str
    release: str
    claim: str
    """What is claimed, in one form for all documents; empty where nobody claims anything."""
    verdict: Verdict


def judge(claim: Claim, document: Document, evidence: Evidence) -> Verdict:
    """Return what is to be thought of one statement; what cannot be asked is unknown."""
    if claim.says is Says.STATEMENT:
        return Verdict(status=Status.UNKNOWN, evidence=claim.why)
    try:
        return _RULES[claim.says](claim, document, evidence)
    except UnaskedError as error:
        return Verdict(status=Status.UNKNOWN, evidence=str(error))


def judge_document(
    document: Document, evidence: Evidence, wanted: Callable[[str], bool] = lambda _: True
) -> list[StatementRow]:
    """Judge every statement of a document about a release that is `wanted`, in the document's order."""
    chosen = [claim for claim in document.claims if wanted(_release_about(claim, document))]
    verdicts = {
        index: judge(claim, document, evidence)
        for index, claim in enumerate(chosen)
        if claim.says is not Says.ALL_HOLD
    }
    whole = _verdict_on_all(verdicts.values())
    return [
        StatementRow(
            source=document.name,
            section=claim.section,
            quote=claim.quote,
            release=document.release_of(claim),
            claim=claimed(claim),
            verdict=verdicts.get(index, whole),
        )
        for index, claim in enumerate(chosen)
    ]


def _release_about(claim: Claim, document: Document) -> str:
    release = document.release_of(claim)
    return document.release if release == MAIN else release


def _verdict_on_all(verdicts: Iterable[Verdict]) -> Verdict:
    found = [verdict.status for verdict in verdicts]
    wrong, unknown = sum(status.alarming for status in found), found.count(Status.UNKNOWN)
    text = f"{wrong} of the {len(found)} other statements do not hold, {unknown} cannot be judged"
    if wrong:
        return Verdict(status=Status.DRIFT, evidence=text)
    status = Status.UNKNOWN if unknown or not found else Status.ALIGNED
    return Verdict(status=status, evidence=text)


def claimed(claim: Claim) -> str:
    """Return what a claim says, in one line."""
    subject = f"{claim.name} {claim.version}".strip()
    words = {
        Says.REQUIRES: f"{subject or DYNAMO} requires {claim.requirement}",
        Says.REQUIRES_IMAGE: f"{subject} requires image {claim.image}",
        Says.FITS: f"{subject} fits",
        Says.PYTHON: f"{subject or DYNAMO}: Python {claim.python}",
        Says.RUNS_ON_PYTHON: f"{subject or DYNAMO} on Python {claim.python}",
        Says.NOT_ON_PYTHON: f"{subject} not on Python {claim.python}",
        Says.ONLY_ON_PYTHON: f"{subject or DYNAMO} only on Python {claim.python}",
        Says.GLIBC: f"{subject}: glibc >={claim.glibc}",
        Says.CUDA: f"{claim.framework}: CUDA {claim.cuda}",
        Says.CUDA_FLOOR: f"{subject}: CUDA >={claim.cuda}",
        Says.ARCH: str(claim.arch),
        Says.PLATFORM: f"{claim.os} {claim.arch}",
        Says.GPU: claim.gpu,
        Says.PUBLISHED: f"{subject} published{f' since {claim.since}' if claim.since else ''}",
        Says.RELEASED: f"released {claim.date}",
        Says.UNRELEASED: "not released",
        Says.IMAGE: f"{claim.framework} image: {subject}",
        Says.BUILT_ON: f"{claim.framework} image built on {claim.image}",
        Says.ALL_HOLD: "everything holds",
        Says.STATEMENT: "",
    }
    return words.get(claim.says, subject)


def judge_release(release: str, evidence: Evidence) -> list[StatementRow]:
    """Compare what a release's metadata requires with our locks, and with its images where they are known."""
    try:
        asked = evidence.requirements(DYNAMO, release)
    except UnaskedError as error:
        return [_release_row(release, DYNAMO, Verdict(status=Status.UNKNOWN, evidence=str(error)))]
    rows = [
        _release_row(release, _requiring_project(item), _against_lock(item, release, evidence))
        for item in asked
    ]
    return [*rows, *_against_images(release, asked, evidence)]


def _release_row(release: str, section: str, verdict: Verdict) -> StatementRow:
    return StatementRow(source=DYNAMO, section=section, quote="", release=release, claim="", verdict=verdict)


def _requiring_project(asked: Asked) -> str:
    return asked.who.rstrip(",")


def _against_lock(asked: Asked, release: str, evidence: Evidence) -> Verdict:
    """Compare a requirement with our locks: one of an extra with those of the framework of that name."""
    name, extra = normalized_name(asked.requirement), asked.who.partition(", extra ")[2].rstrip(",")
    framework = extra if extra in evidence.library.frameworks else ""
    lock = evidence.locked(release, name, framework)
    column = str(asked.requirement).partition(";")[0].strip()
    if not lock:
        text = f"no {framework} lock of {release} has {name}".replace("  ", " ")
        return Verdict(status=Status.UNKNOWN, evidence=text, published=column)
    wrong = [item for item in lock.split(", ") if not admits(asked.requirement.specifier, item)]
    status = Status.DRIFT if wrong else Status.ALIGNED
    return Verdict(status=status, evidence=str(asked), published=column, lock=lock)


def _against_images(release: str, asked: Iterable[Asked], evidence: Evidence) -> Iterator[StatementRow]:
    for fact in (fact for fact in evidence.images if fact.release == release):
        mine = f"extra {fact.framework},"
        for item in (item for item in asked if item.who.endswith(mine)):
            name = normalized_name(item.requirement)
            version = fact.contains.get(name)
            if version:
                holds = admits(item.requirement.specifier, version)
                text = f"the {fact.framework} image has {name} {version}: {fact.by}; {item}"
                verdict = Verdict(
                    status=Status.ALIGNED if holds else Status.DRIFT,
                    evidence=text,
                    published=f"image: {version}",
                    lock=evidence.locked(release, name, fact.framework),
                )
                yield _release_row(release, f"{fact.framework} image", verdict)
