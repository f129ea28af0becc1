"""Templates to pages: everything that a page prints is escaped, made printable, and of bounded length. Pure.

A page allows its own style and script by their hashes and nothing else: `'self'` means nothing for a
file that is opened from a folder. The templates are part of the program, like its modules.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from builder.model import counted, printable

__all__ = ["LONGEST", "page_bytes", "shown_text"]

LONGEST = 1000
"""Characters of one value that a page shows; of a longer one it says the length."""


def page_bytes(template: str, path: str, values: Mapping[str, Any]) -> bytes:
    """Return the page that a template makes; `path` is where it lies below the report's folder."""
    text = _template_environment().get_template(template).render(values, path=path)
    return f"{_without_indents(text)}\n".encode()


def shown_text(value: Any) -> Any:
    """Return a text as pages show it: on one line, without invisible characters, cut at `LONGEST`."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    if len(value) <= LONGEST and value.isascii() and value.isprintable():
        return value
    if len(value) > LONGEST:
        return f"{printable(value[:LONGEST])}… ({counted(len(value), 'character')} in all)"
    return printable(value)


@cache
def _template_environment() -> Environment:
    loader = PackageLoader("builder.report")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown_text,
    )
    style, script = (
        _without_indents(loader.get_source(environment, name)[0]) for name in ("report.css", "report.js")
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{_source_hash(style)}'; "
        f"script-src 'sha256-{_source_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    # Markup marks text as ours, so that it is not escaped: these are files of the program.
    environment.globals.update(style=Markup(style), script=Markup(script), policy=policy)  # noqa: S704
    return environment


def _without_indents(text: str) -> str:
    """Return a text without indents and empty lines: a third of a page of tables."""
    return "\n".join(stripped for line in text.split("\n") if (stripped := line.strip()))


def _source_hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
