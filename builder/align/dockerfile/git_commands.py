"""What git commands take: clones, and the refs that later commands check out in them. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import NamedTuple

from builder.align.dockerfile.arguments import read_arguments, tool_arguments
from builder.align.dockerfile.pin import Judgement, Pin, PinKind, drift, unknown
from builder.align.dockerfile.shell import ShellCommand
from builder.align.dockerfile.stage_state import StageState, absolute_path
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["note_clone_use", "read_git"]

_BEFORE_VERB = frozenset(("-C", "-c", "--exec-path", "--git-dir", "--work-tree", "--namespace"))
_NO_REF = frozenset(("--", ".", "FETCH_HEAD", "HEAD", "-"))
_LOCAL_VERBS = """
add am apply bisect blame branch bundle cat-file check-ignore clean commit config describe diff
diff-tree for-each-ref format-patch gc grep hash-object help init log ls-files ls-tree merge-base mv
name-rev notes prune reflog replace rev-list rev-parse revert rm shortlog show sparse-checkout stash
status symbolic-ref tag update-index update-ref var verify-commit verify-tag version write-tree
"""
_LOCAL = frozenset(_LOCAL_VERBS.split())
_VERIFICATION = frozenset(("http.sslverify=false", "http.sslverify=0"))


class _GitPlace(NamedTuple):
    """A git command and where it works."""

    command: ShellCommand
    line: int
    state: StageState
    folder: str


def read_git(  # noqa: C901, PLR0912 - one branch a verb
    command: ShellCommand, line: int, state: StageState
) -> bool:
    """Note what a git command clones or checks out; False if its verb is not understood."""
    words = list(command.words[1:])
    folder, off = state.folder_in(command.scope), ""
    while words and words[0].startswith("-"):
        option = words.pop(0)
        name, equals, given = option.partition("=")
        if name in _BEFORE_VERB and not equals:
            given = words.pop(0) if words else ""
        if name == "-C":
            folder = absolute_path(folder, given)
        if given.lower() in _VERIFICATION:
            off = f"-c {given}"
    if not words:
        return True
    verb, rest = words[0], words[1:]
    if any(name == "GIT_SSL_NO_VERIFY" and value not in ("", "0") for name, value in command.assignments):
        off = "GIT_SSL_NO_VERIFY"
    if verb == "clone":
        _read_clone(_GitPlace(command, line, state, folder), rest, off)
    elif verb == "remote" and rest[:1] in (["add"], ["set-url"]):
        _read_remote(line, state, folder, rest)
    elif verb in ("checkout", "switch", "reset", "fetch", "pull"):
        _read_ref(_GitPlace(command, line, state, folder), verb, rest)
    elif verb == "submodule":
        _read_submodule(line, state, folder, rest)
    elif verb == "archive":
        _read_archive(line, state, rest)
    elif verb in ("merge", "rebase", "cherry-pick"):
        _read_merge(line, state, folder, verb, rest)
    elif verb == "config" and {word.lower() for word in rest} >= {"http.sslverify", "false"}:
        text = "no certificate is checked by any later git command"
        state.ledger.add(
            Pin(
                line=line,
                kind=PinKind.GIT,
                name="git config",
                value="http.sslVerify false",
                judged=(drift("verification off", text),),
            )
        )
    elif verb == "init":
        target = next((word for word in rest if not word.startswith("-")), ".")
        state.clones.pop(absolute_path(folder, target), None)
    elif verb == "lfs":
        return rest[:1] in (["install"], ["pull"], ["fetch"], ["checkout"])
    elif verb == "remote":
        return rest[:1] != ["update"]
    else:
        return verb in _LOCAL
    return True


def _read_clone(place: _GitPlace, rest: list[str], off: str) -> None:
    command, line, state, folder = place
    given = tool_arguments(rest, "git clone", also_valued=("--revision",))
    if not given.operands:
        return
    url = given.operands[0]
    name = posixpath.basename(url.rstrip("/")).removesuffix(".git").rpartition(":")[2]
    target = given.operands[1] if len(given.operands) > 1 else name
    besides: tuple[Judgement, ...] = ()
    if off:
        besides += (drift("verification off", f"{off}: no certificate is checked"),)
    if given.has("--remote-submodules"):
        besides += (drift("unpinned source", "--remote-submodules takes the branches of their day"),)
    if given.unknown:
        besides += (unknown("not understood", f"git's table does not list {given.unknown[0]}"),)
    if url.startswith(("/", "./", "../", "file://")):
        return
    state.clones[absolute_path(folder, target)] = state.ledger.add(
        Pin(
            line=line,
            kind=PinKind.GIT,
            name=url,
            value=given.value("-b", "--branch", "--revision"),
            forgiven=command.forgiven,
            besides=besides,
        )
    )


def _read_remote(line: int, state: StageState, folder: str, rest: list[str]) -> None:
    words = read_arguments(rest[1:], frozenset(("-t", "-m"))).operands
    if len(words) < 2:
        return
    number = state.clone_at(folder)
    pin = Pin(line=line, kind=PinKind.GIT, name=words[-1], value="")
    if number is not None and rest[0] == "set-url":
        state.ledger.replace(number, replace(state.ledger.pins[number], name=words[-1]))
    else:
        state.clones[folder] = state.ledger.add(pin)


def _read_ref(place: _GitPlace, verb: str, rest: list[str]) -> None:
    command, line, state, folder = place
    given = tool_arguments(rest, f"git {verb}")
    operands = given.operands
    if "--" in rest and verb in ("checkout", "reset"):
        return  # files of a ref, not the ref itself
    number = _clone_of(state, folder)
    if verb in ("fetch", "pull") and operands and ("://" in operands[0] or operands[0].startswith("git@")):
        if number is None:
            number = state.ledger.add(Pin(line=line, kind=PinKind.GIT, name=operands[0], value=""))
            state.clones[folder] = number
        else:
            state.ledger.replace(number, replace(state.ledger.pins[number], name=operands[0]))
    refs = operands[1:] if verb in ("fetch", "pull") else operands[:1]
    wanted = [ref for ref in refs if ref not in _NO_REF and not ref.startswith("HEAD")]
    if number is None:
        _note_foreign_ref(line, state, folder, verb, wanted)
        return
    pin = state.ledger.pins[number]
    if verb == "pull" and not wanted:
        pin = replace(pin, value="")
    elif wanted and not (verb == "fetch" and (pin.value and ":" in wanted[0])):
        ref = wanted[0].removeprefix("+").partition(":")[0] if verb == "fetch" else wanted[0]
        if number in state.used_clones and not pin.value:
            text = f"something ran in the clone before {ref[:12]} was taken: on the default branch of its day"
            pin = replace(pin, besides=(*pin.besides, drift("unpinned source", text)))
        pin = replace(pin, value=ref.removeprefix("refs/tags/"))
    elif "tags" in wanted[:1]:
        return
    state.ledger.replace(number, replace(pin, forgiven=pin.forgiven or command.forgiven))


def note_clone_use(command: ShellCommand, state: StageState) -> None:
    """Note that a program that is not known works in a clone, or is given a path in one."""
    folder = state.folder_in(command.scope)
    places = [folder, *(absolute_path(folder, word.rpartition("=")[2]) for word in command.words)]
    state.used_clones |= {number for place in places if (number := state.clone_at(place)) is not None}


def _clone_of(state: StageState, folder: str) -> int | None:
    """Return the clone at a folder; of a folder that only the build knows, the only clone there is."""
    number = state.clone_at(folder)
    if number is None and UNRESOLVED in folder:
        numbers = set(state.clones.values())
        return numbers.pop() if len(numbers) == 1 else None
    return number


def _note_foreign_ref(line: int, state: StageState, folder: str, verb: str, refs: list[str]) -> None:
    """Note that a repository of the context or the base image takes something."""
    if verb in ("fetch", "pull") or (refs and UNRESOLVED in folder):
        text = f"the repository in {folder} is not cloned in this file".replace(UNRESOLVED, "${…}")
        state.ledger.add(
            Pin(
                line=line,
                kind=PinKind.GIT,
                name=f"git {verb}",
                value=" ".join(refs),
                judged=(unknown("not understood", text),),
            )
        )


def _read_submodule(line: int, state: StageState, folder: str, rest: list[str]) -> None:
    if "--remote" in rest and "update" in rest:
        text = "`--remote` takes the branches of their day, not what the commit records"
        state.ledger.add(
            Pin(
                line=line,
                kind=PinKind.GIT,
                name="git submodule",
                value="update --remote",
                judged=(drift("unpinned source", text),),
            )
        )
    elif rest[:1] == ["add"]:
        given = read_arguments(rest[1:], frozenset(("-b", "--branch", "--name", "--reference", "--depth")))
        if given.operands:
            name = given.operands[0]
            target = given.operands[1] if len(given.operands) > 1 else posixpath.basename(name)
            state.clones[absolute_path(folder, target.removesuffix(".git"))] = state.ledger.add(
                Pin(line=line, kind=PinKind.GIT, name=name, value="")
            )


def _read_archive(line: int, state: StageState, words: list[str]) -> None:
    """Note what `git archive` takes of another repository; that of an own one adds nothing."""
    given = read_arguments(words, frozenset(("--remote", "--format", "--prefix", "--exec", "-o", "--output")))
    for url in given.values("--remote"):
        ref = "".join(given.operands[:1])
        state.ledger.add(Pin(line=line, kind=PinKind.GIT, name=url, value="" if ref in _NO_REF else ref))


def _read_merge(line: int, state: StageState, folder: str, verb: str, rest: list[str]) -> None:
    number = state.clone_at(folder)
    refs = [word for word in rest if not word.startswith("-") and word not in _NO_REF]
    if refs:
        name = state.ledger.pins[number].name if number is not None else f"git {verb}"
        state.ledger.add(Pin(line=line, kind=PinKind.GIT, name=name, value=refs[0]))
