"""What can run a script in an image: docker, podman, and where neither answers a stage of BuildKit.

Files go in and out by `cp`, not by mounts: the engine may be on another machine, or see other folders.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from builder.build import find_engine
from builder.errors import ToolError, UsageError
from builder.io import run, stream
from builder.json_text import parse_json
from builder.lockfile import PROGRAMS_FOLDER
from builder.oci import open_images
from builder.tars import UnreadableError, read_tar
from builder.trial.script import RESULTS, SCRIPT

__all__ = ["RUNTIMES", "AnyRuntime", "BuildStage", "ContainerRuntime", "find_runtime"]

DOCKER, PODMAN, BUILDKIT = "docker", "podman", "buildkit"
RUNTIMES = (DOCKER, PODMAN, BUILDKIT)
"""What can be asked for with `--runtime`; without it the first that answers."""

_TIMEOUT = 600.0  # seconds, for what is not a check: loading an image, copying
_LARGEST = 16 << 20  # bytes of one result
_CHUNK = 1 << 20
_LAYOUT_FILE = re.compile(r"index\.json|oci-layout|blobs/sha256/[0-9a-f]{64}")
_LOADED = re.compile(r"Loaded image(?: ID)?: *(\S+)")
_GPUS = {DOCKER: ("--gpus=all",), PODMAN: ("--device=nvidia.com/gpu=all",)}
_HINT = "start docker or podman, or bring up the lab: scripts/lab up"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRuntime:
    """docker or podman."""

    name: str
    version: str
    environment: Mapping[str, str]

    def describe(self) -> dict[str, str]:
        """Return what the result has to be read with."""
        return {self.name: self.version}

    @contextmanager
    def image(self, image: str) -> Iterator[str]:
        """Give the name under which the runtime knows `image`; a file is loaded, and removed afterwards."""
        if not Path(image).is_file():
            yield image
            return
        said = self._call_runtime("load", f"--input={Path(image).absolute()}")
        found = _LOADED.findall(said)
        if len(found) != 1:
            raise ToolError(f"says not what it loaded: {said.strip()[-200:]!r}", place=f"{self.name} load")
        try:
            yield found[0]
        finally:
            run((self.name, "rmi", found[0]), env=self.environment, accept=(0, 1, 125), timeout=_TIMEOUT)

    def labels(self, image: str) -> Mapping[str, str]:
        """Return the labels of an image that the runtime has (UsageError if it has none of that name)."""
        try:
            text = self._call_runtime("image", "inspect", "--format={{json .Config.Labels}}", image)
        except ToolError as error:
            raise UsageError(
                f"{self.name} has no image of that name, and there is no such file",
                place=image,
                hint=f"pull it, or name a tar of it ({error.cause[-120:]})",
            ) from None
        try:
            found = parse_json(text)
        except ValueError as error:
            raise ToolError(
                f"gives labels that are not JSON: {error}", place=f"{self.name} image inspect"
            ) from None
        return found if isinstance(found, dict) else {}

    def run_script(
        self, image: str, folder: Path, *, gpu: bool, heard: Callable[[str], None]
    ) -> Mapping[str, bytes]:
        """Run the script of `folder` in a container without network; return the files of its results."""
        gpus = _GPUS[self.name] if gpu else ()
        shell = (f"{PROGRAMS_FOLDER}/{SCRIPT}",)
        container = self._call_runtime(
            "create", "--network=none", *gpus, "--entrypoint=/bin/sh", image, *shell
        ).split()[-1]
        try:
            self._call_runtime("cp", str(folder), f"{container}:{PROGRAMS_FOLDER}")
            code = stream((self.name, "start", "--attach", container), env=self.environment, heard=heard)
            if code:
                raise ToolError(f"the script ended with exit code {code}", place=f"{self.name} start")
            packed = run(
                (self.name, "cp", f"{container}:{PROGRAMS_FOLDER}/{RESULTS}", "-"),
                env=self.environment,
                timeout=_TIMEOUT,
            )
            return _unpacked_results(packed.stdout)
        finally:
            run(
                (self.name, "rm", "--force", container), env=self.environment, accept=(0, 1), timeout=_TIMEOUT
            )

    def _call_runtime(self, *words: str) -> str:
        return run((self.name, *words), env=self.environment, timeout=_TIMEOUT).output


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStage:
    """BuildKit: the image is the base of a stage that runs the script. It reads tars, and has no GPU."""

    name: str = BUILDKIT
    builder: str = ""
    described: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, str]:
        """Return what the result has to be read with."""
        return dict(self.described)

    @contextmanager
    def image(self, image: str) -> Iterator[str]:
        """Give the folder of an OCI layout; a tar is unpacked for that, and removed afterwards."""
        path = Path(image)
        if path.is_dir():
            yield image
            return
        if not path.is_file():
            raise UsageError(
                "BuildKit reads images from files only", place=image, hint="name a tar, as `build` writes it"
            )
        with tempfile.TemporaryDirectory(prefix="lockwright-", dir=path.absolute().parent) as name:
            _unpack_layout(path, Path(name))
            yield name

    def labels(self, image: str) -> Mapping[str, str]:
        """Return the labels of the only image of an OCI layout."""
        with open_images(Path(image)) as layout:
            found = layout.images()
        if len(found) != 1:
            raise UsageError(f"holds {len(found)} images, expected one", place=image)
        return {str(key): str(value) for key, value in found[0].config.labels.items()}

    def run_script(
        self, image: str, folder: Path, *, gpu: bool, heard: Callable[[str], None]
    ) -> Mapping[str, bytes]:
        """Run the script of `folder` in a stage without network; return the files of its results."""
        if gpu:
            raise UsageError("BuildKit gives its stages no GPU", place="--gpu", hint=_HINT)
        engine = find_engine(self.builder)
        with open_images(Path(image)) as layout:
            digest = layout.digest
        text = (
            "FROM image AS tried\n"
            "USER 0:0\n"
            f"COPY --from=programs . {PROGRAMS_FOLDER}\n"
            f"RUN --network=none /bin/sh {PROGRAMS_FOLDER}/{SCRIPT}\n"
            "FROM scratch AS found\n"
            f"COPY --from=tried {PROGRAMS_FOLDER}/{RESULTS} /\n"
        )
        with tempfile.TemporaryDirectory(prefix="lockwright-") as name:
            work = Path(name)
            (work / "Dockerfile").write_text(text, "utf-8")
            argv = (
                *engine.argv,
                "build",
                *engine.arguments(),
                "--progress=plain",
                "--provenance=false",
                "--no-cache",
                f"--file={work / 'Dockerfile'}",
                f"--build-context=image=oci-layout://{Path(image).absolute()}@{digest}",
                f"--build-context=programs={folder}",
                "--target=found",
                f"--output=type=tar,dest={work / 'results.tar'}",
                str(folder),
            )
            said: list[str] = []

            def take(text: str) -> None:
                said.append(text)
                heard(text)

            if stream(argv, env=engine.environment, heard=take):
                raise ToolError("".join(said).strip()[-800:], place="docker buildx build", hint=_HINT)
            return _unpacked_results((work / "results.tar").read_bytes())


AnyRuntime = ContainerRuntime | BuildStage


def find_runtime(asked: str, builder: str = "") -> AnyRuntime:
    """Return the runtime of that name, or with an empty name the first that answers (ToolError for none)."""
    for name in (asked,) if asked else RUNTIMES:
        if name == BUILDKIT:
            engine = find_engine(builder)
            return BuildStage(builder=builder, described=engine.describe())
        version = _server_version(name)
        if version:
            return ContainerRuntime(name=name, version=version, environment=dict(os.environ))
        if asked:
            raise ToolError("it does not answer", place=name, hint=_HINT)
    raise ToolError("neither docker nor podman answers", place="check", hint=_HINT)


def _server_version(name: str) -> str:
    """Return the version of a runtime that answers, or nothing."""
    form = "{{.Server.Version}}" if name == DOCKER else "{{.Client.Version}}"
    try:
        return run((name, "version", f"--format={form}"), env=os.environ, timeout=60.0).output.strip()
    except ToolError:
        return ""


def _unpacked_results(data: bytes) -> dict[str, bytes]:
    """Return the files of a tar by their last names; what is too large is cut."""
    found: dict[str, bytes] = {}
    try:
        for member, content in read_tar(io.BytesIO(data)):
            if member.kind == "file":
                found[member.name.rpartition("/")[2]] = content.read(_LARGEST)
    except UnreadableError as cause:
        raise ToolError(f"the results cannot be read: {cause}", place="check") from cause
    return found


def _unpack_layout(image: Path, folder: Path) -> None:
    """Write the files of a tar of an OCI layout below `folder`, and nothing that a layout does not have."""
    try:
        with image.open("rb") as file:
            for member, content in read_tar(file):
                name = member.name.removeprefix("./")
                if member.kind == "file" and _LAYOUT_FILE.fullmatch(name):
                    place = folder / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with place.open("wb") as written:
                        while chunk := content.read(_CHUNK):
                            written.write(chunk)
    except (OSError, UnreadableError) as cause:
        raise UsageError(f"is not an image: {cause}", place=str(image)) from cause
