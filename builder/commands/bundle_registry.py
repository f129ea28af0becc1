"""`bundle --push` and `--pull`: a bundle as an OCI artifact in a registry."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from builder.bundle import (
    EMPTY,
    MEDIA_TYPE,
    Bundle,
    Layer,
    artifact_manifest,
    dump_bundle,
    layers_of,
    parse_artifact,
    parse_bundle,
)
from builder.commands.bundle import collect, receive
from builder.commands.fetch import human
from builder.commands.transfers import Shown
from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.fetch import fetch_all
from builder.model import ImageDigest, Sha256
from builder.oci import Push, Registry
from builder.project import Project
from builder.selection import Selection
from builder.store import Request, Staging, Store, staging

__all__ = ["PullOptions", "PushOptions", "run_pull", "run_push"]

_LARGEST_TEXT = 64 * 2**20  # bytes
_REFERENCE = re.compile(
    r"(?P<name>[^@]+?)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """What the command line asks for."""

    selection: Selection
    reference: str
    apt: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """What the command line asks for."""

    reference: str
    json: bool = False


def run_push(project: Project, options: PushOptions) -> int:
    """Fetch what is missing, and put the bundle into a registry; what the registry has is not sent again."""
    name, tag, digest = _reference(options.reference, "--push")
    if not tag or digest:
        raise UsageError("expected HOST/NAME:TAG", place=f"--push {options.reference}")
    bundle, locks = collect(project, options.selection, apt=options.apt)
    layers, texts = layers_of(bundle), _texts(bundle, locks)
    sent = 0
    with (
        Registry(name, project.origins) as registry,
        Push(registry) as push,
        project.console.steps("pushing", len(layers)) as steps,
    ):
        push.blob(ImageDigest(f"sha256:{Sha256.of(EMPTY)}"), lambda: io.BytesIO(EMPTY))
        for layer in layers:
            if push.blob(layer.digest, lambda layer=layer: _opened(project, layer, texts)):  # type: ignore[misc]
                sent += layer.size
            steps.done(layer.title)
        manifest = artifact_manifest(bundle)
        push.manifest(tag, manifest, MEDIA_TYPE)
    pushed = f"{name}@sha256:{Sha256.of(manifest)}"
    if options.json:
        project.console.json({"reference": pushed, "bytes": bundle.size, "sent": sent})
    else:
        project.console.data(f"{pushed}  ({human(sent)} of {human(bundle.size)} sent)")
    return 0


def run_pull(project: Project, options: PullOptions) -> int:
    """Verify a whole bundle from a registry, then make it part of store and locks."""
    name, tag, digest = _reference(options.reference, "--pull")
    with Registry(name, project.origins) as registry, staging(project.store) as staged:
        body = registry.manifest_bytes(digest or tag or "latest")
        place = f"{name}@sha256:{Sha256.of(body)}"
        contents = _small(registry, parse_artifact(body, place=place), place)
        bundle = parse_bundle(contents, place=place)
        if body != artifact_manifest(bundle):
            raise FetchError("its layers are not those that its table of contents says", place=place)
        layers = layers_of(bundle)[1:]
        locks = {
            row.path: _small(registry, layer, place) for row, layer in zip(bundle.locks, layers, strict=False)
        }
        _take(project, registry, staged, layers[len(bundle.locks) :])
        receive(project, bundle, locks, staged, place=place)
    if options.json:
        project.console.json({"reference": place, "locks": sorted(locks), "files": len(bundle.files)})
    else:
        project.console.data(f"pulled: {place}, {human(bundle.size)}; the store is {project.store.root}")
    return 0


def _take(project: Project, registry: Registry, staged: Staging, layers: tuple[Layer, ...]) -> None:
    requests = [
        Request(
            sha256=layer.sha256,
            size=layer.size,
            urls=registry.blob_urls(layer.digest),
            label=layer.title,
            access=registry.auth,
        )
        for layer in layers
    ]
    with project.console.transfers("pulling") as shown:

        def fetch(store: Store, wanted: Sequence[Request]) -> None:
            fetch_all(store, wanted, network=project.origins.network, progress=Shown(project, shown))

        staged.fetch(requests, fetch)


def _small(registry: Registry, layer: Layer, place: str) -> bytes:
    """Return the content of a small layer, verified."""
    if layer.size > _LARGEST_TEXT:
        raise FetchError(f"{layer.size} bytes are too many for {layer.title}", place=place)
    held = io.BytesIO()
    registry.fetch_blob(layer.digest, held, size=layer.size, limit=_LARGEST_TEXT)
    return held.getvalue()


def _texts(bundle: Bundle, locks: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what is not in the store, by digest."""
    return {Sha256.of(text): text for text in (dump_bundle(bundle), *locks.values())}


def _opened(project: Project, layer: Layer, texts: Mapping[str, bytes]) -> BinaryIO:
    if layer.sha256 in texts:
        return io.BytesIO(texts[layer.sha256])
    try:
        project.store.verify(layer.sha256)
    except DigestMismatchError as error:
        raise DigestMismatchError(
            error.cause, place=error.place, hint="delete that file, fetch again"
        ) from None
    return project.store.open(layer.sha256)


def _reference(text: str, option: str) -> tuple[str, str, str]:
    match = _REFERENCE.fullmatch(text)
    if match is None or "/" not in match["name"]:
        raise UsageError("expected HOST/NAME:TAG or HOST/NAME@sha256:DIGEST", place=f"{option} {text[:200]}")
    return match["name"], match["tag"] or "", match["digest"] or ""
