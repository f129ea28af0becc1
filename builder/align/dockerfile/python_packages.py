"""What pip, uv and their relatives install, and what they choose while the image is built. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import InvalidRequirement, Requirement

from builder.align.dockerfile.arguments import Arguments, tool_arguments
from builder.align.dockerfile.pin import Judgement, Pin, PinKind, drift, unknown
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["PIP_INDEX_OPTIONS", "PYTHON", "REPLACING_OPTIONS", "Settings", "pip_pins", "python_pins"]

PYTHON = re.compile(r"(python|pypy)[0-9.]*")
_PIP = re.compile(r"pip[0-9.]*")
_PIP_TOOLS = ("pip install", "pip download", "pip wheel", "pip lock")
_FORMER_PIP_OPTIONS = (
    "--build",
    "--build-option",
    "--global-option",
    "--install-option",
    "--process-dependency-links",
)
"""Options of older pips that took a value."""
PIP_INDEX_OPTIONS = (
    "-f",
    "-i",
    "--default-index",
    "--extra-index-url",
    "--find-links",
    "--index",
    "--index-url",
)
REPLACING_OPTIONS = ("-i", "--default-index", "--index-url", "--pypi-url")
_REPLACING_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_OTHER_INDEX = (*PIP_INDEX_OPTIONS, "--pypi-url", "--torch-backend")
_REQUIREMENT_OPTIONS = (
    "-r",
    "--requirement",
    "--requirements",
    "--requirements-from-script",
    "--with-requirements",
)
_CONSTRAINT_OPTIONS = ("-c", "--constraint", "--constraints", "--override", "--overrides")
_NAMED_PLACE = re.compile(r"[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*((?:git|hg|svn|bzr)\+.+|[a-z]+:.+)", re.DOTALL)
"""A direct reference of PEP 508, such as `name @ https://…`."""
_ARCHIVE = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".egg")
_TRUSTED = ("--allow-insecure-host", "--trusted-host")
_FOLDER_TEXT = "what its metadata requires is chosen while the image is built, and is not read"
_LOCKED_OPTIONS = ("--frozen", "--locked", "--check", "--check-exists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment of a command says to pip and uv."""

    values: Mapping[str, str]
    elsewhere: bool = False
    """Whether a variable or a settings file names another index."""

    def on(self, *names: str) -> bool:
        """Whether one of some switches is set."""
        return any(self.values.get(name, "").lower() not in ("", "0", "false", "no", "off") for name in names)


def python_pins(
    words: Sequence[str], line: int, settings: Settings, *, forgiven: bool = False
) -> tuple[Pin, ...] | None:
    """Return the pins of a command of pip, uv or pipx; None for another one, or a verb that is not known."""
    given = list(words)
    if PYTHON.fullmatch(given[0].rpartition("/")[2]) and given[1:2] == ["-m"] and len(given) > 2:
        given = given[2:]
    program = given[0].rpartition("/")[2]
    rest = given[1:]
    if program == "uv":
        return _uv_pins(rest, line, settings, forgiven=forgiven)
    if program in ("uvx", "pipx"):
        return _runner_pins(program, rest, line, forgiven=forgiven)
    if not _PIP.fullmatch(program):
        return None
    while rest and rest[0].startswith("-"):
        valued = tool_arguments(rest[:1], *_PIP_TOOLS).options
        rest = rest[2:] if valued and "=" not in rest[0] and _takes_value(rest[0]) else rest[1:]
    if rest[:1] and rest[0] in ("install", "download", "wheel", "lock"):
        return tuple(pip_pins(rest[1:], line, settings, tools=_PIP_TOOLS, forgiven=forgiven))
    if rest[:1] and rest[0] in (
        "cache",
        "check",
        "config",
        "debug",
        "freeze",
        "hash",
        "help",
        "inspect",
        "list",
        "show",
        "uninstall",
    ):
        return _config_pins(rest, line)
    return () if not rest else None


def _takes_value(word: str) -> bool:
    return tool_arguments((word, "x"), *_PIP_TOOLS).value(word) == "x"


def _config_pins(rest: Sequence[str], line: int) -> tuple[Pin, ...]:
    if rest[0] == "config" and "set" in rest and any(word.endswith("trusted-host") for word in rest):
        judged = drift("verification off", "trusted-host: no certificate of it is checked by any later pip")
        return (
            Pin(
                line=line, kind=PinKind.COMMAND, name="pip config", value=" ".join(rest[1:]), judged=(judged,)
            ),
        )
    return ()


