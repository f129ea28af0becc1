"""Identifiers of git objects at Software Heritage: computed, because they contain git's own."""

from __future__ import annotations

from builder.model import GitOid

__all__ = ["directory_swhid", "revision_swhid"]


def revision_swhid(commit: GitOid | str) -> str:
    """Return the identifier of a commit."""
    return f"swh:1:rev:{commit}"


def directory_swhid(tree: GitOid | str) -> str:
    """Return the identifier of a tree."""
    return f"swh:1:dir:{tree}"
