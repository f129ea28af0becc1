"""What a Dockerfile pins or leaves open: bases, arguments, sources, downloads, distributions. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from builder.align.dockerfile.commands import command_pins
from builder.align.dockerfile.pin import Kind, Pin
from builder.align.dockerfile.reader import Instruction
from builder.align.dockerfile.shell import Command, commands
from builder.align.dockerfile.variables import bounded, expanded, references

__all__ = ["dockerfile_pins"]

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
_PAIR = re.compile(r"""([A-Za-z_][A-Za-z0-9_.-]*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']*)""")
_GIT = re.compile(r"(git@|git://|ssh://|https?://[^\s#]*\.git(#|$))")


@dataclass(slots=True)
class _Stage:
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
    top = _Stage()
    stages: list[_Stage] = []
    found: list[Pin] = []
    arguments: dict[str, Pin] = {}
    for instruction in instructions:
        here = stages[-1] if stages else top
        if instruction.keyword == "FROM":
            stage, pins = _from(instruction, top, stages)
            stages.append(stage)
            found += pins
            continue
        if instruction.keyword == "ARG":
            for pin in _arguments(instruction, here, top if stages else None):
                arguments.setdefault(pin.name, pin)
                if pin.value and not arguments[pin.name].value:
                    arguments[pin.name] = pin
            continue
        here.use(_references(instruction), instruction.line)
        found += _instruction_pins(instruction, here, stages)
    unused = _unused([top, *stages])
    named = {name: line for stage in reversed(stages) for name, line in stage.used.items()}
    found += [
        pin.replaced(unused=name in unused, named_at=named.get(name, 0)) for name, pin in arguments.items()
    ]
    return tuple(sorted(found, key=lambda pin: pin.line))


def _references(instruction: Instruction) -> frozenset[str]:
    texts = [instruction.value, *instruction.flag_values(), *(doc.text for doc in instruction.heredocs)]
    return frozenset().union(*map(references, texts))


def _from(instruction: Instruction, top: _Stage, stages: list[_Stage]) -> tuple[_Stage, list[Pin]]:
    top.use(_references(instruction), instruction.line)
    words = instruction.value.split()
    reference = expanded(words[0], top.known) if words else ""
    name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else ""
    base = next((stage for stage in reversed(stages) if stage.name and stage.name == reference.lower()), None)
    stage = _Stage(name=name, known=dict(base.known) if base else {}, parent=base.name if base else "")
    if base is not None or reference.lower() == "scratch":
        return stage, []
    return stage, [Pin(line=instruction.line, kind=Kind.IMAGE, name="FROM", value=reference)]


def _arguments(instruction: Instruction, stage: _Stage, top: _Stage | None) -> Iterator[Pin]:
    """Declare arguments in `stage`; one without a default takes that of the top of the file."""
    stage.use(references(instruction.value), instruction.line)
    pairs: dict[str, str] = dict(_PAIR.findall(instruction.value))
    for word in _PAIR.sub(" ", instruction.value).split():
        pairs.setdefault(word, "")
    for name, quoted in pairs.items():
        if not name.replace("_", "a").isalnum():
            continue
        value = bounded(expanded(_unquoted(quoted), stage.known))
        if not quoted and top is not None and name in top.declared:
            top.use((name,), instruction.line)
            value = top.known.get(name, "")
        if value or quoted:
            stage.known[name] = value
        stage.declared.setdefault(name, instruction.line)
        if name not in _PREDEFINED:
            yield Pin(line=instruction.line, kind=Kind.ARGUMENT, name=name, value=value)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" else text


def _instruction_pins(instruction: Instruction, stage: _Stage, stages: list[_Stage]) -> list[Pin]:
    if instruction.keyword == "ENV":
        _environment(instruction, stage)
    elif instruction.keyword in ("COPY", "ADD"):
        return [*_from_images(instruction, stage, stages), *_added(instruction, stage)]
    elif instruction.keyword == "RUN":
        run = list(_run_commands(instruction, stage.known))
        elsewhere = any(stage.known.get(name) for name in _INDEXES) or bool(
            _OWN_INDEX.search(instruction.value)
        )
        pins = command_pins(run, instruction.line, elsewhere=elsewhere)
        return [*_from_images(instruction, stage, stages), *pins]
    return []


def _environment(instruction: Instruction, stage: _Stage) -> None:
    pairs = _PAIR.findall(instruction.value)
    if not pairs:
        name, _, value = instruction.value.partition(" ")
        pairs = [(name, value.strip())]
    for name, value in pairs:
        stage.known[name] = bounded(expanded(_unquoted(value), stage.known))


def _from_images(instruction: Instruction, stage: _Stage, stages: list[_Stage]) -> Iterator[Pin]:
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
            yield Pin(line=instruction.line, kind=Kind.IMAGE, name="--from", value=value)


def _added(instruction: Instruction, stage: _Stage) -> Iterator[Pin]:
    if instruction.keyword != "ADD":
        return
    sources = _exec_form(instruction.value) or instruction.value.split()
    for word in sources[:-1]:
        value = expanded(word.strip("\"'"), stage.known)
        checked = bool(instruction.flag("checksum"))
        if _GIT.match(value):
            url, _, reference = value.partition("#")
            ref = reference.partition(":")[0]
            yield Pin(line=instruction.line, kind=Kind.GIT, name=url, value=ref, checked=checked)
        elif "://" in value:
            yield Pin(line=instruction.line, kind=Kind.DOWNLOAD, name="ADD", value=value, checked=checked)


def _run_commands(instruction: Instruction, known: Mapping[str, str]) -> Iterator[Command]:
    words = _exec_form(instruction.value)
    if words:
        quoted = " ".join(f"'{word}'" for word in words)
        yield from commands(quoted, known)
        return
    line = re.sub(r"(?<![<\w])\d*<<-?['\"]?\w+['\"]?", " ", instruction.value) if instruction.heredocs else ""
    if not instruction.heredocs:
        yield from commands(instruction.value, known)
        return
    yield from commands(line, known)
    runner = line.split()
    if not runner or runner[0].rpartition("/")[2] in ("sh", "bash", "dash", "ash"):
        for document in instruction.heredocs:
            yield from commands(document.text, known)


def _exec_form(value: str) -> list[str]:
    if not value.startswith("["):
        return []
    try:
        words = json.loads(value)
    except (ValueError, RecursionError):
        return []
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else []


def _unused(stages: list[_Stage]) -> frozenset[str]:
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
