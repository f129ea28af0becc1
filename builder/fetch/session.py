"""What the resolvers share while locks are made: places, store, network, and one view of each index."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from builder.io import Client, Once, first_answer, read_bytes
from builder.model import Sha256
from builder.origins import Origins
from builder.store import Store

__all__ = ["Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything that reaches outside while locks are made."""

    store: Store
    origins: Origins
    client: Client
    recipes: Path
    """The recipe folder, whose `indexes` keep signed index files."""
    catalogue: Path | None = None
    """The package's recipes behind it, whose `indexes` are asked where the folder has none."""
    index_url: str = ""
    """The Python index; empty means the client library's own default."""
    once: Once[tuple[object, ...], object] = field(default_factory=Once)

    def kept_index(self, folder: str, name: str) -> Path:
        """Return where an index file is kept beside the recipes, if it is; its digest tells what it is."""
        own = self.recipes / "indexes" / folder / name
        return own if own.exists() or self.catalogue is None else self.catalogue / "indexes" / folder / name

    def obtain(self, sha256: str, urls: tuple[str, ...], *, kept: Path | None, label: str) -> bytes:
        """Return the bytes of `sha256` from the store, the recipe folder, or the first URL that has them.

        Bytes that are obtained are kept in the store. FetchError if no place has them,
        DigestMismatchError where somebody has others.
        """
        if self.store.has(sha256) and Sha256.of(data := self.store.read(sha256)) == sha256:
            return data
        if kept is not None and kept.is_file() and Sha256.of(data := read_bytes(kept)) == sha256:
            self.store.add_bytes(data)
            return data
        places = [place for url in urls for place in self.origins.candidates(url)]
        hint = "name a mirror that still has it, or refresh the pin with `python -m builder pin`"
        data = first_answer(
            places, lambda url: self.client.download_bytes(url, sha256), place=label, hint=hint
        )
        self.store.add_bytes(data)
        return data
