"""Sources whose own place is gone, from Software Heritage, the archive of public source code.

Its identifiers of commits and trees are git's own, so they are computed and
never asked for. Its vault makes a bare repository of a commit on request
(`POST`, then `GET` until it is done, then `raw/`). Only the objects of that
repository are taken: its configuration, hooks and references are not ours to
trust, and every object is checked against its id afterwards.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from builder.errors import FetchError
from builder.io import Client, Network, NotFoundError, redacted
from builder.json_text import parse_json
from builder.model import GitOid
from builder.tars import TarBounds, UnreadableError, open_unpacked, read_tar

__all__ = ["archived_repository", "directory_swhid", "revision_swhid"]


def revision_swhid(commit: GitOid | str) -> str:
    """Return the identifier of a commit."""
    return f"swh:1:rev:{commit}"


def directory_swhid(tree: GitOid | str) -> str:
    """Return the identifier of a tree."""
    return f"swh:1:dir:{tree}"


_OBJECT = re.compile(r"objects/(pack/pack-[0-9a-f]{40}\.(pack|idx)|[0-9a-f]{2}/[0-9a-f]{38})")
_LARGEST = 16 * 2**30  # bytes
_LIMIT = 2**20  # bytes of an answer in JSON
_PAUSE = 10.0  # seconds between two looks at whether it is done
_PATIENCE = 1800.0  # seconds
_CHUNK = 2**20  # bytes
_CONFIGURATION = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_AGAIN = "run the same command later: the archive continues to prepare it"


@contextmanager
def archived_repository(
    commit: str,
    base: str,
    *,
    network: Network,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Path]:
    """Yield a bare repository with `commit` from the archive at `base`; it is gone afterwards.

    FetchError when the archive lacks it, or does not prepare it in half an hour.
    """
    vault = f"{base}api/1/vault/git-bare/{revision_swhid(commit)}/"
    with (
        Client(attempts=3, network=network) as client,
        tempfile.TemporaryDirectory(prefix="lockwright-archived-") as folder,
    ):
        _prepare_bundle(client, vault, sleep)
        repository = Path(folder) / "repository.git"
        with tempfile.TemporaryFile(dir=folder) as bundle:
            client.download(f"{vault}raw/", bundle, limit=_LARGEST)
            bundle.seek(0)
            _take_objects(bundle, repository, place=vault)
        (repository / "refs/heads").mkdir(parents=True)
        (repository / "refs/heads/archived").write_text(f"{commit}\n")
        (repository / "HEAD").write_text("ref: refs/heads/archived\n")
        (repository / "config").write_text(_CONFIGURATION)
        yield repository


def _prepare_bundle(client: Client, vault: str, sleep: Callable[[float], object]) -> None:
    """Ask for the bundle, and wait until it is there."""
    try:
        answer = _json_object(client.post(vault, limit=_LIMIT).body, vault)
    except NotFoundError as cause:
        raise FetchError("the archive does not have this commit", place=vault) from cause
    waited = 0.0
    while answer.get("status") in ("new", "pending"):
        if waited >= _PATIENCE:
            raise FetchError("the archive is still preparing the commit", place=vault, hint=_AGAIN)
        sleep(_PAUSE)
        waited += _PAUSE
        answer = _json_object(client.get_bytes(vault, accept="application/json", limit=_LIMIT), vault)
    if answer.get("status") != "done":
        said = redacted(str(answer.get("progress_message") or answer.get("status")))
        shown = said if said.isprintable() else ascii(said)
        raise FetchError(f"the archive could not prepare the commit: {shown[:200]}", place=vault)


def _take_objects(bundle: BinaryIO, repository: Path, *, place: str) -> None:
    """Unpack what is named like an object, and nothing else (FetchError)."""
    total = 0
    try:
        with open_unpacked(bundle) as stream:
            for member, content in read_tar(stream, TarBounds(unpacked=_LARGEST)):
                name = member.name.removeprefix("./").partition("/")[2]
                if member.kind != "file" or not _OBJECT.fullmatch(name):
                    continue
                total += member.size
                target = repository / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    while chunk := content.read(_CHUNK):
                        file.write(chunk)
    except (UnreadableError, OSError) as cause:
        raise FetchError(f"is not a readable bundle: {cause}", place=place) from cause
    if not total:
        raise FetchError("the bundle has no git objects", place=place)


def _json_object(body: bytes, place: str) -> dict[str, Any]:
    try:
        answer = parse_json(body)
    except ValueError as cause:
        raise FetchError("did not answer in JSON", place=place) from cause
    if not isinstance(answer, dict):
        raise FetchError("did not answer with a JSON object", place=place)
    return answer
