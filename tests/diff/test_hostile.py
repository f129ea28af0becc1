"""Nothing that a lock, a file name or a commit says becomes an escape sequence, markup or a mention."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from builder.diff.change import ChangedField, Commit, History, RowKind, changed
from builder.diff.forms import MOST, as_markdown, as_text
from builder.diff.listing import as_listing
from builder.diff.pages import page
from builder.diff.reports import Compared, Report, Unsound, report
from builder.diff.risk import Risk
from tests.diff.cases import base

UGLY = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://example.invalid\x07link\x1b]8;;\x07",
    "\x9b31m",
    "ab\u202ecd\u2066",
    "a\r\nb\x00c\x08",
    "`` ` ``` ",
    "](http://example.invalid) [x]",
    "<details><script>alert(1)</script>",
    "@everyone #1 owner/repository#2",
    "| a | b |",
    "# heading\n* list\n> quote",
    "\\` \\",
    "&lt;&#x1b;",
    "t\u043erch",
    "x" * 5000,
]


def written(text: str, risk: Risk = Risk.ORIGIN) -> Report:
    """Return a report in which every part that comes from outside is `text`."""
    field = ChangedField(key=text, before=text, after=f"{text}2", risk=risk)
    commit = Commit(oid=text, author=text, subject=text)
    history = History(added=2, dropped=0, authors=((text, 2),), newest=(commit,))
    change = changed(RowKind.GIT, text, (field,), before=text, after=text)
    change = replace(change, uses=(text,), through=(text,), history=history)
    compared = [Compared(target=text, before=text, after=text, changes=(change,))]
    compared.append(Compared(target="other", before="b", after="a", changes=()))
    return report(text, text, compared, [Unsound(place=text, findings=(text,), after=True)])


def plain(found: Report) -> str:
    return "".join("".join(text for text, _ in line) + "\n" for line in as_text(page(found)))


def check_printable(text: str) -> None:
    for character in text:
        assert character == "\n" or unicodedata.category(character) not in {
            "Cc",
            "Cf",
            "Cs",
            "Zl",
            "Zp",
            "Co",
        }


@pytest.mark.parametrize("text", UGLY)
def test_nothing_but_printable_text_reaches_a_terminal(text: str) -> None:
    said = plain(written(text))
    check_printable(said)
    if len(text) < 90:
        assert said.count("\n") == plain(written("harmless")).count("\n")


def test_letters_that_look_like_others_are_written_as_escapes() -> None:
    assert "t\\u043erch" in plain(written("t\u043erch"))


@pytest.mark.parametrize("text", UGLY)
@pytest.mark.parametrize("risk", [Risk.ORIGIN, Risk.MAJOR])
def test_markdown_has_code_where_data_is(text: str, risk: Risk) -> None:
    check_markdown(as_markdown(page(written(text, risk)), most=10**9))


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("`\\ <>[]()|*_#@&!~-\n\r\tab"), min_size=1, max_size=40))
def test_markdown_has_code_where_data_is_whatever_it_is(text: str) -> None:
    check_markdown(as_markdown(page(written(text)), most=10**9))


def check_markdown(text: str) -> None:
    check_printable(text)
    ours = {"<details>", "</details>", "<summary>", "</summary>"}
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        assert token.type not in {"table_open", "fence", "code_block"}
        if token.type == "html_block":
            assert token.content.startswith(("<details>", "</details>"))
            assert "`" not in token.content
        for inner in token.children or []:
            assert inner.type in {"text", "code_inline", "softbreak"} or inner.content in ours, inner
            if inner.type == "text":
                assert "@" not in inner.content
                assert "example" not in inner.content
                assert "script" not in inner.content


def test_markdown_fits_a_comment_and_says_what_is_left_out() -> None:
    fields = tuple(ChangedField(key="version", before="1", after="2", risk=Risk.MINOR) for _ in range(1))
    changes = tuple(
        changed(RowKind.PYTHON, f"package-{i}", fields, before="1", after="2") for i in range(5000)
    )
    first = changed(RowKind.PYTHON, "bad", (replace(fields[0], risk=Risk.BYTES),), before="1", after="1")
    compared = [Compared(target="t", before="b", after="a", changes=(*changes, first))]
    text = as_markdown(page(report("b", "a", compared)))
    assert len(text) < MOST + 500
    assert text.index("`bad`") < text.index("`package-0`")
    assert "more lines are left out here" in text
    assert text.count("<details>") == text.count("</details>")


def test_the_listing_for_git_is_printable_too() -> None:
    rows = tuple(replace(row, by=UGLY[3]) for row in base().python[:1])
    check_printable(as_listing(replace(base(), python=rows)))
