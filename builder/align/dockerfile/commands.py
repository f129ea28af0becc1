"""Pins in the commands of a RUN: each command goes to its program's reader, or is not understood. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from builder.align import Status
from builder.align.dockerfile.arguments import value_options
from builder.align.dockerfile.downloads import DOWNLOADERS, note_checks, note_files, read_download
from builder.align.dockerfile.git_commands import note_clone_use, read_git
from builder.align.dockerfile.go_commands import with_go_flags
from builder.align.dockerfile.local_programs import is_local_program
from builder.align.dockerfile.os_packages import PACKAGERS, read_packages, read_rpm
from builder.align.dockerfile.other_tools import TOOLS, tool_pins
from builder.align.dockerfile.pin import Pin, PinKind, drift, text_excerpt, unknown
from builder.align.dockerfile.python_packages import PYTHON, Settings, python_pins
from builder.align.dockerfile.shell import ShellCommand, ShellScript
from builder.align.dockerfile.stage_state import StageState
from builder.align.dockerfile.variables import UNRESOLVED
from builder.align.dockerfile.verification import off_by_text, off_by_variables, unsigned_judgement

__all__ = ["read_commands"]

_BUILDERS = frozenset(("cmake", "make", "meson", "ninja"))
_DOWNLOADS_IN_PYTHON = re.compile(
    r"snapshot_download|hf_hub_download|from_pretrained|urlretrieve|urlopen|requests\.get|httpx\.get|nltk\.download"
    r"|torch\.hub|load_dataset|wget\.download|gdown|download_cubin|download_artifacts|download_model"
)
_LOCAL_MODULES = frozenset(
    ("compileall", "ensurepip", "py_compile", "site", "venv", "virtualenv", "zipfile", "json.tool")
)
_SHOWN_COMMANDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunContext:
    """What holds for all commands of one RUN."""

    line: int
    state: StageState
    settings: Settings
    functions: frozenset[str]


def read_commands(
    script: ShellScript,
    line: int,
    state: StageState,
    known: Mapping[str, str],
    *,
    elsewhere: bool = False,
    strange_too: bool = True,
) -> None:
    """Note the pins of the commands of one RUN in the ledger of its stage.

    `elsewhere`: a variable or pip's settings name another index for all of them. `strange_too`: programs that
    are not known get a pin.
    """
    state.begin_run()
    values = {**known, **script.values}
    context = _RunContext(
        line=line,
        state=state,
        settings=Settings(values=values, elsewhere=elsewhere),
        functions=script.functions,
    )
    strange: list[ShellCommand] = []
    for index, command in enumerate(script.commands):
        if command.program in ("cd", "pushd", "chdir"):
            state.change_folder(command.scope, command.words[1:])
            continue
        checks = note_checks(script.commands, index, state)
        if not _read_command(command, context) and not checks:
            strange.append(command)
            note_clone_use(command, state)
        if command.program not in DOWNLOADERS:
            note_files(command, state)
        _note_settings(command, context)
    changed = [(name, value) for name, value in script.values.items() if known.get(name) != value]
    for shown, judged in off_by_variables(changed):
        state.ledger.add(Pin(line=line, kind=PinKind.COMMAND, name="RUN", value=shown, judged=(judged,)))
    if strange and strange_too:
        state.ledger.add(_strange_pin(strange, line))
    for command in strange:
        if command.forgiven and (command.program in _BUILDERS or command.program.endswith(".sh")):
            shown = " ".join(command.words[:3])
            state.ledger.add(
                Pin(line=line, kind=PinKind.COMMAND, name=command.program, value=shown, forgiven=True)
            )


def _read_command(command: ShellCommand, context: _RunContext) -> bool:  # noqa: C901, PLR0911, PLR0912 - one branch a reader
    """Read one command; False if what it does is not known."""
    program, line, state = command.program, context.line, context.state
    if program in DOWNLOADERS:
        read_download(command, line, state)
        return True
    if program == "git":
        return read_git(command, line, state)
    if program in PACKAGERS:
        return read_packages(command, line, state)
    if program in ("rpm", "dpkg"):
        return read_rpm(command, line, state)
    inner = _inner_command(command)
    if inner is not None:
        words = [*command.words[: len(command.words) - len(inner.words)], *inner.words]
        own = python_pins(words, line, context.settings, forgiven=command.forgiven)
        if own is None and program in ("hatch", "pixi"):
            found = tool_pins(words[: len(words) - len(inner.words)], line, forgiven=command.forgiven)
            own = tuple(_with_lock(pin, state) for pin in found or ())
        for pin in own or ():
            state.ledger.add(pin)
        return _read_command(inner, context)
    settings = context.settings
    if command.assignments:
        given = dict(command.assignments)
        named = any(name in _INDEX_VARIABLES and value for name, value in given.items())
        settings = replace(
            settings, values={**settings.values, **given}, elsewhere=settings.elsewhere or named
        )
    pins = python_pins(command.words, line, settings, forgiven=command.forgiven)
    if pins is None and program in TOOLS:
        flagged = with_go_flags(command.words, settings.values.get("GOFLAGS", ""))
        pins = tool_pins(flagged, line, forgiven=command.forgiven)
        pins = None if pins is None else tuple(_with_lock(pin, state) for pin in pins)
    if pins is None and PYTHON.fullmatch(program):
        # The program of a heredoc is shown by its characters.
        pins = () if _has_document(command) else _module_pins(command, line)
    if pins is not None:
        for pin in pins:
            state.ledger.add(pin)
        return True
    if program in context.functions or UNRESOLVED in program:
        return program in context.functions
    if program in ("sh", "bash", "dash", "ash", "zsh", "ksh", "su", "runuser") and _runs_text(command):
        return True
    return is_local_program(command.words)


_LOCK_FILES = {
    "bun": ("bun.lock", "bun.lockb"),
    "bundle": ("Gemfile.lock",),
    "cargo": ("Cargo.lock",),
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "pdm": ("pdm.lock",),
    "pixi": ("pixi.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "poetry": ("poetry.lock",),
    "yarn": ("yarn.lock",),
}
"""The lock files of resolvers, which decide if they are at hand."""


def _with_lock(pin: Pin, state: StageState) -> Pin:
    """Return a resolver's pin, as one that moves if the file brings no lock file of it."""
    names = _LOCK_FILES.get(pin.name, ())
    if pin.kind is not PinKind.RESOLVER or not names or state.may_have(*names):
        return pin
    if any(item.status is Status.UNKNOWN for item in pin.judged):
        text = f"no line brings {' or '.join(names)}: it chooses the versions of its day"
        return replace(pin, judged=(drift("resolves while building", text),))
    return pin


