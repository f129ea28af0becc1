"""What an image is told at run time, against the lock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from builder.lockfile import PYTHON_FOLDER, RUNTIME, Finding, Lock, found

__all__ = ["check_settings"]

_UNSET = ("User", "Volumes", "ExposedPorts", "OnBuild", "Healthcheck", "StopSignal", "WorkingDir", "Shell")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def check_settings(lock: Lock, config: Mapping[str, object]) -> Iterator[Finding]:
    """Yield where variables, command or entrypoint are not the lock's; a published base may add variables."""
    for key, wanted in (("Cmd", lock.runtime.command), ("Entrypoint", lock.runtime.entrypoint)):
        here = config.get(key) or []
        if here != list(wanted):
            yield found("settings", f"{key} is {_said(here)}, locked is {_said(list(wanted))}")
    lines = config.get("Env")
    there = dict(
        line.split("=", 1) for line in (lines if isinstance(lines, list) else []) if "=" in str(line)
    )
    wanted_env = dict(lock.runtime.env)
    if any(RUNTIME in row.for_ for row in lock.python):
        wanted_env.setdefault("PATH", f"{PYTHON_FOLDER}/bin:{_SYSTEM_PATH}")
    for name, value in sorted(wanted_env.items()):
        if there.get(name) != value:
            yield found("settings", f"{name} is {_said(there.get(name, ''))}, locked is {_said(value)}")
    if any(image.tar for image in lock.images):
        for name in sorted(there.keys() - wanted_env.keys() - {"PATH"}):
            yield found("settings", f"the variable {str(name)[:100]} is set, but not in the lock")
        for key in _UNSET:
            if config.get(key) not in (None, "", [], {}, "/"):
                yield found("settings", f"{key} is set, but not in the lock")


def _said(value: object) -> str:
    return repr(value)[:300]
