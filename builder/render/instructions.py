"""Dockerfile instructions as values. Each knows its own quoting, and none can be made to hold another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from builder.errors import LockError
from builder.render import quoting as spelling
from builder.render.quoting import Command, delimiter, script, shown

__all__ = [
    "Add",
    "Arg",
    "Cmd",
    "Comment",
    "Copy",
    "Entrypoint",
    "Env",
    "File",
    "From",
    "Instruction",
    "Label",
    "Mount",
    "Run",
    "Unpack",
    "User",
    "Workdir",
]

SCRATCH = "scratch"
_ARGUMENTS = ("SOURCE_DATE_EPOCH",)
_BY_PLATFORM = "${TARGETARCH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Lines that BuildKit does not read; an empty one separates paragraphs."""

    lines: tuple[str, ...]

    def text(self) -> str:
        """Return the instruction's text, without a line feed at its end."""
        return "\n".join(f"# {spelling.line(text)}" if text else "#" for text in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """The beginning of a stage: from `scratch`, an image by digest, or an earlier stage."""

    base: str
    stage: str
    by_platform: bool = False
    """Whether the platform that is built completes the name of the base, as in `runtime-amd64`."""

    def text(self) -> str:
        """Return the instruction's text."""
        if self.by_platform:
            base = f"{spelling.stage_name(self.base)}-{_BY_PLATFORM}"
        elif "@" in self.base:
            base = spelling.image_reference(self.base)
        else:
            base = spelling.stage_name(self.base)
        return f"FROM {base} AS {spelling.stage_name(self.stage)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg:
    """A build argument, declared without a value."""

    name: str

    def text(self) -> str:
        """Return the instruction's text."""
        if self.name not in _ARGUMENTS:
            raise LockError(f"{shown(self.name)} is not a build argument that our Dockerfiles may have")
        return f"ARG {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """An environment variable; `before` puts the value and a colon before the one of the base."""

    name: str
    value: str
    before: bool = False

    def text(self) -> str:
        """Return the instruction's text."""
        name = spelling.environment_name(self.name)
        value = spelling.docker_text(self.value)
        inherited = f':${{{name}}}"' if self.before else '"'
        return f"ENV {name}={value[:-1]}{inherited}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of the image."""

    name: str
    value: str

    def text(self) -> str:
        """Return the instruction's text."""
        return f"LABEL {spelling.file_name(self.name)}={spelling.docker_text(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The numbers of the user and group that later commands and the image run as."""

    numbers: str

    def text(self) -> str:
        """Return the instruction's text."""
        return f"USER {spelling.user_numbers(self.numbers)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir:
    """The folder in which commands run; it is made when missing."""

    path: str

    def text(self) -> str:
        """Return the instruction's text."""
        return f"WORKDIR {spelling.absolute_path(self.path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """A file from a URL, by its SHA-256."""

    url: str
    sha256: str
    target: str
    mode: str = ""
    """Empty leaves it to BuildKit: 600."""

    def text(self) -> str:
        """Return the instruction's text."""
        chmod = f"--chmod={self.mode} " if self.mode else ""
        digest = spelling.sha256(self.sha256)
        target = spelling.absolute_path(self.target)
        return f"ADD --link {chmod}--checksum=sha256:{digest} {spelling.url(self.url)} {target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpack:
    """A tar of the main build context, unpacked at the root of an empty stage."""

    source: str

    def text(self) -> str:
        """Return the instruction's text."""
        return f"ADD --link {spelling.relative_path(self.source)} /"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file or folder of an earlier stage, or of the build context that replaces it."""

    stage: str
    source: str
    target: str
    mode: str = ""
    """Empty keeps the modes that there are."""

    def text(self) -> str:
        """Return the instruction's text."""
        chmod = f"--chmod={self.mode} " if self.mode else ""
        absolute = self.source.startswith("/")
        source = spelling.absolute_path(self.source) if absolute else spelling.relative_path(self.source)
        target = spelling.absolute_path(self.target)
        return f"COPY --link {chmod}--from={spelling.stage_name(self.stage)} {source} {target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A small text file that the Dockerfile itself holds."""

    lines: tuple[str, ...]
    target: str
    mode: str = "644"
    source: bool = False
    """Whether the lines are source code, which may contain tabs."""

    def text(self) -> str:
        """Return the instruction's text."""
        for text in self.lines:
            (spelling.source_line if self.source else spelling.line)(text)
        end = delimiter(self.lines)
        first = f"COPY --link --chmod={self.mode} <<'{end}' {spelling.absolute_path(self.target)}"
        return "\n".join((first, *self.lines, end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """An earlier stage, or a folder of it, that a command sees and cannot change."""

    stage: str
    target: str
    source: str = "/"

    def text(self) -> str:
        """Return the option's text."""
        source = "" if self.source == "/" else f",source={self._quoted_path(self.source)}"
        stage = spelling.stage_name(self.stage)
        return f"--mount=type=bind,from={stage}{source},target={self._quoted_path(self.target)}"

    @staticmethod
    def _quoted_path(path: str) -> str:
        if "," in path or '"' in path:
            raise LockError(f"{shown(path)} cannot be a mount's path")
        return spelling.absolute_path(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Commands that run one after another, without network."""

    commands: tuple[Command, ...]
    mounts: tuple[Mount, ...] = ()

    NETWORK: ClassVar[str] = "--network=none"

    def text(self) -> str:
        """Return the instruction's text."""
        lines = script(self.commands)
        end = delimiter(lines)
        options = " \\\n    ".join((self.NETWORK, *(mount.text() for mount in self.mounts)))
        return "\n".join((f"RUN {options} <<'{end}'", *lines, end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrypoint:
    """What the image runs."""

    arguments: tuple[str, ...]

    def text(self) -> str:
        """Return the instruction's text."""
        return f"ENTRYPOINT {spelling.json_list(self.arguments)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd:
    """What the image runs, or the default arguments of its entry point."""

    arguments: tuple[str, ...]

    def text(self) -> str:
        """Return the instruction's text."""
        return f"CMD {spelling.json_list(self.arguments)}"


Instruction = (
    Comment | From | Arg | Env | Label | User | Workdir | Add | Unpack | Copy | File | Run | Entrypoint | Cmd
)
