"""Licenses: what each row of the images states, and what shipping it usually obliges one to. Pure.

The duties are those that the license families are known for, worded as what to look for. They are
no legal advice, and the page says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from builder.lockfile import BASE, RUNTIME, Lock
from builder.model import counted
from builder.policy import licensed_rows
from builder.report.tables import Anchors, ReportTable, TableCell, TableColumn, TableRow

__all__ = ["UNSTATED", "LicensePage", "license_duties", "license_page"]

UNSTATED = "not stated"

_DUTIES = (
    (r"^(A|L)?GPL-", "the license text, and the complete source or a written offer of it"),
    (r"^(MPL|EPL|CDDL|CPL)-", "the license text, and the source of the covered files"),
    (r"^LicenseRef-.*NVIDIA", "NVIDIA's terms: only the files that its agreement lists as redistributable"),
    (r"^LicenseRef-", "the owner's own terms, which must be read"),
    (r"^Apache-", "the license text, and the NOTICE file if there is one"),
    (
        r"^(MIT|BSD|ISC|0BSD|Zlib|PSF|Python|BSL|HPND|NCSA|X11|Unlicense|CC0)",
        "the license text and copyright notice",
    ),
)
_OTHERWISE = "the license text; its other terms must be read"
_SEPARATORS = re.compile(r"\s+(?:AND|OR)\s+|[()]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePage:
    """What the template of licenses shows."""

    duties: ReportTable
    rows: ReportTable
    os_packages: str
    """How many OS packages have no license in the locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LicensedThing:
    """A row of some locks with its license."""

    kind: str
    name: str
    version: str
    license: str
    shipped: bool
    """Whether it is in the image of one of these locks."""


def license_duties(expression: str) -> tuple[str, ...]:
    """Return what shipping a row under an SPDX expression obliges to, one text for each license in it."""
    if expression in ("", UNSTATED):
        return ("not known: look at the file itself",)
    if " OR " in expression:
        return ("what the license asks that you choose",)
    names = [name.strip() for name in _SEPARATORS.split(expression) if name.strip()]
    return tuple(dict.fromkeys(map(_license_duty, names)))


def _license_duty(name: str) -> str:
    return next((duty for pattern, duty in _DUTIES if re.search(pattern, name)), _OTHERWISE)


def license_page(locks: Iterable[Lock]) -> LicensePage:
    """Return the licenses of every Python distribution and build of the locks."""
    things: dict[tuple[str, str, str, str], list[bool]] = {}
    counts = set[tuple[str, str]]()
    for lock in locks:
        shipped = set(_shipped_rows(lock))
        for row in licensed_rows(lock):
            key = (row.kind, row.name, row.version, row.license or UNSTATED)
            things.setdefault(key, []).append((row.kind, row.name) in shipped)
        counts |= {(one.name, one.version) for one in lock.os_packages if {RUNTIME, BASE} & set(one.for_)}
    found = [
        _LicensedThing(kind=kind, name=name, version=version, license=license_, shipped=any(where))
        for (kind, name, version, license_), where in sorted(things.items())
    ]
    packages = counted(len(counts), "version of an OS package", "versions of OS packages")
    return LicensePage(duties=_duties_table(found), rows=_rows_table(found), os_packages=packages)


def _shipped_rows(lock: Lock) -> Iterator[tuple[str, str]]:
    """Yield kind and name of what ends up in the image."""
    for row in lock.python:
        if RUNTIME in row.for_:
            yield "python", row.name
            yield "builds", row.build
    for build in lock.builds:
        if build.runtime:
            yield "builds", build.component


def _duties_table(things: list[_LicensedThing]) -> ReportTable:
    groups: dict[str, list[_LicensedThing]] = {}
    for one in things:
        if one.shipped:
            groups.setdefault(one.license, []).append(one)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return ReportTable(
        name="duties",
        caption="Licenses of what is in the images, and what each usually obliges you to ship",
        columns=(TableColumn("license"), TableColumn("usual duty"), TableColumn("rows", number=True)),
        rows=tuple(
            TableRow(
                (
                    TableCell(expression),
                    TableCell("; ".join(license_duties(expression))),
                    TableCell(str(len(group)), value=len(group)),
                )
            )
            for expression, group in ordered
        ),
    )


def _rows_table(things: list[_LicensedThing]) -> ReportTable:
    anchors = Anchors()
    return ReportTable(
        name="rows",
        caption="Python distributions and builds",
        columns=(
            TableColumn("name"),
            TableColumn("version"),
            TableColumn("kind", choice=True),
            TableColumn("license", choice=True),
            TableColumn("in an image", choice=True),
        ),
        rows=tuple(
            _thing_row(one, anchors.of("python" if one.kind == "python" else "build", one.name))
            for one in things
        ),
    )


def _thing_row(one: _LicensedThing, anchor: str) -> TableRow:
    cells = (one.name, one.version, one.kind, one.license, "yes" if one.shipped else "no")
    first, *rest = map(TableCell, cells)
    return TableRow((TableCell(first.text, link=f"#{anchor}"), *rest), anchor)
