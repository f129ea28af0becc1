"""Packages that apt, dnf, zypper, apk, rpm and the like take, and what makes them move. Pure.

The verbs and options of these tools are those of their manual pages: apt-get(8), dnf(8), dnf4's plugins,
zypper(8), apk(8), rpm(8), pacman(8). An option that is not listed here counts as one without a value, so its
value counts as one more package without a version: a finding too many rather than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from builder.align.dockerfile.arguments import Arguments, read_arguments, value_options
from builder.align.dockerfile.downloads import is_download
from builder.align.dockerfile.pin import Judgement, Pin, PinKind, drift, unknown
from builder.align.dockerfile.shell import ShellCommand
from builder.align.dockerfile.stage_state import StageState
from builder.align.dockerfile.variables import UNRESOLVED
from builder.align.dockerfile.verification import unsigned_judgement

__all__ = ["PACKAGERS", "read_packages", "read_rpm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _PackageManager:
    """The verbs of a package manager."""

    family: str
    """How it writes a version: `deb`, `rpm`, `apk`, `zypper` or `arch`."""
    installs: frozenset[str]
    upgrades: frozenset[str] = frozenset()
    """Verbs that bring everything, or what they name, to the newest state."""
    groups: frozenset[str] = frozenset()
    """Verbs that install groups, modules or build dependencies, which have no version."""
    archives: frozenset[str] = frozenset()
    """Verbs that add an archive."""
    valued: frozenset[str] = frozenset()
    also_from: frozenset[str] = frozenset()
    """Options that name one more archive for one command."""


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_APT = _PackageManager(
    family="deb",
    installs=_word_set("install reinstall download source satisfy"),
    upgrades=_word_set("upgrade dist-upgrade full-upgrade safe-upgrade dselect-upgrade"),
    groups=_word_set("build-dep"),
    valued=_word_set(
        "-a -c -o -t --config-file --default-release --host-architecture --option --target-release -P -q="
    )
    | _word_set("--build-profiles --solver --planner --with-source"),
)
_DNF = _PackageManager(
    family="rpm",
    installs=_word_set(
        "install localinstall reinstall downgrade download install-n install-na install-nevra in"
    ),
    upgrades=_word_set(
        "upgrade update up upgrade-minimal update-minimal distro-sync distrosync dsync offline-upgrade"
    )
    | _word_set("system-upgrade swap upgrade-to update-to"),
    groups=_word_set(
        "groupinstall grpinstall groupupdate groupupgrade group groups grp module builddep build-dep"
    )
    | _word_set("environment"),
    archives=_word_set("config-manager copr addrepo"),
    valued=value_options("dnf install") | _word_set("--add-repo --from-repo --repofrompath -o -x"),
    also_from=_word_set("--repofrompath"),
)
_ZYPPER = _PackageManager(
    family="zypper",
    installs=_word_set("in install source-install si download"),
    upgrades=_word_set("up update dup dist-upgrade patch install-new-recommends inr"),
    archives=_word_set("ar addrepo addservice as"),
    valued=_word_set("-R -C -c -r -t -p --root --cache-dir --config --repo --from --type --name --priority")
    | _word_set("--plus-repo --plus-content --reposd-dir --solv-cache-dir --raw-cache-dir --pkg-cache-dir"),
    also_from=_word_set("-p --plus-repo"),
)
_APK = _PackageManager(
    family="apk",
    installs=_word_set("add fetch"),
    upgrades=_word_set("upgrade"),
    valued=_word_set(
        "-X -p -t -o --repository --root --virtual --keys-dir --repositories-file --cache-dir --arch"
    )
    | _word_set("--wait --timeout --cache-max-age --progress-fd --output"),
    also_from=_word_set("-X --repository"),
)
_PACMAN = _PackageManager(
    family="arch", installs=_word_set("-S"), valued=_word_set("--root --dbpath --config")
)
PACKAGERS: dict[str, _PackageManager] = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), _APT),
    **dict.fromkeys(("dnf", "dnf4", "dnf5", "microdnf", "tdnf", "yum"), _DNF),
    "zypper": _ZYPPER,
    "apk": _APK,
    "pacman": _PACMAN,
}
"""Package managers by the name of their program."""

_UNSIGNED = {
    "deb": _word_set("--allow-unauthenticated --force-yes --allow-insecure-repositories --allow-untrusted"),
    "rpm": _word_set("--nogpgcheck --no-gpgchecks --no-gpgcheck --nosignature --nodigest"),
    "zypper": _word_set("--no-gpg-checks --gpg-auto-import-keys --allow-unsigned-rpm"),
    "apk": _word_set("--allow-untrusted"),
    "arch": frozenset[str](),
}
_NEVRA = re.compile(r".+-(?:\d+:)?\d[^-]*\.[^-]*-\d[^-]*")
_THIRD_PARTY = "a third party's archive, whose content changes"
_NO_VERSIONS = "groups, modules and build dependencies have no version: the build takes what the archive has"
_MISSING = "what installed packages lack comes in whatever version the archive has that day"
_EVERYTHING = "everything installed is brought to what the archive has that day"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PackageReading:
    """One command of a package manager while it is read."""

    command: ShellCommand
    line: int
    state: StageState
    besides: list[Judgement] = field(default_factory=list)
    """What the options of the command switch off; the first package that is judged takes it."""

    def add(self, value: str, *judged: Judgement) -> None:
        """Add a pin; without a judgement it only says that these packages are named exactly."""
        besides = tuple(self.besides)
        self.besides.clear()
        self.state.ledger.add(
            Pin(
                line=self.line,
                kind=PinKind.PACKAGES,
                name=self.command.program,
                value=value,
                forgiven=self.command.forgiven,
                judged=judged or besides,
                besides=besides if judged else (),
            )
        )

    def add_address(self, address: str) -> None:
        """Add the download of a package from an address."""
        if is_download(address):
            self.state.ledger.add(
                Pin(
                    line=self.line,
                    kind=PinKind.DOWNLOAD,
                    name=self.command.program,
                    value=address,
                    forgiven=self.command.forgiven,
                    note="a signature does not say which bytes come",
                )
            )


def read_packages(command: ShellCommand, line: int, state: StageState) -> bool:
    """Note what a package manager installs; False if its verb is not understood."""
    packager = PACKAGERS[command.program]
    given = read_arguments(command.words[1:], packager.valued)
    off = _unsigned_option(packager, command.words[1:])
    besides = [off] if off else []
    reading = _PackageReading(command=command, line=line, state=state, besides=besides)
    if packager is _PACMAN:
        return _read_pacman(reading)
    for address in given.values(*packager.also_from):
        reading.add(address, drift("unpinned packages", _THIRD_PARTY))
    verb, *rest = given.operands or ("",)
    if verb in packager.upgrades:
        text = f"{' '.join(rest)}: whatever the archive has that day" if rest else _EVERYTHING
        reading.add(" ".join((verb, *rest)), drift("unpinned packages", text))
    elif verb in packager.groups:
        if rest[:1] not in (["list"], ["info"], ["remove"], ["reset"], ["disable"], ["summary"], ["mark"]):
            reading.add(" ".join((verb, *rest)), drift("unpinned packages", _NO_VERSIONS))
    elif verb in packager.archives:
        return _read_archive(reading, given.values("--add-repo"), rest)
    elif verb in packager.installs:
        _read_installed(reading, packager.family, rest)
        _read_besides(reading, packager, given)
    elif off:
        reading.add(verb)
    else:
        return verb in _HARMLESS_VERBS or not verb
    return True


def _read_besides(reading: _PackageReading, packager: _PackageManager, given: Arguments) -> None:
    """Add what options bring besides the packages that are named."""
    if packager is _APK and given.has("-u", "--upgrade"):
        reading.add("add --upgrade", drift("unpinned packages", _EVERYTHING))
    if packager is _APT and len(given.operands) == 1 and given.has("-f", "--fix-broken"):
        reading.add(f"{given.operands[0]} --fix-broken", drift("unpinned packages", _MISSING))


_HARMLESS = """
autoclean autoremove cache check check-update clean config-dump del depends dsc history info list
list-installed  ls lr makecache mark markauto policy provides purge ref refresh remove repolist
repoquery rm search show  showhold hold unhold unmark update versionlock erase leaves rdepends verify
audit version help --version  changelog indextargets moo repos removerepo rr lp ll addlock al stats dot
fix index indexes index-id mr modifyrepo
"""
_HARMLESS_VERBS = _word_set(_HARMLESS)


def _unsigned_option(packager: _PackageManager, words: Sequence[str]) -> Judgement | None:
    for word in words:
        if word.partition("=")[0] in _UNSIGNED[packager.family]:
            return drift("unsigned archive", f"{word}: no signature of the archive is checked")
    return unsigned_judgement(" ".join(words))


def _read_installed(reading: _PackageReading, family: str, names: Sequence[str]) -> None:
    """Add the packages that an install verb names, by how each is bound."""
    addresses = [name for name in names if "://" in name]
    files = [name for name in names if _is_file(name) and name not in addresses]
    others = [name for name in names if name not in addresses and name not in files]
    later = [name for name in others if UNRESOLVED in name]
    loose = [name for name in others if name not in later and not _is_exact(family, name)]
    exact = [name for name in others if name not in later and name not in loose]
    for address in addresses:
        reading.add_address(address)
    if loose:
        why = sorted({reason for name in loose if (reason := _no_pin(family, name))})
        spelled = f"an exact version ({'; '.join(why)})" if why else "a version"
        text = f"{len(loose)} without {spelled}: the build takes whatever the archive has"
        reading.add(" ".join(loose), drift("unpinned packages", text))
    if later:
        reading.add(" ".join(later), unknown("decided later", "only the build knows its value"))
    if files:
        text = "what they depend on comes from the archive, without a version"
        reading.add(" ".join(files), unknown("not read", text))
    if exact:
        reading.add(" ".join(exact))
    elif reading.besides:
        reading.add(" ".join(names))


def _is_file(name: str) -> bool:
    return name.startswith(("./", "/", "../", "~")) or name.endswith((".deb", ".rpm", ".apk", ".ddeb"))


def _is_exact(family: str, name: str) -> bool:
    """Whether a word names one version of a package, by the spelling of its package manager."""
    plain, equals, version = name.partition("=")
    if family == "rpm":
        return bool(_NEVRA.fullmatch(name)) and "*" not in name and not re.search(r"[<>=]", name)
    if family == "deb" and name.endswith("-") and not equals:
        return True  # apt-get install NAME- removes it
    if family == "zypper" and name.startswith(("-", "!")):
        return True
    if not equals or re.search(r"[*?\[<>~!]", plain) or "*" in version or "?" in version or not version:
        return False
    if family == "apk":
        return "@" not in plain and bool(re.search(r"-r\d+$", version))
    return family != "zypper" or "-" in version


def _no_pin(family: str, name: str) -> str:  # noqa: PLR0911 - one return a reason
    """Return why something that looks like a pin is none, or nothing."""
    version = name.partition("=")[2]
    if "*" in version or "?" in version:
        return f"{name} is a pattern"
    if family == "deb" and "/" in name and "=" not in name:
        return f"{name} names a suite"
    if re.search(r"[<>~]=?", name):
        return f"{name} is a range"
    if "@" in name and family == "apk":
        return f"{name} names an archive"
    if version and family in ("apk", "zypper"):
        return f"{name} leaves the release open"
    if family == "rpm" and re.fullmatch(r".+-\d[^-]*\.[^-]*", name):
        return f"{name} leaves the release open"
    return ""


def _read_archive(reading: _PackageReading, added: Sequence[str], rest: Sequence[str]) -> bool:
    """Add the archives that a command enables; False if it does something else that is not known."""
    names = [*added, *(word for word in rest if "://" in word or word.endswith(".repo"))]
    words = reading.command.words
    names += [
        word.partition("=")[2] for word in words if word.startswith(("--from-repofile=", "--set=baseurl="))
    ]
    names += list(rest[1:]) if list(rest[:1]) == ["enable"] and "copr" in words else []
    for name in names:
        reading.add(name, drift("unpinned packages", _THIRD_PARTY))
    switched = bool(reading.besides)
    if switched:
        reading.add(" ".join(rest))
    settings = ("--enable", "--set-enabled", "--disable", "--set-disabled", "--save", "--setopt", "setopt")
    return bool(names or switched) or any(word.startswith(settings) for word in words)


def _read_pacman(reading: _PackageReading) -> bool:
    words = reading.command.words[1:]
    options = [word for word in words if word.startswith("-")]
    names = [word for word in words if not word.startswith("-")]
    sync = next((word for word in options if re.fullmatch(r"-[a-z]*S[a-z]*|--sync", word)), "")
    if any(word.startswith(("-U", "--upgrade")) for word in options):
        for name in names:
            reading.add_address(name)
        return True
    if not sync:
        return any(re.match(r"-[QRDFT]", word) for word in options)
    if "u" in sync or "--sysupgrade" in options:
        reading.add(" ".join((sync, *names)), drift("unpinned packages", _EVERYTHING))
    elif names:
        text = f"{len(names)} without a version: the build takes whatever the archive has"
        reading.add(" ".join(names), drift("unpinned packages", text))
    return True


def read_rpm(command: ShellCommand, line: int, state: StageState) -> bool:
    """Note what `rpm` or `dpkg` itself installs, and which keys it takes."""
    reading = _PackageReading(command=command, line=line, state=state)
    for word in command.words[1:]:
        if "://" in word:
            reading.add_address(word)
    off = next((word for word in command.words if word in (*_UNSIGNED["rpm"], "--force-bad-verify")), "")
    if off:
        reading.add(off, drift("unsigned archive", f"{off}: no signature is checked"))
    return True
