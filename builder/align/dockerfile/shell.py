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
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from builder.align.dockerfile.shell_words import ShellSource, changed_options, shell_options
from builder.align.dockerfile.variables import UNRESOLVED, bounded

__all__ = [
    "READING_ALLOWANCE",
    "ShellCommand",
    "ShellScope",
    "ShellScript",
    "Unread",
    "read_script",
    "read_words",
]

READING_ALLOWANCE = 2**28
"""The sum of squared sizes, in bytes, of the scripts that one file may have parsed.

The grammar needs time that grows with the square of a hostile script (up to 13 ns for each byte squared), so
this bounds a file at about 4 s of one processor core. The Dockerfiles of decision 24 need at most a tenth.
"""
_LONGEST_SCRIPT = 12_000
"""In bytes: memory grows with the square too, to 860 MB here. The longest RUN of decision 24 has 4,396."""
_WRAPPERS: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("command", "exec", "nohup", "time", "eatmydata", "builtin", "setsid", "retry"), ("", 0)),
    "chroot": ("--userspec --groups", 1),
    "env": ("-u -C --unset --chdir", 0),
    "gosu": ("", 1),
    "ionice": ("-c -n --class --classdata", 0),
    "nice": ("-n --adjustment", 0),
    "stdbuf": ("-i -o -e", 0),
    "su-exec": ("", 1),
    "sudo": ("-u -g -h -p -C -r -t -U -D -R --user --group", 0),
    "timeout": ("-k -s --kill-after --signal", 1),
    "xargs": ("-n -P -I -L -d -a -E -s --max-args --max-procs --delimiter --arg-file --replace", 0),
}
"""Programs that only start another one: their options with a value, and how many operands are their own."""
_SHELLS = frozenset(("ash", "bash", "dash", "sh", "zsh"))
_STARTERS = frozenset(("runuser", "su"))
"""Programs that give the value of `-c` to a shell."""
_INTERPRETERS = re.compile(r"(python|perl|ruby|node|php|lua|Rscript|pwsh)[0-9.]*")
_EXCUSES = frozenset((":", "echo", "printf", "true"))
_DEEPEST = 8
_BASH = Language(tree_sitter_bash.language())
_AND_OR = frozenset(("&&", "||"))
_PIPES = frozenset(("|", "|&"))
_AFTER_HEREDOC = _AND_OR | _PIPES | {"pipeline"}
_SUBSTITUTIONS = frozenset(("command_substitution", "process_substitution"))
_REDIRECTS = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))
_TEST_PARTS = frozenset(
    ("binary_expression", "parenthesized_expression", "postfix_expression", "ternary_expression")
) | {"unary_expression"}
_BODIES = frozenset(
    ("program", "subshell", "compound_statement", "do_group", "if_statement", "elif_clause", "else_clause")
) | {"while_statement", "case_item"}
_ENDS = re.compile(r"\b(exit|return)\s+[1-9$]|\bfalse\b")


