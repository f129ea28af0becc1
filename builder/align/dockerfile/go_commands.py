"""What commands of go take: modules, and what its settings switch off. Pure.

The verbs and flags are those of `go help`. go.sum has the sums of every module that go.mod names: a build
that may not change go.mod takes no other bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from builder.align.dockerfile.arguments import Arguments
from builder.align.dockerfile.pin import Judgement, PinKind, drift
from builder.align.dockerfile.tool_reading import (
    EXACT_VERSION,
    Reading,
    is_local,
    loose_packages,
    resolves,
    verb_arguments,
)
from builder.align.dockerfile.variables import UNRESOLVED
from builder.align.dockerfile.verification import off_by_variables

__all__ = ["read_go", "with_go_flags"]


def read_go(words: Sequence[str]) -> Reading:  # noqa: PLR0911 - one return a verb
    """Return the pins of a command of go, without its program."""
    verb, given = verb_arguments(words, "-ldflags -o -tags -C -mod -gcflags -asmflags -p -modfile")
    changes = any(word in ("-mod=mod", "--mod=mod", "mod") for word in words[1:])
    if verb == "get" and (given.has("-u") or any(word.startswith("-u=") for word in words)):
        return resolves(" ".join(("get -u", *given.operands)), "it chooses the newest versions")
    if verb == "get" and any(is_local(word) for word in given.operands or (".",)):
        return resolves(" ".join(("get", *given.operands)), "it chooses versions that go.mod lacks")
    if verb in ("get", "install", "run"):
        if changes and all(is_local(word) for word in given.operands):
            return resolves(verb, "-mod=mod changes go.mod")
        names = [word for word in given.operands if "/" in word and not is_local(word)]
        loose = [
            word
            for word in names
            if not EXACT_VERSION.fullmatch(word.partition("@")[2]) and ("@" in word or verb != "run")
        ]
        return loose_packages(loose[:1] if verb == "run" else loose)
    if verb == "mod":
        action = given.operands[:1]
        return resolves("mod tidy", "it chooses versions that go.mod lacks") if action == ("tidy",) else []
    if verb in ("build", "generate", "test", "tool"):
        if verb == "generate":
            return None
        return resolves(verb, "-mod=mod changes go.mod") if changes else []
    if verb == "env":
        return _go_settings(given)
    return [] if verb in ("clean", "fmt", "version", "vet", "list", "work") else None


def _go_settings(given: Arguments) -> Reading:
    """Return what `go env -w NAME=value` switches off or on for later commands."""
    written = [word.partition("=")[::2] for word in given.operands if given.has("-w")]
    found: list[tuple[PinKind, str, Judgement | None]] = [
        (PinKind.COMMAND, f"env -w {shown}", judged) for shown, judged in off_by_variables(written)
    ]
    if any(name == "GOFLAGS" and "-mod=mod" in value for name, value in written):
        judged = drift("resolves while building", "-mod=mod: later builds change go.mod")
        found.append((PinKind.RESOLVER, "env -w GOFLAGS", judged))
    return found


def with_go_flags(words: Sequence[str], flags: str) -> Sequence[str]:
    """Return the words of a command, those of go with the `-mod` of GOFLAGS behind its verb."""
    if words[0].rpartition("/")[2] != "go" or len(words) < 2 or UNRESOLVED in flags:
        return words
    return (*words[:2], *(flag for flag in flags.split() if flag.startswith("-mod=")), *words[2:])
