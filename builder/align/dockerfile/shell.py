"""Shell text as simple commands: enough to see what a RUN downloads and installs. Pure.

Conditions and loops are read as if every branch ran: what may happen is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from builder.align.dockerfile.variables import UNRESOLVED, bounded, expanded

__all__ = ["Command", "commands"]

_OPERATORS = ("&&", "||", ";;", "|&", "&", ";", "|", "(", ")", "\n")
_GRAMMAR = "if then elif else fi do done while until ! { } time case esac in function"
_RESERVED = frozenset(_GRAMMAR.split())
_STARTERS = "sudo env command exec nohup nice ionice stdbuf time eatmydata"
_WRAPPERS = frozenset(_STARTERS.split())
_SHELLS = frozenset(("ash", "bash", "dash", "sh", "zsh"))
_EXCUSES = frozenset((":", "echo", "printf", "true"))
_DEEPEST = 8
_LONGEST_WORD = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One simple command: its words after expansion."""

    words: tuple[str, ...]
    into: str = ""
    """The program that its output is piped into."""
    forgiven: bool = False
    """Whether a failure is hidden by what follows `||`."""

    @property
    def program(self) -> str:
        """The name of the program, without its folder."""
        return self.words[0].rpartition("/")[2]


@dataclass(slots=True)
class _Token:
    text: str
    operator: bool = False
    inner: list[str] = field(default_factory=list)
    """Texts of command substitutions in it."""


