"""The readers of Dockerfiles and of shell: what Docker joins, what shells mean, and what hostile text costs."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builder.align.dockerfile.pin import Pin, PinKind
from builder.align.dockerfile.pins import dockerfile_pins
from builder.align.dockerfile.reader import read_dockerfile
from builder.align.dockerfile.shell import READING_ALLOWANCE, read_script, read_words
from builder.align.dockerfile.variables import UNRESOLVED, expanded
from builder.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
SUM = "a" * 64


def pins(text: str) -> list[Pin]:
    return list(dockerfile_pins(read_dockerfile(text.encode(), place="Dockerfile")))


def words(script: str) -> list[tuple[str, ...]]:
    found = read_script(script, {"A": "1", "B": "2"})
    assert not found.unread
    return [command.words for command in found.commands]


def test_a_word_broken_over_lines_is_one_word() -> None:
    text = (
        "FROM scratch\nRUN wget https://f.invalid/v1/\\\n"
        f'tool.tgz && echo "{SUM}  tool.tgz" | sha256sum -c -\n'
    )
    (pin,) = pins(text)
    assert (pin.kind, pin.value, pin.checked) == (PinKind.DOWNLOAD, "https://f.invalid/v1/tool.tgz", True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("RUN a\\\nb", "ab"),
        ("RUN a \\\n  b", "a   b"),
        ("RUN a \\\n# why\n\n  # and why\n b", "a  b"),
        ("RUN a \\   \nb", "a b"),
        ("# escape=`\nRUN a`\nb", "ab"),
        ("RUN a\\\r\nb\r\n", "ab"),
        ("RUN a # b", "a # b"),
        ("ONBUILD RUN a\\\nb", "ab"),
    ],
)
def test_lines_are_joined_as_docker_joins_them(text: str, value: str) -> None:
    (found,) = read_dockerfile(text.encode(), place="Dockerfile")
    assert (found.keyword, found.value) == ("RUN", value)


@pytest.mark.parametrize("keyword", ["RUN", "ONBUILD RUN", "onbuild ONBUILD run"])
def test_a_heredoc_follows_an_instruction_also_behind_onbuild(keyword: str) -> None:
    found = read_dockerfile(f"FROM a\n{keyword} <<-'X'\n\tb\n\tX\nUSER c".encode(), place="Dockerfile")
    assert [item.keyword for item in found] == ["FROM", "RUN", "USER"]
    (document,) = found[1].heredocs
    assert (document.text, document.quoted, found[2].line) == ("\tb\n", True, 5)


def test_a_comment_behind_an_arg_is_one_finding() -> None:
    found = pins('FROM scratch\nARG MODE="" # kept for older callers and ignored\nRUN echo $MODE\n')
    assert [(pin.name, pin.value) for pin in found] == [
        ("#", "kept for older callers and ignored"),
        ("MODE", ""),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ARG A=1\nENV B='$A'\nRUN pip install a==$B", "a==$A"),
        ("ENV A=1\nENV A=2 B=$A\nRUN pip install a==$B", "a==1"),
        ("ENV A 1\nRUN pip install a==$A", "a==1"),
        ('RUN ["pip", "install", "a==$A"]', "a==$A"),
        ('RUN ["sh", "-c", "pip install a==1"]', "a==1"),
        ("RUN <<X\n#!/bin/bash\npip install a==1\nX", "a==1"),
        ("RUN bash -e <<X\npip install a==1\nX", "a==1"),
        ("RUN cat <<X > f && pip install a==1\npip install b\nX", "a==1"),
    ],
)
def test_values_and_scripts_are_what_docker_and_the_shell_make_of_them(text: str, wanted: str) -> None:
    found = pins(f"FROM scratch\n{text}\n")
    assert [pin.value for pin in found if pin.kind is PinKind.REQUIREMENT] == [wanted]


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("a $A-$B-$A", [("a", "1-2-1")]),
        ("f=x-$A-$B.y; a $f", [("a", "x-1-2.y")]),
        ("export f=x-$A-$B.y; a $f", [("a", "x-1-2.y")]),
        ('a >&2 "b c" d', [("a", "b c", "d")]),
        ("a 2> e b", [("a", "b")]),
        ("pip install b>=2 c", [("pip", "install", "b", "c")]),
        ('a "b  $A\\"c" \'$A\' x\\ y', [("a", 'b  1"c', "$A", "x y")]),
        ("a \\\n  b", [("a", "b")]),
        ("case $A in b|c) d;; *) e;; esac", [("d",), ("e",)]),
        ("a <<X\npip install b\nX\nc", [("a",), ("c",)]),
        ("for v in 7; do a $v; done", [("a", "7")]),
        ("for v in 7 8; do a $v; done", [("a", UNRESOLVED)]),
        ("A=5 b $A", [("b", "1")]),
        ("L='x y'; a $L \"$L\" z$L; M=$L; b $M", [("a", "x", "y", "x y", "zx", "y"), ("b", "x", "y")]),
        ("L='x y'; for v in $L; do a $v; done", [("a", UNRESOLVED)]),
        ("A=5; b $A", [("b", "5")]),
        ("a $(b $(c))", [("a", UNRESOLVED), ("b", UNRESOLVED), ("c",)]),
        ("if [ $A = 1 ]; then b; fi", [("[", "1", "=", "1", "]"), ("b",)]),
        ("f() { a; }", [("a",)]),
        ("sudo -E env X=1 a b", [("a", "b")]),
    ],
)
def test_words(script: str, wanted: list[tuple[str, ...]]) -> None:
    assert words(script) == wanted


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("a | b | c && d", {"a": "b", "b": "c", "c": "", "d": ""}),
        ("(a; b) | sudo c", {"a": "c", "b": "c", "c": ""}),
        ("a $(b) | c", {"a": "c", "b": "", "c": ""}),
        ("a <<X | b && c\ny\nX", {"a": "b", "b": "", "c": ""}),
        ("a 2>&1 | b > f", {"a": "b", "b": ""}),
    ],
)
def test_pipes(script: str, wanted: dict[str, str]) -> None:
    assert {command.program: command.into for command in read_script(script, {}).commands} == wanted


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("a && b || true; c", "ab"),
        ("a | b | c || true && d", "abc"),
        ("(a; b) || :", "ab"),
        ("a || exit 1", ""),
        ("a || { echo x; exit 1; }", ""),
        ("if a; then b; fi", ""),
    ],
)
def test_what_hides_a_failure(script: str, wanted: str) -> None:
    found = read_script(script, {}).commands
    assert "".join(command.program for command in found if command.forgiven) == wanted


def test_a_command_has_its_assignments_and_redirects() -> None:
    (command, other) = read_script("A=1 b c >> d 2>&1; e <<< f", {}).commands
    assert command.assignments == (("A", "1"),)
    assert command.redirects == ((">>", "d"), (">&", "1"))
    assert other.redirects == (("<<<", "f"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RUN if true; then true", "it is not a shell that can be read"),
        ("RUN true )", "it is not a shell that can be read"),
        ("RUN <<X\n#!/usr/bin/env python3\nimport os\nX", "it is a program for python3"),
        ("RUN python3 - <<X\nimport os\nX", "it is a program for python3"),
        (f"RUN echo {'x' * 12_000}", "a script of more than 12000 bytes"),
    ],
)
def test_what_is_not_understood_is_counted(text: str, reason: str) -> None:
    found = [pin for pin in pins(f"FROM scratch\n{text}\n") if pin.kind is PinKind.SHELL]
    assert [(pin.line, pin.reason.partition(", ")[2]) for pin in found] == [(2, reason)]
    assert int(found[0].reason.partition(" ")[0]) > 0


def test_shells_in_shells_end() -> None:
    script = "a"
    for _ in range(5):
        script = "sh -c " + "'" + script.replace("'", "'\\''") + "'"
    assert next(iter(read_script(script, {}).commands)).words == ("a",)
    script = "a"
    for _ in range(12):
        script = f'bash <<"X{len(script)}"\n{script}\nX{len(script)}\n'
    (unread,) = read_script(script, {}).unread
    assert "deep" in unread.reason


def test_the_work_for_one_file_is_bounded() -> None:
    script = read_script("x " * 6_000, {})
    assert script.cost == 12_000**2
    assert read_script("x " * 6_000, {}, allowance=script.cost - 1).unread
    nested = read_words(["sh", "-c", "x " * 6_000], {}, allowance=script.cost - 1)
    assert [unread.reason for unread in nested.unread] == ["more shell text than is read of one file"]
    many = "FROM scratch\n" + f"RUN {': ' * 5_000}\n" * 100
    found = [pin for pin in pins(many) if pin.kind is PinKind.SHELL]
    assert len(found) == 100 - READING_ALLOWANCE // 9_999**2


_HOSTILE = [
    "if ",
    "{ ",
    "(",
    "$(",
    '"',
    "'",
    "`",
    "${A:-",
    "a${A#",
    "<<X ",
    "a | ",
    "[[ ",
    "case x in ",
    "x \\\n",
]
_READER = """
import sys
from builder.align.dockerfile.pins import dockerfile_pins
from builder.align.dockerfile.reader import read_dockerfile
from builder.errors import UsageError
for text in sys.stdin.read().split("\\0"):
    try:
        dockerfile_pins(read_dockerfile(text.encode(), place="x"))
    except UsageError:
        pass