_INDEX_VARIABLES = frozenset(
    ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL")
) | {"UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL", "UV_TORCH_BACKEND", "PIP_CONFIG_FILE", "UV_CONFIG_FILE"}


def _has_document(command: ShellCommand) -> bool:
    return any(operator in ("<<", "<<-", "<<<") for operator, _ in command.redirects)


def _runs_text(command: ShellCommand) -> bool:
    """Whether a shell runs a text that stands in the file and is read on its own, or what a pipe brings."""
    words = command.words[1:]
    given = [word for word in words if not word.startswith(("-", "+"))]
    texts = _has_document(command)
    inline = any(word.startswith("-") and not word.startswith("--") and "c" in word for word in words)
    return inline or texts or not given or "-s" in words


def _inner_command(command: ShellCommand) -> ShellCommand | None:
    """Return the command that `uv run` and its like start, or None."""
    words = list(command.words)
    starts = {
        ("uv", "run"),
        ("poetry", "run"),
        ("pdm", "run"),
        ("pipenv", "run"),
        ("conda", "run"),
        ("mamba", "run"),
        ("micromamba", "run"),
        ("rye", "run"),
        ("hatch", "run"),
        ("pixi", "run"),
        ("bundle", "exec"),
    }
    if (command.program, *words[1:2]) not in starts:
        return None
    valued = (
        value_options("uv run") if command.program == "uv" else frozenset(("-n", "-p", "--name", "--prefix"))
    )
    position = 2
    while position < len(words) and words[position].startswith("-"):
        if words[position] in ("-m", "--module") and command.program == "uv":
            break
        position += 2 if words[position] in valued else 1
    rest = words[position:]
    if rest[:1] and rest[0] in ("-m", "--module"):
        rest = ["python", "-m", *rest[1:]]
    return replace(command, words=tuple(rest)) if rest else None


