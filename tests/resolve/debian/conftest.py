"""Small universes, written as the Packages text that they would come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builder.resolve.debian.index import parse_packages
from builder.resolve.debian.inventory import InstalledDeb
from builder.resolve.debian.universe import PackagesIndex, Universe

if TYPE_CHECKING:
    from collections.abc import Callable

SHA = "0" * 64


def packages_text(*stanzas: str, arch: str = "amd64") -> bytes:
    """Return a Packages file; a stanza is `name [version]` and then fields, separated by `;`."""
    out = []
    for stanza in stanzas:
        head, *fields = (part.strip() for part in stanza.split(";"))
        name, _, version = head.partition(" ")
        lines = [
            f"Package: {name}",
            f"Version: {version or '1'}",
            *fields,
            f"Filename: pool/{name}.deb",
            "Size: 10",
            f"SHA256: {SHA}",
        ]
        if not any(field.startswith("Architecture:") for field in fields):
            lines.insert(2, f"Architecture: {arch}")
        out.append("\n".join(lines))
    return ("\n\n".join(out) + "\n").encode()


@pytest.fixture
def packages() -> Callable[..., bytes]:
    return packages_text


@pytest.fixture
def universe() -> Callable[..., Universe]:
    """Return a function from stanzas, one list per index, to a universe for amd64."""

    def build(*indices: list[str], arch: str = "amd64") -> Universe:
        return Universe.of(
            arch,
            [
                PackagesIndex(
                    label=f"index{number}", stanzas=parse_packages(packages_text(*stanzas), place="test")
                )
                for number, stanzas in enumerate(indices)
            ],
        )

    return build


@pytest.fixture
def base() -> Callable[..., tuple[InstalledDeb, ...]]:
    """Return a function from `name version` texts to an inventory."""

    def build(*rows: str) -> tuple[InstalledDeb, ...]:
        parts = [row.split() for row in rows]
        return tuple(InstalledDeb(name=name, version=version, arch="amd64") for name, version in parts)

    return build
