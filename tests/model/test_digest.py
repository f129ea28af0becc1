from __future__ import annotations

import hashlib

import pytest

from builder.model.digest import GitOid, ImageDigest, Sha256


def test_digests_are_texts() -> None:
    assert Sha256.of(b"x") == hashlib.sha256(b"x").hexdigest()
    assert GitOid("a" * 40) == "a" * 40
    assert ImageDigest(f"sha256:{'b' * 64}").endswith("b")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Sha256, "a" * 63),
        (Sha256, "A" * 64),
        (Sha256, "g" * 64),
        (Sha256, f"{'a' * 63}\n"),
        (GitOid, "a" * 64),
        (ImageDigest, "a" * 64),
        (ImageDigest, f"sha512:{'a' * 64}"),
        (ImageDigest, "latest"),
    ],
)
def test_malformed_digests_are_refused(kind: type, text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        kind(text)
