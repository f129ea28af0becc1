"""The words of a command as options and operands, by the option table of its tool. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from builder.align.dockerfile.tool_options import PLAIN_OPTIONS, VALUE_OPTIONS

__all__ = ["Arguments", "plain_options", "read_arguments", "tool_arguments", "value_options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The options of a command with their values, and its operands."""

    operands: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """Names as they are written, and values; that of an option without one is empty."""
    unknown: tuple[str, ...] = ()
    """Options that the tool's table does not list."""
    doubtful: tuple[str, ...] = ()
    """Words behind unknown options: each is a value of its option, or an operand."""

    def has(self, *names: str) -> bool:
        """Whether one of some options is given."""
        return any(name in names for name, _ in self.options)

    def values(self, *names: str) -> tuple[str, ...]:
        """Return the values of some options, in the order of the command."""
        return tuple(value for name, value in self.options if name in names)

    def value(self, *names: str) -> str:
        """Return the last value of some options, or nothing."""
        return next(iter(self.values(*names)[::-1]), "")


@cache
def value_options(*tools: str) -> frozenset[str]:
    """Return the options of some tools that take a value, by their recorded tables."""
    return frozenset(option for tool in tools for option in VALUE_OPTIONS.get(tool, "").split())


@cache
def plain_options(*tools: str) -> frozenset[str]:
    """Return the options of some tools that take no value, by their recorded tables."""
    return frozenset(option for tool in tools for option in PLAIN_OPTIONS.get(tool, "").split())


def tool_arguments(words: Sequence[str], *tools: str, also_valued: Iterable[str] = ()) -> Arguments:
    """Read the words behind a tool's verb by the tables of `tools`."""
    return read_arguments(words, value_options(*tools) | frozenset(also_valued), plain_options(*tools))


def read_arguments(
    words: Sequence[str], valued: frozenset[str], plain: frozenset[str] | None = None
) -> Arguments:
    """Read words as getopt does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc`.

    Without `plain` every option that is not `valued` counts as one that takes no value. A long name may be
    shortened, as pip and git allow, if one listed name alone begins so.
    """
    operands: list[str] = []
    options: list[tuple[str, str]] = []
    unknown: list[str] = []
    doubtful: list[str] = []
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        if word == "--":
            operands += reversed(waiting)
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
            continue
        name, equals, value = word.partition("=")
        full = _full_name(name, valued, plain)
        if full in valued:
            options.append((full, value if equals else (waiting.pop() if waiting else "")))
        elif plain is None or full in plain or equals:
            if word.startswith("--") or full in (plain or ()):
                options.append((full, value))
            else:
                _read_cluster(word, valued, options, waiting)
        elif not word.startswith("--") and _is_cluster(word, valued, plain):
            _read_cluster(word, valued, options, waiting)
        else:
            unknown.append(word)
            if waiting and not waiting[-1].startswith("-"):
                doubtful.append(waiting.pop())
    return Arguments(
        operands=tuple(operands), options=tuple(options), unknown=tuple(unknown), doubtful=tuple(doubtful)
    )


def _full_name(name: str, valued: frozenset[str], plain: frozenset[str] | None) -> str:
    listed = valued | (plain or frozenset())
    if name in listed or not name.startswith("--"):
        return name
    longer = [option for option in listed if option.startswith(name)] if plain is not None else []
    return longer[0] if len(longer) == 1 else name


def _is_cluster(word: str, valued: frozenset[str], plain: frozenset[str]) -> bool:
    """Whether a word is short options written together, the last of which may have its value behind it."""
    for letter in word[1:]:
        if f"-{letter}" in valued:
            return True
        if f"-{letter}" not in plain:
            return False
    return True


def _read_cluster(
    word: str, valued: frozenset[str], options: list[tuple[str, str]], waiting: list[str]
) -> None:
    for position, letter in enumerate(word[1:], start=2):
        if f"-{letter}" in valued:
            options.append((f"-{letter}", word[position:] or (waiting.pop() if waiting else "")))
            return
        options.append((f"-{letter}", ""))
