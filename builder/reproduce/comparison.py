"""Two images: the same digest, or layer by layer and file by file what differs and why.

The comparison is told as text for people and as plain values for machines.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.oci import ImageLayer, ImageLayout, LayerEntry, OciImage, open_images
from builder.reproduce.causes import CAUSES, BuildConditions, dropped
from builder.reproduce.difference import explain

__all__ = [
    "DIFFERENT",
    "IDENTICAL",
    "NORMALISED",
    "Comparison",
    "ImageDifference",
    "as_text",
    "as_value",
    "compare",
]


IDENTICAL = "identical"
NORMALISED = "identical after normalisation"
DIFFERENT = "different"

_LARGEST = 2**29  # bytes of a content that is looked into
_BY_UMASK = 0o077
_MADE = ("created",)
_LOCK = "lockwright.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDifference:
    """One difference: where, in what, and by which causes."""

    place: str
    """The platform and the layer, or the image's configuration."""
    path: str
    what: str
    causes: tuple[str, ...]
    detail: str = ""
    step: str = ""
    """The instruction that made the layer."""

    @property
    def harmless(self) -> bool:
        """Whether nothing differs once the causes are taken away."""
        return all(CAUSES[name].harmless for name in self.causes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both digests, every difference, and what follows."""

    digests: tuple[str, str]
    findings: tuple[ImageDifference, ...]

    @property
    def verdict(self) -> str:
        """IDENTICAL, NORMALISED (by the named causes), or DIFFERENT."""
        if self.digests[0] == self.digests[1]:
            return IDENTICAL
        return NORMALISED if all(finding.harmless for finding in self.findings) else DIFFERENT

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of all causes, sorted."""
        return tuple(sorted({name for finding in self.findings for name in finding.causes}))


def compare(first: Path, second: Path, conditions: BuildConditions | None = None) -> Comparison:
    """Compare two images in OCI layout (UsageError for what is none)."""
    known = conditions or BuildConditions()
    with open_images(first) as left, open_images(second) as right:
        digests = (left.digest, right.digest)
        found = () if digests[0] == digests[1] else tuple(_compare_layouts(left, right, known))
        if digests[0] != digests[1] and not found:
            detail = "the images in them are the same; only the manifest or the index is written differently"
            found = (
                ImageDifference(
                    place="manifest", path="", what="fields", causes=("compression",), detail=detail
                ),
            )
    return Comparison(digests=digests, findings=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LayerPair:
    """The same layer of two images."""

    layouts: tuple[ImageLayout, ImageLayout]
    layers: tuple[ImageLayer, ImageLayer]
    place: str
    conditions: BuildConditions

    def finding(self, path: str, what: str, causes: tuple[str, ...], detail: str = "") -> ImageDifference:
        step = self.layers[0].step
        return ImageDifference(
            place=self.place, path=path, what=what, causes=causes, detail=detail, step=step
        )


def _compare_layouts(
    left: ImageLayout, right: ImageLayout, conditions: BuildConditions
) -> Iterator[ImageDifference]:
    ours = {image.platform: image for image in left.images()}
    theirs = {image.platform: image for image in right.images()}
    for platform in sorted(ours.keys() | theirs.keys()):
        if platform not in ours or platform not in theirs:
            which = "first" if platform in ours else "second"
            detail = f"only the {which} has this platform"
            yield ImageDifference(
                place=platform, path="", what="platform", causes=("unknown",), detail=detail
            )
        elif ours[platform].digest != theirs[platform].digest:
            yield from _compare_images((left, right), (ours[platform], theirs[platform]), conditions)


def _compare_images(
    layouts: tuple[ImageLayout, ImageLayout], images: tuple[OciImage, OciImage], conditions: BuildConditions
) -> Iterator[ImageDifference]:
    first, second = images
    yield from _compare_configs(first, second)
    if len(first.layers) != len(second.layers):
        detail = f"{len(first.layers)} and {len(second.layers)} layers: not two builds of one Dockerfile"
        yield ImageDifference(
            place=first.platform, path="", what="layers", causes=("unknown",), detail=detail
        )
        return
    for number, layers in enumerate(zip(first.layers, second.layers, strict=True), start=1):
        if layers[0].digest != layers[1].digest:
            place = f"{first.platform}, layer {number} of {len(first.layers)}"
            yield from _compare_layer(
                _LayerPair(layouts=layouts, layers=layers, place=place, conditions=conditions)
            )


def _compare_configs(first: OciImage, second: OciImage) -> Iterator[ImageDifference]:
    left, right = dict(_flattened_values(first.config.table)), dict(_flattened_values(second.config.table))
    for key in sorted(left.keys() | right.keys()):
        if left.get(key) == right.get(key) or key.startswith("rootfs."):
            continue
        cause = "build-time" if key.rpartition(".")[2] in _MADE else "unknown"
        if key == f"config.Labels.{_LOCK}" or f"LABEL {_LOCK}=" in left.get(key, ""):
            cause = "lock"
        detail = f"{left.get(key, 'absent')!s:.80} and {right.get(key, 'absent')!s:.80}"
        place = f"{first.platform}, configuration"
        yield ImageDifference(place=place, path=key, what="value", causes=(cause,), detail=detail)


def _flattened_values(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        rows = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in rows:
            yield from _flattened_values(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, json.dumps(value)


def _compare_layer(pair: _LayerPair) -> Iterator[ImageDifference]:
    if pair.layers[0].diff_id == pair.layers[1].diff_id:
        yield pair.finding("", "compressed bytes", ("compression",))
        return
    left, right = (
        {entry.path: entry for entry in layout.entries(layer)}
        for layout, layer in zip(pair.layouts, pair.layers, strict=True)
    )
    found = [
        finding
        for path in sorted(left.keys() | right.keys())
        for finding in _compare_entry(pair, path, left, right)
    ]
    changed = [
        path
        for path in sorted(left.keys() & right.keys())
        if left[path].sha256 != right[path].sha256 and left[path].kind == right[path].kind == "file"
    ]
    found += _compare_contents(pair, {path: max(left[path].size, right[path].size) for path in changed})
    if not found:
        same = list(left) == list(right)
        detail = "the headers of the tar" if same else ""
        found.append(pair.finding("", "tar", ("layer-order",), detail))
    yield from sorted(found, key=lambda finding: (finding.path, finding.what))


def _compare_entry(
    pair: _LayerPair, path: str, left: dict[str, LayerEntry], right: dict[str, LayerEntry]
) -> Iterator[ImageDifference]:
    """Yield how the metadata of one path differ."""
    ours, theirs = left.get(path), right.get(path)
    if ours is None or theirs is None:
        which = "first" if theirs is None else "second"
        yield pair.finding(path, "presence", (dropped(path) or "unknown",), f"only in the {which} image")
        return
    if ours.mode != theirs.mode:
        cause = "umask" if (ours.mode ^ theirs.mode) & ~_BY_UMASK == 0 else "unknown"
        yield pair.finding(path, "mode", (cause,), f"{ours.mode:04o} and {theirs.mode:04o}")
    if (ours.uid, ours.gid) != (theirs.uid, theirs.gid):
        detail = f"{ours.uid}:{ours.gid} and {theirs.uid}:{theirs.gid}"
        yield pair.finding(path, "owner", ("owner",), detail)
    if ours.mtime != theirs.mtime:
        yield pair.finding(path, "mtime", ("mtime",), f"{ours.mtime} and {theirs.mtime}")
    for what in ("kind", "target", "device", "xattrs"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        if mine != other:
            yield pair.finding(path, what, ("unknown",), f"{mine} and {other}")


def _compare_contents(pair: _LayerPair, sizes: dict[str, int]) -> list[ImageDifference]:
    """Look into the files that differ, one at a time."""
    found = [
        pair.finding(path, "content", ("unknown",), f"{size} bytes are too many to look into")
        for path, size in sizes.items()
        if size > _LARGEST
    ]
    wanted = {path: str(number) for number, path in enumerate(sizes) if sizes[path] <= _LARGEST}
    if not wanted:
        return found
    with tempfile.TemporaryDirectory(prefix="lockwright-") as name:
        spool = Path(name)
        with pair.layouts[0].opened(pair.layers[0]) as files:
            for path, content in files:
                if path in wanted:
                    (spool / wanted[path]).write_bytes(content.read())
        with pair.layouts[1].opened(pair.layers[1]) as files:
            for path, content in files:
                if path in wanted:
                    first = (spool / wanted[path]).read_bytes()
                    why = explain(path, first, content.read(), pair.conditions)
                    found.append(pair.finding(path, "content", why.causes, why.detail))
    return found


_MOST_SHOWN = 8


def as_value(comparison: Comparison) -> dict[str, Any]:
    """Return everything that was found, in the order in which it was found."""
    return {
        "verdict": comparison.verdict,
        "digests": list(comparison.digests),
        "causes": [
            {"name": name, "meaning": CAUSES[name].meaning, "remedy": CAUSES[name].remedy}
            for name in comparison.causes
        ],
        "findings": [
            {
                "place": finding.place,
                "path": finding.path,
                "what": finding.what,
                "causes": list(finding.causes),
                "harmless": finding.harmless,
                "detail": finding.detail,
                "step": finding.step,
            }
            for finding in comparison.findings
        ],
    }


def as_text(comparison: Comparison) -> str:
    """Return the verdict, then each cause with its meaning, its files and its remedy."""
    if comparison.verdict == IDENTICAL:
        return f"identical: {comparison.digests[0]}"
    by = f" of {', '.join(comparison.causes)}" if comparison.verdict == NORMALISED else ""
    lines = [f"{comparison.verdict}{by}", *(f"  {digest}" for digest in comparison.digests)]
    groups: dict[tuple[str, ...], list[ImageDifference]] = {}
    for finding in comparison.findings:
        groups.setdefault(finding.causes, []).append(finding)
    for causes, findings in sorted(groups.items()):
        lines += ["", *_finding_group(causes, findings)]
    return "\n".join(lines)


def _finding_group(causes: tuple[str, ...], findings: list[ImageDifference]) -> list[str]:
    lines = [f"{' + '.join(causes)} ({len(findings)})"]
    lines += [f"  {CAUSES[name].meaning}" for name in causes]
    lines += [f"  remedy: {CAUSES[name].remedy}" for name in causes]
    for finding in findings[:_MOST_SHOWN]:
        detail = f": {finding.detail}" if finding.detail else ""
        lines.append(f"  - {finding.place}: {finding.path or finding.what}: {finding.what}{detail}")
    if len(findings) > _MOST_SHOWN:
        lines.append(f"  - and {len(findings) - _MOST_SHOWN} more")
    return lines
