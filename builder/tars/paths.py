"""What may stand in a source tree: paths and links that cannot reach outside of it."""

from __future__ import annotations

__all__ = ["check_component", "check_links", "check_path", "lies_in"]

import unicodedata
from typing import TYPE_CHECKING

from builder.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MOST_HOPS = 40  # links that Linux follows for one path


def check_path(path: bytes, place: str) -> None:
    """Raise FetchError, at `place`, unless `path` is relative, UTF-8, and of plain components."""
    for component in path.split(b"/"):
        check_component(component, place)


def lies_in(path: bytes, places: Collection[bytes]) -> bool:
    """Say whether `path` is one of `places` or below one of them."""
    parts = path.split(b"/")
    return any(b"/".join(parts[:count]) in places for count in range(1, len(parts) + 1))


def check_component(component: bytes, place: str) -> None:
    """Raise FetchError, at `place`, unless `component` can be one name in a source tree."""
    try:
        text = component.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise FetchError(f"file name {component!r} is not UTF-8", place=place) from cause
    if text in ("", ".", "..") or "/" in text:
        raise FetchError(f"file name {text!r} is not allowed", place=place)
    if text.casefold() == ".git":
        raise FetchError(f"file name {text!r} would be taken for a git repository", place=place)
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise FetchError(f"file name {text!r} contains a control character", place=place)


def check_links(links: Mapping[bytes, bytes], place: str) -> None:
    """Raise FetchError, at `place`, when a link is absolute or leads out of the tree.

    `links` maps the path of every link of the tree to its target, because one
    can lead out through another. A link to nothing and links in a circle are
    allowed: they lead nowhere.
    """
    for path, target in sorted(links.items()):
        where = f"{place}: {path.decode('utf-8')}"
        shown = target.decode("utf-8", "backslashreplace")
        if target.startswith(b"/"):
            raise FetchError(f"is a link to the absolute path {shown!r}", place=where)
        if not _is_plain(target):
            raise FetchError(f"is a link to {shown!r}, which is not plain text", place=where)
        if _leaves_root(path, links):
            raise FetchError(f"is a link to {shown!r}, which leaves the tree", place=where)


def _is_plain(target: bytes) -> bool:
    try:
        return not any(unicodedata.category(character) == "Cc" for character in target.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _leaves_root(path: bytes, links: Mapping[bytes, bytes]) -> bool:
    """Whether following the link at `path` as a file system does climbs above the top."""
    here = path.split(b"/")[:-1]
    rest = links[path].split(b"/")[::-1]
    hops = 1
    while rest:
        component = rest.pop()
        if component in (b"", b"."):
            continue
        if component == b"..":
            if not here:
                return True
            here.pop()
            continue
        here.append(component)
        target = links.get(b"/".join(here))
        if target is not None:
            hops += 1
            if hops > _MOST_HOPS:
                return False
            here.pop()
            rest.extend(target.split(b"/")[::-1])
    return False
