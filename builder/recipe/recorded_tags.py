"""Tags and branches of public repositories, as they were recorded on a day."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RecordedTags", "TagRecord", "plain_url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRecord:
    """One repository."""

    url: str
    """Without `.git`."""
    at: str
    """The day, such as 2026-11-22."""
    tags: tuple[str, ...]
    branches: tuple[str, ...] = ()
    """Those only whose names could be taken for a version, and the usual main ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTags:
    """All of them, as they stand in recipes/tags.toml."""

    repositories: tuple[TagRecord, ...] = ()


def plain_url(url: str) -> str:
    """Return one form for the addresses of a repository: https, without `.git` and without a final slash."""
    plain = url.strip().rstrip("/").removesuffix(".git")
    for prefix in ("git+", "ssh://git@", "git@", "git://", "http://"):
        if plain.startswith(prefix):
            rest = plain.removeprefix(prefix)
            plain = rest if prefix == "git+" else f"https://{rest.replace(':', '/', 1)}"
    return plain
