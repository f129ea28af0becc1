"""Pictures for the docs, taken out of a page that `report` writes: the same shapes, light or dark."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]
TARGET = ("1.4.2", "debian-13-assembled-cuda-13.0", "dynamo", "x86_64")
"""Release, platform, framework and architecture of the lock that is shown."""
PICTURES = {"graph-title": "report-graph.svg", "size-title": "report-sizes.svg"}
"""The heading of each picture in the page, and the file that it becomes."""
STYLE = """\
svg { --text: #1b1f24; --faint: #57606a; --ground: #fff; --build: #cdeed6; --archive: #f8d0cf;
  --python: #cfe3fb; --source: #e5dbf8; --image: #e3e6ea; --os: #fbe9b4;
  font: 13px system-ui, sans-serif; background: var(--ground) }
@media (prefers-color-scheme: dark) {
  svg { --text: #e6e9ed; --faint: #a3adb8; --ground: #14181d; --build: #17452a; --archive: #5c2022;
    --python: #193d66; --source: #40305f; --image: #333b44; --os: #574610 }
}
rect { fill: var(--image); stroke: var(--ground) } path { fill: none; stroke: var(--faint) }
text { fill: var(--text) } .python { fill: var(--python) } .os-package { fill: var(--os) }
.build { fill: var(--build) } .source, .submodule { fill: var(--source) } .archive { fill: var(--archive) }"""
ALTERNATIVES = {
    "graph-title": "From the left: sources, archives and bases, the builds that use them, and the image.",
    "size-title": "The downloaded files of an image as rectangles, the larger file as the larger rectangle.",
}


def report_pictures() -> Mapping[str, str]:
    """Return each picture as a file of SVG, by its name."""
    page = _lock_page()
    return {name: _standalone_picture(page, heading) for heading, name in PICTURES.items()}


def _lock_page() -> str:
    release, platform, framework, arch = TARGET
    words = ["--release", release, "--platform", platform, "--framework", framework, "--arch", arch]
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        with redirect_stdout(io.StringIO()):
            code = main(["report", "--quiet", "--project", str(ROOT), *words, "--output", str(site)])
        if code:
            raise SystemExit(code)
        return (site / f"lock/{release}/{platform}/{framework}-{arch}.html").read_text("utf-8")


def _standalone_picture(page: str, heading: str) -> str:
    found = re.search(
        rf'<svg class="picture"[^>]*aria-labelledby="{heading}"[^>]*>(.*?)</svg>', page, re.DOTALL
    )
    if found is None:
        raise SystemExit(f"the page has no picture below {heading}")
    box = re.search(r'viewBox="([^"]+)"', found[0])
    shapes = re.sub(r"<a href=[^>]*>", "<g>", found[1]).replace("</a>", "</g>").strip()
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1] if box else ""}" role="img">',
            f"<title>{ALTERNATIVES[heading]}</title>",
            f"<style>\n{STYLE}\n</style>",
            shapes,
            "</svg>",
            "",
        ]
    )
