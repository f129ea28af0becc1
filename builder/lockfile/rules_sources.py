"""Rules of sources and archives: a build of the same version uses each, and git is asked safely. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from builder.lockfile.labels import LockSection, named_label, row_label
from builder.lockfile.lock import Archive, GitSource, Lock
from builder.lockfile.rule import Fault, LockRule
from builder.lockfile.shapes import clean_path

__all__ = ["SOURCE_RULES"]


def _source_use_faults(lock: Lock) -> Iterator[Fault]:
    built = {build.component: build.version for build in lock.builds}
    for source in lock.sources:
        version = built.get(source.component)
        if version is None:
            yield Fault(row=row_label(source), text="no build uses it")
        elif version != source.version:
            yield Fault(row=row_label(source), text=f"its build is of version {version}")


def _archive_use_faults(lock: Lock) -> Iterator[Fault]:
    """Yield components whose build reads other files than the archive rows that it has: once for each."""
    read = {build.component: set(build.archives) for build in lock.builds}
    rows: dict[str, dict[str, Archive]] = {}
    for row in lock.archives:
        # A file in a folder is reported as that, by another rule.
        rows.setdefault(row.component, {})[row.file.rpartition("/")[2]] = row
    for component in sorted(read.keys() | rows.keys()):
        here = rows.get(component, {})
        absent = sorted(read.get(component, set()) - here.keys())
        unread = sorted(here.keys() - read.get(component, set()))
        texts = [f"{file}, which is not an archive of it" for file in absent]
        said = [f"its build reads {', '.join(texts)}"] if texts else []
        said += [f"no build reads {', '.join(unread)}"] if unread else []
        if said:
            label = row_label(here[unread[0]]) if unread else named_label(LockSection.ARCHIVES, absent[0])
            yield Fault(row=label, text="; ".join(said))


def _archive_version_faults(lock: Lock) -> Iterator[Fault]:
    versions = {build.component: build.version for build in lock.builds}
    for row in lock.archives:
        version = versions.get(row.component, row.version)
        if version != row.version:
            text = f"it is of version {row.version}, its build of {version}"
            yield Fault(row=row_label(row), text=text)


def _archive_file_faults(lock: Lock) -> Iterator[Fault]:
    for row in lock.archives:
        if "/" in row.file or not clean_path(row.file):
            yield Fault(row=row_label(row), text="not a plain file name")


def _path_faults(lock: Lock) -> Iterator[Fault]:
    for source in lock.sources:
        yield from (Fault(row=row_label(source), text=text) for text in _path_texts(source))


def _path_texts(source: GitSource) -> Iterator[str]:
    paths = [submodule.path for submodule in source.submodules]
    for path in paths:
        if not clean_path(path):
            yield f"submodule {path!r} is not below the source"
    if paths != sorted(set(paths)):
        yield "submodules is not sorted and unique"
    for path in source.omitted:
        if not clean_path(path):
            yield f"{path!r}, which is left out, is not below the source"
    for path in sorted({*paths} & {*source.omitted}):
        yield f"submodule {path} is both locked and left out"


def _address_faults(lock: Lock) -> Iterator[Fault]:
    for source in lock.sources:
        for url in (source.git, *(submodule.git for submodule in source.submodules)):
            if not url.startswith("https://") or "@" in url or any(mark in url for mark in " ?#"):
                yield Fault(row=row_label(source), text=f"{url!r} is not a public https address")


def _reason_faults(lock: Lock) -> Iterator[Fault]:
    for source in lock.sources:
        if not source.tag and not source.reason:
            yield Fault(row=row_label(source), text="a commit without a tag needs a reason")


SOURCE_RULES = (
    LockRule(
        id="sources-used",
        says="A build of the same version uses every source.",
        stops=True,
        why="row and build name two different versions",
        finds=_source_use_faults,
    ),
    LockRule(
        id="archives-used",
        says="A build reads every archive of its component, and no other file.",
        stops=True,
        why="the build would lack the file",
        finds=_archive_use_faults,
    ),
    LockRule(
        id="archive-versions",
        says="An archive is of the version of its build.",
        stops=True,
        why="row and build name two different versions",
        finds=_archive_version_faults,
    ),
    LockRule(
        id="archive-file",
        says="An archive is a plain file name.",
        stops=True,
        why="it would leave the folder of inputs",
        finds=_archive_file_faults,
    ),
    LockRule(
        id="source-paths",
        says="Submodules and omitted paths are below their source, each there once.",
        stops=True,
        why="the canonical tar is not determined",
        finds=_path_faults,
        after=("sorted-lists",),
    ),
    LockRule(
        id="git-address",
        says="git addresses are public https URLs without credentials.",
        stops=True,
        why="git runs addresses such as `ext::` as commands",
        finds=_address_faults,
    ),
    LockRule(
        id="reason-without-tag",
        says="A commit without a tag has a reason.",
        stops=False,
        why="the commit and its tar are still named",
        finds=_reason_faults,
    ),
)
"""The rules of sources and archives, causes before consequences."""
