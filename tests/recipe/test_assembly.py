from __future__ import annotations

from builder.recipe.assembly import missing_pins
from builder.recipe.library import Library
from tests.recipe.samples import effective_of


def test_an_unreached_platform_says_what_is_missing(library: Library) -> None:
    missing = missing_pins(effective_of(library, "ubuntu-24.04-cuda-13.0", "vllm"))
    assert (
        "platform ubuntu-24.04-cuda-13.0: digest of the image docker.io/nvidia/cuda:13.0.2-runtime-ubuntu24.04 for x86_64"
        in missing
    )
    assert "platform ubuntu-24.04-cuda-13.0: InRelease of noble" in missing