def pip_pins(
    words: Sequence[str],
    line: int,
    settings: Settings,
    *,
    tools: Sequence[str] = _PIP_TOOLS,
    forgiven: bool = False,
) -> Iterator[Pin]:
    """Yield the requirements among the arguments of `pip install`, files of them, and folders."""
    given = tool_arguments(words, *tools, also_valued=_FORMER_PIP_OPTIONS)
    hashed = (
        given.has("--require-hashes") or settings.on("PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES")
    ) and not given.has("--no-require-hashes")
    besides = _switched_off(given, settings)
    binders = _binding_files(given, settings)
    elsewhere = given.has(*_OTHER_INDEX) or settings.elsewhere
    replaced = given.has(*REPLACING_OPTIONS) or any(map(settings.values.get, _REPLACING_VARIABLES))
    groups = given.values("--group")
    note = f"what the group {', '.join(groups)} of pyproject.toml requires is not read" if groups else ""
    found: list[Pin] = []
    for path in given.values(*_REQUIREMENT_OPTIONS):
        kind = PinKind.DOWNLOAD if "://" in path else PinKind.FILE
        if path:
            found.append(Pin(line=line, kind=kind, name="-r", value=path, checked=hashed))
    editables = given.values("-e", "--editable")
    for word in (*given.operands, *editables):
        pin = _requirement_pin(word, line, in_place=word in editables)
        if pin is None:
            continue
        if pin.kind is PinKind.FILE and _installs_alone(given, word):
            continue
        found.append(
            replace(pin, checked=pin.checked or (hashed and pin.kind is not PinKind.FILE), note=note)
        )
    if given.unknown:
        text = f"the installed tool does not list the option {given.unknown[0]}"
        judged = (unknown("not understood", text),)
        found += [
            Pin(line=line, kind=PinKind.REQUIREMENT, name="pip", value=word, judged=judged)
            for word in given.doubtful
        ]
    if groups and not found:
        found.append(
            Pin(
                line=line,
                kind=PinKind.FILE,
                name="--group",
                value=" ".join(groups),
                judged=(unknown("not read", note),),
            )
        )
    for index, pin in enumerate(found):
        yield replace(
            pin,
            forgiven=forgiven,
            elsewhere=elsewhere,
            replaced=replaced,
            binders=binders if pin.kind is PinKind.REQUIREMENT else (),
            besides=besides if index == 0 else (),
        )


def _installs_alone(given: Arguments, word: str) -> bool:
    """Whether a folder or wheel is installed without anything else."""
    return given.has("--no-deps", "--no-dependencies") and (
        given.has("--no-build-isolation") or word.endswith(".whl")
    )


def _switched_off(given: Arguments, settings: Settings) -> tuple[Judgement, ...]:
    hosts = given.values(*_TRUSTED)
    if not hosts and settings.values.get("PIP_TRUSTED_HOST"):
        hosts = (settings.values["PIP_TRUSTED_HOST"],)
    if not hosts and settings.values.get("UV_INSECURE_HOST"):
        hosts = (settings.values["UV_INSECURE_HOST"],)
    return (drift("verification off", f"no certificate of {', '.join(hosts)} is checked"),) if hosts else ()


def _binding_files(given: Arguments, settings: Settings) -> tuple[str, ...]:
    named = list(given.values(*_CONSTRAINT_OPTIONS))
    named += [
        settings.values[name]
        for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE")
        if settings.values.get(name)
    ]
    if given.has("--no-index") or settings.on("PIP_NO_INDEX", "UV_NO_INDEX"):
        named += list(given.values("-f", "--find-links")) or ["the local index"]
    return tuple(named)


def _requirement_pin(word: str, line: int, *, in_place: bool = False) -> Pin | None:
    """Return the pin of one requirement; that of a folder or an archive at hand is a FILE."""
    named = _NAMED_PLACE.fullmatch(word)
    place = named[1] if named else word
    if place.startswith(("git+", "hg+", "svn+", "bzr+")):
        address = place.partition("#")[0].partition(" ;")[0]
        url, at, ref = address.rpartition("@")
        if not at or ("/" in ref and ref.endswith(".git")) or "://" in ref or ref.endswith(".git"):
            url, ref = address, ""
        elif url.rpartition("://")[2].count("/") == 0:
            url, ref = address, ""  # git+ssh://git@host/path: the @ belongs to the user
        return Pin(line=line, kind=PinKind.GIT, name=url, value=ref)
    if "://" in place and not place.startswith("file:"):
        checked = bool(re.search(r"#(.*&)?sha(256|384|512)=[0-9a-f]{64,}", place))
        return Pin(line=line, kind=PinKind.DOWNLOAD, name="pip", value=place, checked=checked)
    if not word:
        return None
    if in_place or _is_folder(word):
        name = "-e" if in_place else "pip"
        judged = (unknown("not read", _FOLDER_TEXT),)
        return Pin(line=line, kind=PinKind.FILE, name=name, value=word, judged=judged)
    if UNRESOLVED in word or re.search(r"%\w+%", word):
        word = re.sub(r"%\w+%", UNRESOLVED, word)
    return Pin(line=line, kind=PinKind.REQUIREMENT, name="pip", value=word)


