"""What a Dockerfile pins or leaves open: bases, arguments, sources, downloads, distributions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from builder.align.dockerfile.commands import read_commands
from builder.align.dockerfile.pin import Judgement, Pin, PinKind, PinLedger, drift, text_excerpt, unknown
from builder.align.dockerfile.reader import SYNTAX, Instruction, read_dockerfile
from builder.align.dockerfile.refs import is_pin
from builder.align.dockerfile.shell import READING_ALLOWANCE, ShellScript, Unread, read_script, read_words
from builder.align.dockerfile.stage_state import StageState, absolute_path
from builder.align.dockerfile.variables import UNRESOLVED, bounded, expanded, references
from builder.align.dockerfile.verification import off_by_text, off_by_variables, unsigned_judgement

__all__ = ["dockerfile_pins", "pins_of_dockerfiles"]

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
    *("PIP_CONFIG_FILE", "UV_CONFIG_FILE"),
)
"""Variables that give pip or uv another index."""
_OWN_INDEX = re.compile(rf"\b(?:{'|'.join(_INDEXES)})=")
_MOUNTED = re.compile(rf"pip\.conf|pip\.ini|uv\.toml|\benv=(?:{'|'.join(_INDEXES)})\b")
_CONFIGURED = re.compile(r"\bpip[0-9.]*\s+config\s+(?:--\S+\s+)*set\b")
_WRITTEN = re.compile(r"(?:>|\btee\b)[^|;&\n]{0,200}(?:pip\.conf|pip\.ini|uv\.toml)")
_SETTINGS = re.compile(r"(?:^|/)(?:pip\.conf|pip\.ini|uv\.toml|\.pip)/?$")
"""Files that may name another index, among the words of a COPY."""
_ONLY_HEREDOC = re.compile(r"\d*<<-?\s*\S+")
_SHEBANG = re.compile(r"#!\s*(\S+)(?:[ \t]+(\S+))?")
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|a|z)?sh")
_STARTED = "it runs when a container starts, not while the image is built"
_AT_START = {"resolves while building": "resolves at start"}
_MOST_USES = 2000
"""Neither among more pins nor in longer values is it looked for what takes an argument's value."""
_GIT = re.compile(r"(git@|git://|ssh://|https?://[^\s#?]*\.git([?#]|$))")
_GIT_QUERY = ("commit", "checksum", "tag", "branch", "ref")
"""What BuildKit reads of an address's query, that which decides first: `…/a.git?tag=v1&commit=…`."""


@dataclass(slots=True)
class _BuildStage:
    """What is known while the instructions of a stage are read."""

    state: StageState
    name: str = ""
    parent: str = ""
    known: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    """Names that the stage uses, with the first line that does."""
    declared: dict[str, int] = field(default_factory=dict)
    environment: dict[str, int] = field(default_factory=dict)
    """Names that an ENV sets, with its line: it wins over an ARG of the same name."""
    last_run: int = 0
    """The line of its last RUN, whose programs may read any argument from their environment."""
    entrypoint: tuple[str, ...] = ()
    """The words of its ENTRYPOINT in exec form."""
    own_index: bool = False
    """Whether a settings file may name another index."""

    def use(self, names: Iterable[str], line: int) -> None:
        """Note that a line uses some names."""
        for name in names:
            self.used.setdefault(name, line)


@dataclass(slots=True)
class _FileReading:
    """The state of reading one Dockerfile."""

    ledger: PinLedger
    top: _BuildStage
    stages: list[_BuildStage] = field(default_factory=list)
    arguments: dict[str, Pin] = field(default_factory=dict)
    mentions: dict[str, set[str]] = field(default_factory=dict)
    """By name: the keywords of the instructions that use it, FROM also for `--from`."""
    derived: dict[str, set[str]] = field(default_factory=dict)
    """By name: the names whose values are made from its value."""
    allowance: int = READING_ALLOWANCE

    @property
    def here(self) -> _BuildStage:
        """The stage that is read, or the top of the file."""
        return self.stages[-1] if self.stages else self.top

    def note(self, instruction: Instruction, names: Iterable[str]) -> None:
        """Note which names an instruction uses."""
        for name in names:
            self.mentions.setdefault(name, set()).add(instruction.keyword)


