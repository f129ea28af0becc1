"""Stages of the image itself: OS packages, Python environment, what is put together, and its checks."""

from __future__ import annotations

from datetime import UTC, datetime

from builder.errors import LockError
from builder.lockfile import LINKER_FILE, PLAIN_FOLDER, PROGRAMS_FOLDER, RUNTIME, Check, Lock
from builder.render.fetches import Fetches, verify
from builder.render.installing import fill_environment, install_os_packages, interpreter_copy
from builder.render.instructions import (
    Cmd,
    Copy,
    Entrypoint,
    Env,
    File,
    Instruction,
    Label,
    Mount,
    Run,
    User,
    Workdir,
)
from builder.render.quoting import Command, check_step, refuse_placeholder, shown
from builder.render.stages import EPOCH, Stage, build_stage

__all__ = ["check_stage", "image_checks", "runtime_stages"]

_CHECK = "/check"
_CHECK_SCRIPT = (
    "#!/bin/sh",
    "# check TEXT COMMAND…: the command must succeed, and TEXT must be in its output",
    'text="$1"',
    "shift",
    "status=0",
    'output="$("$@" 2>&1)" || status=$?',
    "printf '%s\\n' \"$output\"",
    '[ "$status" -eq 0 ] || exit "$status"',
    'case "$output" in',
    '  *"$text"*) ;;',
    "  *) printf 'not in this output: %s\\n' \"$text\" >&2; exit 1 ;;",
    "esac",
)


def runtime_stages(lock: Lock, digest: str, fetches: Fetches, base: str) -> tuple[Stage, ...]:
    """Return the stages of the image: its OS packages, its Python environment, and all of it together."""
    stages: list[Stage] = []
    debs = tuple(s.name for group in fetches.os_packages if RUNTIME in group.uses for s in group.stages)
    if debs:
        os = Stage(
            name=f"os-{lock.arch}",
            base=base,
            notes=("os-packages for runtime",),
            body=(EPOCH, install_os_packages(lock, debs)),
        )
        stages.append(os)
        base = os.name
    environment = fill_environment(lock, fetches, RUNTIME, lock.environment.python_prefix)
    copies = _component_prefixes(lock)
    if environment:
        python = Stage(
            name=f"python-{lock.arch}",
            base=base,
            notes=("python for runtime",),
            body=(EPOCH, *interpreter_copy(lock), *environment),
        )
        stages.append(python)
        prefix = lock.environment.python_prefix
        copies.append(Copy(stage=python.name, source=prefix, target=prefix))
    body = (
        EPOCH,
        *_user_account(lock),
        *copies,
        *_linker_configuration(lock),
        *_image_settings(lock, digest, with_environment=bool(environment)),
    )
    stages.append(Stage(name=f"runtime-{lock.arch}", base=base, notes=_lock_notes(lock), body=body))
    return tuple(stages)


def _lock_notes(lock: Lock) -> tuple[str, ...]:
    downloads = lock.runtime.downloads
    at_run_time = ("It may still fetch or compile when it runs:", *(f"- {text}" for text in downloads))
    return (
        f"The image of {lock.target}: prefixes of builds, python, runtime",
        *(at_run_time if downloads else ()),
    )


def _user_account(lock: Lock) -> tuple[Instruction, ...]:
    """Make the user and its folders; the group may write too, so that a cluster can choose another number."""
    runtime = lock.runtime
    if not runtime.user:
        return ()
    if not all(PLAIN_FOLDER.fullmatch(folder) for folder in (runtime.home, *runtime.writable)):
        raise LockError("runtime: home and writable are not plain absolute folders")
    number, _, group = runtime.user.partition(":")
    account = f"{runtime.home.rpartition('/')[2]}:x:{runtime.user}::{runtime.home}:/usr/sbin/nologin"
    owned = f"--owner={number}", f"--group={group}", "--mode=775"
    commands: tuple[Command, ...] = (
        ("sh", "-euc", 'printf "%s\\n" "$1" >> /etc/passwd', "sh", account),
        ("install", "--directory", *owned, *runtime.writable),
    )
    return (Run(commands=commands),)


def _component_prefixes(lock: Lock) -> list[Copy]:
    return [
        Copy(stage=build_stage(build.component, lock.arch), source=build.prefix, target=build.prefix)
        for build in lock.builds
        if build.runtime and build.prefix
    ]


