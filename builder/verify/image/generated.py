"""Files that no package holds and that programs of the lock write: which, and why. Pure.

Each rule is about an exact path or a narrow family of paths. A rule explains a
file by its place only; where the bytes follow from the lock, they are compared
elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from builder.model import FileFact

__all__ = ["RULES", "WriteScope", "WrittenRule", "source_of", "written_by"]

_BYTECODE = re.compile(r"(.+)/__pycache__/([^/]+)\.cpython-\d+\.pyc")


class WriteScope(Enum):
    """In which layers a rule holds."""

    SYSTEM = auto()
    """Where OS packages are installed: before the first folder of a build or of Python."""
    PYTHON = auto()
    """The layer of the Python environment; such a rule is about paths below its prefix."""
    ANY = auto()
    """Any: the file follows from what is installed, which is judged by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRule:
    """A family of paths, and the program that writes them."""

    pattern: re.Pattern[str]
    reason: str
    scope: WriteScope
    target: re.Pattern[str] | None = None
    """What a link must lead to; None where the rule is about files."""

    def explains(self, fact: FileFact, python_prefix: str) -> bool:
        """Whether the rule is about this path; `python_prefix` has no slash at its ends."""
        below = f"{python_prefix}/" if self.scope is WriteScope.PYTHON else ""
        if not fact.path.startswith(below) or not self.pattern.fullmatch(fact.path.removeprefix(below)):
            return False
        if self.target is None:
            return fact.kind == "file"
        return fact.kind == "symlink" and bool(self.target.fullmatch(fact.target))


def _file_rule(pattern: str, reason: str, scope: WriteScope = WriteScope.SYSTEM) -> WrittenRule:
    return WrittenRule(pattern=re.compile(pattern), reason=reason, scope=scope)


def _link_rule(pattern: str, target: str, reason: str, scope: WriteScope = WriteScope.SYSTEM) -> WrittenRule:
    return WrittenRule(pattern=re.compile(pattern), reason=reason, scope=scope, target=re.compile(target))


RULES: tuple[WrittenRule, ...] = (
    _file_rule(
        r"var/lib/dpkg/(status(-old)?|available|lock|lock-frontend|diversions(-old)?|statoverride(-old)?"
        r"|arch(-native)?|info/format|triggers/[^/]+|cmethopt|methlock)",
        "dpkg: its database, read above",
        WriteScope.ANY,
    ),
    _file_rule(r"var/log/(dpkg|alternatives)\.log|var/log/apt/[^/]+", "dpkg and apt: logs", WriteScope.ANY),
    _file_rule(
        r"etc/ld\.so\.cache|var/cache/ldconfig/aux-cache", "ldconfig: the list of libraries", WriteScope.ANY
    ),
    _file_rule(
        r"var/cache/debconf/(config|passwords|templates)\.dat(-old)?", "debconf: answers", WriteScope.ANY
    ),
    _file_rule(
        r"var/lib/apt/(extended_states|lists/lock|cdroms\.list)"
        r"|var/cache/apt/(archives/lock|(src)?pkgcache\.bin)",
        "apt: its state",
        WriteScope.ANY,
    ),
    _link_rule(r"etc/alternatives/[^/]+", r"/(usr|bin|sbin)/.+", "update-alternatives: choices"),
    _link_rule(
        r"usr/(bin|sbin|lib|share)/.+", r"/etc/alternatives/[^/]+", "update-alternatives: links to choices"
    ),
    _file_rule(r"var/lib/dpkg/alternatives/[^/]+", "update-alternatives: its database"),
    _file_rule(
        r"etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|etc/\.pwd\.lock", "passwd: users and groups"
    ),
    _file_rule(
        r"etc/(hostname|hosts|resolv\.conf|machine-id|fstab|motd|environment)", "base-files, the builder"
    ),
    _file_rule(r"etc/(timezone|default/(locale|nss|useradd)|adjtime)", "tzdata, libc-bin, passwd: settings"),
    _link_rule(r"etc/localtime", r"/usr/share/zoneinfo/.+", "tzdata: the time zone"),
    _file_rule(
        r"etc/(nsswitch\.conf|profile|shells|inputrc|networks)|var/lib/shells\.state|root/\.(bashrc|profile)",
        "base-files, debianutils, readline, netbase: settings",
    ),
    _file_rule(r"etc/apt/sources\.list(\.d/[^/]+\.(list|sources))?", "apt: where packages come from"),
    _file_rule(
        r"etc/(apt/apt\.conf|dpkg/dpkg\.cfg)\.d/docker-[a-z-]+|usr/sbin/policy-rc\.d",
        "the makers of the published base image",
    ),
    _file_rule(
        r"etc/pam\.d/common-[a-z-]+|var/lib/pam/[a-z-]+|etc/security/opasswd",
        "pam-auth-update: what modules ask for",
    ),
    _link_rule(r"etc/(rc[0-6S]\.d/[^/]+|systemd/(system|user)/.+)", r".+", "deb-systemd-helper: services"),
    _file_rule(r"var/lib/systemd/deb-systemd-(helper|user-helper)-.+", "deb-systemd-helper: its record"),
    _link_rule(
        r"etc/ssl/certs/[^/]+",
        r"/usr/(local/)?share/ca-certificates/.+|[^/]+",
        "ca-certificates: authorities",
    ),
    _file_rule(
        r"etc/ssl/certs/ca-certificates\.crt|etc/ca-certificates\.conf", "ca-certificates: authorities"
    ),
    _link_rule(
        r"etc/(dpkg/origins/default|rmt|os-release|mtab)|var/(run|lock|spool/mail)|usr/local/man",
        r"debian|(\.\./)*usr/[a-z/-]+|/run(/lock)?|\.\./mail|share/man|(\.\./)*proc/.*",
        "base-files, tar: links",
    ),
    _link_rule(r"bin|sbin|lib|lib64|lib32|libx32", r"usr/(bin|sbin|lib|lib64|lib32|libx32)", "usr-is-merged"),
    _file_rule(r"var/log/(btmp|wtmp|lastlog|faillog)|run/adduser", "base-files, adduser: empty records"),
    _file_rule(r"etc/python3/debian_config|var/lib/python/python3\.\d+_installed", "python3: its record"),
    _file_rule(r"usr/share/info/dir(\.old)?|var/cache/man/.+", "install-info, man-db: indexes"),
    _file_rule(
        r"(pyvenv\.cfg|\.gitignore|bin/[Aa]ctivate(\.csh|\.fish|\.ps1)?)",
        "venv: the environment itself",
        WriteScope.PYTHON,
    ),
    _link_rule(
        r"(lib64|bin/python[0-9.]*)",
        r"lib|python[0-9.]*|/(usr|opt/[a-z0-9.-]+)/bin/python[0-9.]*",
        "venv: the environment itself",
        WriteScope.PYTHON,
    ),
)
"""Every rule; the first that fits a path explains it."""


def written_by(fact: FileFact, python_prefix: str) -> WrittenRule | None:
    """Return the rule that explains a path of an image with its Python environment there, if one does."""
    return next((rule for rule in RULES if rule.explains(fact, python_prefix)), None)


def source_of(path: str) -> str:
    """Return the module whose bytecode `path` is; empty for any other path."""
    found = _BYTECODE.fullmatch(path)
    return f"{found[1]}/{found[2]}.py" if found else ""
