"""Base images, and the packages that are in a published one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from builder.diff.change import (
    ChangedField,
    RowChange,
    RowKind,
    added,
    by_risk,
    came,
    changed,
    differing,
    pair,
    removed,
    reordered,
    went,
)
from builder.diff.order import order_of, upstream
from builder.diff.risk import Risk, evidence, replaced, voucher
from builder.lockfile import BASE, Image, Lock

__all__ = ["images"]

_ELSEWHERE = ("name", "inventory")


def images(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of base images and of the packages in them."""
    found = pair(
        before.images,
        after.images,
        [lambda row: (row.name, row.roles), lambda row: row.roles, lambda row: row.name],
    )
    for row in found.added:
        yield added(
            RowKind.IMAGE, row.name, came(row, {"roles": Risk.ORIGIN}, without=_ELSEWHERE), after=row.tag
        )
    for row in found.removed:
        yield removed(RowKind.IMAGE, row.name, went(row, "roles", without=_ELSEWHERE), before=row.tag)
    rebuilt = _base_packages(before) != _base_packages(after)
    for old, new in found.changed:
        fields = differing(
            old,
            new,
            partial(_image_field_risk, old=old, new=new, rebuilt=rebuilt),
            without=("inventory",),
        )
        packages = tuple(_inventory_changes(old, new, after.environment.family))
        if fields or not packages:
            fields = fields or reordered("inventory", old.inventory, new.inventory)
            yield changed(RowKind.IMAGE, new.name, fields, before=old.tag, after=new.tag)
        yield from packages


def _base_packages(lock: Lock) -> frozenset[tuple[str, str]]:
    return frozenset((row.name, row.sha256) for row in lock.os_packages if BASE in row.for_)


def _image_field_risk(name: str, old: Image, new: Image, *, rebuilt: bool) -> Risk:  # noqa: PLR0911 - one return a kind
    """Judge one field; `rebuilt` says whether the packages of an assembled base changed."""
    match name:
        case "name":
            return Risk.ORIGIN
        case "tag":
            return upstream(old.tag, new.tag) if old.tag and new.tag else Risk.CONSEQUENCE
        case "digest" | "tar" if not (new.digest or new.tar):
            return Risk.EVIDENCE
        case "digest" | "index_digest":
            same = (old.name, old.tag) == (new.name, new.tag) and getattr(old, name) and getattr(new, name)
            return Risk.TAG if same else Risk.CONSEQUENCE
        case "tar":
            return Risk.BYTES if old.tar and new.tar and not rebuilt else Risk.CONSEQUENCE
        case "evidence":
            return evidence(old.evidence, new.evidence)
        case "by":
            return voucher(old, new)
        case "inventory_by":
            return replaced(old.inventory_by, Risk.ORIGIN)
    return Risk.SETTINGS


def _inventory_changes(old: Image, new: Image, family: str) -> Iterator[RowChange]:
    """Yield the changes of what is in a published image; with the same digest it cannot differ."""
    same = old.digest is not None and old.digest == new.digest
    lefts, rights = _package_versions(old), _package_versions(new)
    order = order_of(family)
    for name in sorted(lefts.keys() | rights.keys()):
        left, right = lefts.get(name, ""), rights.get(name, "")
        if left == right:
            continue
        risk = Risk.NEW if not left else Risk.REMOVED if not right else order(left, right)
        field = ChangedField(key="version", before=left, after=right, risk=Risk.BYTES if same else risk)
        make = added if not left else removed if not right else changed
        yield make(RowKind.INVENTORY, name, by_risk([field]), before=left, after=right)


def _package_versions(image: Image) -> dict[str, str]:
    """Return version by name; several versions of one package are one text."""
    found: dict[str, str] = {}
    for item in image.inventory:
        name, _, version = item.partition("=")
        found[name] = f"{found[name]}, {version}" if name in found else version
    return found
