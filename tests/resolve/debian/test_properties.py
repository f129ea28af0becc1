"""What holds for every universe, on random ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import NoSolutionError
from builder.resolve.debian.closure import resolve
from builder.resolve.debian.index import Stanza
from builder.resolve.debian.inventory import InstalledDeb
from builder.resolve.debian.universe import PackagesIndex, Universe, hard

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.resolve.os import PackageChoice

NAMES = "abcdefgh"
RELATION = st.builds(
    "{}{}".format,
    st.sampled_from([*NAMES, "v", "w"]),
    st.sampled_from(["", "", "", " (>= 2)", " (<< 2)", " (= 1)"]),
)
CLAUSE = st.lists(RELATION, min_size=1, max_size=3).map(" | ".join)
FIELD = st.lists(CLAUSE, max_size=2).map(", ".join)
NEGATIVE = st.lists(RELATION, max_size=1).map(", ".join)
STANZA = st.builds(
    lambda name, version, depends, pre, conflicts, breaks, provides: Stanza(
        name=name,
        version=version,
        arch="amd64",
        depends=depends,
        pre_depends=pre,
        conflicts=conflicts,
        breaks=breaks,
        provides=provides,
        filename=f"{name}_{version}.deb",
        sha256="0" * 64,
    ),
    st.sampled_from(NAMES),
    st.sampled_from("12"),
    FIELD,
    FIELD,
    NEGATIVE,
    NEGATIVE,
    st.sampled_from(["", "", "v", "w (= 1)", "v (= 2), w"]),
)
UNIVERSE = st.lists(STANZA, min_size=1, max_size=14).map(
    lambda stanzas: Universe.of("amd64", [PackagesIndex(label="test", stanzas=tuple(stanzas))])
)
REQUESTS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


def whole(universe: Universe, rows: tuple[PackageChoice, ...] | tuple[InstalledDeb, ...]) -> list[str]:
    """Return each relation that does not hold when exactly `rows` are there."""
    there = [stanza for row in rows if (stanza := universe.find(row.name, row.version)) is not None]
    assert len(there) == len(rows)
    bad = []
    for stanza in there:
        for clause in hard(stanza, "amd64"):
            hits = [
                target
                for relation in clause.alternatives
                for target in universe.targets(relation)
                if any(target is other for other in there)
                and not (clause.negative and target.name == stanza.name)
            ]
            if bool(hits) == clause.negative:
                bad.append(f"{stanza}: {clause}")
    return bad


def solve(
    universe: Universe, installed: tuple[InstalledDeb, ...], requests: list[str]
) -> tuple[PackageChoice, ...] | None:
    try:
        return resolve(universe, installed, requests)
    except NoSolutionError:
        return None


@given(UNIVERSE, REQUESTS)
@settings(max_examples=400)
def test_every_answer_holds_together(universe: Universe, requests: list[str]) -> None:
    answer = solve(universe, (), requests)
    if answer is None:
        return
    assert whole(universe, answer) == []
    found = {choice.name for choice in answer}
    for request in requests:
        assert request in found or not universe.versions.get(request)
    assert len(found) == len(answer)
    assert [choice.name for choice in answer] == sorted(found)
    for choice in answer:
        assert {*choice.because} <= {*found, "recipe"}


@given(UNIVERSE, REQUESTS, REQUESTS)
@settings(max_examples=300)
def test_so_does_an_answer_on_top_of_a_base(
    universe: Universe, before: list[str], requests: list[str]
) -> None:
    first = solve(universe, (), before)
    if first is None:
        return
    installed = tuple(InstalledDeb(name=c.name, version=c.version, arch=c.arch) for c in first)
    answer = solve(universe, installed, requests)
    if answer is None:
        return
    replaced = {choice.name for choice in answer}
    added = (InstalledDeb(name=c.name, version=c.version, arch=c.arch) for c in answer)
    together = (*(row for row in installed if row.name not in replaced), *added)
    assert whole(universe, together) == []
    assert not replaced & {
        c.name for c in first if universe.newest(c.name) is universe.find(c.name, c.version)
    }
    assert solve(universe, together, requests) == ()


@given(UNIVERSE, REQUESTS)
@settings(max_examples=100)
def test_the_same_question_has_the_same_answer(universe: Universe, requests: list[str]) -> None:
    def ask(where: Callable[[], Universe]) -> object:
        try:
            return resolve(where(), (), requests)
        except NoSolutionError as error:
            return str(error)

    again = Universe.of(
        "amd64",
        [
            PackagesIndex(
                label="test", stanzas=tuple(s for name in universe.versions for s in universe.versions[name])
            )
        ],
    )
    assert ask(lambda: universe) == ask(lambda: universe)
    assert ask(lambda: again) == ask(lambda: again)