def pins_of_dockerfiles(files: Iterable[tuple[bytes, str]]) -> tuple[tuple[Pin, ...], ...]:
    """Return the pins of Dockerfiles, each given as bytes and place (UsageError). Runs native code."""
    return tuple(dockerfile_pins(read_dockerfile(data, place=place)) for data, place in files)


def dockerfile_pins(instructions: tuple[Instruction, ...]) -> tuple[Pin, ...]:
    """Return every pin in the order of the file; arguments that nothing uses are marked."""
    ledger = PinLedger()
    reading = _FileReading(ledger=ledger, top=_BuildStage(state=StageState(ledger=ledger)))
    for instruction in instructions:
        _read_instruction(instruction, reading)
    found = [*ledger.pins, *_judged_arguments(reading)]
    return tuple(sorted(found, key=lambda pin: pin.line))


def _read_instruction(  # noqa: C901, PLR0912 - one branch an instruction
    instruction: Instruction, reading: _FileReading
) -> None:
    here, ledger = reading.here, reading.ledger
    if instruction.keyword == "FROM":
        reading.note(instruction, _referenced_names(instruction))
        _read_base(instruction, reading)
        return
    if instruction.keyword == SYNTAX:
        ledger.add(Pin(line=instruction.line, kind=PinKind.IMAGE, name="# syntax", value=instruction.value))
        return
    if instruction.keyword == "ARG":
        for pin in _comment_words(instruction):
            ledger.add(pin)
        for pin in _argument_pins(instruction, here, reading):
            if pin.judged:
                ledger.add(pin)
                continue
            known = reading.arguments.setdefault(pin.name, pin)
            if pin.value and not known.value:
                reading.arguments[pin.name] = pin
        return
    here.use(_referenced_names(instruction), instruction.line)
    _note_mentions(instruction, reading)
    if instruction.keyword == "ENV":
        _set_environment(instruction, here, reading)
    elif instruction.keyword == "WORKDIR":
        here.state.folder = absolute_path(
            here.state.folder, expanded(instruction.value.strip("\"'"), here.known)
        )
    elif instruction.keyword == "SHELL":
        here.state.shell_options = instruction.words[1:] if instruction.exec_form else ()
    elif instruction.keyword in ("COPY", "ADD"):
        for pin in (*_from_images(instruction, here, reading.stages), *_add_pins(instruction, here)):
            ledger.add(pin)
        for pin in _document_pins(instruction):
            ledger.add(pin)
        here.own_index = here.own_index or any(_SETTINGS.search(word) for word in instruction.words)
        here.state.brought |= {_base_name(word, here.known) for word in instruction.words[:-1]}
    elif instruction.keyword == "RUN":
        for pin in _from_images(instruction, here, reading.stages):
            ledger.add(pin)
        here.last_run = instruction.line
        mounts = [value for key, value in instruction.flags if key == "mount"]
        here.state.brought |= {
            _base_name(part.partition("=")[2], here.known)
            for mount in mounts
            for part in mount.split(",")
            if "type=bind" in mount and part.startswith(("source=", "src=", "from="))
        } | {
            "." for mount in mounts if "type=bind" in mount and "source=" not in mount and "src=" not in mount
        }
        script = _run_script(instruction, here, reading.allowance)
        reading.allowance -= script.cost
        _read_run(instruction, here, script)
    elif instruction.keyword in ("CMD", "ENTRYPOINT"):
        _read_start(instruction, here, reading)
    elif instruction.keyword == "HEALTHCHECK" and "".join(instruction.words[:1]).upper() == "CMD":
        command = instruction.value[len("CMD") :].lstrip()
        _read_start(replace(instruction, value=command, words=instruction.words[1:]), here, reading)


def _note_mentions(instruction: Instruction, reading: _FileReading) -> None:
    names = _referenced_names(instruction)
    image = {name for value in (instruction.flag("from"),) for name in references(value)}
    reading.note(Instruction(line=instruction.line, keyword="FROM", value=""), image)
    if instruction.keyword != "ENV":
        reading.note(instruction, names - image)


def _base_name(word: str, known: Mapping[str, str]) -> str:
    return expanded(word.strip("\"'"), known).rstrip("/").rpartition("/")[2] or "."


