"""Shell text as simple commands: enough to see what a RUN downloads and installs. Pure.

tree-sitter-bash makes the syntax tree; this file walks it. Conditions and loops are read as if every branch
ran: what may happen is what counts. The grammar never refuses a text. What it cannot place stands in ERROR
nodes: the commands in them are still yielded, and their text is also returned as `unread`.

Three faults of the grammar are mended here (measured against shfmt in decision 24):
- it ends a word inside `$A-$B`, so words that touch are joined again;
- it takes every word after `> file` for a target, so all but the first go back to the command;
- in `a | b | c && d` it puts `b | c && d` into one pipeline, so lists and pipelines are flattened and grouped
  again by their operators.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from builder.align.dockerfile.variables import UNRESOLVED, bounded, expanded

__all__ = ["READING_ALLOWANCE", "ShellCommand", "ShellScript", "Unread", "read_script", "read_words"]

READING_ALLOWANCE = 2**28
"""The sum of squared sizes, in bytes, of the scripts that one file may have parsed.

The grammar needs time that grows with the square of a hostile script (up to 13 ns for each byte squared), so
this bounds a file at about 4 s of one processor core. The Dockerfiles of decision 24 need at most a tenth.
"""
_LONGEST_SCRIPT = 12_000
"""In bytes: memory grows with the square too, to 860 MB here. The longest RUN of decision 24 has 4,396."""
_STARTERS = "sudo env command exec nohup nice ionice stdbuf time eatmydata"
_WRAPPERS = frozenset(_STARTERS.split())
_SHELLS = frozenset(("ash", "bash", "dash", "sh", "zsh"))
_INTERPRETERS = re.compile(r"(python|perl|ruby|node|php|lua|Rscript|pwsh)[0-9.]*")
_EXCUSES = frozenset((":", "echo", "printf", "true"))
_DEEPEST = 8
_BASH = Language(tree_sitter_bash.language())
_AND_OR = frozenset(("&&", "||"))
_PIPES = frozenset(("|", "|&"))
_AFTER_HEREDOC = _AND_OR | _PIPES | {"pipeline"}
_UNKNOWN_VALUES = frozenset(("arithmetic_expansion", "array", "command_substitution", "process_substitution"))
_SUBSTITUTIONS = frozenset(("command_substitution", "process_substitution"))
_REDIRECTS = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))
_TEST_PARTS = frozenset(
    ("binary_expression", "parenthesized_expression", "postfix_expression", "ternary_expression")
) | {"unary_expression"}
_ESCAPED = re.compile(r"\\(\n|.)", re.DOTALL)
_BLANKS_OF_VALUES = re.compile(r"(?<!\\)[ \t\n]+")
_SPLIT = "\0"
"""Stands where a word is split; no script has a zero byte."""
_ESCAPED_IN_QUOTES = re.compile(r"\\([\"\\$`\n])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCommand:
    """One simple command: its words after expansion."""

    words: tuple[str, ...]
    """Never empty; the program first, without `sudo`, `env` and the like before it."""
    assignments: tuple[tuple[str, str], ...] = ()
    """Names and values that stand before the program and hold for it alone."""
    redirects: tuple[tuple[str, str], ...] = ()
    """Operators, such as `>` or `<<<`, and their targets; a heredoc's target is its text."""
    into: str = ""
    """The program that its output is piped into."""
    forgiven: bool = False
    """Whether a failure is hidden by what follows `||`."""

    @property
    def program(self) -> str:
        """The name of the program, without its folder."""
        return self.words[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A piece of a script that was not understood."""

    text: str
    reason: str
    """A clause about the text, such as `it is no shell`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellScript:
    """What was understood of a script, and what was not."""

    commands: tuple[ShellCommand, ...] = ()
    """In the order of the text; those of substitutions and of nested shells included."""
    unread: tuple[Unread, ...] = ()
    cost: int = 0
    """What it takes of the READING_ALLOWANCE."""


def read_script(text: str, known: Mapping[str, str], *, allowance: int = READING_ALLOWANCE) -> ShellScript:
    """Read a script; `known` are the values of its variables. No text raises."""
    reading = _ShellReading(allowance)
    reading.script(text, dict(known), 0)
    return reading.result(allowance)


def read_words(
    words: Sequence[str], known: Mapping[str, str], *, allowance: int = READING_ALLOWANCE
) -> ShellScript:
    """Read a command that is given as words, which no shell expands (the exec form of a RUN)."""
    reading = _ShellReading(allowance)
    reading.command(_CommandParts(words=list(words)), dict(known), _ShellPlace(depth=0))
    return reading.result(allowance)


@dataclass(frozen=True, slots=True)
class _ShellPlace:
    """What is around a command."""

    depth: int
    into: str = ""
    forgiven: bool = False


@dataclass(slots=True)
class _CommandParts:
    """The parts of a simple command while they are collected."""

    words: list[str] = field(default_factory=list)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _SyntaxElement:
    """One statement of a list or pipeline, with redirections that the grammar hung elsewhere."""

    node: Node
    redirects: tuple[Node, ...]


class _ShellReading:
    """The state of reading one script and those nested in it."""

    def __init__(self, allowance: int) -> None:
        self._left = allowance
        self._commands: list[ShellCommand] = []
        self._unread: list[Unread] = []

    def result(self, allowance: int) -> ShellScript:
        return ShellScript(
            commands=tuple(self._commands), unread=tuple(self._unread), cost=allowance - self._left
        )

    def script(self, text: str, values: dict[str, str], depth: int) -> None:
        data = text.encode("utf-8", "replace").replace(b"\0", b"\xef\xbf\xbd")
        cost = len(data) ** 2
        if depth > _DEEPEST:
            self._unread.append(Unread(text=text, reason=f"shells in shells, more than {_DEEPEST} deep"))
        elif len(data) > _LONGEST_SCRIPT:
            reason = f"a script of more than {_LONGEST_SCRIPT} bytes"
            self._unread.append(Unread(text=text, reason=reason))
        elif cost > self._left:
            self._unread.append(Unread(text=text, reason="more shell text than is read of one file"))
        else:
            self._left -= cost
            self._walk_source(_ShellSource(data), values, depth)

    def _walk_source(self, source: _ShellSource, values: dict[str, str], depth: int) -> None:
        """Visit the tree in the order of the text; assignments count for what follows them.

        The stack replaces recursion: a tree is as deep as its text is long (`a && a && …`).
        """
        tree = Parser(_BASH).parse(source.data)
        stack: list[tuple[_SyntaxElement, _ShellPlace, bool]] = [
            (_SyntaxElement(tree.root_node, ()), _ShellPlace(depth=depth), False)
        ]
        while stack:
            element, place, seen = stack.pop()
            node = element.node
            if not seen and (node.is_error or node.is_missing):
                broken = node.parent if node.is_missing and node.parent is not None else node
                self._unread.append(
                    Unread(text=source.text(broken), reason="it is not a shell that can be read")
                )
                seen = True
            if node.type in ("list", "pipeline", "redirected_statement") and node.child_count:
                parts = list(_flattened_elements(element))
                if len(parts) > 1 or (parts and parts[0][0].node.type != node.type):
                    placed = self._placed_elements(parts, source, values, place)
                    stack += [(part, here, seen) for part, here in reversed(placed)]
                    continue
            self._visit_element(element, source, values, place)
            inner = _ShellPlace(depth=depth) if node.type in _SUBSTITUTIONS else place
            below = list(node.children)
            for redirect in element.redirects:
                elsewhere = _after_heredoc(redirect)  # elements of the list that this one stands in
                below += [child for child in redirect.children if child not in elsewhere]
            stack += [
                (_SyntaxElement(child, ()), inner, seen)
                for child in reversed(below)
                if child.child_count or child.is_error or child.is_missing
            ]

    def _placed_elements(
        self,
        parts: list[tuple[_SyntaxElement, str]],
        source: _ShellSource,
        values: Mapping[str, str],
        place: _ShellPlace,
    ) -> list[tuple[_SyntaxElement, _ShellPlace]]:
        """Say of each element of an and-or list what it is piped into and whether its failure is hidden."""
        placed: list[tuple[_SyntaxElement, _ShellPlace]] = []
        forgiven = place.forgiven
        following: _SyntaxElement | None = None
        for element, operator in reversed(parts):
            words = _first_words(following, source, values) if following and operator else []
            if operator == "||" and words and words[0] in _EXCUSES and _is_simple(following):
                # `a && b || true` hides a failure of `a` too: everything to the left is forgiven.
                forgiven = True
            into = place.into
            if operator in _PIPES:
                into = words[0].rpartition("/")[2] if words else ""
            placed.append((element, _ShellPlace(depth=place.depth, into=into, forgiven=forgiven)))
            following = element
        return placed[::-1]

    def _visit_element(
        self, element: _SyntaxElement, source: _ShellSource, values: dict[str, str], place: _ShellPlace
    ) -> None:
        """Take what one node itself says; its children are visited later."""
        node = element.node
        if node.type in ("command", "test_command", "redirected_statement"):
            self.command(_command_parts(element, source, values), values, place)
        elif node.type == "declaration_command":
            for name, value in _command_parts(element, source, values).assignments:
                values[name] = bounded(value)
        elif node.type == "variable_assignment" and _stands_alone(node):
            name, value = _assigned_value(node, [node], source, values)
            values[name] = bounded(value)
        elif node.type == "unset_command":
            for child in node.named_children:
                values.pop(source.text(child), None)
        elif node.type == "for_statement":
            given = node.children_by_field_name("value")
            variable = node.child_by_field_name("variable")
            if variable is not None:
                listed = [word for value in given for word in source.words([value], values)]
                values[source.text(variable)] = bounded(listed[0]) if len(listed) == 1 else UNRESOLVED

    def command(self, parts: _CommandParts, values: dict[str, str], place: _ShellPlace) -> None:
        """Note a command, after what a nested shell of it runs."""
        words = _without_wrappers(parts.words)
        if not words:
            if not parts.words:
                values.update((name, bounded(value)) for name, value in parts.assignments)
            return
        command = ShellCommand(
            words=tuple(words),
            assignments=tuple(parts.assignments),
            redirects=tuple(parts.redirects),
            into=place.into,
            forgiven=place.forgiven,
        )
        documents = [target for operator, target in parts.redirects if operator in ("<<", "<<-", "<<<")]
        if command.program in _SHELLS:
            script = _script_argument(words)
            for text in [script] if script else documents:
                self.script(text, values, place.depth + 1)
        elif documents and _INTERPRETERS.fullmatch(command.program):
            reason = f"it is a program for {command.program}"
            self._unread += [Unread(text=text, reason=reason) for text in documents]
        self._commands.append(command)


class _ShellSource:
    """The bytes of a script, from which the nodes of its tree take their text."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def slice(self, start: int, end: int) -> str:
        return self.data[start:end].decode("utf-8", "replace")

    def text(self, node: Node) -> str:
        return self.slice(node.start_byte, node.end_byte)

    def word(self, nodes: Sequence[Node], values: Mapping[str, str]) -> str:
        """Return what touching nodes make up where a shell splits nothing, such as in an assignment."""
        return self._expanded_word(nodes, values).replace(_SPLIT, " ")

    def words(self, nodes: Sequence[Node], values: Mapping[str, str]) -> list[str]:
        """Return the words that touching nodes make up: a value that is not quoted is split at its blanks."""
        first, *others = self._expanded_word(nodes, values).split(_SPLIT)
        return [first, *others] if not others else [word for word in (first, *others) if word]

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


def _flattened_elements(element: _SyntaxElement) -> Iterator[tuple[_SyntaxElement, str]]:
    """Yield the elements of a list or pipeline, each with the operator after it, by the text's order."""
    waiting: _SyntaxElement | None = None
    stack: list[tuple[Node, tuple[Node, ...]]] = [(element.node, element.redirects)]
    while stack:
        node, redirects = stack.pop()
        if node.type in _AND_OR or node.type in _PIPES:
            if waiting is not None:
                yield waiting, node.type
            waiting = None
        elif node.type in ("list", "pipeline") and node.child_count:
            *before, last = node.children
            stack.append((last, redirects))
            stack += [(child, ()) for child in reversed(before)]
        elif node.type == "redirected_statement" and (body := node.child_by_field_name("body")) is not None:
            own = tuple(child for child in node.children if child.type in _REDIRECTS)
            for child in reversed(own):
                if child.type == "heredoc_redirect":
                    stack += [(part, ()) for part in reversed(_after_heredoc(child))]
            stack.append((body, own + redirects))
        else:
            if waiting is not None:
                yield waiting, ""
            waiting = _SyntaxElement(node, redirects)
    if waiting is not None:
        yield waiting, ""


def _after_heredoc(redirect: Node) -> list[Node]:
    """Return the operators and commands that stand on the line of `<<NAME`; the grammar hides them in it."""
    return [
        child
        for index, child in enumerate(redirect.children)
        if redirect.field_name_for_child(index) == "right" or child.type in _AFTER_HEREDOC
    ]


def _is_simple(element: _SyntaxElement | None) -> bool:
    return element is not None and element.node.type == "command"


def _first_words(element: _SyntaxElement, source: _ShellSource, values: Mapping[str, str]) -> list[str]:
    """Return the words of the first command of an element."""
    stack = [element]
    while stack:
        first = stack.pop()
        if first.node.type in ("command", "test_command"):
            return _without_wrappers(_command_parts(first, source, values).words)
        stack += [_SyntaxElement(child, ()) for child in reversed(first.node.named_children)]
    return []


def _command_parts(element: _SyntaxElement, source: _ShellSource, values: Mapping[str, str]) -> _CommandParts:
    """Return the words, assignments and redirections of a simple command."""
    found = _CommandParts()
    group: list[Node] = []

    def close() -> None:
        if group and group[0].type == "variable_assignment":
            found.assignments.append(_assigned_value(group[0], group, source, values))
        elif group:
            found.words += source.words(group, values)
        group.clear()

    for node in _word_nodes(element):
        if node.type in _REDIRECTS:
            close()
            found.redirects.append(_redirect_target(node, source, values))
        else:
            if group and group[-1].end_byte != node.start_byte:
                close()
            group.append(node)
    close()
    return found


def _word_nodes(element: _SyntaxElement) -> Iterator[Node]:
    """Yield the nodes of a command's words, also those that the grammar counts among redirection targets."""
    stack = [*reversed(element.redirects), *reversed(element.node.children)]
    while stack:
        node = stack.pop()
        if node.type in _TEST_PARTS and node.child_count:
            stack += reversed(node.children)
            continue
        if not node.is_missing and node.type not in ("comment", "ERROR", "export", "local"):
            yield node
        if node.type in _REDIRECTS:
            targets = _touching_nodes(node.children_by_field_name("destination"))
            yield from (part for target in targets[1:] for part in target)
            if node.type == "heredoc_redirect":
                yield from node.children_by_field_name("argument")
                stack += reversed(node.children_by_field_name("redirect"))


def _touching_nodes(nodes: Sequence[Node]) -> list[list[Node]]:
    """Group nodes that nothing stands between: each group is one word."""
    groups: list[list[Node]] = []
    for node in nodes:
        if groups and groups[-1][-1].end_byte == node.start_byte:
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def _redirect_target(node: Node, source: _ShellSource, values: Mapping[str, str]) -> tuple[str, str]:
    """Return the operator of a redirection and its target."""
    operator = next(
        (child.type for child in node.children if child.type.lstrip("&").startswith(("<", ">"))), ""
    )
    if node.type == "heredoc_redirect":
        body = next((child for child in node.children if child.type == "heredoc_body"), None)
        return operator, "" if body is None else source.text(body)
    targets = _touching_nodes(node.children_by_field_name("destination") or node.named_children)
    return operator, source.word(targets[0], values) if targets else ""


def _assigned_value(
    node: Node, group: Sequence[Node], source: _ShellSource, values: Mapping[str, str]
) -> tuple[str, str]:
    """Return the name and the value of an assignment, whose value the grammar may have cut in pieces."""
    name = node.child_by_field_name("name")
    value = node.child_by_field_name("value")
    pieces = [*([] if value is None else [value]), *group[1:]]
    key = "" if name is None else source.text(name)
    if any(child.type == "+=" for child in node.children):
        return key, UNRESOLVED
    return key, source.word(pieces, values) if pieces else ""


def _stands_alone(node: Node) -> bool:
    """Whether an assignment is a statement, not the prefix of a command nor a part of a declaration."""
    parent = node.parent
    return parent is None or parent.type not in ("command", "declaration_command")


def _without_wrappers(words: Sequence[str]) -> list[str]:
    """Drop programs that only start another one, with their options and assignments."""
    position = 0
    while position < len(words) and words[position].rpartition("/")[2] in _WRAPPERS:
        position += 1
        while position < len(words) and (words[position].startswith("-") or _is_assignment(words[position])):
            position += 1
    return list(words[position:])


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier() and name.isascii()


def _script_argument(words: Sequence[str]) -> str:
    """Return the script that `sh -c` is given, or nothing."""
    for index, word in enumerate(words[1:], start=1):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            return words[index + 1] if index + 1 < len(words) else ""
    return ""
