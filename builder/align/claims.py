"""Claims: what a public document says about releases, each statement as a row with its quote.

A row says what kind of statement it is (`says`) and gives the values that this
kind needs; what is true is judged elsewhere, from what was published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from builder.errors import RecipeError
from builder.model import Arch, Table, key_name

__all__ = ["MAIN", "Claim", "Document", "ImageFact", "Says", "check_document"]

MAIN = "main"
"""The release of a claim about the development branch: a snapshot of the document's day."""


class Says(StrEnum):
    """The kinds of statement."""

    INCLUDES = "includes"
    """The release contains `name` in `version`."""
    FITS = "fits"
    """`name` in `version` is admitted by what the release requires."""
    REQUIRES = "requires"
    """`name` in `version` (ai-dynamo of the release unless given) requires `requirement`."""
    REQUIRES_IMAGE = "requires-image"
    """`name` in `version` requires the container image `image`."""
    PYTHON = "python"
    """The Pythons of `name` (ai-dynamo unless given) are exactly `python`, a specifier."""
    RUNS_ON_PYTHON = "runs-on-python"
    """`name` runs on the Python `python`, such as 3.12."""
    NOT_ON_PYTHON = "not-on-python"
    """`name` does not run on the Python `python`."""
    ONLY_ON_PYTHON = "only-on-python"
    """`name` is supported on the Python `python`, such as 3.12, and on no other."""
    GLIBC = "glibc"
    """The wheels of `name` in `version` need glibc `glibc` or newer."""
    CUDA = "cuda"
    """The release's `framework` is of CUDA `cuda`."""
    CUDA_FLOOR = "cuda-floor"
    """`name` in `version` needs CUDA `cuda` or newer."""
    ARCH = "arch"
    """The release supports `arch`."""
    PLATFORM = "platform"
    """The release supports the distribution `os` on `arch`."""
    GPU = "gpu"
    """The release supports the GPU generation `gpu`."""
    PUBLISHED = "published"
    """`name` (in `version`) is on the index; with `since` that version is its first."""
    RELEASED = "released"
    """The release is of the day `date`."""
    UNRELEASED = "unreleased"
    """The release was not out on the document's day."""
    IMAGE = "image"
    """The release's image of `framework` contains `name` in `version`."""
    BUILT_ON = "built-on"
    """The release's image of `framework` is built on the image `image`."""
    ALL_HOLD = "all-hold"
    """Every other statement of the document holds."""
    STATEMENT = "statement"
    """Nothing here can check it; `why` says why not."""


_NEEDED: dict[Says, tuple[str, ...]] = {
    Says.INCLUDES: ("name", "version"),
    Says.FITS: ("name", "version"),
    Says.REQUIRES: ("requirement",),
    Says.REQUIRES_IMAGE: ("name", "version", "image"),
    Says.PYTHON: ("python",),
    Says.RUNS_ON_PYTHON: ("python",),
    Says.NOT_ON_PYTHON: ("name", "python"),
    Says.ONLY_ON_PYTHON: ("python",),
    Says.GLIBC: ("name", "version", "glibc"),
    Says.CUDA: ("framework", "cuda"),
    Says.CUDA_FLOOR: ("name", "version", "cuda"),
    Says.ARCH: ("arch",),
    Says.PLATFORM: ("os", "arch"),
    Says.GPU: ("gpu",),
    Says.PUBLISHED: ("name",),
    Says.RELEASED: ("date",),
    Says.UNRELEASED: (),
    Says.IMAGE: ("framework", "name", "version"),
    Says.BUILT_ON: ("framework", "image"),
    Says.ALL_HOLD: (),
    Says.STATEMENT: ("why",),
}


_ON_ONE_PYTHON = (Says.RUNS_ON_PYTHON, Says.NOT_ON_PYTHON, Says.ONLY_ON_PYTHON)
_MINOR = re.compile(r"3\.\d{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement."""

    section: str
    """Where in the document it stands."""
    quote: str
    """Its words."""
    says: Says
    release: str = ""
    """The Dynamo release it is about, or `main`; empty means the document's."""
    name: str = ""
    """A distribution or a component."""
    version: str = ""
    requirement: str = ""
    """As pip writes it; with extras they must be asked for too."""
    framework: str = ""
    """Of `includes` and `fits` too, where a version is that of one framework."""
    python: str = ""
    glibc: str = ""
    cuda: str = ""
    arch: Arch | None = None
    os: str = ""
    """Distribution and version, such as `ubuntu-24.04`."""
    gpu: str = ""
    image: str = ""
    since: str = ""
    date: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFact:
    """What a published image is known to contain, and from where: nothing here looks into images."""

    release: str
    framework: str
    by: str
    """Who says so."""
    contains: Table = field(default_factory=Table)
    """Distribution to version."""
    bases: tuple[str, ...] = ()
    """Every image that its Dockerfile takes, with the tags that stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One public document."""

    name: str
    title: str
    source: str
    """Where it is published."""
    release: str
    """The release that it is about where a claim names none."""
    date: str
    """The day of its state, such as 2025-11-07."""
    date_by: str
    """How the day is known."""
    claims: tuple[Claim, ...] = ()
    images: tuple[ImageFact, ...] = field(default=())

    def release_of(self, claim: Claim) -> str:
        """Return the release that a claim is about; `main` for the development branch."""
        return claim.release or self.release


def check_document(document: Document, *, place: str) -> None:
    """Raise RecipeError for the first row that lacks what its kind needs, or a day that is none."""
    _check_day(document.date, f"{place}: date")
    for index, claim in enumerate(document.claims):
        where = f"{place}: claims[{index}]"
        given = {f.name for f in fields(claim) if getattr(claim, f.name) not in ("", None)}
        for name in _NEEDED[claim.says]:
            if name not in given:
                raise RecipeError(
                    f"a statement of kind `{claim.says}` needs `{key_name(name)}`", place=where, hint="add it"
                )
        if claim.says in _ON_ONE_PYTHON and not _MINOR.fullmatch(claim.python):
            raise RecipeError(
                f"{claim.python!r} is not a Python such as 3.12", place=f"{where}.python", hint="name one"
            )
        if claim.date:
            _check_day(claim.date, f"{where}.date")


def _check_day(text: str, place: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise RecipeError(f"{text!r} is not a day such as 2026-08-28", place=place) from None
