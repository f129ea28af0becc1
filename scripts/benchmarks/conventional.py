"""The Dockerfile that a team would write by hand for the content of one lock. Pure.

One builder stage: the build packages from the archive, each component cloned
by its tag and built with the lock's own steps, and `pip install -r
requirements.txt` from the index. One runtime stage: the runtime packages, and
copies of the prefixes and of the virtual environment. The pins are the lock's,
the hashes are not there, and every RUN may use the network.

Places are the machine's: the base image is a build argument, and what pip and
git need to know of it (an index, an authority, mirrors) they read from secrets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from builder.errors import LockError
from builder.export import to_requirements
from builder.lockfile import (
    INSTALLER,
    LINKER_FILE,
    RECIPE,
    RUNTIME,
    Archive,
    Build,
    Check,
    Lock,
    OsPackage,
)
from builder.recipe import PYPI
from builder.render import Cmd, Entrypoint, Env, File, script

__all__ = ["BASE", "BUILDER", "Conventional", "conventional", "os_pins", "requirements"]

BASE = "BASE"
"""The build argument that names the base image."""

BUILDER = "builder"
"""The stage that has every component and the virtual environment."""

_SYSTEM, _PYTHON = "OS packages", "Python packages"
_BUILD_ENVIRONMENT = "/opt/build-env"
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_CA = "--mount=type=secret,id=ca,target=/run/secrets/ca"
_PIP = f"--mount=type=secret,id=pip,target=/etc/pip.conf {_CA}"
_GIT = f"--mount=type=secret,id=git,target=/etc/gitconfig {_CA}"
_HASH = re.compile(r" --hash=\S+")
_COUNTED = ("ADD ", "COPY ", "RUN ")
_PROGRAM = "scripts/benchmarks/bench image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventional:
    """The text, the file beside it, and whose each step of the builder stage is."""

    dockerfile: str
    requirements: str
    steps: tuple[str, ...]
    """By BuildKit's number less one: a component, or in words what else it is."""


def conventional(
    lock: Lock, url_of: Callable[[Archive], str], *, unpinned: frozenset[str] = frozenset()
) -> Conventional:
    """Return the conventional form of a lock.

    `url_of` says where an archive is; OS packages in `unpinned` are taken in
    the version that the archive has. LockError for what has no such form.
    """
    _refuse_unsupported_lock(lock)
    parts = list(_builder_instructions(lock, url_of, unpinned))
    steps = ["base image", *(who for who, text in parts if text.startswith(_COUNTED))]
    text = [
        f"# What a team would write by hand for lock/{lock.target.path}; `{_PROGRAM}` wrote it.",
        f"ARG {BASE}",
        "",
        f"FROM ${{{BASE}}} AS {BUILDER}",
        *(line for _, line in parts),
        "",
        f"FROM ${{{BASE}}} AS runtime",
        *_runtime_instructions(lock, unpinned),
        "",
        "FROM runtime AS check",
        *(_check_run(check) for check in _lock_checks(lock)),
    ]
    return Conventional(
        dockerfile="\n".join(text) + "\n", requirements=requirements(lock, RUNTIME), steps=tuple(steps)
    )


def os_pins(lock: Lock) -> tuple[tuple[str, str], ...]:
    """Return name and version of every OS package that the conventional form asks for by name."""
    uses = (*(build.component for build in lock.builds), RUNTIME)
    return tuple(sorted({(row.name, row.version) for row in _requested_os_packages(lock, uses)}))


def requirements(lock: Lock, environment: str) -> str:
    """Return the pins of one environment as `export` writes them, without hashes."""
    lines = to_requirements(lock, environment=environment).splitlines()
    return "".join(f"{_HASH.sub('', line)}\n" for line in lines if not line.startswith("#"))


def _refuse_unsupported_lock(lock: Lock) -> None:
    place = lock.target.path
    if lock.environment.family != "debian":
        raise LockError("only Debian's family has a conventional form here", place=place)
    if any(image.python for image in lock.images):
        raise LockError("its image brings Python packages: no conventional form here", place=place)
    for row in lock.python:
        if row.file and row.origin != PYPI:
            raise LockError(f"{row.name} comes from {row.origin}, not from the default index", place=place)


