"""Manifests, indexes and configurations: read and written in one module, within bounds."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuilderError, FetchError, UsageError
from builder.model import ImageDigest, Sha256
from builder.oci.manifests import (
    LARGEST_MANIFEST,
    OCI_MANIFEST,
    Descriptor,
    ImageIndex,
    ImageManifest,
    dump_index,
    dump_manifest,
    empty_config,
    parse_config,
    parse_image_manifest,
    parse_index,
    parse_manifest,
    parse_saved_images,
)

ROOT = Path(__file__).resolve().parents[2] / "builder"
DIGEST = f"sha256:{'a' * 64}"
KEYS = {"mediaType", "schemaVersion", "artifactType", "diff_ids", "RepoTags", "created_by"}


def part(**changes: Any) -> dict[str, Any]:
    return {"mediaType": "application/x", "digest": DIGEST, "size": 3, **changes}


def manifest(**changes: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": part(), "layers": [part()], **changes}).encode()


def test_a_manifest_is_written_and_read_back() -> None:
    layer = Descriptor.titled("application/x", Sha256("b" * 64), 7, "a file")
    made = ImageManifest(config=empty_config(), layers=(layer,), artifact_type="application/y")
    read = parse_manifest(dump_manifest(made), place="m")
    assert isinstance(read, ImageManifest)
    assert (read.layers, read.artifact_type, read.media_type) == ((layer,), "application/y", OCI_MANIFEST)
    assert (read.layers[0].title, read.layers[0].sha256) == ("a file", "b" * 64)
    assert json.loads(dump_manifest(made))["config"]["data"] == "e30="


def test_an_index_is_written_and_read_back() -> None:
    image = Descriptor(
        media_type=OCI_MANIFEST,
        digest=ImageDigest(DIGEST),
        size=9,
        os="linux",
        architecture="arm64",
        variant="v8",
    )
    made = ImageIndex(manifests=(image,))
    assert parse_manifest(dump_index(made), place="i") == made
    assert parse_index(dump_index(made), place="i") == made


def test_what_buildkit_attests_is_no_image() -> None:
    notes = {"vnd.docker.reference.type": "attestation-manifest"}
    data = json.dumps({"schemaVersion": 2, "manifests": [part(annotations=notes), part()]}).encode()
    assert [row.is_attestation for row in parse_index(data, place="i").manifests] == [True, False]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no json", "and not JSON$"),
        (b"[" * 100_000, "and not JSON$"),
        (b"[]", "but other JSON"),
        (b"{}", r"is not the manifest of one image: KeyError\('config'\)"),
        (b" " * LARGEST_MANIFEST + b"{}", f"is larger than the {LARGEST_MANIFEST} bytes"),
        (manifest(schemaVersion=1), "is not an image manifest of schema 2"),
        (manifest(config=1), "is not the manifest of one image"),
        (manifest(layers=None), "is not the manifest of one image"),
        (manifest(layers=[part(size=-1)]), "-1 is not a size"),
        (manifest(layers=[part(size=True)]), "True is not a size"),
        (manifest(layers=[part(size="3")]), "'3' is not a size"),
        (manifest(layers=[part(digest="sha256:../../x")]), "is not the manifest of one image"),
        (manifest(layers=[part(digest=f"md5:{'a' * 32}")]), "expected an image digest"),
        (manifest(layers=[part(mediaType=4)]), "mediaType is not text"),
        (manifest(artifactType=["x"]), "artifactType is not text"),
        (json.dumps({"manifests": [1]}).encode(), "is not an index of images"),
        (json.dumps({"manifests": {"a": 1}}).encode(), "is not an index of images"),
    ],
)
@pytest.mark.parametrize("kind", [FetchError, UsageError])
def test_what_is_no_manifest_is_refused(data: bytes, message: str, kind: type[BuilderError]) -> None:
    with pytest.raises(kind, match=message) as caught:
        parse_manifest(data, place="docker.io/a/b", error=kind)
    assert caught.value.place == "docker.io/a/b"


def test_an_index_is_not_taken_for_the_manifest_of_one_image() -> None:
    with pytest.raises(FetchError, match="is not the manifest of one image"):
        parse_image_manifest(dump_index(ImageIndex(manifests=())), place="i")


def test_a_configuration() -> None:
    table = {
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
        "history": [{"created_by": "ENV a", "empty_layer": True}, {"created_by": "RUN b"}],
        "config": {"Env": ["A=b"], "Labels": {"x": "y"}},
    }
    config = parse_config(json.dumps(table).encode(), place="c")
    assert (config.platform, config.diff_ids, config.steps) == ("linux/arm64/v8", (DIGEST,), ("RUN b",))
    assert (config.labels, config.settings["Env"]) == ({"x": "y"}, ["A=b"])
    bare = parse_config(b'{"config": null, "history": null, "rootfs": null}', place="c")
    assert (bare.platform, bare.diff_ids, bare.settings, bare.labels) == ("", (), {}, {})


@pytest.mark.parametrize("data", [b'{"history": [1]}', b'{"rootfs": [1]}', b'{"os": 1}', b'{"history": 1}'])
def test_what_is_no_configuration_is_refused(data: bytes) -> None:
    with pytest.raises(FetchError, match="is a malformed image configuration"):
        parse_config(data, place="c")


@pytest.mark.parametrize("data", [b"{}x", b'[{"Config": "a"}]', b"3", b'[{"Config": "a", "Layers": 1}]'])
def test_what_is_no_list_of_saved_images_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"saved images|not JSON"):
        parse_saved_images(data, place="s", error=UsageError)


def test_only_one_module_knows_the_keys_of_manifests() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (
            node.value in KEYS
            or node.value.startswith(("application/vnd.oci.image", "application/vnd.docker"))
        )
    }
    assert users == {"oci/manifests.py"}