print("read")
"""


def hostile_files(piece: str) -> list[str]:
    """Return files of half a megabyte: one long line, many continued lines, a heredoc, and many scripts."""
    line = piece * (1_000 // len(piece))
    count = 500_000 // (len(line) + 2)
    return [
        "FROM a\nRUN " + piece * (500_000 // len(piece)),
        "FROM a\nRUN " + f"{line}\\\n" * count,
        "FROM a\nRUN <<EOF\n" + f"{line}\n" * count + "EOF\n",
        "FROM a\n" + f"RUN {line}\n" * count,
    ]


@pytest.mark.parametrize("piece", _HOSTILE)
def test_half_a_megabyte_of_hostile_text_comes_to_an_end(piece: str) -> None:
    # Needs at most 7 s of processor time; the kernel ends what needs 20.
    done = subprocess.run(
        [sys.executable, "-c", _READER],
        input="\0".join(hostile_files(piece)),
        text=True,
        capture_output=True,
        check=False,
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (20, 20)),
    )
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=x" + " " * 60_000 + "y\nFROM a",
        "FROM a\nENV A=" + "a" * 1_000 + "\n" + "RUN echo ${A##*a*a*b}\n" * 2_000,
        "FROM a\nENV A=" + "a" * 1_000 + "\nENV " + " ".join(f"V{n}=${{A//a/$A$A}}" for n in range(2_000)),
        "FROM a\nRUN " + "[" * 60_000,
    ],
)
def test_no_expansion_and_no_directive_takes_quadratic_time(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert pins(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A##*.}", "3"),
        ("${A#*.}", "2.3"),
        ("${A%.*}", "v1.2"),
        ("${A%%.*}", "v1"),
        ("${A%.*.*}", "v1"),
        ("${A##v*.}", "3"),
        ("${A#x}", "v1.2.3"),
        ("${A%*}", "v1.2.3"),
        ("${A%%*}", ""),
        ("${A#?}", UNRESOLVED),
    ],
)
def test_trimming(text: str, value: str) -> None:
    assert expanded(text, {"A": "v1.2.3"}) == value


_TOKENS = st.sampled_from(
    ["if ", "then ", "fi", "case ", " in ", "esac", "for ", "do ", "done", "{ ", "}", "(", ")", "((", "[[", "]]", "$(",
     "${", "}", "$", "`", '"', "'", "$'", "\\", "\\\n", "\n", ";", ";;", "&", "&&", "|", "||", "<<X", "<<-'Y'", "X\n",
     "<", ">", ">&", "<<<", "<(", "a", "b=c ", "$A-$B", "a[", "+=(", "!", "#", " ", "\t", "é", "\0", "sh -c ", "export ",
     "unset ", "declare -a ", "function f ", "time ", "true", "*", "?", "~", "@(", "{a,b}", "\ud800"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(_TOKENS, max_size=60).map("".join)))
@example("a |")
@example("\ud800")
@example("<<X")
@example("a <<X\n$(")
@example("&& ||")
@settings(max_examples=400)
def test_no_script_raises(text: str) -> None:
    found = read_script(text, {"A": "1"})
    assert all(command.words for command in found.commands)
    assert found.cost <= READING_ALLOWANCE


@given(st.one_of(st.text(max_size=200), st.lists(_TOKENS, max_size=60).map("".join)))
@settings(max_examples=200)
def test_no_text_raises_anything_but_a_usage_error(text: str) -> None:
    for prefix in ("", "FROM a\nRUN ", "FROM a\nARG ", "FROM a\nENV ", "FROM a\nONBUILD RUN "):
        with contextlib.suppress(UsageError):
            pins((prefix + text).encode("utf-8", "replace").decode())
