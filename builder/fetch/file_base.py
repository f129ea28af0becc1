"""The file base of the default index: asked of the index once, then kept in the user's origins file."""

from __future__ import annotations

__all__ = ["discover_file_base", "remember_file_base"]

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from builder.errors import FetchError
from builder.io import Client, locked, read_text, write_atomic
from builder.json_text import parse_json
from builder.origins import checked_place, parse_origins, user_origins_file

_NAME = "pypi"
_PROBE = "packaging"  # small, and on every index that serves Python projects
_ACCEPT = "application/vnd.pypi.simple.v1+json"
_WAREHOUSE_FILE = re.compile(r"(?P<base>/(?:.*/)?packages/)[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+")
_LIMIT = 16 * 2**20  # bytes


def discover_file_base(client: Client, index_url: str | None = None) -> str:
    """Return the URL below which the index `index_url` keeps its files by digest, ending in a slash.

    The index is the client library's default unless given, and is asked for
    one small project. FetchError when its files are not laid out so.
    """
    if index_url is None:
        from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - 390 ms, needed once per user

        index_url = PYPI_SIMPLE_ENDPOINT
    page = client.get(f"{index_url.rstrip('/')}/{_PROBE}/", accept=_ACCEPT, limit=_LIMIT)
    for url in _file_urls(page.body, page.url):
        parts = urlsplit(url)
        match = _WAREHOUSE_FILE.fullmatch(parts.path)
        if match:
            return checked_place(f"{parts.scheme}://{parts.netloc}{match['base']}", page.url)
    raise FetchError(
        f"does not lay out the files of {_PROBE} by digest",
        place=page.url,
        hint=f"name the place yourself: --origin {_NAME}=LAYOUT+URL",
    )


def remember_file_base(base: str, user_file: Path | None = None) -> None:
    """Add `[origins.pypi]` with `base` to the user's origins file, unless it has that table already.

    The rest of the file stays as it is, comments included. Nothing is remembered
    for a user without a home folder.
    """
    file = user_origins_file() if user_file is None else user_file
    if file is None:
        return
    with locked(file.with_name(f".{file.name}.lock")):
        text = read_text(file) if file.exists() else ""
        if any(origin.name == _NAME for origin in parse_origins(text, str(file)).origins):
            return
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        comment = "# Asked of the default index; delete this table to ask again."
        table = f'{comment}\n[origins.{_NAME}]\nurl = "{base}"\nlayout = "warehouse"\n'
        added = f"{text}{gap}{table}"
        parse_origins(added, str(file))  # an inline `origins = {…}` cannot be added to: say so, write nothing
        write_atomic(file, added.encode("utf-8"))


def _file_urls(body: bytes, page: str) -> list[str]:
    """Return the absolute file URLs of a project page in the index's JSON form (PEP 691)."""
    try:
        files = parse_json(body)["files"]
        return [urljoin(page, file["url"]) for file in files]
    except (ValueError, KeyError, TypeError) as cause:
        raise FetchError(
            "did not answer with a project page in JSON", place=page, hint="check the index URL"
        ) from cause
