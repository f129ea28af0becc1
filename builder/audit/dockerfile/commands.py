"""What the commands of one RUN fetch and install. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement

from builder.audit.dockerfile.pin import Kind, Pin
from builder.audit.dockerfile.shell import Command
from builder.audit.dockerfile.variables import UNRESOLVED

__all__ = ["command_pins", "pip_pins"]

_DOWNLOADERS = frozenset(("aria2c", "axel", "curl", "wget"))
_INTERPRETERS = frozenset(("bash", "dash", "node", "perl", "python", "python3", "sh", "zsh"))
_BUILDERS = frozenset(("cargo", "cmake", "make", "meson", "ninja"))
_SUMS = re.compile(r"(sha(1|224|256|384|512)|b2|b3|md5)sum|shasum")
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


def command_pins(run: Sequence[Command], line: int) -> Iterator[Pin]:
    """Yield the pins of the commands of one RUN, which stand or fall together."""
    checked = any(map(_checks, run))
    repositories: list[Pin] = []
    for command in run:
        if command.program in _DOWNLOADERS:
            yield from _downloads(command, line, checked=checked)
        elif command.program == "git":
            _git(command, line, repositories)
        elif command.program in _PACKAGERS:
            yield from _packages(command, line)
        elif command.forgiven and (command.program in _BUILDERS or command.program.endswith(".sh")):
            shown = " ".join(command.words[:3])
            yield Pin(line=line, kind=Kind.COMMAND, name=command.program, value=shown, forgiven=True)
        else:
            yield from _installs(command, line)
    yield from repositories


def _checks(command: Command) -> bool:
    """Whether a command checks a sum or a signature."""
    words = command.words[1:]
    if _SUMS.fullmatch(command.program):
        return any(word == "--check" or re.fullmatch(r"-[a-z]*c[a-z]*", word) for word in words)
    if command.program in _SIGNATURES:
        return command.program == "gpgv" or any("verify" in word for word in words)
    return command.program == "openssl" and "-verify" in words


def _downloads(command: Command, line: int, *, checked: bool) -> Iterator[Pin]:
    for word in command.words[1:]:
        address = word.partition("=")[2] if word.startswith("--url=") else word
        if "://" in address and not word.startswith(("-H", "--header", "--proxy", "--referer")):
            yield Pin(
                line=line,
                kind=Kind.DOWNLOAD,
                name=command.program,
                value=address,
                checked=checked,
                piped=command.into in _INTERPRETERS or bool(_PYTHON.fullmatch(command.into)),
                forgiven=command.forgiven,
            )


def _git(command: Command, line: int, repositories: list[Pin]) -> None:
    """Note a clone, or the ref that a later command of the RUN takes of the last one."""
    words = list(command.words[1:])
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-C", "-c") else words[1:]
    if not words:
        return
    verb, rest = words[0], words[1:]
    if verb == "clone":
        url = next((word for word in _operands(rest, _CLONE_VALUES)), "")
        ref = _option(rest, ("-b", "--branch", "--revision"))
        if url:
            repositories.append(Pin(line=line, kind=Kind.GIT, name=url, value=ref, forgiven=command.forgiven))
    elif verb == "remote" and rest[:1] == ["add"] and len(rest) >= 3:
        repositories.append(Pin(line=line, kind=Kind.GIT, name=rest[-1], value=""))
    elif verb in ("checkout", "switch", "reset", "fetch") and repositories:
        operands = list(_operands(rest, frozenset(("-b", "-B", "--depth", "-c"))))
        refs = operands[1:] if verb == "fetch" else operands[:1]
        if refs and refs[0] not in ("--", ".", "FETCH_HEAD", "HEAD"):
            last = repositories[-1]
            repositories[-1] = Pin(
                line=last.line,
                kind=Kind.GIT,
                name=last.name,
                value=refs[0].removeprefix("refs/tags/"),
                forgiven=last.forgiven or command.forgiven,
            )


def _option(words: Sequence[str], names: tuple[str, ...]) -> str:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(words[index + 1 : index + 2])
        if word.startswith("-b") and "-b" in names and len(word) > 2 and not word.startswith("--"):
            return word[2:]
    return ""


def _operands(words: Sequence[str], with_value: frozenset[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            skip = word in with_value
        else:
            yield word


def _packages(command: Command, line: int) -> Iterator[Pin]:
    words = command.words[1:]
    verbs = _PACKAGERS[command.program]
    position = next((index for index, word in enumerate(words) if word in verbs), None)
    if position is None:
        return
    names = [name for name in _operands(words[position + 1 :], _PACKAGER_VALUES) if "/" not in name]
    loose = [name for name in names if "=" not in name and not name.endswith((".deb", ".rpm", ".apk"))]
    if loose:
        yield Pin(
            line=line,
            kind=Kind.PACKAGES,
            name=command.program,
            value=" ".join(loose),
            forgiven=command.forgiven,
        )


def _installs(command: Command, line: int) -> Iterator[Pin]:
    """Yield what pip, uv or pipx installs."""
    words = list(command.words)
    if _PYTHON.fullmatch(command.program) and words[1:2] == ["-m"]:
        words = words[2:]
    program, rest = words[0].rpartition("/")[2] if words else "", words[1:]
    if program == "uv" and rest[:1] == ["pip"]:
        program, rest = "pip", rest[1:]
    elif program in ("uv", "uvx", "pipx"):
        rest = rest[1:] if rest[:1] == ["tool"] else rest
        program = "pip" if rest[:1] in (["install"], ["add"]) else ""
    if not _PIP.fullmatch(program):
        return
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    if rest[:1] in (["install"], ["download"], ["wheel"], ["add"]):
        yield from pip_pins(rest[1:], line, forgiven=command.forgiven)


def pip_pins(words: Sequence[str], line: int, *, forgiven: bool = False) -> Iterator[Pin]:
    """Yield the requirements among the arguments of `pip install`."""
    elsewhere = any(word.partition("=")[0] in _OTHER_INDEX for word in words)
    hashed = "--require-hashes" in words
    editable = [words[index + 1] for index, word in enumerate(words[:-1]) if word in ("-e", "--editable")]
    for word in (*_operands(words, _TAKES_VALUE), *editable):
        pin = _requirement(word, line)
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


def _requirement(word: str, line: int) -> Pin | None:
    """Return the pin of one requirement; a file or folder at hand is none."""
    place = word.partition(" @ ")[2] or word
    if place.startswith(("git+", "hg+", "svn+", "bzr+")):
        address = place.partition("#")[0]
        url, at, ref = address.rpartition("@")
        if not at or "/" in ref or ref.endswith(".git"):
            url, ref = address, ""
        return Pin(line=line, kind=Kind.GIT, name=url, value=ref)
    if "://" in place:
        checked = bool(re.search(r"#(.*&)?sha(256|384|512)=[0-9a-f]{64,}", place))
        return Pin(line=line, kind=Kind.DOWNLOAD, name="pip", value=place, checked=checked)
    if word.startswith((".", "/", "~")) or word.endswith((".whl", ".tar.gz", ".zip")) or not word:
        return None
    if UNRESOLVED in word:
        return Pin(line=line, kind=Kind.REQUIREMENT, name="pip", value=word)
    try:
        Requirement(word)
    except InvalidRequirement:
        return None if "/" in word else Pin(line=line, kind=Kind.REQUIREMENT, name="pip", value=word)
    return Pin(line=line, kind=Kind.REQUIREMENT, name="pip", value=word)
