"""What a Dockerfile or a requirements file pins or leaves open: bases, downloads, distributions. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from builder.align.dockerfile.commands import command_pins, pip_pins
from builder.align.dockerfile.pin import Pin, PinKind
from builder.align.dockerfile.reader import Instruction
from builder.align.dockerfile.shell import READING_ALLOWANCE, ShellScript, Unread, read_script, read_words
from builder.align.dockerfile.variables import bounded, expanded, references
from builder.errors import UsageError

__all__ = ["dockerfile_pins", "requirements_pins"]

_GIVEN_BY_DOCKER = """
TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT
HTTP_PROXY HTTPS_PROXY FTP_PROXY NO_PROXY ALL_PROXY SOURCE_DATE_EPOCH DEBIAN_FRONTEND
"""
_PREDEFINED = frozenset(_GIVEN_BY_DOCKER.split())
_INDEXES = (
    *("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL"),
    *(
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_TORCH_BACKEND",
    ),
)
"""Variables that give pip or uv another index."""
_OWN_INDEX = re.compile(rf"\b(?:{'|'.join(_INDEXES)})=|\bpip[0-9.]*\s+config\s+(?:--\S+\s+)*set\b")
_ONLY_HEREDOC = re.compile(r"\d*<<-?\s*\S+")
_SHEBANG = re.compile(r"#!\s*(\S+)(?:[ \t]+(\S+))?")
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|a|z)?sh")
_SHOWN = 60
_GIT = re.compile(r"(git@|git://|ssh://|https?://[^\s#]*\.git(#|$))")


@dataclass(slots=True)
class _BuildStage:
    """What is known while the instructions of a stage are read."""

    name: str = ""
    parent: str = ""
    known: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    """Names that the stage uses, with the first line that does."""
    declared: dict[str, int] = field(default_factory=dict)

    def use(self, names: Iterable[str], line: int) -> None:
        """Note that a line uses some names."""
        for name in names:
            self.used.setdefault(name, line)


def dockerfile_pins(instructions: tuple[Instruction, ...]) -> tuple[Pin, ...]:
    """Return every pin in the order of the file; arguments that nothing uses are marked."""
    top = _BuildStage()
    stages: list[_BuildStage] = []
    found: list[Pin] = []
    arguments: dict[str, Pin] = {}
    allowance = READING_ALLOWANCE
    for instruction in instructions:
        here = stages[-1] if stages else top
        if instruction.keyword == "FROM":
            stage, pins = _base_pins(instruction, top, stages)
            stages.append(stage)
            found += pins
            continue
        if instruction.keyword == "ARG":
            found += _comment_words(instruction)
            for pin in _argument_pins(instruction, here, top if stages else None):
                arguments.setdefault(pin.name, pin)
                if pin.value and not arguments[pin.name].value:
                    arguments[pin.name] = pin
            continue
        here.use(_referenced_names(instruction), instruction.line)
        found += _instruction_pins(instruction, here, stages)
        if instruction.keyword == "RUN":
            script = _run_script(instruction, here.known, allowance)
            allowance -= script.cost
            found += _run_pins(instruction, here, script)
    unused = _unused_arguments([top, *stages])
    named = {name: line for stage in reversed(stages) for name, line in stage.used.items()}
    found += [
        pin.replaced(unused=name in unused, named_at=named.get(name, 0)) for name, pin in arguments.items()
    ]
    return tuple(sorted(found, key=lambda pin: pin.line))


def _referenced_names(instruction: Instruction) -> frozenset[str]:
    texts = [instruction.value, *instruction.flag_values(), *(doc.text for doc in instruction.heredocs)]
    return frozenset().union(*map(references, texts))


def _base_pins(
    instruction: Instruction, top: _BuildStage, stages: list[_BuildStage]
) -> tuple[_BuildStage, list[Pin]]:
    top.use(_referenced_names(instruction), instruction.line)
    words = instruction.words
    reference = expanded(words[0], top.known) if words else ""
    name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else ""
    base = next((stage for stage in reversed(stages) if stage.name and stage.name == reference.lower()), None)
    stage = _BuildStage(name=name, known=dict(base.known) if base else {}, parent=base.name if base else "")
    if base is not None or reference.lower() == "scratch":
        return stage, []
    return stage, [Pin(line=instruction.line, kind=PinKind.IMAGE, name="FROM", value=reference)]


def _argument_pins(instruction: Instruction, stage: _BuildStage, top: _BuildStage | None) -> Iterator[Pin]:
    """Declare arguments in `stage`; one without a default takes that of the top of the file."""
    words = _before_comment(instruction.words)
    stage.use(references(" ".join(words)), instruction.line)
    for word in words:
        name, equals, quoted = word.partition("=")
        if not name.replace("_", "a").isalnum():
            continue
        value = _argument_value(quoted, stage.known)
        if not equals and top is not None and name in top.declared:
            top.use((name,), instruction.line)
            value = top.known.get(name, "")
        if value or equals:
            stage.known[name] = value
        stage.declared.setdefault(name, instruction.line)
        if name not in _PREDEFINED:
            yield Pin(line=instruction.line, kind=PinKind.ARGUMENT, name=name, value=value)


def _before_comment(words: Sequence[str]) -> Sequence[str]:
    return words[: next((index for index, word in enumerate(words) if word.startswith("#")), len(words))]


def _comment_words(instruction: Instruction) -> list[Pin]:
    """Return one pin for what stands behind a `#` in an ARG, where Docker declares each word of it."""
    words = instruction.words[len(_before_comment(instruction.words)) :]
    if not words:
        return []
    return [
        Pin(line=instruction.line, kind=PinKind.ARGUMENT, name="#", value=_text_excerpt(" ".join(words[1:])))
    ]


def _argument_value(quoted: str, known: Mapping[str, str]) -> str:
    """Return the value of a word of ARG or ENV. Docker expands nothing between single quotes."""
    if quoted.startswith("'"):
        return bounded(_without_quotes(quoted))
    return bounded(expanded(_without_quotes(quoted), known))


def _without_quotes(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" else text


def _instruction_pins(instruction: Instruction, stage: _BuildStage, stages: list[_BuildStage]) -> list[Pin]:
    if instruction.keyword == "ENV":
        _set_environment(instruction, stage)
    elif instruction.keyword in ("COPY", "ADD"):
        return [*_from_images(instruction, stage, stages), *_add_pins(instruction, stage)]
    elif instruction.keyword == "RUN":
        return list(_from_images(instruction, stage, stages))
    return []


def _set_environment(instruction: Instruction, stage: _BuildStage) -> None:
    """Take the values of an ENV. Docker expands all of them by what was known before the instruction."""
    names, values = instruction.words[::2], instruction.words[1::2]
    stage.known |= {
        name: _argument_value(value, stage.known) for name, value in zip(names, values, strict=True)
    }


def _from_images(instruction: Instruction, stage: _BuildStage, stages: list[_BuildStage]) -> Iterator[Pin]:
    """Yield the images that `--from` and `--mount=from=` name; names and numbers of stages are none."""
    mounts = [value for key, value in instruction.flags if key == "mount"]
    given = [
        part.removeprefix("from=")
        for mount in mounts
        for part in mount.split(",")
        if part.startswith("from=")
    ]
    if instruction.keyword == "COPY" and instruction.flag("from"):
        given.append(instruction.flag("from"))
    names = {other.name for other in stages if other.name}
    for reference in given:
        value = expanded(reference, stage.known)
        if value.lower() not in names and not value.isdigit() and value != "scratch":
            yield Pin(line=instruction.line, kind=PinKind.IMAGE, name="--from", value=value)


def _add_pins(instruction: Instruction, stage: _BuildStage) -> Iterator[Pin]:
    if instruction.keyword != "ADD":
        return
    for word in instruction.words[:-1]:
        value = expanded(word.strip("\"'"), stage.known)
        checked = bool(instruction.flag("checksum"))
        if _GIT.match(value):
            url, _, reference = value.partition("#")
            ref = reference.partition(":")[0]
            yield Pin(line=instruction.line, kind=PinKind.GIT, name=url, value=ref, checked=checked)
        elif "://" in value:
            yield Pin(line=instruction.line, kind=PinKind.DOWNLOAD, name="ADD", value=value, checked=checked)


def _run_pins(instruction: Instruction, stage: _BuildStage, script: ShellScript) -> Iterator[Pin]:
    """Yield what the commands of a RUN fetch and install, and a pin for what was not understood of it."""
    elsewhere = any(stage.known.get(name) for name in _INDEXES) or any(
        _OWN_INDEX.search(text)
        for text in (instruction.value, *(document.text for document in instruction.heredocs))
    )
    yield from command_pins(script.commands, instruction.line, elsewhere=elsewhere)
    by_reason: dict[str, list[Unread]] = {}
    for unread in script.unread:
        by_reason.setdefault(unread.reason, []).append(unread)
    for reason, pieces in by_reason.items():
        size = sum(len(piece.text) for piece in pieces)
        yield Pin(
            line=instruction.line,
            kind=PinKind.SHELL,
            name="RUN",
            value=_text_excerpt(pieces[0].text),
            reason=f"{size} characters, {reason}",
        )


def _text_excerpt(text: str) -> str:
    line = " ".join(text[: 4 * _SHOWN].split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _run_script(instruction: Instruction, known: Mapping[str, str], allowance: int) -> ShellScript:
    """Read what a RUN gives to a shell."""
    if instruction.exec_form:
        return read_words(instruction.words, known, allowance=allowance)
    if not instruction.heredocs:
        return read_script(instruction.value, known, allowance=allowance)
    if len(instruction.heredocs) == 1 and _ONLY_HEREDOC.fullmatch(instruction.value):
        # The heredoc is the script itself, or a program of its own if it begins with `#!`.
        text = instruction.heredocs[0].text
        named = _SHEBANG.match(text)
        program = named and (named[2] if named[1].endswith("/env") and named[2] else named[1])
        if program and not _SHELL.fullmatch(program):
            reason = f"it is a program for {program.rpartition('/')[2][:_SHOWN]}"
            return ShellScript(unread=(Unread(text=text, reason=reason),))
        return read_script(text, known, allowance=allowance)
    documents = "".join(f"{document.text}{document.name}\n" for document in instruction.heredocs)
    return read_script(f"{instruction.value}\n{documents}", known, allowance=allowance)


def _unused_arguments(stages: list[_BuildStage]) -> frozenset[str]:
    """Return the arguments that no stage uses in which they are declared, nor one built on such a stage."""
    unused = {name for stage in stages for name in stage.declared}
    for stage in stages:
        heirs = {stage.name} if stage.name else set()
        used = set(stage.used)
        for other in stages:
            if other.parent and other.parent in heirs:
                heirs |= {other.name} - {""}
                used |= set(other.used)
        unused -= used & set(stage.declared)
    return frozenset(unused)


_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")
_INDEX = ("-i ", "--index-url", "--extra-index-url", "-f ", "--find-links")
_OPTION = re.compile(r"\s--(config-settings?|global-option|install-option)[= ].*$")
_MOST_BYTES = 16 * 2**20


def requirements_pins(data: bytes, *, place: str) -> tuple[Pin, ...]:
    """Return the requirements of a file, as pip reads it (UsageError)."""
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{len(data)} bytes are too many for a requirements file", place=place)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", place=place) from None
    found: list[Pin] = []
    elsewhere = False
    for number, line in _requirement_lines(text):
        if line.startswith(_INDEX):
            elsewhere = True
        elif line.startswith(("-e", "--editable", "-r", "--requirement")):
            found += _line_pins(line, number, place)
        elif not line.startswith("-"):
            hashed = bool(_HASH.search(line))
            bare = _OPTION.sub("", _HASH.sub("", line)).strip()
            found += [replace(pin, checked=pin.checked or hashed) for pin in pip_pins([bare], number)]
    if any(line.partition(" ")[0] == "--require-hashes" for _, line in _requirement_lines(text)):
        found = [replace(pin, checked=True) for pin in found]
    return tuple(
        replace(pin, elsewhere=elsewhere) if pin.kind is PinKind.REQUIREMENT else pin for pin in found
    )


def _line_pins(line: str, number: int, place: str) -> Iterator[Pin]:
    try:
        yield from pip_pins(shlex.split(line), number)
    except ValueError as error:
        raise UsageError(f"line {number}: {error}", place=place) from None


def _requirement_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines with the number of their first one; comments are gone."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.splitlines(), start=1):
        if not parts:
            first = number
        stripped = _COMMENT.sub("", line).rstrip()
        if line.rstrip().endswith("\\") and not _COMMENT.search(line):
            parts.append(stripped[:-1])
            continue
        joined = "".join((*parts, stripped)).strip()
        parts = []
        if joined:
            yield first, joined
    if joined := "".join(parts).strip():
        yield first, joined