def _module_pins(  # noqa: C901, PLR0911 - one return a kind of module
    command: ShellCommand, line: int
) -> tuple[Pin, ...] | None:
    """Return the pins of `python -m NAME` and of `python -c TEXT`; None if what it does is not known."""
    words = list(command.words[1:])
    while words and words[0].startswith("-") and words[0] not in ("-m", "-c"):
        words.pop(0)
    if words in ([], ["-"]) and command.words[1:] in ((), ("-",)):
        return ()  # what a pipe brings is judged where it comes from
    if not words:
        return () if len(command.words) > 1 and command.words[1] in ("-V", "--version") else None
    if words[0] == "-m" and len(words) > 1:
        module = words[1]
        if module in _LOCAL_MODULES and not {"--upgrade-deps", "--download"} & set(words[2:]):
            return ()
        if module in _LOCAL_MODULES:
            judged = drift("resolves while building", "the environment gets the newest pip of the index")
            return (
                Pin(
                    line=line,
                    kind=PinKind.RESOLVER,
                    name=f"python -m {module}",
                    value=" ".join(words[2:]),
                    judged=(judged,),
                ),
            )
        if module in TOOLS:
            return tool_pins(words[1:], line, forgiven=command.forgiven)
        if module == "build":
            judged = unknown("not read", "what its build system requires is chosen while the image is built")
            return (
                Pin(
                    line=line,
                    kind=PinKind.FILE,
                    name="python -m build",
                    value=" ".join(words[2:]),
                    judged=(judged,),
                ),
            )
        if (
            "download" in module
            or "download" in words[2:3]
            or (module == "playwright" and "install" in words)
        ):
            return (_hidden_download(" ".join(words[1:]), line, forgiven=command.forgiven),)
        return None
    text = words[1] if words[0] == "-c" and len(words) > 1 else ""
    if text and _DOWNLOADS_IN_PYTHON.search(text):
        if re.search(r"revision\s*=\s*['\"][0-9a-f]{40}['\"]", text):
            return ()
        return (_hidden_download(text, line, forgiven=command.forgiven),)
    if words[0].endswith("setup.py") and {"develop", "install"} & set(words[1:]):
        judged = drift(
            "resolves while building", "setup.py installs what it requires in the newest versions that fit"
        )
        return (
            Pin(
                line=line, kind=PinKind.RESOLVER, name="setup.py", value=" ".join(words[1:]), judged=(judged,)
            ),
        )
    return None


def _hidden_download(text: str, line: int, *, forgiven: bool) -> Pin:
    judged = drift(
        "unpinned download", "it downloads while the image is built, and nothing here names the bytes"
    )
    return Pin(
        line=line,
        kind=PinKind.DOWNLOAD,
        name="python",
        value=text_excerpt(text),
        judged=(judged,),
        forgiven=forgiven,
    )


def _note_settings(command: ShellCommand, context: _RunContext) -> None:
    """Note settings that a command writes and that switch checks off for later ones."""
    text = " ".join(command.words[1:])
    written = [target for operator, target in command.redirects if operator in (">", ">>")]
    piped = command.into == "tee"
    documents = [target for operator, target in command.redirects if operator in ("<<", "<<-", "<<<")]
    found = None
    if command.program in ("cat", "echo", "printf", "sed", "tee") and (
        written or piped or documents or command.program == "sed"
    ):
        found = next((off for item in (text, *documents) if (off := unsigned_judgement(item))), None)
        places = [*written, *(command.words[1:] if command.program in ("sed", "tee") else ())]
        found = found or next(
            (off for item in (text, *documents) for path in places if (off := off_by_text(item, path))), None
        )
    if found:
        context.state.ledger.add(
            Pin(
                line=context.line,
                kind=PinKind.PACKAGES if found.what == "unsigned archive" else PinKind.COMMAND,
                name=command.program,
                value=text_excerpt(text),
                judged=(found,),
            )
        )
    own = [item for item in command.assignments if command.program != "git" or item[0] != "GIT_SSL_NO_VERIFY"]
    for shown, judged in off_by_variables(own):
        context.state.ledger.add(
            Pin(line=context.line, kind=PinKind.COMMAND, name=command.program, value=shown, judged=(judged,))
        )
    if command.words[1:4] in (("config", "set", "strict-ssl"), ("config", "set", "strict-ssl=false")) or (
        command.program == "conda" and command.words[1:4] == ("config", "--set", "ssl_verify")
    ):
        judged = drift("verification off", "no certificate is checked by any later command")
        context.state.ledger.add(
            Pin(line=context.line, kind=PinKind.COMMAND, name=command.program, value=text, judged=(judged,))
        )


def _strange_pin(commands: Sequence[ShellCommand], line: int) -> Pin:
    """Return the pin that shows what was not understood of a RUN."""
    shown = [text_excerpt(" ".join(command.words[:3])) for command in commands[:_SHOWN_COMMANDS]]
    more = len(commands) - len(shown)
    names = ", ".join(shown) + (f" and {more} more" if more else "")
    count = f"{len(commands)} command{'s' if len(commands) > 1 else ''}"
    return Pin(
        line=line,
        kind=PinKind.SHELL,
        name="RUN",
        value=names,
        reason=f"{count} of programs or scripts that are not read here",
    )
