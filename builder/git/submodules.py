"""The submodules of a commit, and those inside them, as the trees name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import RecipeError
from builder.git.canonical_tar import Tree
from builder.git.objects import commit_info, ls_tree, open_objects
from builder.git.places import GitPlaces
from builder.io import run
from builder.lockfile import Submodule
from builder.model import GitOid
from builder.tars import lies_in

__all__ = ["Checkout", "find_submodules", "resolve_url"]

_LIST = b".gitmodules"
_SUBMODULE, _LINK = 0o160000, 0o120000


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A commit of a repository at a public address, fetched."""

    url: str
    source: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class _SubmoduleLink:
    path: str
    commit: str
    url: str


def open_checkout(places: GitPlaces, url: str, commit: str, tag: str = "") -> Checkout:
    """Fetch a commit and read which tree it has (FetchError)."""
    repository = places.commit(url, commit, tag)
    with open_objects(repository, environment=places.environment) as objects:
        tree = commit_info(objects, commit).tree
    return Checkout(url=url, source=Tree(repository=repository, commit=commit, tree=tree))


def find_submodules(
    top: Checkout, omitted: tuple[str, ...], places: GitPlaces, *, place: str
) -> tuple[tuple[Submodule, Checkout], ...]:
    """Return every submodule by its path from the top, those inside submodules included, and fetch them.

    What is at or below an `omitted` path is not looked at. RecipeError at `place`
    for a submodule whose address is not known or not https, FetchError for
    one that cannot be had.
    """
    found: dict[str, tuple[Submodule, Checkout]] = {}
    waiting = [("", top)]
    while waiting:
        prefix, outer = waiting.pop()
        for link in _submodule_links(outer, prefix, omitted, places, place):
            inner = open_checkout(places, link.url, link.commit)
            row = Submodule(
                path=link.path, git=link.url, commit=GitOid(link.commit), tree=GitOid(inner.source.tree)
            )
            found[link.path] = row, inner
            waiting.append((f"{link.path}/", inner))
    return tuple(found[path] for path in sorted(found))


def resolve_url(url: str, outer: str) -> str:
    """Return a submodule's address; one that begins with `./` or `../` counts from that of `outer`."""
    if not url.startswith(("./", "../")):
        return url
    here = outer.rstrip("/")
    while url.startswith(("./", "../")):
        step, _, url = url.partition("/")
        here = here.rpartition("/")[0] if step == ".." else here
    return f"{here}/{url}"


def _submodule_links(
    outer: Checkout, prefix: str, omitted: tuple[str, ...], places: GitPlaces, place: str
) -> Iterator[_SubmoduleLink]:
    repository, commit = outer.source.repository, outer.source.commit
    with open_objects(repository, environment=places.environment) as objects:
        entries = [
            entry
            for entry in ls_tree(objects, outer.source.tree)
            if entry.mode == _SUBMODULE or entry.path == _LIST
        ]
    listed = any(entry.path == _LIST and entry.mode & 0o170000 != _LINK for entry in entries)
    urls = _listed_urls(repository, commit, places) if listed else {}
    left_out = {each.encode("utf-8") for each in omitted}
    for entry in entries:
        inner = entry.path.decode("utf-8", "surrogateescape")
        path = f"{prefix}{inner}"
        if entry.mode == _SUBMODULE and not lies_in(prefix.encode("utf-8") + entry.path, left_out):
            yield _SubmoduleLink(
                path=path, commit=entry.oid, url=_submodule_address(urls.get(inner), path, outer, place)
            )


def _listed_urls(repository: Path, commit: str, places: GitPlaces) -> dict[str, str]:
    """Return what `.gitmodules` says, path to address, as git itself reads the file."""
    command = ("git", f"--git-dir={repository.absolute()}", "config", "--null", "--list")
    done = run((*command, "--blob", f"{commit}:.gitmodules"), env=places.environment, timeout=60)
    values: dict[str, dict[str, str]] = {}
    for item in done.output.split("\0"):
        key, _, value = item.partition("\n")
        section, _, rest = key.partition(".")
        name, _, word = rest.rpartition(".")
        if section == "submodule":
            values.setdefault(name, {})[word] = value
    return {row["path"].rstrip("/"): row["url"] for row in values.values() if row.keys() >= {"path", "url"}}


def _submodule_address(url: str | None, path: str, outer: Checkout, place: str) -> str:
    hint = f'if the build does not need it, list it in `omitted`: omitted = ["{path}"]'
    if url is None:
        raise RecipeError(
            f"submodule {path} of {outer.url} has no address in .gitmodules", place=place, hint=hint
        )
    resolved = resolve_url(url, outer.url)
    try:
        parts = urlsplit(resolved)
        public = parts.scheme == "https" and bool(parts.netloc)
    except ValueError:  # brackets that are not an IPv6 address
        public = False
    if not public:
        raise RecipeError(
            f"submodule {path} of {outer.url} is at {resolved}, which is not an https address",
            place=place,
            hint=hint,
        )
    return resolved
