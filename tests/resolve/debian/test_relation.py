from __future__ import annotations

import pytest
from debian.debian_support import NativeVersion
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import FetchError
from builder.resolve.debian.relation import Clause, Relation, clauses, compare

VERSIONS = st.from_regex(r"([0-9]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z.+~]{1,4})?", fullmatch=True)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1", "2"),
        ("9", "10"),
        ("1~rc1", "1"),
        ("1-1", "1-2"),
        ("99", "1:0"),
        ("2.36-9+deb12u1", "2.36-9+deb12u10"),
        ("1.0", "1.0+b1"),
        ("1~~", "1~"),
    ],
)
def test_version_order(older: str, newer: str) -> None:
    assert (compare(older, newer), compare(newer, older), compare(newer, newer)) == (-1, 1, 0)


def test_equal_versions_written_differently() -> None:
    assert compare("0:1.0-0", "1.0") == 0


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(FetchError, match=r"'a b' is not a Debian version"):
        compare("a b", "1")


@given(VERSIONS, VERSIONS)
def test_compare_is_the_order_of_python_debian(left: str, right: str) -> None:
    expected = (NativeVersion(left) > NativeVersion(right)) - (NativeVersion(left) < NativeVersion(right))
    assert compare(left, right) == expected == -compare(right, left)


@pytest.mark.parametrize(
    ("operator", "accepted"),
    [
        ("", "123"),
        ("<<", "1"),
        ("<", "12"),
        ("<=", "12"),
        ("=", "2"),
        (">=", "23"),
        (">", "23"),
        (">>", "3"),
    ],
)
def test_each_operator(operator: str, accepted: str) -> None:
    relation = Relation("a", operator, "2" if operator else "")
    assert "".join(version for version in "123" if relation.accepts(version)) == accepted


def test_an_unversioned_provision_is_in_no_bound() -> None:
    assert Relation("a").accepts("")
    assert not Relation("a", ">=", "1").accepts("")


def test_a_field_is_read_clause_by_clause() -> None:
    assert clauses("depends", "a (>= 1:2~) | b:any, c:native (<< 3), d:amd64", "amd64") == (
        Clause("depends", (Relation("a", ">=", "1:2~"), Relation("b:any"))),
        Clause("depends", (Relation("c", "<<", "3"),)),
        Clause("depends", (Relation("d"),)),
    )


def test_another_architecture_names_another_package() -> None:
    assert clauses("depends", "a:i386", "amd64") == (Clause("depends", (Relation("a:i386"),)),)


def test_an_empty_field_has_no_clause() -> None:
    assert clauses("depends", " ", "amd64") == ()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "text", ["a (>= )", "a b", "a (1)", "a, , b", "a [amd64]", "a <nocheck>", "(>= 1)", "a (<> 1)"]
)
def test_what_is_no_relation_is_refused(text: str) -> None:
    with pytest.raises(FetchError, match=r"relation"):
        clauses("depends", text, "amd64")


def test_clauses_print_as_written() -> None:
    (clause,) = clauses("breaks", "a (<< 2)", "amd64")
    assert str(clause) == "a (<< 2)"
    assert clause.negative
    (clause,) = clauses("depends", "a|b (= 1)", "amd64")
    assert str(clause) == "a | b (= 1)"
    assert not clause.negative
