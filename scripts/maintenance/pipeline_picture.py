"""The picture of the README: recipes, lock, Dockerfile, two builds with one digest, and what judges each."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 960, 220
BOX_WIDTH, BOX_HEIGHT, TOP = 168, 92, 48
STATIONS_LEFT = 12
STYLE = """\
svg { color: #1f2328; background: #ffffff; font-family: system-ui, sans-serif; font-size: 13px }
text { fill: currentColor } .name { font-size: 15px; font-weight: 600 } .quiet { fill: #57606a }
.box { fill: #f6f8fa; stroke: #57606a } .arrow { stroke: currentColor; fill: none; stroke-width: 1.5 }
.proof { fill: #dafbe1; stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  svg { color: #e6edf3; background: #0d1117 } .quiet { fill: #9198a1 } .box { fill: #161b22; stroke: #9198a1 }
  .proof { fill: #12261e; stroke: #3fb950 }
}"""
TIP = """\
<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0 10 5 0 10z" fill="#57606a"/></marker>"""
ALTERNATIVE = (
    "Recipes are resolved into a lock; the lock is rendered to a Dockerfile; the Dockerfile is built twice, "
    "and both images have one digest. Below each, the commands that judge it."
)
LEGEND = "above: the command that makes it; below: the commands that judge it"


@dataclass(frozen=True)
class Box:
    """One station: its name, two lines of what it holds, and the commands that make or judge it."""

    name: str
    lines: tuple[str, str]
    made_by: str
    judged_by: str
    proof: bool = False


STATIONS = (
    Box("recipes", ("components, pins,", "platforms, releases"), "", "align"),
    Box("lock", ("each wheel, package,", "commit by its hash"), "lock", "verify · diff · why"),
    Box("Dockerfile", ("no network in a RUN;", "checked downloads"), "render", ""),
    Box("two builds", ("another order, another", "host name, later"), "reproduce", "check"),
    Box("one digest", ("or the file that differs,", "and why"), "", "verify --image", proof=True),
)


def pipeline_picture() -> str:
    """Return the picture as SVG, light or dark as the reader's screen is."""
    step = (WIDTH - 2 * STATIONS_LEFT - BOX_WIDTH) / (len(STATIONS) - 1)
    parts = [
        part
        for number, box in enumerate(STATIONS)
        for part in _station(box, STATIONS_LEFT + number * step, step)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
            f' width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(ALTERNATIVE)}</title>',
            f"<style>\n{STYLE}\n</style>",
            f"<defs>{TIP}</defs>",
            *parts,
            _text(
                12,
                HEIGHT - 10,
                "above: the command that makes it; below: the commands that judge it",
                "quiet",
                "start",
            ),
            "</svg>\n",
        ]
    )


def _station(box: Box, left: float, step: float) -> list[str]:
    middle = left + BOX_WIDTH / 2
    kind = "box proof" if box.proof else "box"
    parts = [
        f'<rect class="{kind}" x="{left:g}" y="{TOP}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>',
        _text(middle, TOP + 28, box.name, "name"),
        *(_text(middle, TOP + 52 + 20 * row, line) for row, line in enumerate(box.lines)),
    ]
    if box.judged_by:
        below = TOP + BOX_HEIGHT
        parts += [_arrow(f"M{middle:g} {below + 28}V{below + 4}"), _text(middle, below + 44, box.judged_by)]
    if left > STATIONS_LEFT:
        gap = left - (step - BOX_WIDTH)
        parts += [
            _arrow(f"M{gap + 2:g} {TOP + BOX_HEIGHT / 2:g}H{left - 2:g}"),
            _text((gap + left) / 2, TOP - 16, box.made_by, "name"),
        ]
    return parts


def _arrow(way: str) -> str:
    return f'<path class="arrow" d="{way}" marker-end="url(#tip)"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text{mark} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
