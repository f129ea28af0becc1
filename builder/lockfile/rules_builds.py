"""Rules of what builds start from and do: images, sources, archives, and builds. Pure.

There is one image for each role, identified by digest or tar, with what it
brings. A build of the same version uses each source and archive, and git is
asked safely. What a build needs is built before it, its prefixes exist, and its
steps are final.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from builder.lockfile.labels import LockSection, named_label, row_label
from builder.lockfile.lock import BASE, RUNTIME, Archive, Build, GitSource, Image, Lock
from builder.lockfile.rule import NAME, Fault, LockRule, clean_folder, clean_path, unfilled
from builder.model import Sha256

__all__ = ["BUILD_RULES", "IMAGE_RULES", "SOURCE_RULES"]


_ROLES = ("build", RUNTIME)


def _role_faults(lock: Lock) -> Iterator[Fault]:
    unknown = [(image, role) for image in lock.images for role in image.roles if role not in _ROLES]
    for image, role in unknown:
        yield Fault(row=row_label(image), text=f"{role!r} is not a role")
    for role in _ROLES:
        count = sum(role in image.roles for image in lock.images)
        if count != 1 and not unknown:
            text = f"{count} images have the role {role}, expected one"
            yield Fault(row=LockSection.IMAGES, text=text)


def _identity_faults(lock: Lock) -> Iterator[Fault]:
    yield from (
        Fault(row=row_label(image), text=text) for image in lock.images for text in _identity_texts(image)
    )


def _identity_texts(image: Image) -> Iterator[str]:
    if (image.digest is None) == (image.tar is None):
        yield "expected either digest or tar"
    elif image.digest is not None and not image.tag:
        yield "a digest needs its tag beside it"
    elif image.digest is None and (image.index_digest or image.tag):
        yield "only a published image has a tag and an index"


def _inventory_faults(lock: Lock) -> Iterator[Fault]:
    yield from (
        Fault(row=row_label(image), text=text) for image in lock.images for text in _inventory_texts(image)
    )


def _inventory_texts(image: Image) -> Iterator[str]:
    if image.tar is not None and image.inventory:
        yield "an assembled base has os-packages, not an inventory"
    lines = set(image.inventory)
    malformed = sorted(line for line in lines if not all(line.partition("=")[::2]))
    yield from (f"inventory: {line!r} is not name=version" for line in malformed)
    if not malformed and len({line.partition("=")[0] for line in lines}) != len(lines):
        yield "inventory has a package in two versions"


def _base_package_faults(lock: Lock) -> Iterator[Fault]:
    for image in lock.images:
        if image.tar and not any(BASE in row.for_ for row in lock.os_packages):
            yield Fault(row=row_label(image), text=f"an assembled base needs os-packages for {BASE}")


def _image_python_faults(lock: Lock) -> Iterator[Fault]:
    for image in lock.images:
        if image.python and (RUNTIME not in image.roles or not image.python_by):
            text = f"Python distributions need the role {RUNTIME} and who listed them"
            yield Fault(row=row_label(image), text=text)
        for distribution in image.python:
            name, _, version = distribution.partition("==")
            if not version or canonicalize_name(name) != name:
                text = f"{distribution} is not a normalised name, == and a version"
                yield Fault(row=row_label(image), text=text)


def _installed_over_faults(lock: Lock) -> Iterator[Fault]:
    rows = {row.name: row for row in lock.python if RUNTIME in row.for_}
    for image in lock.images:
        for distribution in image.python:
            name, _, version = distribution.partition("==")
            if name in rows:
                text = f"it would be installed over {version} of image {image.name}"
                yield Fault(row=row_label(rows[name]), text=text)


IMAGE_RULES = (
    LockRule(
        id="image-roles",
        says="One image has the role build, and one the role runtime.",
        stops=True,
        why="no Dockerfile begins without them",
        finds=_role_faults,
    ),
    LockRule(
        id="image-identity",
        says="An image is published (digest and tag) or assembled (tar), never both.",
        stops=True,
        why="which bytes are meant is not determined",
        finds=_identity_faults,
    ),
    LockRule(
        id="image-inventory",
        says="A published image lists its OS packages, each `name=version` and once.",
        stops=True,
        why="the closure of OS packages stands on it",
        finds=_inventory_faults,
    ),
    LockRule(
        id="base-packages",
        says="An assembled base has the packages that it is made of.",
        stops=True,
        why="nobody could make its tar",
        finds=_base_package_faults,
    ),
    LockRule(
        id="image-python",
        says="Python distributions of the runtime image are `name==version`, and somebody listed them.",
        stops=True,
        why="evidence without a publisher is none",
        finds=_image_python_faults,
    ),
    LockRule(
        id="installed-over",
        says="Nothing is installed over a Python distribution of the image.",
        stops=True,
        why="which one is imported is not determined",
        finds=_installed_over_faults,
    ),
)
"""The rules of images, causes before consequences."""


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
        says="A build reads every archive of its component and nothing else.",
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


_BELOW_OPT = re.compile(r"/opt/[A-Za-z0-9._+-]+")
_BUILD_ENVIRONMENT = "/opt/build-env"
_PATCH_NAME = re.compile(r"[A-Za-z0-9._+/-]+")


def _build_order_faults(lock: Lock) -> Iterator[Fault]:
    seen: set[str] = set()
    for build in lock.builds:
        if build.component in seen:
            yield Fault(row=row_label(build), text="it appears twice")
        for need in build.needs:
            if need not in seen:
                text = f"it needs {need}, which is not built before it"
                yield Fault(row=row_label(build), text=text)
        seen.add(build.component)


def _prefix_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        if not NAME.fullmatch(build.component):
            yield Fault(row=row_label(build), text=f"{build.component!r} is not a component's name")
        if build.prefix and not clean_folder(build.prefix):
            yield Fault(row=row_label(build), text=f"its prefix {build.prefix!r} is not an absolute folder")
        if build.runtime and not build.prefix:
            yield Fault(row=row_label(build), text="it is for runtime, and has no prefix to copy")
    placed = [build for build in lock.builds if build.prefix]
    for number, build in enumerate(placed):
        for other in placed[:number]:
            if _takes_over_prefix(build, other, lock):
                continue
            inside = f"{build.prefix}/".startswith(f"{other.prefix}/")
            if inside or f"{other.prefix}/".startswith(f"{build.prefix}/"):
                text = f"its prefix {build.prefix} and {other.prefix} of {other.component} overlap"
                yield Fault(row=row_label(build), text=text)


def _takes_over_prefix(build: Build, other: Build, lock: Lock) -> bool:
    """Whether `build` makes what the image has in the prefix of `other`, which only builds see.

    Nothing then gets both: the image gets that of `build` alone, and no build needs it.
    """
    users = (one.component for one in lock.builds if build.component in one.needs)
    same = build.prefix == other.prefix and other.component in build.needs
    return same and build.runtime and not other.runtime and not any(users)


def _patch_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        for patch in build.patches:
            if not clean_path(patch.file) or not _PATCH_NAME.fullmatch(patch.file):
                yield Fault(row=row_label(build), text=f"{patch.file!r} is not a plain path of a patch")
            if Sha256.of(patch.data) != patch.sha256:
                yield Fault(row=row_label(build), text=f"the lines of {patch.file} have another SHA-256")


def _device_code_faults(lock: Lock) -> Iterator[Fault]:
    known = {*lock.environment.gpu_archs}
    for build in lock.builds:
        in_order = sorted({*build.gpu_archs} & known, key=lambda arch: (len(arch), arch))
        if list(build.gpu_archs) != in_order:
            yield Fault(row=row_label(build), text="its gpu-archs are not the target's, in order")
        if build.ptx and build.ptx not in build.gpu_archs:
            yield Fault(row=row_label(build), text=f"ptx {build.ptx} is none of its gpu-archs")


def _command_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        commands = (*build.steps, *(check.run for check in build.checks))
        if any(not command or not command[0] for command in commands):
            yield Fault(row=row_label(build), text="a step is empty")


def _placeholder_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        checks = (word for check in build.checks for word in check.run)
        texts = (build.prefix, *_step_texts(build), *checks)
        for placeholder in sorted({found for text in texts for found in unfilled(text)}):
            yield Fault(row=row_label(build), text=f"the placeholder {placeholder!r} is not filled")


def _step_texts(build: Build) -> tuple[str, ...]:
    words = (word for step in build.steps for word in step)
    return (*words, *(value for _, value in build.env))


def _named_prefix_faults(lock: Lock) -> Iterator[Fault]:
    prefixes: dict[str, set[str]] = {}
    for build in lock.builds:
        if build.prefix:
            prefixes.setdefault(build.prefix, set()).add(build.component)
    for build in lock.builds:
        text = "\n".join(_step_texts(build))
        there = {build.component, *build.needs}
        for prefix, components in sorted(prefixes.items()):
            component = min(components)
            if not components & there and re.search(rf"{re.escape(prefix)}(?![A-Za-z0-9._+-])", text):
                named = f"its steps name {prefix}, the prefix of {component}, which is none of its needs"
                yield Fault(row=row_label(build), text=named)


def _named_folder_faults(lock: Lock) -> Iterator[Fault]:
    prefixes = [build.prefix for build in lock.builds if build.prefix]
    prefixes += [_BUILD_ENVIRONMENT, lock.environment.python_prefix]
    for build in lock.builds:
        folders = set(_BELOW_OPT.findall("\n".join(_step_texts(build))))
        for folder in sorted(folders):
            if not any(prefix == folder or prefix.startswith(f"{folder}/") for prefix in prefixes):
                text = f"its steps name {folder}, which is not the prefix of a build"
                yield Fault(row=row_label(build), text=text)


def _license_faults(lock: Lock) -> Iterator[Fault]:
    for build in lock.builds:
        if not build.license:
            yield Fault(row=row_label(build), text="it has no license")


BUILD_RULES = (
    LockRule(
        id="build-order",
        says="A component is built once, after what it needs.",
        stops=True,
        why="its stage could not be built",
        finds=_build_order_faults,
    ),
    LockRule(
        id="build-prefix",
        says="Prefixes are absolute, those in one stage do not overlap, and what the image gets has one.",
        stops=True,
        why="one build would overwrite another",
        finds=_prefix_faults,
        after=("build-order",),
    ),
    LockRule(
        id="patches",
        says="Patches have plain paths, and the SHA-256 of their lines.",
        stops=True,
        why="the lines are what is applied",
        finds=_patch_faults,
    ),
    LockRule(
        id="device-code",
        says="A build compiles for GPUs of the target only, in their order, and its PTX is of one of them.",
        stops=False,
        why="what is compiled stands in the steps",
        finds=_device_code_faults,
    ),
    LockRule(
        id="build-commands",
        says="Every step and check of a build names a program.",
        stops=True,
        why="an empty command cannot run",
        finds=_command_faults,
    ),
    LockRule(
        id="placeholders",
        says="Steps, checks, variables and prefixes hold no placeholder of recipes.",
        stops=True,
        why="a lock is final: nothing is computed later but `{jobs}`",
        finds=_placeholder_faults,
    ),
    LockRule(
        id="named-prefixes",
        says="Steps name the prefixes of components that the build needs, and no others.",
        stops=True,
        why="the folder is not in that stage",
        finds=_named_prefix_faults,
        after=("build-order",),
    ),
    LockRule(
        id="named-folders",
        says="Folders of /opt that steps name are prefixes of builds.",
        stops=False,
        why="found in text: a step may make such a folder itself",
        finds=_named_folder_faults,
    ),
    LockRule(
        id="build-license",
        says="Every build has a license.",
        stops=False,
        why="the image is the same; license policies judge it",
        finds=_license_faults,
    ),
)
"""The rules of builds, causes before consequences."""
