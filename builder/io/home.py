"""The user's own folders, or None for a process whose user has no home folder.

A container that runs as an unknown number (`--user 12345`) and without HOME has none. Who needs such
a folder says so; who only prefers one goes on without it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["NO_HOME", "user_cache_folder", "user_config_folder", "user_home"]

NO_HOME = "this user has no home folder, and HOME is not set"
"""The cause, for whoever needs one of these folders."""

_PROGRAM = "lockwright"


def user_home() -> Path | None:
    """Return the user's home folder."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def user_cache_folder() -> Path | None:
    """Return the folder below which caches of lockwright are."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - 25 ms that only those pay who need it

    try:
        return user_cache_path(_PROGRAM)
    except RuntimeError:
        return None


def user_config_folder() -> Path | None:
    """Return the folder of the user's own configuration of lockwright."""
    from platformdirs import user_config_path  # noqa: PLC0415 - as above

    try:
        return user_config_path(_PROGRAM)
    except RuntimeError:
        return None
