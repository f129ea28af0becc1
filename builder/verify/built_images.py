"""`verify --image`: a built image against the lock that it says it was made from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.errors import BuilderError, DigestMismatchError, UsageError
from builder.lockfile import (
    BASE,
    RUNTIME,
    Examined,
    Finding,
    Lock,
    OsPackage,
    Proof,
    PythonPackage,
    found,
    row_label,
)
from builder.model import LockedMembers, counted, printable
from builder.oci import ImageLayout, OciImage, open_images, read_tree
from builder.project import Project
from builder.rootfs import LockedDeb, deb_contents, wheel_contents
from builder.verify.image import Explanation, explain

__all__ = ["image_proof", "labelled"]

_WORKERS = 4
_LOCK, _TARGET = "lockwright.lock", "lockwright.target"


def labelled(path: Path) -> tuple[str, ...]:
    """Return the targets that the images of `path` say they are, sorted (UsageError for no image)."""
    with open_images(path) as images:
        return tuple(sorted({label for image in images.images() if (label := _image_label(image, _TARGET))}))


def image_proof(project: Project, path: Path, locks: Sequence[Examined]) -> Proof:
    """Explain every image of `path` by the one of `locks` that it was made from."""
    findings: list[Finding] = []
    facts: list[dict[str, object]] = []
    said: list[str] = []
    with open_images(path) as images:
        for image in images.images():
            one = _lock_of(image, locks, path)
            if one.lock is None:
                raise UsageError("its lock cannot be read", place=one.name)
            explanation = _explained_image(project, images, image, one.lock)
            own = [*_same_lock(image, one), *explanation.findings]
            findings += [finding.in_lock(one.name) for finding in own]
            facts.append(_image_facts(image, one, explanation))
            said.append(_explained_in_words(image, explanation))
    return Proof(name="image", says="; ".join(said), findings=tuple(findings), facts={"images": facts})


def _image_label(image: OciImage, name: str) -> str:
    return str(image.config.labels.get(name, ""))


def _lock_of(image: OciImage, locks: Sequence[Examined], path: Path) -> Examined:
    """Return the lock with the digest that the image carries, else the one of its target and architecture."""
    for one in locks:
        if _image_label(image, _LOCK) == f"sha256:{one.sha256}":
            return one
    target = _image_label(image, _TARGET)
    fitting = [one for one in locks if one.lock and str(one.lock.target) == target]
    fitting = fitting or [one for one in locks if one.lock and one.lock.arch.oci == image.platform]
    if len(fitting) != 1:
        raise UsageError(
            f"it does not show which lock it was made from; it says {printable(target)[:200] or 'nothing'}",
            place=str(path),
            hint="name the lock: verify --image IMAGE lock/…/….toml",
        )
    return fitting[0]


def _same_lock(image: OciImage, one: Examined) -> list[Finding]:
    label = _image_label(image, _LOCK)
    findings = []
    if label != f"sha256:{one.sha256}":
        said = f"it carries {label[:80]!r}" if label else "it carries no lock digest"
        findings.append(found("other-lock", f"{said}, the lock has sha256:{one.sha256}"))
    if one.lock is not None and image.platform.partition("/v")[0] != one.lock.arch.oci:
        findings.append(found("other-lock", f"it is for {image.platform}, the lock for {one.lock.arch.oci}"))
    return findings


def _explained_image(project: Project, images: ImageLayout, image: OciImage, lock: Lock) -> Explanation:
    wheels = [row for row in lock.python if RUNTIME in row.for_ and row.sha256]
    debs = [row for row in lock.os_packages if {BASE, RUNTIME} & {*row.for_}]
    with project.console.steps("reading", len(image.layers) + len(wheels) + len(debs)) as steps:
        files = read_tree(images, image, lambda number: steps.done(f"layer {number + 1}"))

        def read(row: PythonPackage | OsPackage) -> tuple[str, LockedMembers | Finding | None]:
            answer = _locked_members(project, row)
            steps.done(f"{row_label(row)}: {'in the store' if answer else 'not in the store'}")
            return str(row.sha256), answer

        with ThreadPoolExecutor(_WORKERS) as pool:
            answers = dict(pool.map(read, (*wheels, *debs)))
    known = {digest: answer for digest, answer in answers.items() if isinstance(answer, LockedMembers)}
    explanation = explain(lock, files, known, known)
    damaged = [answer for answer in answers.values() if isinstance(answer, Finding)]
    weaker = _weaker_grounds(len(answers), len(known), explanation)
    return dataclasses.replace(explanation, findings=(*explanation.findings, *damaged, *weaker))


def _locked_members(project: Project, row: PythonPackage | OsPackage) -> LockedMembers | Finding | None:
    """Return what the row's file holds; None if the store lacks it, or it cannot be read."""
    sha256 = str(row.sha256)
    if not project.store.path(sha256).is_file():
        return None
    path = project.store.path(sha256)
    try:
        project.store.verify(sha256)
        if isinstance(row, PythonPackage):
            return wheel_contents(path)
        return deb_contents(LockedDeb(name=row.name, version=row.version, arch=row.arch, path=path))
    except DigestMismatchError as error:
        return found("damaged", str(error), row=row_label(row))
    except BuilderError:
        return None


def _weaker_grounds(rows: int, known: int, explanation: Explanation) -> Iterable[Finding]:
    if known < rows:
        text = (
            f"the store lacks {rows - known} of {rows} wheels and packages: "
            "their files agree with the lists in the image, which nothing proves"
        )
        yield found("unproven", text, hint="run `python -m builder fetch` for this lock, and verify again")
    for ground, why in _WHY.items():
        if explanation.grounds[ground]:
            yield found("unproven", f"{counted(explanation.grounds[ground], 'file')} {why}")


_WHY = {
    "place": "in the folder of a build, in the layer that copies it: bytes are not compared here "
    "(two builds to one digest prove them: `reproduce`)",
    "rule": "written by programs of the image while it is built: bytes are not compared here",
}


def _image_facts(image: OciImage, one: Examined, explanation: Explanation) -> dict[str, object]:
    return {
        "platform": printable(image.platform),
        "digest": printable(image.digest),
        "lock": printable(one.name),
        "files": explanation.files,
        "python": explanation.python,
        "os-packages": explanation.os_packages,
        "explained-by": dict(explanation.grounds),
        "elf-objects": explanation.libraries.objects,
        "libraries-elsewhere": explanation.libraries.elsewhere,
    }


def _explained_in_words(image: OciImage, explanation: Explanation) -> str:
    grounds = ", ".join(f"{count} by {ground}" for ground, count in explanation.grounds.items())
    return (
        f"{printable(image.platform)} {printable(image.digest)}: {counted(explanation.files, 'file')}, "
        f"{counted(explanation.python, 'Python distribution')}, "
        f"{counted(explanation.os_packages, 'OS package')}; explained: {grounds}; "
        f"libraries of {counted(explanation.libraries.objects, 'ELF object')} looked for"
    )