def _requested_os_packages(lock: Lock, uses: Iterable[str]) -> tuple[OsPackage, ...]:
    """Return the OS packages that recipes ask for by name; apt finds the others.

    A lock of before locks said who asks for a package asks for all of them.
    """
    wanted = set(uses)
    return tuple(
        row for row in lock.os_packages if (RECIPE in row.via or not row.via) and wanted & set(row.for_)
    )


def _apt_package_words(rows: Iterable[OsPackage], unpinned: frozenset[str]) -> set[str]:
    return {row.name if row.name in unpinned else f"{row.name}={row.version}" for row in rows}


def _apt_install_run(names: Iterable[str]) -> str:
    return "\n".join(
        (
            "RUN apt-get update \\",
            "    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\",
            *(f"        {name} \\" for name in sorted(names)),
            "    && apt-get clean \\",
            "    && rm -rf /var/lib/apt/lists/*",
        )
    )


def _builder_instructions(
    lock: Lock, url_of: Callable[[Archive], str], unpinned: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield whose each instruction of the builder stage is, and the instruction."""
    rows = _requested_os_packages(lock, (build.component for build in lock.builds))
    tools = {"ca-certificates", "git"} if lock.sources else set()
    tools |= {"python3", "python3-venv"} if lock.python and not lock.environment.interpreter else set()
    names = _apt_package_words(rows, unpinned) | (tools - {row.name for row in rows})
    if names:
        yield _SYSTEM, _apt_install_run(names)
    for build in _builds_in_order(lock):
        yield build.component, f"\n# {build.component} {build.version}"
        for archive in lock.archives:
            if archive.component == build.component:
                yield build.component, f"ADD {url_of(archive)} /inputs/{archive.file}"
        pins = requirements(lock, build.component).split()
        if pins:
            yield build.component, _virtual_environment_run(lock, _BUILD_ENVIRONMENT, " ".join(pins))
        for patch in build.patches:
            text = File(lines=patch.lines, target=f"/patches/{patch.file}", source=True).text()
            yield build.component, text
        yield build.component, _component_run(lock, build, with_environment=bool(pins))
    if any(RUNTIME in row.for_ for row in lock.python):
        yield _PYTHON, "\n# the virtual environment"
        yield _PYTHON, "COPY requirements.txt /requirements.txt"
        built = any(row.build for row in lock.python)
        what = "-r /requirements.txt" + (" /wheels/*.whl" if built else "")
        yield _PYTHON, _virtual_environment_run(lock, lock.environment.python_prefix, what)


def _builds_in_order(lock: Lock) -> list[Build]:
    """Return the builds in the lock's order; the interpreter, which the others need, first."""
    return sorted(lock.builds, key=lambda build: build.component != lock.environment.interpreter)


def _virtual_environment_run(lock: Lock, folder: str, what: str) -> str:
    """Make a virtual environment with the locked pip; the list is whole, so nothing is resolved."""
    pip = next((f"pip=={row.version}" for row in lock.python if INSTALLER in row.for_), "pip")
    install = f"{folder}/bin/pip install --no-cache-dir --no-deps"
    return "\n".join(
        (
            f"RUN {_PIP} \\",
            f"    {_interpreter_command(lock)} -m venv --clear {folder} \\",
            f"    && {install} {pip} \\",
            f"    && {install} {what}",
        )
    )


def _interpreter_command(lock: Lock) -> str:
    command = f"python{lock.environment.python}"
    for build in lock.builds:
        if build.component == lock.environment.interpreter:
            return f"{build.prefix}/bin/{command}"
    return command


def _component_run(lock: Lock, build: Build, *, with_environment: bool) -> str:
    """Return the one RUN that gets a component's source and takes the lock's steps with it."""
    folder = f"/src/{build.component}"
    commands: list[tuple[str, ...]] = list(_source_commands(lock, build, folder))
    exports = [("export", f"{name}={value}") for name, value in build.env if name != "PATH"]
    path = build.env.get("PATH") or "$PATH"
    if with_environment and f"{_BUILD_ENVIRONMENT}/bin" not in path.split(":"):
        path = f"{_BUILD_ENVIRONMENT}/bin:{path}"
    first = [f'export PATH="{path}"'] if path != "$PATH" else []
    commands += (
        ("patch", "--strip=1", "--fuzz=0", f"--input=/patches/{patch.file}") for patch in build.patches
    )
    if build.wheels:
        commands.append(("mkdir", "-p", "/wheels"))
    lines = script((*commands, *exports, *build.steps))
    mounts = f" {_GIT}" if any(row.component == build.component for row in lock.sources) else ""
    start = lines.index(f"cd {folder}") + 1
    return "\n".join((f"RUN{mounts} <<'EOF'", *lines[:start], *first, *lines[start:], "EOF"))


def _source_commands(lock: Lock, build: Build, folder: str) -> Iterator[tuple[str, ...]]:
    """Yield what brings a source into its folder, and goes there."""
    for row in lock.sources:
        if row.component != build.component:
            continue
        if row.tag:
            yield ("git", "clone", "--depth=1", f"--branch={row.tag}", row.git, folder)
            yield ("cd", folder)
        else:
            yield ("git", "init", "--quiet", folder)
            yield ("cd", folder)
            yield ("git", "fetch", "--depth=1", row.git, str(row.commit))
            yield ("git", "checkout", "FETCH_HEAD")
        if row.submodules:
            paths = {submodule.path for submodule in row.submodules}
            outer = sorted(path for path in paths if not any(path.startswith(f"{other}/") for other in paths))
            yield ("git", "submodule", "update", "--init", "--recursive", "--depth=1", "--", *outer)
        return
    yield ("mkdir", "-p", folder)
    yield ("cd", folder)
    archives = [row.file for row in lock.archives if row.component == build.component]
    if len(archives) == 1 and archives[0].endswith(_TARS):
        yield ("tar", "-xf", f"/inputs/{archives[0]}", "--strip-components=1", "--no-same-owner")


def _runtime_instructions(lock: Lock, unpinned: frozenset[str]) -> Iterator[str]:
    names = _apt_package_words(_requested_os_packages(lock, (RUNTIME,)), unpinned)
    if names:
        yield _apt_install_run(names)
    for build in lock.builds:
        if build.runtime and build.prefix:
            yield f"COPY --from={BUILDER} {build.prefix} {build.prefix}"
    environment = any(RUNTIME in row.for_ for row in lock.python)
    if environment:
        yield f"COPY --from={BUILDER} {lock.environment.python_prefix} {lock.environment.python_prefix}"
    runtime = lock.runtime
    if runtime.library_path:
        folders = " ".join(runtime.library_path)
        yield f"RUN printf '%s\\n' {folders} > {LINKER_FILE} && ldconfig"
    if environment and not runtime.env.get("PATH"):
        yield Env(name="PATH", value=f"{lock.environment.python_prefix}/bin", before=True).text()
    for name, value in runtime.env:
        yield Env(name=name, value=value).text()
    if runtime.entrypoint:
        yield Entrypoint(arguments=runtime.entrypoint).text()
    if runtime.command:
        yield Cmd(arguments=runtime.command).text()


def _lock_checks(lock: Lock) -> Iterator[Check]:
    for build in lock.builds:
        if build.runtime or build.wheels:
            yield from build.checks
    yield from lock.runtime.checks


def _check_run(check: Check) -> str:
    """Return a RUN that ends well where the command's output holds what is expected."""
    command = "\n".join(script((check.run,))[1:])
    if check.expect:
        command += f" 2>&1 | grep -F -- {shlex.quote(check.expect)}"
    return f"RUN <<'EOF'\nset -eu\n{command}\nEOF"
