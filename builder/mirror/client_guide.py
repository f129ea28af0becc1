"""What people and programs must know to use a mirror: how each client points to it. Pure."""

from __future__ import annotations

__all__ = ["guide", "origins_file"]

from urllib.parse import urlsplit

from builder.mirror.catalog import Catalogue
from builder.model import toml


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