def _linker_configuration(lock: Lock) -> tuple[Instruction, ...]:
    """Tell the dynamic linker where the libraries are; its auxiliary cache holds times."""
    folders = lock.runtime.library_path
    if not folders:
        return ()
    for folder in folders:
        if not PLAIN_FOLDER.fullmatch(folder):
            raise LockError(f"runtime: library-path: {shown(folder)} is not a plain absolute path")
    commands: tuple[Command, ...] = (("ldconfig",), ("rm", "-rf", "/var/cache/ldconfig/aux-cache"))
    return (File(lines=folders, target=LINKER_FILE), Run(commands=commands))


def _image_settings(lock: Lock, digest: str, *, with_environment: bool) -> tuple[Instruction, ...]:
    runtime = lock.runtime
    for name, value in runtime.env:
        refuse_placeholder(f"{name}={value}")
    path = with_environment and not runtime.env.get("PATH")
    labels = {
        "lockwright.lock": f"sha256:{digest}",
        "lockwright.target": str(lock.target),
        "org.opencontainers.image.title": lock.framework,
        "org.opencontainers.image.version": lock.release,
        **_standard_labels(lock, digest),
    }
    return (
        *([Env(name="PATH", value=f"{lock.environment.python_prefix}/bin", before=True)] if path else []),
        *(Env(name=name, value=value) for name, value in runtime.env),
        *(Label(name=name, value=value) for name, value in labels.items()),
        *_user_settings(lock),
        *([Entrypoint(arguments=runtime.entrypoint)] if runtime.entrypoint else []),
        *([Cmd(arguments=runtime.command)] if runtime.command else []),
    )


def _user_settings(lock: Lock) -> tuple[Instruction, ...]:
    runtime = lock.runtime
    if not runtime.user:
        return ()
    return (
        Env(name="HOME", value=runtime.home),
        User(numbers=runtime.user),
        Workdir(path=runtime.home),
    )


def _standard_labels(lock: Lock, digest: str) -> dict[str, str]:
    """Return the labels of the OCI image specification that follow from the lock.

    `created` is the release's date, `revision` the lock's digest, which decides all that is in the image.
    `licenses` is of components and Python distributions; OS packages state theirs in /usr/share/doc. A base
    that is assembled here has no name in a registry.
    """
    created = datetime.fromtimestamp(lock.source_date_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    base = next((image for image in lock.images if RUNTIME in image.roles and image.digest), None)
    labels = {
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.revision": f"sha256:{digest}",
    }
    if base is not None:
        name = f"{base.name}:{base.tag}" if base.tag else base.name
        labels["org.opencontainers.image.base.name"] = name
        labels["org.opencontainers.image.base.digest"] = str(base.digest)
    installed = (row for row in lock.python if RUNTIME in row.for_)
    stated = {
        *(build.license for build in lock.builds if build.runtime),
        *(row.license for row in installed if not row.build),
    } - {""}
    if stated:
        joined = " AND ".join(f"({text})" if " " in text else text for text in sorted(stated))
        labels["org.opencontainers.image.licenses"] = joined
    return labels


def check_stage(lock: Lock, fetches: Fetches) -> Stage:
    """Return the stage that runs the checks of the image and of all in it, except those that need a GPU."""
    checks = [check for check in image_checks(lock) if not check.needs]
    script = File(lines=_CHECK_SCRIPT, target=_CHECK, mode="755")
    runs = (_check_run(check, fetches) for check in checks)
    body: tuple[Instruction, ...] = (EPOCH, script, *runs) if checks else ()
    notes = ("checks of builds and runtime: each must succeed and print what is expected",)
    return Stage(name=f"check-{lock.arch}", base=f"runtime-{lock.arch}", notes=notes, body=body)


def image_checks(lock: Lock) -> tuple[Check, ...]:
    """Return the checks of the image: those of builds that reach it, then its own."""
    built = (check for build in lock.builds if build.runtime or build.wheels for check in build.checks)
    return (*built, *lock.runtime.checks)


def _check_run(check: Check, fetches: Fetches) -> Run:
    """Return what runs one check: within its bound of time, its program verified first."""
    bound = ("timeout", "--kill-after=10", str(check.seconds)) if check.seconds else ()
    command: Command = (_CHECK, check.expect, *bound, *check_step(check.run))
    if not check.program:
        return Run(commands=(command,))
    if check.sha256 is None:
        raise LockError(f"the program {shown(check.program)} of a check has no sha256")
    mount = Mount(stage=fetches.programs[-1].name, target=PROGRAMS_FOLDER)
    return Run(commands=(verify(PROGRAMS_FOLDER), command), mounts=(mount,))
