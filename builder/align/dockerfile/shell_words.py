"""Nodes of a shell's syntax tree as words: quotes gone, variables replaced; options of shells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from builder.align.dockerfile.variables import UNRESOLVED, expanded, references

__all__ = ["ShellSource", "changed_options", "shell_options"]

_UNKNOWN_VALUES = frozenset(("arithmetic_expansion", "array", "command_substitution", "process_substitution"))
_ESCAPED = re.compile(r"\\(\n|.)", re.DOTALL)
_BLANKS_OF_VALUES = re.compile(r"(?<!\\)[ \t\n]+")
_SPLIT = "\0"
"""Stands where a word is split; no script has a zero byte."""
_ESCAPED_IN_QUOTES = re.compile(r"\\([\"\\$`\n])")


class ShellSource:
    """The bytes of a script, from which the nodes of its tree take their text."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def slice(self, start: int, end: int) -> str:
        """Return the text between two positions, in bytes."""
        return self.data[start:end].decode("utf-8", "replace")

    def text(self, node: Node) -> str:
        """Return the text of a node."""
        return self.slice(node.start_byte, node.end_byte)

    def word(self, nodes: Sequence[Node], values: Mapping[str, str]) -> str:
        """Return what touching nodes make up where a shell splits nothing, such as in an assignment."""
        return self._expanded_word(nodes, values).replace(_SPLIT, " ")

    def words(self, nodes: Sequence[Node], values: Mapping[str, str]) -> list[str]:
        """Return the words that touching nodes make up: a value that is not quoted is split at its blanks."""
        first, *others = self._expanded_word(nodes, values).split(_SPLIT)
        return [first, *others] if not others else [word for word in (first, *others) if word]

    def substitutions(
        self, node: Node, values: Mapping[str, str], origins: Mapping[str, str]
    ) -> Iterator[str]:
        """Yield the scripts of `$(…)` in a word, also those that gave its variables their values."""
        stack = [node]
        while stack:
            inner = stack.pop()
            if inner.type == "command_substitution":
                text = self.text(inner)
                yield expanded(text[2:-1] if text.startswith("$(") else text[1:-1], values)
            elif inner.type in ("simple_expansion", "expansion"):
                names = references(self.text(inner))
                yield from (origins[name] for name in sorted(names) if name in origins)
            elif inner.type in ("concatenation", "string"):
                stack += reversed(inner.children)

    def _expanded_word(self, nodes: Sequence[Node], values: Mapping[str, str]) -> str:
        found: list[str] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                text = expanded("".join(plain), values)
                found.append(_ESCAPED.sub(_unescaped_character, _BLANKS_OF_VALUES.sub(_SPLIT, text)))
                plain.clear()

        position = nodes[0].start_byte
        stack = list(reversed(nodes))
        while stack:
            node = stack.pop()
            plain.append(self.slice(position, node.start_byte))
            position = node.end_byte
            if node.type in ("command_name", "concatenation", "translated_string") and node.child_count:
                stack += reversed(node.children)
                position = node.start_byte
            elif node.type == "string":
                flush()
                found.append(self._in_quotes(node, values))
            elif node.type in ("raw_string", "ansi_c_string"):
                flush()
                found.append(self.text(node).removeprefix("$").removeprefix("'").removesuffix("'"))
            elif node.type in _UNKNOWN_VALUES:
                flush()
                found.append(UNRESOLVED)
            elif not (
                node.type == "$" and node.parent is not None and node.parent.type == "translated_string"
            ):
                plain.append(self.text(node))
        flush()
        return "".join(found)

    def _in_quotes(self, node: Node, values: Mapping[str, str]) -> str:
        """Return what double quotes hold. Blanks belong to no node, so the text is cut at substitutions."""
        parts: list[str] = []
        position, end = node.start_byte + 1, node.end_byte
        if end > position and self.data[end - 1 : end] == b'"':
            end -= 1
        for child in node.children:
            if child.type in _UNKNOWN_VALUES:
                parts += [expanded(self.slice(position, child.start_byte), values), UNRESOLVED]
                position = child.end_byte
        parts.append(expanded(self.slice(position, end), values))
        return _ESCAPED_IN_QUOTES.sub(_unescaped_character, "".join(parts))


def _unescaped_character(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def shell_options(words: Sequence[str]) -> frozenset[str]:
    """Return which of errexit and pipefail a shell is started with, by its words."""
    return frozenset(changed_options(words, set()))


def changed_options(words: Sequence[str], now: set[str]) -> set[str]:
    """Return which of errexit and pipefail the words of `set` change."""
    then = set(now)
    for index, word in enumerate(words):
        if not word.startswith(("-", "+")) or word.startswith("--"):
            continue
        named = "".join(words[index + 1 : index + 2])
        wanted = {"errexit"} if "e" in word[1:] else set()
        wanted |= {named} & {"errexit", "pipefail"} if "o" in word[1:] else set()
        then = then | wanted if word.startswith("-") else then - wanted
    return then ^ now
