"""Downloads of curl and wget, the checks of what they bring, and what uses it. Pure.

A file holds where a sum or a signature of it is checked after it came and before anything uses it, and where
a failing check ends the build. So downloads are kept by path (`StageState.files`) until a check names them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from builder.align.dockerfile.arguments import Arguments, tool_arguments
from builder.align.dockerfile.pin import Pin, PinKind, drift, unknown
from builder.align.dockerfile.shell import ShellCommand
from builder.align.dockerfile.stage_state import StageState, absolute_path
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["DOWNLOADERS", "is_download", "note_checks", "note_files", "read_download"]

DOWNLOADERS = frozenset(("aria2c", "axel", "curl", "wget", "wget2"))
_INTERPRETERS = re.compile(r"(ba|da|a|z|k)?sh|node|perl|python[0-9.]*|ruby|php")
_SUMS = re.compile(r"(sha(1|224|256|384|512)|b2|b3|md5)sum|shasum")
_DIGESTS = re.compile(r"sha(224|256|384|512)|sha3-\d+|blake2\w+")
_WEAK = re.compile(r"(md5|sha1)sum")
_SUM = re.compile(r"\b[0-9a-f]{32,128}\b")
_SIGNATURES = frozenset(("cosign", "gpg", "gpg2", "gpgv", "minisign", "signify"))
_LOCAL = re.compile(r"(https?://)?(localhost|127\.0\.0\.1|\[::1\])([:/]|$)|file:")
_SUM_SUFFIX = re.compile(r"\.(sha\d*(sums?)?|md5(sums?)?|sum|digest|checksum)$", re.IGNORECASE)
_LISTED = re.compile(r"(?m)^[ \t]*(\S+)[ \t]+\*?([^\s*]\S*(?:[ \t]+\S+)*)[ \t]*$")
_COMPUTED = re.compile(r"\s*(?:\S*/)?(?:sha\d+sum|shasum|b2sum|md5sum|openssl\s+dgst)\s([^|;&]{0,1000})")
"""A script that computes the sum of a file."""
_FILTERS = {"awk": 1, "cat": 0, "egrep": 1, "fgrep": 1, "grep": 1, "head": 0, "sed": 1, "tail": 0}
"""Programs that pass lines of a file on, with the number of operands before its name."""
_LONGEST_TEXT = 2**16
_MOST_FILES = 100
"""Among more downloads than these, files are found by their whole path only."""
_LOOKS_ONLY = frozenset(
    ("[", "[[", "basename", "chgrp", "chmod", "chown", "dirname", "du", "echo", "file", "grep", "head", "ls")
) | {
    "mkdir",
    "printf",
    "rm",
    "stat",
    "tail",
    "test",
    "touch",
    "wc",
    "curl",
    "wget",
    "aria2c",
    "cat",
    "gpg",
    "sync",
}
_UNCHECKED = "no checksum or signature is checked"


def is_download(url: str) -> bool:
    """Whether an address is that of another machine."""
    return not _LOCAL.match(url)


def read_download(command: ShellCommand, line: int, state: StageState) -> None:
    """Note what a download command fetches, and where it puts it."""
    table = "curl" if command.program == "curl" else "wget"
    given = tool_arguments(command.words[1:], table)
    urls = [word for word in (*given.operands, *given.values("--url")) if _is_address(word, table)]
    off = next(
        (
            name
            for name in ("-k", "--insecure", "--no-check-certificate", "--check-certificate")
            if given.has(name)
        ),
        "",
    )
    if off == "--check-certificate" and given.value(off) not in ("off", "false"):
        off = ""
    into = command.into.rpartition("/")[2]
    paths = list(_output_paths(command, given, urls, state))
    for url, path in zip(urls, paths, strict=True):
        if not is_download(url) or given.has("--spider", "-I", "--head"):
            continue
        number = state.ledger.add(
            Pin(
                line=line,
                kind=PinKind.DOWNLOAD,
                name=command.program,
                value=url,
                checked=command.program == "aria2c" and any("checksum=" in word for word in command.words),
                piped=bool(_INTERPRETERS.fullmatch(into)),
                forgiven=command.forgiven,
                besides=(drift("verification off", f"{off}: no certificate is checked"),) if off else (),
            )
        )
        if path:
            state.files[path] = number
            state.texts.pop(path, None)
    lists = given.values("-i", "--input-file", "-K", "--config") if table == "wget" or not urls else ()
    for name in lists:
        text = "it lists what is downloaded"
        state.ledger.add(
            Pin(
                line=line,
                kind=PinKind.FILE,
                name=command.program,
                value=name,
                judged=(unknown("not read", text),),
            )
        )


def _is_address(word: str, table: str) -> bool:
    return (
        "://" in word
        or (table == "curl" and bool(word))
        or "." in word.partition("/")[0]
        or UNRESOLVED in word
    )


def _output_paths(
    command: ShellCommand, given: Arguments, urls: Sequence[str], state: StageState
) -> Iterator[str]:
    """Yield the path that each address is written to; nothing where it goes to the output."""
    folder = state.folder_in(command.scope)
    redirected = next((target for operator, target in command.redirects if operator in (">", ">>", ">|")), "")
    below = (
        given.value("--output-dir", "-P", "--directory-prefix", "-d", "--dir")
        if command.program != "curl"
        else ""
    )
    below = below or (given.value("--output-dir") if command.program == "curl" else "")
    if command.program == "curl":
        names = list(given.values("-o", "--output"))
        own = given.has("-O", "--remote-name", "--remote-name-all")
    else:
        name = given.value("-O", "--output-document") if command.program != "aria2c" else given.value("-o")
        names, own = ([name] if name and name != "-" else []), name != "-"
    for index, url in enumerate(urls):
        if index < len(names):
            yield absolute_path(absolute_path(folder, below), names[index])
        elif own:
            base = posixpath.basename(url.partition("?")[0].partition("#")[0].rstrip("/"))
            yield absolute_path(absolute_path(folder, below), base or "index.html")
        else:
            yield absolute_path(folder, redirected) if redirected else ""


def note_checks(commands: Sequence[ShellCommand], index: int, state: StageState) -> bool:
    """Note what one command of a RUN checks; False if it checks nothing."""
    command = commands[index]
    words = command.words[1:]
    if _computes_sum(command):
        if command.program != "openssl" and any(
            word == "--check" or re.fullmatch(r"-[a-z]*c[a-z]*", word) for word in words
        ):
            _note_sums(commands, index, state)
            return True
        following = commands[index + 1] if index + 1 < len(commands) else None
        if following and command.into and following.program in ("grep", "egrep", "fgrep"):
            _note_compared(following, words, state)
            return True
        if command.program != "openssl":
            return False
    if command.program in ("test", "[", "[["):
        for script in command.substitutions:
            computed = _COMPUTED.match(script)
            if computed:
                _note_compared(command, re.sub(r"[\"']", "", computed[1]).split(), state)
        return False
    signed = command.program in _SIGNATURES or command.program == "openssl"
    if signed and (command.program == "gpgv" or any("verif" in word for word in words) or "-Vm" in words):
        _note_signature(command, state)
        return True
    return False


def _computes_sum(command: ShellCommand) -> bool:
    if command.program == "openssl":
        return "".join(command.words[1:2]) == "dgst" or bool(_DIGESTS.fullmatch("".join(command.words[1:2])))
    return bool(_SUMS.fullmatch(command.program))


def _expects_equal(command: ShellCommand) -> bool:
    """Whether a command succeeds if the sums are equal: not so `[ A != B ]`, nor `grep -v`."""
    if command.program in ("grep", "egrep", "fgrep"):
        return not any(
            re.fullmatch(r"-[A-Za-z]*v[A-Za-z]*|--invert-match", word) for word in command.words[1:]
        )
    return ("!=" in command.words) == (command.words.count("!") % 2 == 1)


def _note_sums(commands: Sequence[ShellCommand], index: int, state: StageState) -> None:
    """Note a `sha256sum -c`, whose list comes from a pipe, a here-document, a here-string or a file."""
    command = commands[index]
    folder = state.folder_in(command.scope)
    texts, files, piped = _sum_lists(commands, index)
    if piped and not (texts or files):
        _note_list_of_a_program(command, state)
    for name in files:
        path = absolute_path(folder, name)
        if path in state.texts:
            texts.append(state.texts[path])
        else:
            _note_list_file(command, path, state)
    for text in texts:
        rows = _LISTED.findall(re.sub(r"\\n|\A-[en]+ ", "\n", text))
        if not rows and UNRESOLVED in text:
            for number in set(state.files.values()):
                _count_check(command, number, state, later=True)
        for digest, name in rows:
            exact = absolute_path(folder, name) in state.files
            later = UNRESOLVED in digest or (UNRESOLVED in name and not exact)
            numbers = _files_named(name, folder, state) or (
                set(state.files.values()) if UNRESOLVED in name else ()
            )
            for number in numbers:
                _count_check(command, number, state, later=later)


def _sum_lists(commands: Sequence[ShellCommand], index: int) -> tuple[list[str], list[str], bool]:
    """Return the lists of sums that a command checks: texts, files, and whether a pipe brings one."""
    command = commands[index]
    texts = [target for operator, target in command.redirects if operator in ("<<", "<<-", "<<<")]
    files = [word for word in command.words[1:] if not word.startswith("-") and not word.isdigit()]
    files += [target for operator, target in command.redirects if operator == "<"]
    receiver, piped = command.program, False
    for before in reversed(commands[:index]):
        if before.program in ("cd", "pushd") and before.scope is command.scope and before.scope is not None:
            receiver = (
                before.program
            )  # `a | (cd b && sha256sum -c)`: the shell's first command is named there
            continue
        if not before.into or before.into != receiver:
            break
        piped = True
        if before.program in ("echo", "printf"):
            texts.append(" ".join(before.words[1:]))
        elif before.program in _FILTERS:
            given = [word for word in before.words[1:] if not word.startswith("-")]
            files += given[_FILTERS[before.program] :]
    return texts, files, piped


def _note_list_of_a_program(command: ShellCommand, state: StageState) -> None:
    for number in set(state.files.values()):
        pin = state.ledger.pins[number]
        if command.fatal and not (pin.checked or pin.judged or number in state.used):
            text = "the list of sums comes from a program, and is not read"
            state.ledger.replace(number, replace(pin, judged=(unknown("not read", text),)))


def _note_list_file(command: ShellCommand, path: str, state: StageState) -> None:
    """Note a list of sums that is a file: it counts if it cannot change between two builds."""
    own = state.files.get(path)
    stem = _SUM_SUFFIX.sub("", path)
    covered = (
        {state.files[stem]} if stem != path and stem in state.files else set(state.files.values()) - {own}
    )
    pins = state.ledger.pins
    unchecked = {number for number in covered if not (pins[number].checked or pins[number].judged)}
    if own is not None and not pins[own].checked:
        beside = {number for number in unchecked if pins[number].line == pins[own].line}
        for number in beside or unchecked:
            text = f"its sum comes from {pins[own].value}, which nothing checks"
            judged = (drift("unpinned download", text),)
            state.ledger.replace(number, replace(pins[number], judged=judged))
        return
    if stem in state.files or not command.fatal:
        for number in unchecked:
            _count_check(command, number, state, later=False)
        return
    for number in unchecked - state.used:
        text = f"whether {posixpath.basename(path)} lists it is not read"
        state.ledger.replace(number, replace(pins[number], judged=(unknown("not read", text),)))


def _note_compared(command: ShellCommand, words: Sequence[str], state: StageState) -> None:
    """Note a sum that a test or grep compares with a literal."""
    compared = [word for word in command.words[1:] if _SUM.search(word)]
    later = not compared and sum(UNRESOLVED in word for word in command.words[1:]) > 1
    if not compared and not later:
        return
    lengths = {len(digest) for word in compared for digest in _SUM.findall(word)}
    weak = {32: "md5sum", 40: "sha1sum"}.get(max(lengths, default=0), "")
    for word in words:
        for number in (
            () if word.startswith("-") else _files_named(word, state.folder_in(command.scope), state)
        ):
            _count_check(command, number, state, later=later, weak=weak)


def _note_signature(command: ShellCommand, state: StageState) -> None:
    for word in command.words[1:]:
        names = [word.partition("=")[2] if word.startswith("--") else word]
        names += [re.sub(r"\.(asc|sig|sign|minisig)$", "", names[0])]
        for name in names:
            for number in _files_named(name, state.folder_in(command.scope), state) if name else ():
                if not re.search(r"\.(pem|pub|gpg|key)$", state.ledger.pins[number].value):
                    _count_check(command, number, state, later=False)


def _files_named(name: str, folder: str, state: StageState) -> set[int]:
    """Return the downloads that a word names: by their path, else by their base name."""
    path = absolute_path(folder, name)
    if path in state.files:
        return {state.files[path]}
    if len(state.files) > _MOST_FILES:
        return set()
    if "*" in name or "?" in name:
        return {number for known, number in state.files.items() if fnmatchcase(known, path)}
    base = posixpath.basename(name)
    return {number for known, number in state.files.items() if posixpath.basename(known) == base}


def _count_check(
    command: ShellCommand, number: int, state: StageState, *, later: bool, weak: str = ""
) -> None:
    """Let a check count for a download, unless it comes too late or cannot end the build."""
    pin = state.ledger.pins[number]
    if number in state.used:
        text = "something uses it before its sum is checked"
        pin = replace(pin, judged=(drift("unpinned download", text),))
    elif command.inverted == _expects_equal(command):
        text = f"{_UNCHECKED}: {command.program} ends the build if the sum is the right one, or never"
        pin = pin if pin.checked else replace(pin, judged=(drift("unpinned download", text),))
    elif not command.fatal:
        text = f"{_UNCHECKED} that could end the build: nothing looks at the exit code of {command.program}"
        pin = pin if pin.checked else replace(pin, judged=(drift("unpinned download", text),))
    elif later:
        pin = replace(pin, judged=(unknown("decided later", "only the build knows the sum that is checked"),))
    elif weak or _WEAK.fullmatch(command.program):
        text = f"{weak or command.program}: two files of one such sum can be made"
        pin = replace(pin, checked=True, judged=(), besides=(*pin.besides, drift("weak sum", text)))
    else:
        pin = replace(pin, checked=True, judged=())
    state.ledger.replace(number, pin)


def note_files(command: ShellCommand, state: StageState) -> None:
    """Note what a command does with downloaded files: it moves, removes or uses them, or writes others."""
    folder = state.folder_in(command.scope)
    _note_written(command, folder, state)
    operands = [word for word in command.words[1:] if not word.startswith("-")]
    if command.program in ("cp", "ln", "mv", "install") and len(operands) >= 2:
        *sources, target = operands
        for source in sources:
            path = absolute_path(folder, source)
            if path in state.files:
                number = state.files.pop(path) if command.program == "mv" else state.files[path]
                into = target.endswith("/") or len(sources) > 1 or "." not in posixpath.basename(target)
                place = absolute_path(folder, target)
                if into:
                    state.files[absolute_path(place, posixpath.basename(path))] = number
                state.files[place] = number
        return
    if command.program in _LOOKS_ONLY or _SUMS.fullmatch(command.program):
        return
    words = [word.partition("=")[2] or word for word in command.words]
    words += [target for operator, target in command.redirects if operator == "<"]
    for word in words:
        path = absolute_path(folder, word)
        if path in state.files:
            state.used.add(state.files[path])
        elif "*" in word and len(state.files) > _MOST_FILES:
            state.used |= set(state.files.values())
        elif "*" in word:
            state.used |= {number for known, number in state.files.items() if fnmatchcase(known, path)}


def _note_written(command: ShellCommand, folder: str, state: StageState) -> None:
    for operator, target in command.redirects:
        if operator not in (">", ">>", ">|"):
            continue
        path = absolute_path(folder, target)
        documents = [text for kind, text in command.redirects if kind in ("<<", "<<-", "<<<")]
        if command.program in ("echo", "printf"):
            documents = [" ".join(command.words[1:])]
        if documents:
            before = state.texts.get(path, "") if operator == ">>" else ""
            text = before + "\n".join(documents) + "\n"
            state.texts[path] = text if len(text) < _LONGEST_TEXT else UNRESOLVED
