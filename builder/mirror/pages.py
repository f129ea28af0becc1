"""The pages that a mirror writes: the Python index, and the guide for clients. Pure.

The index is the simple repository API as HTML and JSON, with SHA-256. The guide
tells people and programs how each client points to the mirror.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from builder.mirror.catalog import Catalogue, MirroredFile
from builder.model import toml

__all__ = ["HTML", "JSON", "guide", "media_type", "origins_file", "project_list", "project_page"]


JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
_LATEST = {
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}
_PLAIN = "text/html"
_META = {"api-version": "1.1"}


def media_type(accept: str) -> str:
    """Return the form that a client with this Accept header likes best; HTML where it does not say."""
    best, weight = _PLAIN, 0.0
    for part in accept.split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        kind = _LATEST.get(kind.lower(), kind.lower())
        liked = _quality_weight(parameters)
        if kind in {JSON, HTML, _PLAIN} and liked > weight:
            best, weight = kind, liked
    return best


def project_list(names: Iterable[str], kind: str) -> str:
    """Return the page that lists the projects."""
    listed = sorted(names)
    if kind == JSON:
        return json.dumps({"meta": _META, "projects": [{"name": name} for name in listed]})
    return _html_page(
        "Simple index", (f'<a href="{quote(name)}/">{html.escape(name)}</a>' for name in listed)
    )


def project_page(name: str, files: Mapping[str, MirroredFile], kind: str) -> str:
    """Return the page of a project; its links are relative to `/simple/<name>/`."""
    rows = [files[file] for file in sorted(files)]
    if kind == JSON:
        listed = [
            {
                "filename": row.file,
                "url": _file_link(row),
                "hashes": {"sha256": row.sha256},
                "size": row.size,
            }
            for row in rows
        ]
        versions = sorted({row.version for row in rows})
        return json.dumps({"meta": _META, "name": name, "versions": versions, "files": listed})
    links = (f'<a href="{_file_link(row)}#sha256={row.sha256}">{html.escape(row.file)}</a>' for row in rows)
    return _html_page(f"Links for {name}", links)


def _file_link(row: MirroredFile) -> str:
    return f"../../{quote(row.path)}"


def _html_page(title: str, links: Iterable[str]) -> str:
    body = "<br>\n".join(links)
    head = f'<meta name="pypi:repository-version" content="1.1"><title>{html.escape(title)}</title>'
    return f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _quality_weight(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def guide(base: str, offered: Catalogue) -> str:
    """Return how clients use the mirror at the URL `base`, which ends in a slash."""
    host = urlsplit(base).netloc
    lines = [f"lockwright mirror at {base}, read-only", ""]
    if offered.projects:
        lines += [
            "pip and uv (every file has its SHA-256; requirements with hashes come from `export`):",
            f"  pip install --index-url {base}simple/ --require-hashes -r requirements.txt",
            f"  uv pip install --default-index {base}simple/ --require-hashes -r requirements.txt",
            "",
        ]
    if offered.apt:
        lines.append(
            "apt (sources.list; signatures are the archive's own, and so are the keys to check them):"
        )
        options = "[check-valid-until=no lang=none]"
        lines += [
            f"  deb {options} {base}{source.path} {source.suite} {' '.join(source.components)}"
            for source in sorted(offered.apt)
        ]
        lines.append("")
    if offered.images:
        names = sorted({image.name.partition("/")[0] for image in offered.images})
        lines.append("BuildKit (buildkitd.toml), and docker (daemon.json; images of docker.io only):")
        lines += [f'  [registry."{name}"]\n    mirrors = ["{host}"]' for name in names]
        lines += [f'  [registry."{host}"]\n    http = true']
        lines += [f'  {{"registry-mirrors": ["{base.rstrip("/")}"]}}', ""]
    lines += [
        "lockwright (save as origins.toml beside recipes/ or lock/):",
        f"  {base}origins.toml",
        "",
        "any file by its digest:",
        f"  {base}sha256/<64 hexadecimal digits>",
    ]
    return "\n".join(lines) + "\n"


def origins_file(base: str, offered: Catalogue) -> str:
    """Return an origins file that takes everything from the mirror at the URL `base`."""
    origins = {
        name: {"url": f"{base}origin/{name}/", "layout": layout}
        for name, layout in sorted(offered.origins.items())
    }
    insecure = {"insecure": {"hosts": [urlsplit(base).hostname or ""]}} if base.startswith("http:") else {}
    return toml.dumps({"origins": origins, **insecure})
