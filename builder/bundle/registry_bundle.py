"""A bundle in a registry, as an OCI artifact: pushed layer by layer, and pulled whole."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from builder.bundle.bundle import artifact_manifest, contents_layer, layers_of
from builder.bundle.carrying import receive_bundle
from builder.bundle.contents import Bundle, dump_bundle, parse_bundle
from builder.errors import DigestMismatchError, FetchError
from builder.fetch import fetch_all
from builder.model import Sha256
from builder.oci import Descriptor, Push, Registry, dump_manifest
from builder.project import Project
from builder.provision import FetchProgress
from builder.store import Request, Staging, Store, staging

__all__ = ["pull_artifact", "push_artifact"]

_LARGEST_TEXT = 64 * 2**20  # bytes


def push_artifact(
    project: Project, name: str, tag: str, bundle: Bundle, locks: Mapping[str, bytes]
) -> tuple[str, int]:
    """Put a bundle into the repository `name`; return its name with the digest, and the bytes that were sent.

    What the registry has is not sent again. FetchError, or DigestMismatchError for a damaged store.
    """
    layers, texts = layers_of(bundle), _texts_by_digest(bundle, locks)
    sent = 0
    with (
        Registry(name, project.origins) as registry,
        Push(registry) as push,
        project.console.steps("pushing", len(layers)) as steps,
    ):
        manifest = artifact_manifest(bundle)
        push.blob(manifest.config.digest, lambda: io.BytesIO(manifest.config.data))
        for layer in layers:
            if push.blob(layer.digest, lambda layer=layer: _opened_layer(project, layer, texts)):  # type: ignore[misc]
                sent += layer.size
            steps.done(layer.title)
        body = dump_manifest(manifest)
        push.manifest(tag, body, manifest.media_type)
    return f"{name}@sha256:{Sha256.of(body)}", sent


def pull_artifact(project: Project, name: str, reference: str) -> tuple[str, Bundle]:
    """Verify a whole bundle, then receive it; return its name with the digest, and its table of contents.

    `reference` is a tag or a digest. Errors as in `receive_bundle`; nothing is received after one.
    """
    with Registry(name, project.origins) as registry, staging(project.store) as staged:
        body = registry.manifest_bytes(reference)
        place = f"{name}@sha256:{Sha256.of(body)}"
        table = _small_layer(registry, contents_layer(body, place=place), place)
        bundle = parse_bundle(table, place=place)
        if body != dump_manifest(artifact_manifest(bundle)):
            raise FetchError("its layers are not those that its table of contents says", place=place)
        layers = layers_of(bundle)[1:]
        locks = {
            row.path: _small_layer(registry, layer, place)
            for row, layer in zip(bundle.locks, layers, strict=False)
        }
        _fetch_layers(project, registry, staged, layers[len(bundle.locks) :])
        receive_bundle(project, bundle, locks, staged, place=place)
    return place, bundle


def _fetch_layers(
    project: Project, registry: Registry, staged: Staging, layers: tuple[Descriptor, ...]
) -> None:
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
            fetch_all(store, wanted, network=project.origins.network, progress=FetchProgress(project, shown))

        staged.fetch(requests, fetch)


def _small_layer(registry: Registry, layer: Descriptor, place: str) -> bytes:
    """Return the content of a small layer, verified."""
    if layer.size > _LARGEST_TEXT:
        raise FetchError(f"{layer.size} bytes are too many for {layer.title}", place=place)
    held = io.BytesIO()
    registry.fetch_blob(layer.digest, held, size=layer.size, limit=_LARGEST_TEXT)
    return held.getvalue()


def _texts_by_digest(bundle: Bundle, locks: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what is not in the store, by digest."""
    return {Sha256.of(text): text for text in (dump_bundle(bundle), *locks.values())}


def _opened_layer(project: Project, layer: Descriptor, texts: Mapping[str, bytes]) -> BinaryIO:
    if layer.sha256 in texts:
        return io.BytesIO(texts[layer.sha256])
    try:
        project.store.verify(layer.sha256)
    except DigestMismatchError as error:
        raise DigestMismatchError(
            error.cause, place=error.place, hint="delete that file, fetch again"
        ) from None
    return project.store.open(layer.sha256)