def _judged_arguments(reading: _FileReading) -> Iterator[Pin]:
    """Yield the arguments with what is known of their use."""
    stages = [reading.top, *reading.stages]
    unused = _unused_arguments(stages)
    named = {name: line for stage in reversed(reading.stages) for name, line in stage.used.items()}
    elsewhere = any(item.elsewhere for item in reading.ledger.pins)
    for name, pin in reading.arguments.items():
        family = _stages_below(name, reading.derived)
        keywords = {keyword for item in family for keyword in reading.mentions.get(item, ())}
        uses = tuple(
            item
            for item in (reading.ledger.pins if keywords and is_pin(name) else ())
            if len(reading.ledger.pins) <= _MOST_USES
            and len(item.value) <= _MOST_USES
            and pin.value
            and item.line != pin.line
            and pin.value.lstrip("v") in item.value
        )
        yield replace(
            pin,
            unused=name in unused,
            named_at=named.get(name, 0) if name in unused else 0,
            uses=uses,
            only_image=keywords == {"FROM"},
            elsewhere=elsewhere,
        )


def _stages_below(name: str, derived: Mapping[str, set[str]]) -> set[str]:
    """Return a name and every one whose value is made from it, at any distance."""
    found, waiting = {name}, [name]
    while waiting:
        for other in derived.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _referenced_names(instruction: Instruction) -> frozenset[str]:
    texts = [instruction.value, *instruction.flag_values(), *(doc.text for doc in instruction.heredocs)]
    return frozenset().union(*map(references, texts))


def _read_base(instruction: Instruction, reading: _FileReading) -> None:
    top, stages = reading.top, reading.stages
    top.use(_referenced_names(instruction), instruction.line)
    words = instruction.words
    reference = expanded(words[0], top.known) if words else ""
    name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else ""
    base = next((stage for stage in reversed(stages) if stage.name and stage.name == reference.lower()), None)
    stage = _BuildStage(
        state=base.state.heir() if base else StageState(ledger=reading.ledger),
        name=name,
        known=dict(base.known) if base else {},
        parent=base.name if base else "",
        environment=dict(base.environment) if base else {},
        own_index=base.own_index if base else False,
    )
    if base is None and reference.lower() != "scratch":
        pin = Pin(line=instruction.line, kind=PinKind.IMAGE, name="FROM", value=reference)
        pattern = re.escape(reference.lower()).replace(re.escape(UNRESOLVED), ".*")
        if UNRESOLVED in reference and any(
            re.fullmatch(pattern, other.name) for other in stages if other.name
        ):
            text = "only the build knows which stage it is"
            pin = replace(pin, judged=(unknown("decided later", text),))
        reading.ledger.add(pin)
    stages.append(stage)


def _argument_pins(instruction: Instruction, stage: _BuildStage, reading: _FileReading) -> Iterator[Pin]:
    """Declare arguments in `stage`; one without a default takes that of the top of the file."""
    top = reading.top if reading.stages else None
    words = _before_comment(instruction.words)
    stage.use(references(" ".join(words)), instruction.line)
    for word in words:
        name, equals, quoted = word.partition("=")
        if not name.replace("_", "a").isalnum():
            continue
        for other in references(quoted):
            reading.derived.setdefault(other, set()).add(name)
        value = _argument_value(quoted, stage.known)
        if not equals and top is not None and name in top.declared:
            top.use((name,), instruction.line)
            value = top.known.get(name, "")
        stage.declared.setdefault(name, instruction.line)
        shadow = stage.environment.get(name, 0)
        if (value or equals) and not shadow:
            stage.known[name] = value
        for shown, judged in off_by_variables([(name, value)] if equals else []):
            reading.ledger.add(
                Pin(line=instruction.line, kind=PinKind.COMMAND, name="ARG", value=shown, judged=(judged,))
            )
        if name not in _PREDEFINED:
            pin = Pin(line=instruction.line, kind=PinKind.ARGUMENT, name=name, value=value)
            if shadow and equals and value != stage.known.get(name):
                text = f"the ENV of line {shadow} wins: every RUN sees {stage.known.get(name, '')!a}"
                pin = replace(pin, judged=(drift("overridden", text),))
            yield pin


def _before_comment(words: Sequence[str]) -> Sequence[str]:
    return words[: next((index for index, word in enumerate(words) if word.startswith("#")), len(words))]


