"""Digests: strings that are known to be well-formed."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Self

__all__ = ["Evidence", "GitOid", "ImageDigest", "Sha256"]


class Evidence(StrEnum):
    """Who vouches for a digest."""

    OBSERVED = "observed"
    """This tool hashed the bytes."""
    INDEX = "index"
    """The package index, or a signed repository index, states it."""
    DECLARED = "declared"
    """Somebody published it; the row says who."""


def _checked_digits(text: str, digits: int) -> str:
    if len(text) != digits:
        raise ValueError(f"expected {digits} hexadecimal digits, got {len(text)}")
    if not re.fullmatch(r"[0-9a-f]+", text):
        raise ValueError(f"expected {digits} lower-case hexadecimal digits, got {text!r}")
    return text


class Sha256(str):
    """The SHA-256 of some bytes: 64 lower-case hexadecimal digits."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Take the digits; ValueError says what is wrong with them."""
        return super().__new__(cls, _checked_digits(text, 64))

    @classmethod
    def of(cls, data: bytes) -> Sha256:
        """Hash `data`."""
        return cls(hashlib.sha256(data).hexdigest())


class GitOid(str):
    """A full SHA-1 object name of git: 40 lower-case hexadecimal digits."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Take the digits; ValueError says what is wrong with them."""
        return super().__new__(cls, _checked_digits(text, 40))


class ImageDigest(str):
    """The digest of an image manifest or index: `sha256:` and 64 hexadecimal digits."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Take the whole text; ValueError says what is wrong with it."""
        algorithm, _, digits = text.partition(":")
        if algorithm != "sha256":
            raise ValueError(f"expected an image digest `sha256:…`, got {text[:24]!r}")
        _checked_digits(digits, 64)
        return super().__new__(cls, text)
