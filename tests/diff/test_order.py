"""Which version is newer, by each ecosystem's own order, and how big the step is."""

from __future__ import annotations

import pytest

from builder.diff.order import calendar, debian, order_of, pep440, rpm, upstream
from builder.diff.risk import Risk


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ("1.2.3", "2.0", Risk.MAJOR),
        ("1.2.3", "1.10", Risk.MINOR),
        ("1.2.3", "1.2.10", Risk.PATCH),
        ("1.2", "1.2.1", Risk.PATCH),
        ("1.2", "1.2.post1", Risk.PATCH),
        ("1.2", "1.2.0", Risk.PATCH),
        ("1.2rc1", "1.2", Risk.PATCH),
        ("2.9.0+cu128", "2.9.0+cu130", Risk.ACCELERATOR),
        ("2.11.0+cu130", "2.11.0+rocm7.0", Risk.ACCELERATOR),
        ("2.11.0+cpu", "2.12.0+cu130", Risk.ACCELERATOR),
        ("2.11.0+cu128", "2.11.0+cpu", Risk.ACCELERATOR),
        ("2.11.0+cpu", "2.11.0+xpu", Risk.ACCELERATOR),
        ("2.11.0", "2.11.0+cu130", Risk.ACCELERATOR),
        ("2.11.0+cu130", "2.11.0", Risk.ACCELERATOR),
        ("2.8.3+cu12torch2.8cxx11abiTRUE", "2.8.3+cu13torch2.8cxx11abiTRUE", Risk.ACCELERATOR),
        ("2.8.3+cu12torch2.8", "2.8.3+cu12torch2.9", Risk.PATCH),
        ("2.1.2+pt24cu118", "2.1.2+pt24cu130", Risk.ACCELERATOR),
        ("2.1.2+pt24cpu", "2.1.2+pt24cu118", Risk.ACCELERATOR),
        ("2.8.0+CU130", "2.8.1+cu130", Risk.PATCH),
        ("2.11.0+cu130", "2.12.0+cu130", Risk.MINOR),
        ("0.33.0+5d4b92a6", "0.33.0+5d4b92a5", Risk.DOWNGRADE),
        ("0.33.0+5d4b92a5", "0.33.0+5d4b92a6", Risk.PATCH),
        ("1.2", "1.3rc1", Risk.PRERELEASE),
        ("1.2", "2.0.dev20261101", Risk.PRERELEASE),
        ("1.3a1", "1.3b1", Risk.PRERELEASE),
        ("1.3rc1", "1.3", Risk.PATCH),
        ("1.2", "1!0.1", Risk.MAJOR),
        ("1.10", "1.9", Risk.DOWNGRADE),
        ("1.2", "1.2rc1", Risk.DOWNGRADE),
        ("2.9.0+cu130", "2.8.0+cpu", Risk.ACCELERATOR),
        ("1.3", "1.2rc1", Risk.DOWNGRADE),
        ("1.2", "not a version", Risk.DOWNGRADE),
        ("1.2", "1" * 5000, Risk.DOWNGRADE),
    ],
)
def test_python(before: str, after: str, risk: Risk) -> None:
    assert pep440(before, after) is risk


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ("2.41-12+deb13u4", "2.41-12+deb13u5", Risk.PATCH),
        ("2.41-12", "2.42-1", Risk.MINOR),
        ("1.9-1", "1:0.1-1", Risk.MAJOR),
        ("3.0-1", "3.0~rc1-1", Risk.DOWNGRADE),
        ("3.0-1", "3.1~rc1-1", Risk.PRERELEASE),
        ("3.0~rc1-1", "3.0-1", Risk.PATCH),
        ("3.0-1", "3.1~RC1-1", Risk.PRERELEASE),
        ("3.0-1", "3.1~b1-1", Risk.PRERELEASE),
        ("3.0-1", "3.1~git20240101-1", Risk.PRERELEASE),
        ("3.0-1", "3.1rc1-1", Risk.PRERELEASE),
        ("3.0-1", "3.1-1~bpo12+1", Risk.MINOR),
        ("3.0~dfsg-1", "3.1~dfsg-1", Risk.MINOR),
        ("3.0-1~deb12u1", "3.0-1~deb13u1", Risk.PATCH),
        ("2.27.5-1+cuda13.0", "2.27.5-1+cuda12.9", Risk.ACCELERATOR),
        ("2.27.5-1+cuda13.0", "2.27.6-1+cuda13.0", Risk.PATCH),
        ("3.0-2+b1", "3.0-2", Risk.DOWNGRADE),
        ("1.2-1", "1.2 1", Risk.DOWNGRADE),
        ("20240203", "20250419", Risk.MAJOR),
    ],
)
def test_debian(before: str, after: str, risk: Risk) -> None:
    assert debian(before, after) is risk
    assert order_of("debian")(before, after) is risk


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ("2.34-100.el9", "2.34-125.el9_5.1", Risk.PATCH),
        ("2.34-125.el9", "2.34-125.el9", Risk.PATCH),
        ("5.1.8-9.el9", "5.2.26-1.el9", Risk.MINOR),
        ("1:3.0.7-27.el9", "1:3.2.2-6.el9", Risk.MINOR),
        ("9.0-1", "1:1.0-1", Risk.MAJOR),
        ("1.10-1", "1.9-1", Risk.DOWNGRADE),
        ("1.0-1", "1.0~rc1-1", Risk.DOWNGRADE),
        ("1.0-1.el9", "1.1~20240101git-1.el9", Risk.PRERELEASE),
        ("1.0-1.el9", "1.1-0.3.rc2.el9", Risk.PRERELEASE),
    ],
)
def test_rpm(before: str, after: str, risk: Risk) -> None:
    assert rpm(before, after) is risk
    assert order_of("rpm")(before, after) is risk


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ("v1.21.0", "v1.22.0", Risk.MINOR),
        ("13-slim", "13.1-slim", Risk.MINOR),
        ("v1.21.0", "v1.22.0-rc1", Risk.PRERELEASE),
        ("1.21", "1.22-SNAPSHOT", Risk.PRERELEASE),
        ("1.21", "1.22-M1", Risk.PRERELEASE),
        ("trixie-20260918-slim", "trixie-20261012-slim", Risk.PATCH),
        ("v2.4.0", "2.3.1", Risk.DOWNGRADE),
    ],
)
def test_components_and_tags(before: str, after: str, risk: Risk) -> None:
    assert upstream(before, after) is risk


def test_dates() -> None:
    assert calendar("2026-08-29T00:00:00Z", "2026-11-22T00:00:00Z") is Risk.PATCH
    assert calendar("2026-11-22T00:00:00Z", "2026-08-29T00:00:00Z") is Risk.DOWNGRADE


def test_where_no_order_is_known_nothing_is_newer() -> None:
    assert order_of("unheard-of")("1", "2") is Risk.DOWNGRADE
