"""The addresses that a Dockerfile contains, and what is wrong without one."""

from __future__ import annotations

import pytest

from builder.errors import UsageError
from builder.render.fetches import Addresses
from tests.render.golden import locks

LOCK = locks("fabric")[0][0]


def test_a_row_has_the_address_that_was_decided() -> None:
    row = LOCK.python[0]
    assert Addresses(files={row: "https://a.invalid/x"}).file_url(row) == "https://a.invalid/x"


def test_a_row_without_an_address() -> None:
    with pytest.raises(UsageError, match=r"no address of .* is known"):
        Addresses().file_url(LOCK.python[0])


def test_images_are_had_under_other_names() -> None:
    image = LOCK.images[0]
    own = f"{image.name}@{image.digest}"
    assert Addresses().image_reference(image) == own
    mirrored = Addresses(images={image.name: "127.0.0.1:5000/library/debian"})
    assert mirrored.image_reference(image) == f"127.0.0.1:5000/library/debian@{image.digest}"