def _is_folder(word: str) -> bool:
    """Whether pip takes a word for a path: it begins with a dot, names an archive, or has a slash."""
    bare = word.partition("[")[0] if word.endswith("]") else word
    if word.startswith((".", "/", "~", "file:")) or bare.endswith(_ARCHIVE):
        return True
    if "/" not in word or "@" in word:
        return False
    try:
        Requirement(word)
    except InvalidRequirement:
        return True
    return False


def _uv_pins(  # noqa: C901, PLR0911 - one return a verb
    rest: Sequence[str], line: int, settings: Settings, *, forgiven: bool
) -> tuple[Pin, ...] | None:
    words = list(rest)
    while words and words[0].startswith("-"):
        first = words.pop(0)
        if words and "=" not in first and tool_arguments((first, "x"), "uv sync").value(first) == "x":
            words.pop(0)
    verb, *after = words or ["help"]
    if verb == "pip":
        sub, *after = after or ["help"]
        if sub in ("install", "sync"):
            return tuple(_uv_pip_pins(sub, after, line, settings, forgiven=forgiven))
        if sub == "compile":
            return (
                _resolver_pin("uv pip compile", after, line, "it writes the versions of its day", forgiven),
            )
        return () if sub in ("check", "freeze", "list", "show", "tree", "uninstall", "help") else None
    if verb == "tool":
        sub, *after = after or ["help"]
        if sub == "run":
            return _runner_pins("uvx", after, line, forgiven=forgiven)
        if sub == "install":
            return tuple(pip_pins(after, line, settings, tools=("uv tool install",), forgiven=forgiven))
        if sub == "upgrade":
            return (_resolver_pin("uv tool upgrade", after, line, "it takes the newest versions", forgiven),)
        return () if sub in ("dir", "list", "uninstall", "update-shell", "help") else None
    if verb == "python":
        return _uv_python_pins(after, line, forgiven=forgiven)
    if verb == "venv":
        return _uv_venv_pins(after, line, settings, forgiven=forgiven)
    return _uv_project_pins(verb, after, line, settings, forgiven=forgiven)


def _uv_pip_pins(
    sub: str, after: Sequence[str], line: int, settings: Settings, *, forgiven: bool
) -> Iterator[Pin]:
    if sub == "install":
        yield from pip_pins(after, line, settings, tools=("uv pip install",), forgiven=forgiven)
        return
    given = tool_arguments(after, "uv pip sync")
    hashed = given.has("--require-hashes") or settings.on("UV_REQUIRE_HASHES")
    for path in given.operands:
        yield Pin(
            line=line, kind=PinKind.FILE, name="uv pip sync", value=path, checked=hashed, forgiven=forgiven
        )


def _uv_project_pins(  # noqa: PLR0911 - one return a verb
    verb: str, after: Sequence[str], line: int, settings: Settings, *, forgiven: bool
) -> tuple[Pin, ...] | None:
    given = tool_arguments(after, f"uv {verb}")
    locked = given.has(*_LOCKED_OPTIONS) or settings.on("UV_LOCKED", "UV_FROZEN")
    if verb in ("sync", "lock", "export"):
        if locked and not given.has("-U", "--upgrade", "-P", "--upgrade-package"):
            return ()
        text = "without `--locked` or `--frozen` it writes a new uv.lock if that does not fit"
        if verb == "lock" or given.has("-U", "--upgrade", "-P", "--upgrade-package"):
            text = "it chooses the versions of its day"
        return (_resolver_pin(f"uv {verb}", after, line, text, forgiven),)
    if verb == "run":
        extra = tuple(
            pin
            for text in given.values("--with", "-w")
            for word in text.split(",")
            if (pin := _requirement_pin(word, line)) is not None
        )
        if locked or given.has("--no-sync", "--no-project") or settings.on("UV_NO_SYNC"):
            return extra
        text = "without `--locked`, `--frozen` or `--no-sync` it chooses and installs what uv.lock lacks"
        return (*extra, _resolver_pin("uv run", given.operands[:1], line, text, forgiven))
    if verb == "add":
        pins = tuple(pip_pins(after, line, settings, tools=("uv add",), forgiven=forgiven))
        return (
            *pins,
            _resolver_pin("uv add", given.operands, line, "it chooses the versions of its day", forgiven),
        )
    if verb == "self":
        return (
            (_resolver_pin("uv self", after, line, "it takes the newest uv", forgiven),)
            if "update" in after
            else ()
        )
    if verb == "build":
        judged = unknown("not read", "what its build system requires is chosen while the image is built")
        return (
            Pin(
                line=line,
                kind=PinKind.FILE,
                name="uv build",
                value=" ".join(given.operands) or ".",
                judged=(judged,),
            ),
        )
    return (
        ()
        if verb
        in ("cache", "help", "version", "tree", "remove", "format", "generate-shell-completion", "init")
        else None
    )


