"""No value of a lock can start an instruction or break out of a string, whatever it contains."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builder.errors import LockError, UsageError
from builder.lockfile.lock import Lock
from builder.lockfile.reading import parse_lock
from builder.model import toml
from builder.model.structuring import Table, unstructure
from builder.model.text import check_line
from builder.render.fetches import Form, Inputs
from builder.render.instructions import Comment, Env, File, Label, Run
from builder.render.planning import plan
from tests.render import hermetic
from tests.render.declared import of_declared, of_read
from tests.render.golden import addresses, locks
from tests.render.hostile import LONG, SNIPPETS, leaves, replaced, texts
from tests.render.reader import read

CASES = ("fabric", "assembled", "two-bases")
PATIENT = settings(max_examples=100, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])


@cache
def one_lock(case: str) -> Lock:
    """Return one lock of a case, with fewer of the rows that are all alike."""
    lock = locks(case)[0][0]
    return dataclasses.replace(lock, python=lock.python[-12:] if case != "two-bases" else lock.python[-3:])


@cache
def where(case: str) -> tuple[tuple[str | int, ...], ...]:
    return tuple(leaves(one_lock(case)))


def assert_only_what_is_declared(lock: Any, case: str, inputs: Inputs) -> bool:
    """Render `lock`; tell whether it was rendered, and then faithfully."""
    try:
        dockerfile = plan([(lock, b"")], Form(inputs=inputs, addresses=addresses(case, lock)))
        text = dockerfile.text()
    except (LockError, UsageError) as error:
        readable = len(f"{error}{error.hint}") < 1000 and f"{error}{error.hint}".isprintable()
        assert readable, "an error that nobody can read"
        return False
    text.encode("utf-8")
    found = read(text)
    declared = [of_declared(item) for item in dockerfile.instructions() if not isinstance(item, Comment)]
    assert [of_read(item) for item in found] == declared
    hermetic.check(text)
    return True


@pytest.mark.parametrize("case", CASES)
@PATIENT
@given(data=st.data())
def test_any_text_of_a_lock_replaced_directly(case: str, data: st.DataObject) -> None:
    lock = one_lock(case)
    for _ in range(data.draw(st.integers(1, 3))):
        lock = replaced(lock, data.draw(st.sampled_from(where(case))), data.draw(texts()))
    assert_only_what_is_declared(lock, case, data.draw(st.sampled_from(tuple(Inputs))))


@pytest.mark.parametrize("case", CASES)
@PATIENT
@given(data=st.data())
def test_any_text_of_a_lock_replaced_in_its_file(case: str, data: st.DataObject) -> None:
    table = unstructure(one_lock(case))
    table = replaced(table, data.draw(st.sampled_from(tuple(leaves(table)))), data.draw(texts()))
    try:
        encoded = toml.dumps(table).encode("utf-8")
    except UnicodeEncodeError:
        return
    try:
        lock = parse_lock(encoded, place="lock.toml")
    except LockError:
        return
    assert_only_what_is_declared(lock, case, Inputs.REMOTE)


@pytest.mark.parametrize("snippet", [*SNIPPETS, *LONG], ids=lambda text: ascii(text[:20]))
def test_every_snippet_in_every_place(snippet: str) -> None:
    """Exhaustive where chance might miss: each snippet in each field of the smallest case."""
    lock = one_lock("assembled")
    for path in where("assembled"):
        assert_only_what_is_declared(replaced(lock, path, snippet), "assembled", Inputs.STORE)


def test_what_can_be_written_is_written() -> None:
    """The checks above would pass if everything were refused: these odd values must come through."""
    lock = one_lock("fabric")
    odd = 'it\'s "$(id)" `x` \\ <<EOF # { a } %s é ${PATH}'
    for path in where("fabric"):
        if path[0] == "builds" and path[2] == "steps" and path[4] != 0:
            assert assert_only_what_is_declared(replaced(lock, path, odd), "fabric", Inputs.REMOTE) is True
    build = dataclasses.replace(lock.builds[0], env=Table({"A": odd}))
    runtime = dataclasses.replace(lock.runtime, env=Table({"B": odd}), command=(odd,))
    changed = dataclasses.replace(lock, builds=(build, *lock.builds[1:]), runtime=runtime)
    assert assert_only_what_is_declared(changed, "fabric", Inputs.REMOTE) is True


def lines() -> st.SearchStrategy[str]:
    """Return texts that a lock can hold."""
    return st.text(max_size=30).filter(_is_line)


def _is_line(text: str) -> bool:
    try:
        check_line(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("shell", ["sh", "bash"])
@PATIENT
@given(arguments=st.lists(st.one_of(lines(), st.sampled_from(SNIPPETS).filter(_is_line)), max_size=6))
@example(arguments=["-j{jobs}", "{jobs}{jobs}", "a'b{jobs}\"c", "EOF", "\\", "", "~", "*", "x" * 300])
def test_a_real_shell_gets_exactly_the_arguments(shell: str, arguments: list[str]) -> None:
    program = shutil.which(shell)
    assert program, f"{shell} is needed"
    run = Run(commands=(("printf", "%s\\0", *arguments, "."),)).text()
    script = "\n".join(run.split("\n")[1:-1])
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([program, "-c", script], capture_output=True, check=True, env=env, cwd="/")
    processors = subprocess.run(["nproc"], capture_output=True, check=True, text=True, env=env).stdout.strip()
    expected = [argument.replace("{jobs}", processors) for argument in arguments]
    assert done.stdout.decode().split("\0")[:-2] == expected


ODD_PROGRAMS = ("if", "for", "{", "!", "[[", "time", "while", "A=b", "=", "a b", "é", "it's", "#x", "-x", "~")


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("name", ODD_PROGRAMS)
def test_the_first_word_is_a_program_whatever_its_name(shell: str, name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    program.write_text('#!/bin/sh\nprintf "ran %s" "$1"\n')
    program.chmod(0o755)
    run = Run(commands=((name, "x"),)).text()
    script = "\n".join(run.split("\n")[1:-1])
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([shell, "-c", script], capture_output=True, check=False, text=True, env=env)
    assert (done.stdout, done.returncode) == ("ran x", 0), done.stderr


@PATIENT
@given(value=lines())
def test_settings_come_back_as_they_were(value: str) -> None:
    for item in (
        Env(name="A", value=value),
        Env(name="A", value=value, before=True),
        Label(name="a", value=value),
    ):
        text = f"FROM scratch AS a\n{item.text()}"
        assert of_read(read(text)[1]) == of_declared(item)


@PATIENT
@given(content=st.lists(st.one_of(lines(), st.sampled_from(["EOF", "EOF2", "EOF3", "'EOF'", " EOF"]))))
def test_a_file_ends_where_it_ends(content: list[str]) -> None:
    item = File(lines=tuple(content), target="/x")
    after = "WORKDIR /after"
    first, second = read(f"{item.text()}\n{after}")
    assert of_read(first) == of_declared(item)
    assert second.keyword == "WORKDIR"
