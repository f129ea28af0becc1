"""`check`: the checks of a lock, run in an image of it."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.console import Console
from builder.errors import DigestMismatchError, FetchError, UsageError
from builder.lockfile import GPU, Check, Lock
from builder.locks import lock_files, read_lock
from builder.model import Sha256, printable
from builder.options import ResultFormat, add_format, add_places, project_of
from builder.project import Project
from builder.render import image_checks
from builder.trial import (
    RESULTS,
    RUNTIMES,
    SCRIPT,
    TrialResult,
    find_runtime,
    read_outcomes,
    trial_record,
    trial_script,
    trial_text,
)

__all__ = ["EXAMPLES", "Options", "add_options", "check_image", "run"]

EXAMPLES = """\
  python -m builder check --image dynamo-1.4.2.oci.tar             what needs no GPU
  python -m builder check --image registry.invalid/vllm:1 --gpu    also transfers, kernels, and the engine
  python -m builder check --image vllm-1.4.2.oci.tar --runtime podman --format json
"""
_LOCK, _TARGET = "lockwright.lock", "lockwright.target"


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    verb.add_argument("lock", nargs="?", type=Path, metavar="LOCK", help="the lock, if the image names none")
    verb.add_argument("--image", required=True, metavar="IMAGE", help="a tar of an image, or a name of one")
    verb.add_argument("--gpu", action="store_true", help="give the container the GPUs; run what needs one")
    verb.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default="",
        help="what runs the checks (default: the first of these that answers)",
    )
    verb.add_argument("--builder", default="", metavar="NAME", help="builder of docker buildx, for buildkit")
    add_places(verb)
    add_format(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the checks of an image; 0 if none failed, else 1."""
    return check_image(
        project_of(options, console),
        Options(
            image=options.image,
            lock=options.lock,
            gpu=options.gpu,
            runtime=options.runtime,
            builder=options.builder,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    image: str
    lock: Path | None = None
    """The lock, instead of the one that the image's labels name."""
    gpu: bool = False
    runtime: str = ""
    builder: str = ""
    json: bool = False


def check_image(project: Project, options: Options) -> int:
    """Run the checks of an image's lock in it; 0 if none failed, else 1."""
    runtime = find_runtime(options.runtime, options.builder)
    with runtime.image(options.image) as image:
        lock, name = _lock_of_image(project, runtime.labels(image), options)
        every = image_checks(lock)
        checks = [check for check in every if options.gpu or check.needs != GPU]
        left_out = [check for check in every if check not in checks]
        if not checks:
            raise UsageError("its lock has no check that could be run", place=name)
        project.console.status(f"{len(checks)} checks of {name}, in {options.image}")
        with tempfile.TemporaryDirectory(prefix="lockwright-") as folder:
            _write_programs(project, checks, Path(folder))
            files = runtime.run_script(
                image, Path(folder), gpu=options.gpu, heard=lambda text: project.console.status(text.rstrip())
            )
    result = read_outcomes(checks, left_out, files)
    if options.gpu and not result.gpu:
        project.console.warning("nvidia-smi names no GPU in the container: is the container toolkit set up?")
    _report_trial(project, runtime.describe(), name, result, options)
    return 0 if result.passed else 1


def _lock_of_image(project: Project, labels: Mapping[str, str], options: Options) -> tuple[Lock, str]:
    """Return the lock that the image was made from, and its name (UsageError if that is not known)."""
    digest, target = labels.get(_LOCK, ""), labels.get(_TARGET, "")
    path = options.lock or dict(lock_files(project)).get(f"{target}.toml")
    if path is None:
        raise UsageError(
            f"it shows no lock of this project; it says {printable(target)[:200] or 'nothing'}",
            place=options.image,
            hint="name the lock: check --image IMAGE lock/…/….toml",
        )
    lock, data = read_lock(project, path)
    if digest != f"sha256:{Sha256.of(data)}":
        project.console.warning(
            f"the image was made from another lock ({printable(digest)[:80] or 'it names none'}): "
            "a check may fail because of that"
        )
    return lock, f"lock/{lock.target.path}"


def _write_programs(project: Project, checks: list[Check], folder: Path) -> None:
    """Write the script and every program to `folder`, as a container will see them."""
    folder.chmod(0o755)
    for check in checks:
        if check.sha256 is not None:
            _write_readable(folder / check.program_file, _program_bytes(project, check))
    _write_readable(folder / SCRIPT, trial_script(checks).encode())
    (folder / RESULTS).mkdir()
    (folder / RESULTS).chmod(0o777)  # the image's user need not be root


def _write_readable(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o644)


def _program_bytes(project: Project, check: Check) -> bytes:
    """Return a program from the recipes, else from the store (FetchError, DigestMismatchError)."""
    digest = str(check.sha256)
    data = project.check_program(check.program)
    if data is not None and Sha256.of(data) == digest:
        return data
    if project.store.has(digest):
        return project.store.read(digest)
    if data is not None:
        raise DigestMismatchError(
            f"has sha256 {Sha256.of(data)}, and the lock says {digest}",
            place=f"recipes/{check.program}",
            hint="run `python -m builder lock`, or restore the file",
        )
    raise FetchError(
        "is neither beside the recipes nor in the store", place=f"recipes/{check.program}", hint="restore it"
    )


def _report_trial(
    project: Project, runtime: Mapping[str, str], name: str, result: TrialResult, options: Options
) -> None:
    if options.json:
        record = {"image": options.image, "lock": name, "runtime": dict(runtime), **trial_record(result)}
        project.console.json(record)
        return
    said = ", ".join(f"{key} {value}" for key, value in runtime.items())
    project.console.data(f"{name} in {options.image}, by {said}\n{trial_text(result)}")
