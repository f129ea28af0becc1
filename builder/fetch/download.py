"""Fill the store from the network: in parallel, from the first place that has the right bytes."""

from __future__ import annotations

__all__ = ["JOBS", "fetch_all"]

from collections.abc import Sequence

from builder.io import Network, joined_error
from builder.store import Progress, Quiet, Request, Store, journal, recover, sweep

JOBS = 16
"""Downloads at once, unless something else is asked for."""


def fetch_all(
    store: Store,
    requests: Sequence[Request],
    *,
    network: Network | None = None,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> None:
    """Bring every requested file into the store, at most `jobs` at a time.

    What the store has is not fetched again, and only bytes with the right
    digest enter it. A file that its first place does not have, or has wrong,
    is tried at the next. The other files are still fetched when one cannot
    be had, unless many cannot; the error then names each such file and what
    every place said: FetchError, or DigestMismatchError when some place had wrong bytes.
    What another process is fetching into the same store is waited for. After
    a kill the next fetch goes on where this one stopped.
    """
    recover(store)
    missing: dict[str, Request] = {}
    for request in requests:
        if not store.has(request.sha256, request.size):
            missing.setdefault(request.sha256, request)
    # Large files first: a large one that starts last would run alone.
    order = sorted(missing.values(), key=lambda request: -(request.size or 0))
    watching = progress or Quiet()
    watching.planned(tuple(order))
    if not order:
        return
    from builder.fetch.queue import work  # noqa: PLC0415 - libcurl is not needed to find that all is there

    sweep(store)
    with journal(store, missing):
        failures = work(store, order, network=network or Network(), jobs=max(1, jobs), progress=watching)
    if failures:
        errors = [failures[sha256] for sha256 in missing if sha256 in failures]
        raise joined_error(errors, what=f"{len(errors)} files could not be fetched", indent="")
