from __future__ import annotations

import pytest

from builder.model.target import Arch, Target


@pytest.mark.parametrize(
    ("arch", "token", "expected"),
    [
        (Arch.X86_64, "debian", "amd64"),
        (Arch.AARCH64, "debian", "arm64"),
        (Arch.AARCH64, "protoc", "aarch_64"),
        (Arch.AARCH64, "cuda", "sbsa"),
        (Arch.X86_64, "cuda", "x86_64"),
        (Arch.AARCH64, "rust", "aarch64-unknown-linux-gnu"),
        (Arch.AARCH64, "gnu", "aarch64-linux-gnu"),
    ],
)
def test_each_ecosystem_spells_an_architecture_its_own_way(arch: Arch, token: str, expected: str) -> None:
    assert dict(arch.tokens())[token] == expected


def test_a_target_is_a_path() -> None:
    target = Target(release="1.0", platform="debian-13", framework="vllm", arch=Arch.AARCH64)
    assert target.path == "1.0/debian-13/vllm-aarch64.toml"
    assert Arch.AARCH64.oci == "linux/arm64"
