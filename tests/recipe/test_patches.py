"""Patches and device code of components: what the recipes say reaches the lock, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.errors import RecipeError
from builder.model.digest import Sha256
from builder.recipe.component import Component, DeviceCode, PatchRecipe
from builder.recipe.effective import EffectiveComponent
from builder.recipe.library import Library
from tests.recipe.samples import effective_of

PLATFORM = "debian-13-cuda-13.0"
FILE = "gdrcopy/a.patch"


def with_component(
    library: Library, component: Component, patches: dict[str, bytes] | None = None
) -> Library:
    return replace(
        library,
        components={**library.components, component.name: component},
        patches={**library.patches, **(patches or {})},
    )


def patched(library: Library, data: bytes, digest: Sha256 | None = None) -> EffectiveComponent:
    """Return gdrcopy with one patch of these bytes."""
    row = PatchRecipe(file=FILE, sha256=digest or Sha256.of(data))
    changed = with_component(library, replace(library.components["gdrcopy"], patches=(row,)), {FILE: data})
    return next(part for part in effective_of(changed, PLATFORM).parts if part.name == "gdrcopy")


def test_a_patch_reaches_the_recipe_line_by_line_and_brings_its_program(library: Library) -> None:
    data = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-\told\n+\tnew\n"
    part = patched(library, data)
    (patch,) = part.patches
    assert patch.lines == ("--- a/x", "+++ b/x", "@@ -1 +1 @@", "-\told", "+\tnew")
    assert patch.data == data
    assert "patch" in part.packages.build


@pytest.mark.parametrize(
    ("data", "digest", "said"),
    [
        (b"+x\n", Sha256("0" * 64), "has SHA-256"),
        (b"+x", None, "does not end in a line feed"),
        (b"+x\x1b[2K\n", None, "a control character"),
        (b"+\xff\n", None, "can't decode byte"),
    ],
)
def test_a_patch_that_is_not_the_pinned_text_is_refused(
    library: Library, data: bytes, digest: Sha256 | None, said: str
) -> None:
    with pytest.raises(RecipeError, match=said) as caught:
        patched(library, data, digest)
    assert "recipes/components/gdrcopy.toml: patches" in str(caught.value)


def test_a_patch_that_is_not_there_is_named(library: Library) -> None:
    row = PatchRecipe(file="gdrcopy/b.patch", sha256=Sha256("0" * 64))
    changed = with_component(library, replace(library.components["gdrcopy"], patches=(row,)))
    with pytest.raises(RecipeError, match=r"there is no recipes/patches/gdrcopy/b\.patch"):
        effective_of(changed, PLATFORM)


def test_every_committed_patch_is_used(library: Library) -> None:
    components = library.components.values()
    used = {patch.file for one in components for patch in one.patches}
    used |= {patch.file for one in components for variant in one.variants for patch in variant.patches}
    assert used == set(library.patches)


def test_device_code_is_that_of_the_platform_with_ptx_of_the_newest(library: Library) -> None:
    parts = {part.name: part for part in effective_of(library, PLATFORM).parts}
    archs = library.platforms[PLATFORM].gpu_archs
    assert (parts["ucx"].gpu_archs, parts["ucx"].ptx) == (archs, archs[-1])
    flags = [word for step in parts["ucx"].steps for word in step if word.startswith("--with-nvcc-gencode=")]
    assert flags == [
        "--with-nvcc-gencode="
        + " ".join(f"-gencode=arch=compute_{arch},code=sm_{arch}" for arch in archs)
        + f" -gencode=arch=compute_{archs[-1]},code=compute_{archs[-1]}"
    ]
    assert parts["gdrcopy"].gpu_archs == ()


def test_a_source_that_supports_less_is_cut_with_its_reason(library: Library) -> None:
    parts = {part.name: part for part in effective_of(library, PLATFORM, "experts").parts}
    assert (parts["deep-ep"].gpu_archs, parts["deep-ep"].ptx) == (("90", "100"), "")
    assert dict(parts["deep-ep"].env)["TORCH_CUDA_ARCH_LIST"] == "9.0;10.0"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (DeviceCode(supported=("90",)), "cut without a reason"),
        (DeviceCode(ptx=False), "cut without a reason"),
        (DeviceCode(supported=("75",), reason="old"), "supports none of 80, 86, 89, 90, 100, 120: old"),
    ],
)
def test_device_code_without_a_reason_or_a_gpu_is_refused(
    library: Library, code: DeviceCode, said: str
) -> None:
    component = replace(library.components["gdrcopy"], device_code=code)
    with pytest.raises(RecipeError, match=said):
        effective_of(with_component(library, component), PLATFORM)
