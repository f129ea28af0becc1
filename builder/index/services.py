"""What resolutions share: connections, caches, and the default index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from builder.index.gateway import IndexGateway
from builder.index.index_client import IndexClient
from builder.io import Once

__all__ = ["IndexServices", "default_index_url"]


def default_index_url() -> str:
    """Return the address of the default index: the client library's own constant."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - it costs a third of a second

    return PYPI_SIMPLE_ENDPOINT


def _ignore_warning(_: str) -> None:
    """Take a warning and say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexServices:
    """One set for a whole run; every part may be used from several threads at once."""

    client: IndexClient
    uv_cache: Path
    """uv's own cache, shared by all resolutions of a run: one view of each index."""
    metadata: Path
    """Folder of checked facts about wheels, by the SHA-256 of the wheel, and of what index pages say."""
    index_url: str = field(default_factory=default_index_url)
    """The default index's simple API."""
    warn: Callable[[str], None] = _ignore_warning
    """Told each warning of uv, and each metadata that no hash vouches for."""
    offline: bool = False
    """Whether only what is in the caches may be used."""
    workers: int = 8
    """How many wheels' metadata are fetched at once by one resolution."""
    unhashed_metadata: set[str] = field(default_factory=set)
    """Wheels whose metadata was read in this run from bytes that no hash covers."""
    warned_of: set[str] = field(default_factory=set)
    """Those of them that a warning named."""
    max_age: int = 600
    """Seconds for which a page of an index counts as current: the age the default index itself allows.

    It has no effect on what is found: a request whose date bound is not older than this asks again.
    """
    lock: threading.Lock = field(default_factory=threading.Lock)
    viewed: threading.Event = field(default_factory=threading.Event)
    answers: Once[tuple[object, ...], bytes] = field(default_factory=Once)
    """What uv answered in this run, by all that it was given: targets ask many questions twice."""
    gateway: IndexGateway = field(init=False)
    """Through which uv asks an index that has mirrors or wants credentials."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "gateway", IndexGateway(self.client, self.uv_cache))

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """Let the first resolution of a run go ahead alone: the others then find the pages it fetched."""
        with self.lock:
            alone = not self.viewed.is_set()
            if alone:
                yield
                self.viewed.set()
        if not alone:
            yield
