"""Why two builds differ: the causes that are known, and what helps against each."""

from __future__ import annotations

__all__ = ["CAUSES", "BuildConditions", "Cause"]

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One kind of difference."""

    name: str
    meaning: str
    remedy: str
    harmless: bool = True
    """Whether contents that differ in nothing else count as identical after normalisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildConditions:
    """What is known of the two builds: first and second."""

    hostnames: tuple[str, str] = ("", "")
    processors: tuple[int | None, int | None] = (None, None)


_ROWS = (
    Cause(
        name="archive-order",
        meaning="an archive holds the same members in another order",
        remedy="sort what goes in: `tar --sort=name`, `ar` with sorted arguments, `zip -X` of a sorted list",
    ),
    Cause(
        name="archive-metadata",
        meaning="members of an archive have other times, owners or modes",
        remedy="`ar rcD`, `tar --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner`, `gzip -n`",
    ),
    Cause(
        name="build-id",
        meaning="the build id of a binary differs and nothing else does",
        remedy="link with -Wl,--build-id=none (nvcc names a symbol after its process id, and strip removes "
        "only the symbol); map the build folder's path with -ffile-prefix-map",
    ),
    Cause(
        name="build-time",
        meaning="the time of the build is in the file",
        remedy="let the tool use SOURCE_DATE_EPOCH; with gcc, -Wdate-time finds __DATE__ and __TIME__",
    ),
    Cause(
        name="bytecode",
        meaning="compiled Python, which holds the time of its source",
        remedy="PYTHONDONTWRITEBYTECODE=1, pip --no-compile; remove __pycache__ in the step that makes it",
    ),
    Cause(
        name="cache",
        meaning="a cache that a package manager or a tool left behind",
        remedy="remove it in the step that makes it: nothing in the image reads it",
    ),
    Cause(
        name="compression",
        meaning="the layer's tar is the same, but it was compressed differently",
        remedy="build with the engine version that the digest was recorded with",
    ),
    Cause(
        name="hostname",
        meaning="the name of the machine is in the file",
        remedy="keep it out of the step: set the tool's own switch, or HOSTNAME for tools that read it",
    ),
    Cause(
        name="identity",
        meaning="a key or an identifier that is drawn at random for each machine",
        remedy="remove it in the step that makes it; make it when the container starts",
        harmless=False,
    ),
    Cause(
        name="key-order",
        meaning="a JSON document has the same content in another order",
        remedy="let the writer sort the keys, or set PYTHONHASHSEED=0 in the step",
    ),
    Cause(
        name="layer-order",
        meaning="the layer holds the same members in another order",
        remedy="build with the engine version that the digest was recorded with",
    ),
    Cause(
        name="line-order",
        meaning="the same lines in another order, left by parallel or unsorted work",
        remedy="sort the output, or do this step with one job",
    ),
    Cause(
        name="locale-order",
        meaning="the same lines are sorted by the rules of another locale",
        remedy="LC_ALL=C in the step that sorts",
    ),
    Cause(
        name="lock",
        meaning="the images were built from different locks, so they need not be the same",
        remedy="`python -m builder diff` shows what was changed in the locks",
        harmless=False,
    ),
    Cause(
        name="log",
        meaning="a log, which holds times",
        remedy="remove it in the step that writes it",
    ),
    Cause(
        name="mtime",
        meaning="the file's time differs",
        remedy="export with rewrite-timestamp=true, and set times that lie before SOURCE_DATE_EPOCH by hand",
    ),
    Cause(
        name="owner",
        meaning="the file belongs to another user or group",
        remedy="install with fixed numbers: `install -o 0 -g 0`, `tar --no-same-owner`",
        harmless=False,
    ),
    Cause(
        name="password-date",
        meaning="the day on which an account was made is in the password file",
        remedy="SOURCE_DATE_EPOCH in the step that makes the account, or `chage -d 0`",
    ),
    Cause(
        name="processors",
        meaning="the number of processors, or of jobs, is in the file",
        remedy="do not record `make -j`, `nproc` and the like; give the step a fixed number if it matters",
    ),
    Cause(
        name="temporary-name",
        meaning="the random name of a temporary file is in the file",
        remedy="-ffile-prefix-map, -frandom-seed, or a fixed folder instead of mktemp",
    ),
    Cause(
        name="umask",
        meaning="the file's mode shows another umask",
        remedy="set modes explicitly: `install -m`, `chmod`, `umask 022` at the head of the step",
        harmless=False,
    ),
    Cause(
        name="unknown",
        meaning="no known cause",
        remedy="compare the two files; `diffoscope` shows what is in them",
        harmless=False,
    ),
)

CAUSES = {row.name: row for row in _ROWS}
"""All causes by name."""
