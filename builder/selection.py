"""Which targets are meant: the one place that resolves --release, --platform, --framework and --arch. Pure.

Every verb goes through `check_names` and `choose`, so that a filter that
matches nothing never looks like success: an unknown name
exits 2 with the nearest names, and a name that exists without a lock exits 5
with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from builder.errors import NoSolutionError, UsageError
from builder.model import Arch, Target, counted, nearest_names

__all__ = [
    "ALL",
    "Selection",
    "TargetNames",
    "UnlockedTarget",
    "check_names",
    "choose",
    "parse_arch",
    "reasons_text",
    "unmatched",
]

ALL = "all"
"""The word that selects every release."""

_ARCH_WORDS = {word: arch for arch in Arch for word in (arch.debian, arch.oci, arch.cuda)} | {
    "x64": Arch.X86_64,
    "x86-64": Arch.X86_64,
    "armv8": Arch.AARCH64,
}
"""What other tools call an architecture: said in the hint, never accepted (trap T11)."""
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the command line names; empty means no restriction."""

    releases: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    arches: tuple[Arch, ...] = ()

    def holds(self, target: Target) -> bool:
        """Say whether `target` is selected."""
        return (
            (not self.releases or ALL in self.releases or target.release in self.releases)
            and (not self.platforms or target.platform in self.platforms)
            and (not self.frameworks or target.framework in self.frameworks)
            and (not self.arches or target.arch in self.arches)
        )

    def or_release(self, release: str) -> Selection:
        """Return the selection, of `release` if it names no release."""
        return self if self.releases else replace(self, releases=(release,))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is named: no restriction at all."""
        return self == Selection()

    def single_values(self) -> Iterator[Selection]:
        """Yield the selection once for each named value: with this value alone for its option."""
        for release in self.releases:
            yield replace(self, releases=(release,))
        for platform in self.platforms:
            yield replace(self, platforms=(platform,))
        for framework in self.frameworks:
            yield replace(self, frameworks=(framework,))
        for arch in self.arches:
            yield replace(self, arches=(arch,))

    def __str__(self) -> str:
        """Return the options as somebody would type them; empty for no restriction."""
        words = {
            "--release": self.releases,
            "--platform": self.platforms,
            "--framework": self.frameworks,
            "--arch": [arch.value for arch in self.arches],
        }
        return " ".join(f"{option} {value}" for option, values in words.items() for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetNames:
    """Every name that a selection may have."""

    releases: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    frameworks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, targets: Iterable[Target]) -> TargetNames:
        """Return the names of some targets."""
        known = tuple(targets)
        return cls(
            releases=frozenset(target.release for target in known),
            platforms=frozenset(target.platform for target in known),
            frameworks=frozenset(target.framework for target in known),
        )

    def __or__(self, other: TargetNames) -> TargetNames:
        """Return the names of both."""
        return TargetNames(
            releases=self.releases | other.releases,
            platforms=self.platforms | other.platforms,
            frameworks=self.frameworks | other.frameworks,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockedTarget:
    """One target that was asked for, and why it is not there."""

    target: Target
    reason: str
    """Such as `refused (T3): torch 2.9.0 has no CUDA build for aarch64`."""
    command: str = ""
    """The command that locks it, where one may."""


def parse_arch(word: str) -> Arch:
    """Return the architecture that `word` names (UsageError, with the name in use here)."""
    if word in [arch.value for arch in Arch]:
        return Arch(word)
    meant = _ARCH_WORDS.get(word.lower())
    hint = f"did you mean `{meant}`?" if meant else nearest_names(word.lower(), [arch.value for arch in Arch])
    raise UsageError(f"there is no architecture {word!r}", place="--arch", hint=hint)


def check_names(selection: Selection, known: TargetNames) -> None:
    """Refuse unknown names: neither a recipe nor a lock has them (UsageError)."""
    for option, named, names in (
        ("release", selection.releases, known.releases | {ALL}),
        ("platform", selection.platforms, known.platforms),
        ("framework", selection.frameworks, known.frameworks),
    ):
        for name in named:
            if name not in names:
                raise UsageError(
                    f"there is no {option} {name!r}", place=f"--{option}", hint=nearest_names(name, names)
                )


def choose(
    selection: Selection,
    targets: Collection[Target],
    *,
    known: TargetNames,
    unlocked: Callable[[Selection], Sequence[UnlockedTarget]],
) -> tuple[Target, ...]:
    """Return the targets that are selected, sorted; every value that is named matches at least one of them.

    `known` are the names that exist; `unlocked` says why targets of a selection
    are not among `targets`, and is asked only where that is needed.
    UsageError for an unknown name, NoSolutionError for one that matches nothing.
    """
    check_names(selection, known)
    chosen = tuple(sorted(filter(selection.holds, targets)))
    if not chosen:
        raise unmatched(selection, targets, unlocked(selection))
    for single in selection.single_values():
        if not any(map(single.holds, chosen)):
            raise unmatched(single, targets, unlocked(single))
    return chosen


def unmatched(
    selection: Selection, targets: Collection[Target], unlocked: Sequence[UnlockedTarget]
) -> NoSolutionError:
    """Return the error for a selection of existing names without a lock: its reasons, and what to do."""
    known = reasons_text(unlocked)
    return NoSolutionError(
        f"no lock matches; {known}" if known else "no lock matches",
        place=str(selection) or "lock",
        hint=_what_to_do(selection, targets, unlocked),
    )


def reasons_text(unlocked: Sequence[UnlockedTarget]) -> str:
    """Return the reasons in words, each with the first target that has it; empty without any."""
    reasons: dict[str, list[Target]] = {}
    for item in unlocked:
        reasons.setdefault(item.reason, []).append(item.target)
    shown = [
        f"{group[0]}{f' and {len(group) - 1} more' if len(group) > 1 else ''}: {reason}"
        for reason, group in list(reasons.items())[:_MOST_REASONS]
    ]
    if len(reasons) > _MOST_REASONS:
        shown.append(f"{counted(len(reasons) - _MOST_REASONS, 'other reason')}")
    return "; ".join(shown)


def _what_to_do(selection: Selection, targets: Collection[Target], unlocked: Sequence[UnlockedTarget]) -> str:
    elsewhere = replace(selection, releases=())
    releases = sorted({target.release for target in targets if elsewhere.holds(target)})
    if releases:
        return f"locked in {', '.join(releases)}: name one with --release"
    commands = [item.command for item in unlocked if item.command]
    if commands:
        return f"run `{commands[0]}`"
    return "see `python -m builder matrix --table targets`"