def commands(text: str, known: Mapping[str, str], depth: int = 0) -> Iterator[Command]:
    """Yield the commands of a script, those of substitutions and of nested shells included."""
    values = dict(known)
    waiting: _Waiting | None = None
    for group, operator in _groups(_tokens(text, values)):
        if waiting is not None:
            yield from _finished(waiting, group[0].text, values, depth)
        # Assignments count for what follows: the tokens after them are not read yet.
        waiting = _Waiting(_bare(group, values), [text for token in group for text in token.inner], operator)
    if waiting is not None:
        yield from _finished(waiting, "", values, depth)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A command whose operator speaks of the next one."""

    words: list[str]
    inner: list[str]
    operator: str


def _groups(tokens: Iterator[_Token]) -> Iterator[tuple[list[_Token], str]]:
    """Yield the words between operators, with the operator that ends them."""
    group: list[_Token] = []
    for token in tokens:
        if not token.operator:
            group.append(token)
        elif group:
            yield group, token.text
            group = []
    if group:
        yield group, "\n"


def _bare(group: list[_Token], values: dict[str, str]) -> list[str]:
    """Return the words of a command without assignments, which are noted in `values`."""
    words = _plain([token.text for token in group])
    while words and _is_assignment(words[0]):
        name, _, value = words.pop(0).partition("=")
        values[name] = bounded(value)
    words = _unwrapped(words)
    if words and words[0] in ("export", "declare", "readonly", "local"):
        for name, _, value in (word.partition("=") for word in words[1:] if _is_assignment(word)):
            values[name] = bounded(value)
        return []
    return words


def _finished(waiting: _Waiting, following: str, values: dict[str, str], depth: int) -> Iterator[Command]:
    words, operator = waiting.words, waiting.operator
    if depth < _DEEPEST:
        for inner in (*waiting.inner, *([_script(words)] if words else ())):
            yield from commands(inner, values, depth + 1)
    if words:
        yield Command(
            words=tuple(words),
            into=following.rpartition("/")[2] if operator in ("|", "|&") else "",
            forgiven=operator == "||" and following in _EXCUSES,
        )


def _plain(words: list[str]) -> list[str]:
    """Drop words of the grammar, and redirections with their targets."""
    while words and words[0] in _RESERVED:
        words = words[1:]
    if words and words[0] == "for":
        return []
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.strip("0123456789&") in (">", ">>", "<", ">|", "<>", "<<<", "<<", "<<-"):
            skip = True
        elif not (word.lstrip("0123456789&").startswith((">", "<")) and word):
            found.append(word)
    return found


def _unwrapped(words: list[str]) -> list[str]:
    """Drop programs that only start another one, with their options and assignments."""
    while words and words[0].rpartition("/")[2] in _WRAPPERS:
        words = words[1:]
        while words and (words[0].startswith("-") or _is_assignment(words[0])):
            words = words[1:]
    return words


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier() and name.isascii()


def _script(words: list[str]) -> str:
    """Return the script that `sh -c` is given, or nothing."""
    if words[0].rpartition("/")[2] not in _SHELLS:
        return ""
    for index, word in enumerate(words[1:], start=1):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            return words[index + 1] if index + 1 < len(words) else ""
    return ""


def _tokens(text: str, values: Mapping[str, str]) -> Iterator[_Token]:
    """Split into words and operators; quotes are resolved and variables expanded."""
    word: _Token | None = None
    position = 0
    while position < len(text):
        character = text[position]
        operator = next((one for one in _OPERATORS if text.startswith(one, position)), "")
        if operator == "&" and word is None and text.startswith("&>", position):
            operator = ""
        if operator == "&" and word is not None and word.text.endswith((">", "<")):
            operator = ""  # a redirection to a descriptor, such as 2>&1
        if character in " \t" or operator:
            if word is not None:
                yield word
                word = None
            if operator:
                yield _Token(operator, operator=True)
            position += len(operator) or 1
            continue
        if character == "#" and word is None:
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
            continue
        word = word or _Token("")
        position = _piece(text, position, word, values)
    if word is not None:
        yield word


def _piece(text: str, position: int, word: _Token, values: Mapping[str, str]) -> int:
    """Add the quoted or plain piece that begins at `position` to `word`; return where it ends."""
    character = text[position]
    if character == "\\":
        word.text += "" if text[position + 1 : position + 2] == "\n" else text[position + 1 : position + 2]
        return position + 2
    if character == "'":
        end = text.find("'", position + 1)
        end = len(text) if end < 0 else end
        word.text += text[position + 1 : end]
        return end + 1
    if character == '"':
        end = _end_of_quotes(text, position + 1)
        word.text += _substituted(text[position + 1 : end], word, values).replace('\\"', '"')
        return end + 1
    if character in "$`":
        end = _end_of_substitution(text, position)
        word.text += _substituted(text[position:end], word, values)
        if len(word.text) > _LONGEST_WORD:
            word.text = UNRESOLVED
        return end
    word.text += character
    return position + 1


def _end_of_quotes(text: str, position: int) -> int:
    while position < len(text) and text[position] != '"':
        if text[position] == "\\":
            position += 2
        elif text[position] in "$`":
            position = _end_of_substitution(text, position)
        else:
            position += 1
    return min(position, len(text))


def _end_of_substitution(text: str, position: int) -> int:
    """Return where the variable or command substitution that begins here ends."""
    if text[position] == "`":
        end = text.find("`", position + 1)
        return len(text) if end < 0 else end + 1
    for opening, closing in (("{", "}"), ("(", ")")):
        if text.startswith(opening, position + 1):
            depth = 0
            for index in range(position + 1, len(text)):
                depth += {opening: 1, closing: -1}.get(text[index], 0)
                if depth == 0:
                    return index + 1
            return len(text)
    end = position + 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_") and text[end].isascii():
        end += 1
    return max(end, position + 1)


def _substituted(piece: str, word: _Token, values: Mapping[str, str]) -> str:
    """Expand variables of a piece; note its command substitutions in `word`."""
    parts, position, length = [], 0, 0
    while position < len(piece) and length <= _LONGEST_WORD:
        if piece[position] == "`" or piece.startswith("$(", position):
            end = _end_of_substitution(piece, position)
            word.inner.append(piece[position:end].strip("`").removeprefix("$(").removesuffix(")"))
            parts.append(UNRESOLVED)
        elif piece[position] == "$":
            end = _end_of_substitution(piece, position)
            parts.append(expanded(piece[position:end], values))
            length += len(parts[-1])
        else:
            end = position + 1
            parts.append(piece[position])
        position = end
    return "".join(parts)