def _comment_words(instruction: Instruction) -> list[Pin]:
    """Return one pin for what stands behind a `#` in an ARG, where Docker declares each word of it."""
    words = instruction.words[len(_before_comment(instruction.words)) :]
    if not words:
        return []
    return [
        Pin(line=instruction.line, kind=PinKind.ARGUMENT, name="#", value=text_excerpt(" ".join(words[1:])))
    ]


def _argument_value(quoted: str, known: Mapping[str, str]) -> str:
    """Return the value of a word of ARG or ENV. Docker expands nothing between single quotes."""
    if quoted.startswith("'"):
        return bounded(_without_quotes(quoted))
    return bounded(expanded(_without_quotes(quoted), known))


def _without_quotes(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" else text


def _set_environment(instruction: Instruction, stage: _BuildStage, reading: _FileReading) -> None:
    """Take the values of an ENV. Docker expands all of them by what was known before the instruction."""
    names, values = instruction.words[::2], instruction.words[1::2]
    known = {name: _argument_value(value, stage.known) for name, value in zip(names, values, strict=True)}
    for name, value in zip(names, values, strict=True):
        others = references(value)
        for other in others - {name}:
            reading.derived.setdefault(other, set()).add(name)
        if others == {name}:
            reading.note(instruction, others)
        stage.environment[name] = instruction.line
        _note_overridden(name, known[name], instruction, stage, reading)
        if not others and is_pin(name) and known[name]:
            reading.arguments.setdefault(
                name,
                Pin(line=instruction.line, kind=PinKind.ARGUMENT, name=name, value=known[name]),
            )
    stage.known |= known
    for shown, judged in off_by_variables(known.items()):
        reading.ledger.add(
            Pin(line=instruction.line, kind=PinKind.COMMAND, name="ENV", value=shown, judged=(judged,))
        )


def _note_overridden(
    name: str, value: str, instruction: Instruction, stage: _BuildStage, reading: _FileReading
) -> None:
    """Note that an ENV hides an ARG of its stage that nothing before it could use."""
    pin = reading.arguments.get(name)
    line = stage.declared.get(name, 0)
    seen = name in stage.used or stage.last_run > line
    if pin is not None and pin.line == line and not seen and value != pin.value:
        text = f"the ENV of line {instruction.line} wins: every later RUN sees {value!a}"
        reading.arguments[name] = replace(pin, judged=(drift("overridden", text),))


def _from_images(instruction: Instruction, stage: _BuildStage, stages: list[_BuildStage]) -> Iterator[Pin]:
    """Yield the images that `--from` and `--mount=from=` name; names and numbers of stages are none."""
    mounts = [value for key, value in instruction.flags if key == "mount"]
    given = [
        part.removeprefix("from=")
        for mount in mounts
        for part in mount.split(",")
        if part.startswith("from=")
    ]
    if instruction.keyword in ("ADD", "COPY") and instruction.flag("from"):
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
            address, _, reference = value.partition("#")
            url, _, query = address.partition("?")
            given = dict(part.partition("=")[::2] for part in query.split("&"))
            named = next((given[key] for key in _GIT_QUERY if given.get(key)), "")
            ref = reference.partition(":")[0] or named
            yield Pin(line=instruction.line, kind=PinKind.GIT, name=url, value=ref, checked=checked)
        elif "://" in value:
            yield Pin(line=instruction.line, kind=PinKind.DOWNLOAD, name="ADD", value=value, checked=checked)


def _document_pins(instruction: Instruction) -> Iterator[Pin]:
    """Yield what the files that a COPY or ADD writes itself switch off."""
    for document in instruction.heredocs:
        target = "".join(instruction.words[-1:])
        for found in (unsigned_judgement(document.text), off_by_text(document.text, target)):
            if found is not None:
                yield Pin(
                    line=instruction.line,
                    kind=PinKind.PACKAGES if found.what == "unsigned archive" else PinKind.COMMAND,
                    name=instruction.keyword,
                    value=text_excerpt(target),
                    judged=(found,),
                )


def _read_start(instruction: Instruction, stage: _BuildStage, reading: _FileReading) -> None:
    """Note what a container fetches and installs when it starts.

    A program that is not known gets no row there: it is what the container is made for.
    """
    if instruction.exec_form and instruction.keyword == "ENTRYPOINT":
        stage.entrypoint = instruction.words
    elif instruction.keyword == "CMD" and instruction.exec_form and stage.entrypoint[-1:] == ("-c",):
        # Docker puts the words of CMD behind those of ENTRYPOINT: here they are a shell's text.
        instruction = replace(instruction, words=(*stage.entrypoint, *instruction.words))
    known = {name: stage.known[name] for name in stage.environment if name in stage.known}  # no ARG any more
    own = StageState(
        ledger=PinLedger(), folder=stage.state.folder, shell_options=stage.state.shell_options, brought={"."}
    )
    started = replace(stage, state=own, known=known)
    script = _run_script(instruction, started, reading.allowance)
    reading.allowance -= script.cost
    _read_run(instruction, started, script, strange_too=False)
    for pin in own.ledger.pins:
        judged = tuple(
            Judgement(item.status, _AT_START.get(item.what, item.what), item.text) for item in pin.judged
        )
        name = instruction.keyword if pin.name == "RUN" else pin.name
        stage.state.ledger.add(replace(pin, name=name, judged=judged, note=_STARTED))


def _read_run(
    instruction: Instruction, stage: _BuildStage, script: ShellScript, *, strange_too: bool = True
) -> None:
    """Note what the commands of a RUN fetch and install, and what was not understood of it."""
    texts = (instruction.value, *(document.text for document in instruction.heredocs))
    mounts = [value for key, value in instruction.flags if key == "mount"]
    own = any(_OWN_INDEX.search(text) for text in texts) or any(map(_MOUNTED.search, mounts))
    written = any(_WRITTEN.search(text) or _CONFIGURED.search(text) for text in texts)
    stage.own_index = stage.own_index or written
    elsewhere = own or stage.own_index or any(stage.known.get(name) for name in _INDEXES)
    read_commands(
        script,
        instruction.line,
        stage.state,
        stage.known,
        elsewhere=elsewhere,
        strange_too=strange_too,
    )
    by_reason: dict[str, list[Unread]] = {}
    for unread in script.unread:
        by_reason.setdefault(unread.reason, []).append(unread)
    for reason, pieces in by_reason.items():
        size = sum(len(piece.text) for piece in pieces)
        stage.state.ledger.add(
            Pin(
                line=instruction.line,
                kind=PinKind.SHELL,
                name="RUN",
                value=text_excerpt(pieces[0].text),
                reason=f"{size} characters, {reason}",
            )
        )


def _run_script(instruction: Instruction, stage: _BuildStage, allowance: int) -> ShellScript:
    """Read what a RUN gives to a shell."""
    known, options = stage.known, stage.state.shell_options
    if instruction.exec_form:
        return read_words(instruction.words, known, allowance=allowance)
    if not instruction.heredocs:
        return read_script(instruction.value, known, allowance=allowance, options=options)
    if len(instruction.heredocs) == 1 and _ONLY_HEREDOC.fullmatch(instruction.value):
        # The heredoc is the script itself, or a program of its own if it begins with `#!`.
        text = instruction.heredocs[0].text
        named = _SHEBANG.match(text)
        program = named and (named[2] if named[1].endswith("/env") and named[2] else named[1])
        if program and not _SHELL.fullmatch(program):
            reason = f"it is a program for {text_excerpt(program.rpartition('/')[2])}"
            return ShellScript(unread=(Unread(text=text, reason=reason),))
        if named:
            options = tuple(text.partition("\n")[0].split()[1:])
        return read_script(text, known, allowance=allowance, options=options)
    documents = "".join(f"{document.text}{document.name}\n" for document in instruction.heredocs)
    return read_script(f"{instruction.value}\n{documents}", known, allowance=allowance, options=options)


def _unused_arguments(stages: list[_BuildStage]) -> frozenset[str]:
    """Return the arguments that no stage uses in which they are declared, nor one built on such a stage.

    A stage with a RUN behind the ARG counts as a use: an ARG is in the environment of every later RUN.
    """
    unused = {name for stage in stages for name in stage.declared}
    for stage in stages:
        heirs = {stage.name} if stage.name else set()
        used = {name for name, line in stage.declared.items() if stage.last_run > line} | set(stage.used)
        for other in stages:
            if other.parent and other.parent in heirs:
                heirs |= {other.name} - {""}
                used |= set(other.used) | (set(stage.declared) if other.last_run else set())
        unused -= used & set(stage.declared)
    return frozenset(unused)
