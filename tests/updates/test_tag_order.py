"""Which tags count as newer: the same form with greater numbers."""

from __future__ import annotations

import pytest

from builder.updates.tag_order import newer_tags, tag_of_version

TAGS = [
    "v1.9.0",
    "v1.21.0",
    "v1.21.1",
    "v1.22.0",
    "v1.22.0-rc1",
    "v2",
    "1.23.0",
    "release-1.24.0",
    "v1.3.0.1",
]


@pytest.mark.parametrize(
    ("tag", "newer"),
    [
        ("v1.21.0", ("v1.21.1", "v1.22.0")),
        ("v1.9.0", ("v1.21.0", "v1.21.1", "v1.22.0")),
        ("v1.22.0", ()),
        ("v1", ("v2",)),
    ],
)
def test_only_the_same_form_with_greater_numbers_is_newer(tag: str, newer: tuple[str, ...]) -> None:
    assert newer_tags(tag, TAGS) == newer


def test_dated_tags_of_images_compare_by_day() -> None:
    tags = [
        "trixie-20260803-slim",
        "trixie-20261012-slim",
        "bookworm-20261012-slim",
        "trixie-20261012",
        "latest",
    ]
    assert newer_tags("trixie-20260918-slim", tags) == ("trixie-20261012-slim",)


@pytest.mark.parametrize(
    ("tag", "newer", "version", "found"),
    [
        ("v1.21.0", "v1.22.0", "1.21.0", "1.22.0"),
        ("hwloc-2.12.2", "hwloc-2.13.0", "2.12.2", "2.13.0"),
        ("0.8.0", "0.9.0", "0.8.0", "0.9.0"),
        ("release_1_2", "release_1_3", "1.2", ""),
    ],
)
def test_a_newer_tag_stands_for_a_version_as_the_pinned_one_does(
    tag: str, newer: str, version: str, found: str
) -> None:
    assert tag_of_version(tag, newer, version) == found
