"""What a base image has installed, as versions with relations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from builder.errors import RecipeError
from builder.resolve.debian.index import Stanza
from builder.resolve.debian.relation import Clause, clauses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from builder.resolve.debian.universe import Universe

__all__ = ["InstalledDeb", "installed_stanzas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledDeb:
    """One row of an inventory.

    `stanza` is its entry in the image's dpkg status file, when that was read
    (`index.parse_status`); a published list has only the three words.
    """

    name: str
    version: str
    arch: str
    stanza: Stanza | None = None

    @classmethod
    def of(cls, stanza: Stanza) -> InstalledDeb:
        """Make a row from an entry of a dpkg status file."""
        return cls(name=stanza.name, version=stanza.version, arch=stanza.arch, stanza=stanza)


def installed_stanzas(universe: Universe, rows: Iterable[InstalledDeb]) -> dict[str, Stanza]:
    """Return each installed package's stanza, by name.

    In order: the universe's own of that version, the row's own, else an
    estimate from the newest version (see `_estimated_stanza`). Raises RecipeError
    for a package twice, and for one of another architecture.
    """
    found: dict[str, Stanza] = {}
    unknown: list[InstalledDeb] = []
    for row in rows:
        if row.arch not in {universe.arch, "all"}:
            raise RecipeError(
                f"the base has {row.name} of architecture {row.arch}, not {universe.arch} or all",
                hint="choose a base image without foreign architectures",
            )
        if row.name in found or any(row.name == other.name for other in unknown):
            raise RecipeError(f"the base's inventory lists {row.name} twice", hint="read the inventory again")
        stanza = universe.find(row.name, row.version) or row.stanza
        if stanza is None:
            unknown.append(row)
        else:
            found[row.name] = stanza
    versions = {
        **{name: stanza.version for name, stanza in found.items()},
        **{r.name: r.version for r in unknown},
    }
    for row in unknown:
        found[row.name] = _estimated_stanza(universe, row, versions)
    return found


def _estimated_stanza(universe: Universe, row: InstalledDeb, versions: Mapping[str, str]) -> Stanza:
    """Guess the relations of an installed version that no index has any more.

    The newest version's are the best evidence there is. What it demands in its
    own version (`= ${binary:Version}`) the installed one demanded in its own;
    whatever else the inventory does not satisfy cannot have been demanded.
    """
    newest = universe.newest(row.name)
    bare = Stanza(
        name=row.name, version=row.version, arch=row.arch, source=row.name, source_version=row.version
    )
    if newest is None:
        return bare

    def kept(kind: str, text: str) -> str:
        found = [_rebased_clause(clause, newest, row) for clause in clauses(kind, text, universe.arch)]
        return ", ".join(str(clause) for clause in found if _clause_holds(clause, versions))

    return replace(
        newest,
        version=row.version,
        arch=row.arch,
        source_version=row.version if newest.source_version == newest.version else newest.source_version,
        pre_depends=kept("pre-depends", newest.pre_depends),
        depends=kept("depends", newest.depends),
        conflicts="",
        breaks="",
        provides=newest.provides.replace(f"(= {newest.version})", f"(= {row.version})"),
        filename="",
        size=0,
        sha256="",
    )


def _rebased_clause(clause: Clause, newest: Stanza, row: InstalledDeb) -> Clause:
    return replace(
        clause,
        alternatives=tuple(
            replace(relation, version=row.version)
            if relation.operator == "=" and relation.version == newest.version
            else relation
            for relation in clause.alternatives
        ),
    )


def _clause_holds(clause: Clause, versions: Mapping[str, str]) -> bool:
    return any(
        relation.accepts(versions.get(relation.target.removesuffix(":any"), ""))
        and relation.target.removesuffix(":any") in versions
        for relation in clause.alternatives
    )