@dataclass(frozen=True, slots=True, eq=False)
class ShellScope:
    """A subshell; each is another one, and knows the one around it."""

    outer: ShellScope | None


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
    fatal: bool = False
    """Whether its failure ends the script with a failure, as far as the text says."""
    inverted: bool = False
    """Whether it is rather its success that does: a condition before `exit 1`, or what follows `!`."""
    scope: ShellScope | None = None
    """The innermost subshell that it runs in: `cd` in it does not outlive it."""
    substitutions: tuple[str, ...] = ()
    """The scripts of the command substitutions in its words, with variables replaced."""

    @property
    def program(self) -> str:
        """The name of the program, without its folder."""
        return self.words[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A piece of a script that was not understood."""

    text: str
    reason: str
    """A clause about the text, such as `it is not shell`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellScript:
    """What was understood of a script, and what was not."""

    commands: tuple[ShellCommand, ...] = ()
    """In the order of the text; those of substitutions and of nested shells included."""
    unread: tuple[Unread, ...] = ()
    cost: int = 0
    """What it takes of the READING_ALLOWANCE."""
    functions: frozenset[str] = frozenset()
    """The names of the functions that it defines."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The values of its variables at its end."""


def read_script(
    text: str, known: Mapping[str, str], *, allowance: int = READING_ALLOWANCE, options: Sequence[str] = ()
) -> ShellScript:
    """Read a script with `known` values of variables and the `options` of its shell. No text raises."""
    reading = _ShellReading(allowance)
    values = dict(known)
    reading.script(text, values, _ShellPlace(depth=0), shell_options(options))
    return replace(reading.result(allowance), values=values)


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
    last: bool = True
    """Whether the exit code of the script is that of this place."""
    heard: bool = True
    """Whether the exit code of this place is seen at all: not that of a condition, nor before a pipe."""
    inverted: bool = False
    """Whether success ends the script here, not failure."""
    scope: ShellScope | None = None


@dataclass(slots=True)
class _CommandParts:
    """The parts of a simple command while they are collected."""

    words: list[str] = field(default_factory=list)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)
    substitutions: list[str] = field(default_factory=list)


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
        self._functions: set[str] = set()
        self._options: set[str] = set()
        self._origins: dict[str, str] = {}

    def result(self, allowance: int) -> ShellScript:
        return ShellScript(
            commands=tuple(self._commands),
            unread=tuple(self._unread),
            cost=allowance - self._left,
            functions=frozenset(self._functions),
        )

    def script(
        self, text: str, values: dict[str, str], place: _ShellPlace, options: frozenset[str] = frozenset()
    ) -> None:
        data = text.encode("utf-8", "replace").replace(b"\0", b"\xef\xbf\xbd")
        cost = len(data) ** 2
        if place.depth > _DEEPEST:
            self._unread.append(Unread(text=text, reason=f"shells in shells, more than {_DEEPEST} deep"))
        elif len(data) > _LONGEST_SCRIPT:
            reason = f"a script of more than {_LONGEST_SCRIPT} bytes"
            self._unread.append(Unread(text=text, reason=reason))
        elif cost > self._left:
            self._unread.append(Unread(text=text, reason="more shell text than is read of one file"))
        else:
            self._left -= cost
            outer, self._options = self._options, set(options)
            self._walk_source(ShellSource(data), values, place)
            self._options = outer

    def _walk_source(self, source: ShellSource, values: dict[str, str], around: _ShellPlace) -> None:
        """Visit the tree in the order of the text; assignments count for what follows them.

        The stack replaces recursion: a tree is as deep as its text is long (`a && a && …`).
        """
        tree = Parser(_BASH).parse(source.data)
        stack: list[tuple[_SyntaxElement, _ShellPlace, bool]] = [
            (_SyntaxElement(tree.root_node, ()), around, False)
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
            inner = place
            if node.type in _SUBSTITUTIONS:
                inner = _ShellPlace(depth=place.depth, last=False, heard=False, scope=ShellScope(place.scope))
            elif node.type == "subshell":
                inner = replace(place, scope=ShellScope(place.scope))
            elif node.type == "negated_command":
                inner = _negated_place(place)
            elif node.type == "function_definition" and (name := node.child_by_field_name("name")):
                self._functions.add(source.text(name))
            places = _statement_places(node, inner, source)
            below = list(node.children)
            for redirect in element.redirects:
                elsewhere = _after_heredoc(redirect)  # elements of the list that this one stands in
                below += [child for child in redirect.children if child not in elsewhere]
            stack += [
                (_SyntaxElement(child, ()), places.get(child.id, inner), seen)
                for child in reversed(below)
                if child.child_count or child.is_error or child.is_missing
            ]

    def _placed_elements(
        self,
        parts: list[tuple[_SyntaxElement, str]],
        source: ShellSource,
        values: Mapping[str, str],
        place: _ShellPlace,
    ) -> list[tuple[_SyntaxElement, _ShellPlace]]:
        """Say of each element of an and-or list what it is piped into and whether its failure is hidden."""
        placed: list[tuple[_SyntaxElement, _ShellPlace]] = []
        forgiven = place.forgiven
        heard, last = place.heard, place.last
        following: _SyntaxElement | None = None
        negated = _after_negation(parts)
        for number, (element, operator) in reversed(list(enumerate(parts))):
            words = _first_words(following, source, values) if following and operator else []
            if operator == "||" and words and words[0] in _EXCUSES and _is_simple(following):
                # `a && b || true` hides a failure of `a` too: everything to the left is forgiven.
                forgiven = True
            if operator == "||" and following is not None:
                # `a || exit 1` ends the script; after any other fallback it goes on.
                heard = last = bool(_ENDS.search(source.text(following.node)))
            into = place.into
            if operator in _PIPES:
                into = words[0].rpartition("/")[2] if words else ""
            own = heard and (operator not in _PIPES or "pipefail" in self._options)
            here = replace(place, into=into, forgiven=forgiven, heard=own, last=last)
            if operator == "&&" and following is not None and _only_ends(following.node, source):
                here = replace(here, heard=True, last=True, inverted=True)
            placed.append((element, _negated_place(here) if number in negated else here))
            following = element
        return placed[::-1]

    def _visit_element(
        self, element: _SyntaxElement, source: ShellSource, values: dict[str, str], place: _ShellPlace
    ) -> None:
        """Take what one node itself says; its children are visited later."""
        node = element.node
        if node.type in ("command", "test_command", "redirected_statement"):
            self.command(_command_parts(element, source, values, self._origins), values, place)
        elif node.type == "declaration_command":
            for name, value in _command_parts(element, source, values).assignments:
                values[name] = bounded(value)
        elif node.type == "variable_assignment" and _stands_alone(node):
            name, value = _assigned_value(node, [node], source, values)
            values[name] = bounded(value)
            self._origins.pop(name, None)
            origin = node.child_by_field_name("value")
            for script in () if origin is None else source.substitutions(origin, values, {}):
                self._origins[name] = script
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
        if words[0] == "set":
            self._options ^= changed_options(words[1:], self._options)
        command = ShellCommand(
            words=tuple(words),
            assignments=tuple(parts.assignments),
            redirects=tuple(parts.redirects),
            into=place.into,
            forgiven=place.forgiven,
            fatal=place.heard and not place.forgiven and (place.last or "errexit" in self._options),
            inverted=place.inverted,
            scope=place.scope,
            substitutions=tuple(parts.substitutions),
        )
        documents = [target for operator, target in parts.redirects if operator in ("<<", "<<-", "<<<")]
        if command.program in _SHELLS | _STARTERS:
            script = _script_argument(words)
            inner = replace(
                place,
                depth=place.depth + 1,
                last=command.fatal,
                heard=command.fatal,
                forgiven=place.forgiven,
                scope=ShellScope(place.scope),
            )
            for text in [script] if script else documents:
                self.script(text, values, inner, shell_options(words[1:]))
        elif documents and _INTERPRETERS.fullmatch(command.program):
            reason = f"it is a program for {command.program}"
            self._unread += [Unread(text=text, reason=reason) for text in documents]
        self._commands.append(command)


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


def _statement_places(node: Node, place: _ShellPlace, source: ShellSource) -> dict[int, _ShellPlace]:
    """Say of each statement of a body whether the script's exit code is its; by the id of its node.

    Conditions decide nothing, unless what follows them ends the script.
    """
    if node.type not in _BODIES:
        return {}
    statements = [child for child in node.named_children if child.type != "comment"]
    found = {child.id: replace(place, last=False) for child in statements[:-1]}
    if node.type in ("if_statement", "elif_clause", "while_statement"):
        conditions = node.children_by_field_name("condition")
        known = {child.id for child in conditions}
        bodies = [child for child in statements if child.id not in known]
        otherwise = [child for child in bodies if child.type in ("elif_clause", "else_clause")]
        if_true = any(_ENDS.search(source.text(child)) for child in bodies if child not in otherwise)
        if_false = any(_ENDS.search(source.text(child)) for child in otherwise)
        inverted = if_true and not if_false and not source.text(node).startswith("until")
        for child in conditions:
            found[child.id] = replace(
                place, last=if_true or if_false, heard=if_true or if_false, inverted=inverted
            )
    return found


def _negated_place(place: _ShellPlace) -> _ShellPlace:
    """Return what is around a command behind `!`: outside of conditions the shell overlooks how it ends."""
    return replace(place, inverted=not place.inverted, heard=place.heard and place.inverted)


def _after_negation(parts: Sequence[tuple[_SyntaxElement, str]]) -> set[int]:
    """Return the numbers of elements that a `!` before the first element of their pipeline negates too."""
    found: set[int] = set()
    negated, before = False, ""
    for number, (element, operator) in enumerate(parts):
        if before not in _PIPES:
            negated = element.node.type == "negated_command"
        elif negated:
            found.add(number)
        before = operator
    return found


def _only_ends(node: Node, source: ShellSource) -> bool:
    """Whether a statement, or the last one of its braces, ends the script with a failure."""
    while node.type in ("compound_statement", "subshell") and node.named_children:
        node = node.named_children[-1]
    return node.type == "command" and bool(_ENDS.fullmatch(source.text(node).strip()))


def _is_simple(element: _SyntaxElement | None) -> bool:
    return element is not None and element.node.type == "command"


def _first_words(element: _SyntaxElement, source: ShellSource, values: Mapping[str, str]) -> list[str]:
    """Return the words of the first command of an element."""
    stack = [element]
    while stack:
        first = stack.pop()
        if first.node.type in ("command", "test_command"):
            return _without_wrappers(_command_parts(first, source, values).words)
        stack += [_SyntaxElement(child, ()) for child in reversed(first.node.named_children)]
    return []


def _command_parts(
    element: _SyntaxElement,
    source: ShellSource,
    values: Mapping[str, str],
    origins: Mapping[str, str] = MappingProxyType({}),
) -> _CommandParts:
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
        found.substitutions += source.substitutions(node, values, origins)
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


def _redirect_target(node: Node, source: ShellSource, values: Mapping[str, str]) -> tuple[str, str]:
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
    node: Node, group: Sequence[Node], source: ShellSource, values: Mapping[str, str]
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
    position, listed = 0, False
    while position < len(words) and (wrapper := words[position].rpartition("/")[2]) in _WRAPPERS:
        valued, operands = _WRAPPERS[wrapper]
        listed = listed or wrapper == "xargs"
        position += 1
        while position < len(words) and (words[position].startswith("-") or _is_assignment(words[position])):
            position += 2 if words[position] in valued.split() else 1
        position += operands
    # xargs adds what it reads, which only the build knows.
    return [*words[position:], UNRESOLVED] if listed and position < len(words) else list(words[position:])


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier() and name.isascii()


def _script_argument(words: Sequence[str]) -> str:
    """Return the script that `sh -c` is given, or nothing."""
    for index, word in enumerate(words[1:], start=1):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            return words[index + 1] if index + 1 < len(words) else ""
    return ""