def _uv_venv_pins(after: Sequence[str], line: int, settings: Settings, *, forgiven: bool) -> tuple[Pin, ...]:
    given = tool_arguments(after, "uv venv")
    if given.has("--seed") or settings.on("UV_VENV_SEED"):
        return (
            _resolver_pin(
                "uv venv", ("--seed",), line, "the environment gets the newest pip of the index", forgiven
            ),
        )
    asked = given.value("-p", "--python")
    never = given.has("--no-python-downloads") or settings.values.get("UV_PYTHON_DOWNLOADS") in ("never", "0")
    if not asked or "/" in asked or never or settings.on("UV_NO_MANAGED_PYTHON") or not asked[:1].isdigit():
        return ()
    judged = unknown("not read", f"uv downloads a Python {asked} unless the image has one")
    return (
        Pin(
            line=line,
            kind=PinKind.PACKAGES,
            name="uv venv",
            value=f"--python {asked}",
            judged=(judged,),
            forgiven=forgiven,
        ),
    )


def _uv_python_pins(after: Sequence[str], line: int, *, forgiven: bool) -> tuple[Pin, ...] | None:
    sub, *words = after or ["help"]
    if sub not in ("install", "upgrade"):
        return () if sub in ("dir", "find", "list", "pin", "uninstall", "help", "update-shell") else None
    given = tool_arguments(words, "uv python install")
    loose = [word for word in given.operands if not re.search(r"\d+\.\d+\.\d+", word)]
    if sub == "install" and given.operands and not loose:
        judged = unknown("not asked", "an exact Python; uv itself knows its checksum, which is not asked")
    else:
        named = " ".join(loose) or "the newest"
        judged = drift(
            "unpinned packages", f"{named}: the build takes the newest patch release that uv knows"
        )
    return (
        Pin(
            line=line,
            kind=PinKind.PACKAGES,
            name="uv python",
            value=" ".join((sub, *given.operands)),
            judged=(judged,),
            forgiven=forgiven,
        ),
    )


def _resolver_pin(name: str, words: Sequence[str], line: int, text: str, forgiven: bool) -> Pin:  # noqa: FBT001
    return Pin(
        line=line,
        kind=PinKind.RESOLVER,
        name=name,
        value=" ".join(words),
        judged=(drift("resolves while building", text),),
        forgiven=forgiven,
    )


def _runner_pins(program: str, rest: Sequence[str], line: int, *, forgiven: bool) -> tuple[Pin, ...] | None:
    words = list(rest)
    if program == "pipx":
        verb, *words = words or ["help"]
        if verb in ("install", "inject"):
            given = tool_arguments(
                words, "pip install", also_valued=("--python", "--spec", "--suffix", "--pip-args")
            )
            operands = given.operands[1:] if verb == "inject" else given.operands
            return tuple(
                replace(pin, forgiven=forgiven)
                for word in given.values("--spec") or operands
                if (pin := _requirement_pin(word, line)) is not None
            )
        if verb in ("upgrade", "upgrade-all", "reinstall-all"):
            return (_resolver_pin(f"pipx {verb}", words, line, "it takes the newest versions", forgiven),)
        if verb != "run":
            return () if verb in ("ensurepath", "list", "uninstall", "environment", "help") else None
    given = tool_arguments(words, "uv tool run", also_valued=("--spec", "--pip-args"))
    name = given.value("--from", "--spec") or next(iter(given.operands), "")
    if name and not name.startswith("git+"):
        name = re.sub(r"^([A-Za-z0-9._-]+)@(?!latest$)", r"\1==", name).removesuffix("@latest")
    names = [name, *(word for text in given.values("-w", "--with") for word in text.split(","))]
    found = (_requirement_pin(word, line) for word in names if word and not word.startswith("--"))
    return tuple(replace(pin, forgiven=forgiven) for pin in found if pin is not None)
