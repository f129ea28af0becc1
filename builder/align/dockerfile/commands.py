"""Pins in the commands of a RUN: downloads, git, Python packages, packages of other installers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement

from builder.align.dockerfile.pin import Pin, PinKind
from builder.align.dockerfile.shell import ShellCommand
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["TOOLS", "command_pins", "loose_packages", "pip_pins", "tool_pins"]

_DOWNLOADERS = frozenset(("aria2c", "axel", "curl", "wget"))
_INTERPRETERS = frozenset(("bash", "dash", "node", "perl", "python", "python3", "sh", "zsh"))
_BUILDERS = frozenset(("cargo", "cmake", "make", "meson", "ninja"))
_SUMS = re.compile(r"(sha(1|224|256|384|512)|b2|b3|md5)sum|shasum")
_SUM = re.compile(r"\b[0-9a-f]{32,128}\b")
_SIGNATURES = frozenset(("cosign", "gpg", "gpgv", "minisign", "signify"))
_PIP = re.compile(r"pip[0-9.]*")
_PYTHON = re.compile(r"python[0-9.]*")
_PACKAGERS = {
    "apk": ("add",),
    "apt": ("install",),
    "apt-get": ("install",),
    "dnf": ("install",),
    "microdnf": ("install",),
    "yum": ("install",),
    "zypper": ("in", "install"),
}
_PIP_OPTIONS_WITH_VALUE = """
-b -c -C -e -f -i -p -P -r -t --abi --build-constraint --build-constraints --cache-dir --cert
--config-settings
--constraint --constraints --default-index --editable --exclude-newer --extra-index-url --find-links
--implementation --index --index-strategy --index-url --keyring-provider --link-mode --log --no-binary
--only-binary --override --overrides --platform --prefix --prerelease --progress-bar --proxy --python
--python-platform --python-version --report --requirement --requirements --resolution --retries --root --src
--target --timeout --torch-backend --trusted-host --upgrade-package --with
"""
_FILE = re.compile(r"(?:-r|--requirements?(?:=|$))(.*)")
_RUNNER_VALUES = frozenset(("-p", "--from", "--index", "--index-url", "--python", "--spec", "--with"))
_TAKES_VALUE = frozenset(_PIP_OPTIONS_WITH_VALUE.split())
_OTHER_INDEX = frozenset(
    (
        "-f",
        "-i",
        "--default-index",
        "--extra-index-url",
        "--find-links",
        "--index",
        "--index-url",
        "--torch-backend",
    )
)
_PACKAGER_OPTIONS_WITH_VALUE = "-c -o -p -t -X --enablerepo --installroot --option --repo --repository"
_PACKAGER_VALUES = frozenset(_PACKAGER_OPTIONS_WITH_VALUE.split())
_CLONE_OPTIONS_WITH_VALUE = """
-b -c -j -o -u --branch --config --depth --filter --jobs --origin --reference --revision --shallow-since
"""
_CLONE_VALUES = frozenset(_CLONE_OPTIONS_WITH_VALUE.split())


def command_pins(run: Sequence[ShellCommand], line: int, *, elsewhere: bool = False) -> Iterator[Pin]:
    """Yield the pins of the commands of one RUN, which stand or fall together.

    `elsewhere`: a variable or pip's settings name another index for all of them.
    """
    checks = list(filter(_verifies_files, run))
    listed = _checksum_list(run, checks)
    repositories: list[Pin] = []
    for command in run:
        if command.program in _DOWNLOADERS:
            yield from _download_pins(command, line, checked=bool(checks) and _is_listed(command, listed))
        elif command.program == "git":
            _add_git_pins(command, line, repositories)
        elif command.program in _PACKAGERS:
            yield from _package_pins(command, line)
        elif command.forgiven and (command.program in _BUILDERS or command.program.endswith(".sh")):
            shown = " ".join(command.words[:3])
            yield Pin(line=line, kind=PinKind.COMMAND, name=command.program, value=shown, forgiven=True)
        elif command.program in TOOLS:
            yield from tool_pins(command, line)
        else:
            for pin in _install_pins(command, line):
                yield replace(pin, elsewhere=pin.elsewhere or elsewhere)
    yield from repositories


def _verifies_files(command: ShellCommand) -> bool:
    """Whether a command checks a sum or a signature, and the build ends where it does not fit."""
    words = command.words[1:]
    if command.forgiven:
        return False
    if _SUMS.fullmatch(command.program):
        return any(word == "--check" or re.fullmatch(r"-[a-z]*c[a-z]*", word) for word in words)
    if command.program in _SIGNATURES:
        return command.program == "gpgv" or any("verify" in word for word in words)
    return command.program == "openssl" and "-verify" in words


def _checksum_list(run: Sequence[ShellCommand], checks: Sequence[ShellCommand]) -> str:
    """Return the lines with sums that the RUN itself writes, or nothing where only the build knows them."""
    read = [word for check in checks for word in check.words[1:] if not word.startswith("-")]
    if read or not all(_SUMS.fullmatch(check.program) for check in checks):
        return ""
    written = (word for command in run if command.program in ("echo", "printf") for word in command.words[1:])
    text = " ".join(word for word in written if _SUM.search(word))
    return "" if UNRESOLVED in text else text


def _is_listed(command: ShellCommand, listed: str) -> bool:
    """Whether the name of a downloaded file is among the lines with sums; nothing listed says nothing."""
    words = command.words[1:]
    name = _option_value(words, ("-o", "-O", "--output", "--output-document"))
    names = [name] if name and "://" not in name else [word for word in words if "://" in word]
    return not listed or any(word.rstrip("/").rpartition("/")[2] in listed for word in names)


def _download_pins(command: ShellCommand, line: int, *, checked: bool) -> Iterator[Pin]:
    for word in command.words[1:]:
        address = word.partition("=")[2] if word.startswith("--url=") else word
        if "://" in address and not word.startswith(("-H", "--header", "--proxy", "--referer")):
            yield Pin(
                line=line,
                kind=PinKind.DOWNLOAD,
                name=command.program,
                value=address,
                checked=checked,
                piped=command.into in _INTERPRETERS or bool(_PYTHON.fullmatch(command.into)),
                forgiven=command.forgiven,
            )


def _add_git_pins(command: ShellCommand, line: int, repositories: list[Pin]) -> None:
    """Note a clone, or the ref that a later command of the RUN takes of the last one."""
    words = list(command.words[1:])
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-C", "-c") else words[1:]
    if not words:
        return
    verb, rest = words[0], words[1:]
    if verb == "clone":
        url = next((word for word in _operand_words(rest, _CLONE_VALUES)), "")
        ref = _option_value(rest, ("-b", "--branch", "--revision"))
        if url:
            repositories.append(
                Pin(line=line, kind=PinKind.GIT, name=url, value=ref, forgiven=command.forgiven)
            )
    elif verb == "remote" and rest[:1] == ["add"] and len(rest) >= 3:
        repositories.append(Pin(line=line, kind=PinKind.GIT, name=rest[-1], value=""))
    elif verb in ("checkout", "switch", "reset", "fetch") and repositories:
        operands = list(_operand_words(rest, frozenset(("-b", "-B", "--depth", "-c"))))
        refs = operands[1:] if verb == "fetch" else operands[:1]
        if refs and refs[0] not in ("--", ".", "FETCH_HEAD", "HEAD"):
            last = repositories[-1]
            repositories[-1] = Pin(
                line=last.line,
                kind=PinKind.GIT,
                name=last.name,
                value=refs[0].removeprefix("refs/tags/"),
                forgiven=last.forgiven or command.forgiven,
            )


def _option_value(words: Sequence[str], names: tuple[str, ...]) -> str:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(words[index + 1 : index + 2])
        if word.startswith("-b") and "-b" in names and len(word) > 2 and not word.startswith("--"):
            return word[2:]
    return ""


def _operand_words(words: Sequence[str], with_value: frozenset[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            skip = word in with_value
        else:
            yield word


def _package_pins(command: ShellCommand, line: int) -> Iterator[Pin]:
    words = command.words[1:]
    verbs = _PACKAGERS[command.program]
    position = next((index for index, word in enumerate(words) if word in verbs), None)
    if position is None:
        return
    names = [name for name in _operand_words(words[position + 1 :], _PACKAGER_VALUES) if "/" not in name]
    loose = [name for name in names if "=" not in name and not name.endswith((".deb", ".rpm", ".apk"))]
    yield from loose_packages(command, line, loose)


def _install_pins(command: ShellCommand, line: int) -> Iterator[Pin]:
    """Yield what pip, uv or pipx installs."""
    words = list(command.words)
    if _PYTHON.fullmatch(command.program) and words[1:2] == ["-m"]:
        words = words[2:]
    program, rest = words[0].rpartition("/")[2] if words else "", words[1:]
    if program == "uv" and rest[:1] == ["pip"]:
        program, rest = "pip", rest[1:]
    elif program == "uvx" or (program, *rest[:1]) == ("pipx", "run") or rest[:2] == ["tool", "run"]:
        yield from _run_once(rest if program == "uvx" else rest[rest.index("run") + 1 :], line)
        return
    elif program in ("uv", "uvx", "pipx"):
        rest = rest[1:] if rest[:1] == ["tool"] else rest
        program = "pip" if rest[:1] in (["install"], ["add"]) else ""
    if not _PIP.fullmatch(program):
        return
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    if rest[:1] in (["install"], ["download"], ["wheel"], ["add"]):
        yield from pip_pins(rest[1:], line, forgiven=command.forgiven)


def _run_once(words: Sequence[str], line: int) -> Iterator[Pin]:
    """Yield what a program that is fetched, run and forgotten comes from."""
    source = _option_value(words, ("--from", "--spec"))
    name = source or next(_operand_words(words, _RUNNER_VALUES), "")
    if name and not name.startswith("git+"):
        name = re.sub(r"^([A-Za-z0-9._-]+)@(?!latest$)", r"\1==", name).removesuffix("@latest")
    pin = _requirement_pin(name, line)
    if pin is not None:
        yield pin


def pip_pins(words: Sequence[str], line: int, *, forgiven: bool = False) -> Iterator[Pin]:
    """Yield the requirements among the arguments of `pip install`."""
    elsewhere = any(word.partition("=")[0] in _OTHER_INDEX for word in words)
    hashed = "--require-hashes" in words
    editable = [words[index + 1] for index, word in enumerate(words[:-1]) if word in ("-e", "--editable")]
    for index, word in enumerate(words):
        named = _FILE.fullmatch(word)
        path = named[1] or "".join(words[index + 1 : index + 2]) if named else ""
        if path:
            kind = PinKind.DOWNLOAD if "://" in path else PinKind.FILE
            yield Pin(line=line, kind=kind, name="-r", value=path, checked=hashed, forgiven=forgiven)
    for word in (*_operand_words(words, _TAKES_VALUE), *editable):
        pin = _requirement_pin(word, line)
        if pin is not None:
            yield Pin(
                line=line,
                kind=pin.kind,
                name=pin.name,
                value=pin.value,
                checked=pin.checked or hashed,
                forgiven=forgiven,
                elsewhere=elsewhere,
            )


def _requirement_pin(word: str, line: int) -> Pin | None:
    """Return the pin of one requirement; a file or folder at hand is none."""
    place = word.partition(" @ ")[2] or word
    if place.startswith(("git+", "hg+", "svn+", "bzr+")):
        address = place.partition("#")[0]
        url, at, ref = address.rpartition("@")
        if not at or "/" in ref or ref.endswith(".git"):
            url, ref = address, ""
        return Pin(line=line, kind=PinKind.GIT, name=url, value=ref)
    if "://" in place:
        checked = bool(re.search(r"#(.*&)?sha(256|384|512)=[0-9a-f]{64,}", place))
        return Pin(line=line, kind=PinKind.DOWNLOAD, name="pip", value=place, checked=checked)
    if word.startswith((".", "/", "~")) or word.endswith((".whl", ".tar.gz", ".zip")) or not word:
        return None
    if UNRESOLVED in word or re.search(r"%\w+%", word):
        word = re.sub(r"%\w+%", UNRESOLVED, word)
        return Pin(line=line, kind=PinKind.REQUIREMENT, name="pip", value=word)
    try:
        Requirement(word)
    except InvalidRequirement:
        return None if "/" in word else Pin(line=line, kind=PinKind.REQUIREMENT, name="pip", value=word)
    return Pin(line=line, kind=PinKind.REQUIREMENT, name="pip", value=word)


_EXACT = re.compile(r"v?\d+\.\d+(\.\d+)?([-+.].*)?|[0-9a-f]{12,40}|nightly-\d{4}-\d\d-\d\d.*")
_CHANNEL = re.compile(r"(\d+\.\d+\.\d+|nightly-\d{4}-\d\d-\d\d)(-.*)?")


def tool_pins(command: ShellCommand, line: int) -> Iterator[Pin]:
    """Yield what a command installs without a version."""
    yield from loose_packages(command, line, list(TOOLS[command.program](command.words[1:])))


def loose_packages(command: ShellCommand, line: int, names: Sequence[str]) -> Iterator[Pin]:
    """Yield the pin of what a command installs without a version, if there is anything."""
    if names:
        yield Pin(
            line=line,
            kind=PinKind.PACKAGES,
            name=command.program,
            value=" ".join(names),
            forgiven=command.forgiven,
        )


def _words_after(words: Sequence[str], verbs: tuple[str, ...], with_value: str) -> Iterator[str]:
    """Yield the operands after a verb; nothing where another verb stands first."""
    position = next((index for index, word in enumerate(words) if not word.startswith("-")), None)
    if position is None or words[position] not in verbs:
        return
    skip = False
    for word in words[position + 1 :]:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in with_value.split()
        else:
            yield word


def _is_local(word: str) -> bool:
    return word.startswith((".", "/", "~", "$")) or "://" in word


def _conda_packages(words: Sequence[str]) -> Iterator[str]:
    for word in _words_after(words, ("install", "create"), "-c -f -n -p --channel --file --name --prefix"):
        if "=" not in word and not _is_local(word):
            yield word


def _npm_packages(words: Sequence[str]) -> Iterator[str]:
    for word in _words_after(words, ("add", "global", "i", "install"), "-C --prefix --registry"):
        if word != "add" and not _EXACT.fullmatch(word[1:].partition("@")[2]) and not _is_local(word):
            yield word


def _cargo_packages(words: Sequence[str]) -> Iterator[str]:
    named = ("--version", "--vers", "--path", "--rev", "--tag")
    if any(word.partition("=")[0] in named for word in words):
        return
    for word in _words_after(
        words, ("install",), "-F -j --branch --features --git --index --profile --registry --root --target"
    ):
        if not _EXACT.fullmatch(word.partition("@")[2]):
            yield word


def _go_packages(words: Sequence[str]) -> Iterator[str]:
    for word in _words_after(words, ("get", "install"), "-ldflags -o -tags"):
        if not _EXACT.fullmatch(word.partition("@")[2]) and not _is_local(word) and "/" in word:
            yield word


def _gem_packages(words: Sequence[str]) -> Iterator[str]:
    if not any(word in ("-v", "--version") or word.startswith("--version=") for word in words):
        yield from (
            word for word in _words_after(words, ("install",), "-i -n -s") if not word.endswith(".gem")
        )


def _rustup_packages(words: Sequence[str]) -> Iterator[str]:
    """Yield toolchains that are channels, such as stable, which move."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--default-toolchain":
            words = ("default", value if equals else "".join(words[index + 1 : index + 2]))
    given = words[1:] if tuple(words[:2]) == ("toolchain", "install") else words
    for word in _words_after(given, ("default", "install", "update"), "-c -t --component --profile --target"):
        if word != "none" and not _CHANNEL.fullmatch(word):
            yield word


def _archive_packages(words: Sequence[str]) -> Iterator[str]:
    yield from (word for word in words if not word.startswith("-"))


TOOLS: dict[str, Callable[[Sequence[str]], Iterator[str]]] = {
    "add-apt-repository": _archive_packages,
    "cargo": _cargo_packages,
    "conda": _conda_packages,
    "gem": _gem_packages,
    "go": _go_packages,
    "mamba": _conda_packages,
    "micromamba": _conda_packages,
    "npm": _npm_packages,
    "pnpm": _npm_packages,
    "rustup": _rustup_packages,
    "rustup-init": _rustup_packages,
    "yarn": _npm_packages,
}
"""Programs, each with what names the unpinned ones among its arguments."""
