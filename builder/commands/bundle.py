"""`bundle`: locks, and all that building them needs, as one file; and the way back, into store and locks."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from builder.attest import SignaturePurpose, read_keys, sign_bytes
from builder.bundle import (
    Bundle,
    SignedChecksum,
    collect_bundle,
    pull_artifact,
    push_artifact,
    read_bundle,
    read_signed_checksum,
    receive_bundle,
    write_bundle,
    write_checksum,
)
from builder.console import Console
from builder.errors import DigestMismatchError, UsageError
from builder.io import replacing
from builder.model import human_size
from builder.options import ResultFormat, add_format, add_places, add_selection, project_of, selection_of
from builder.project import Project
from builder.selection import Selection
from builder.store import staging

__all__ = [
    "EXAMPLES",
    "STANDARD_INPUT",
    "ImportOptions",
    "Options",
    "PullOptions",
    "PushOptions",
    "add_options",
    "export_bundle",
    "import_bundle",
    "pull_bundle",
    "push_bundle",
    "run",
]

EXAMPLES = """\
  python -m builder bundle --framework dynamo --arch x86_64 --output dynamo.bundle.tar
  python -m builder bundle --framework dynamo --sign ~/.ssh/id_ed25519 --output dynamo.bundle.tar
  python -m builder bundle --import dynamo.bundle.tar --sha256 <64 digits>
  python -m builder bundle --import dynamo.bundle.tar --keys keys.toml
  python -m builder bundle --framework dynamo --push registry.example/bundles/dynamo:1.4.2
  python -m builder bundle --pull registry.example/bundles/dynamo:1.4.2
"""
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
STANDARD_INPUT = Path("-")
_REFERENCE = re.compile(
    r"(?P<name>[^@]+?)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `bundle`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    way = verb.add_mutually_exclusive_group()
    way.add_argument(
        "--output",
        type=Path,
        default=Path("lockwright.bundle.tar"),
        metavar="FILE",
        help="the bundle to write (default: %(default)s)",
    )
    way.add_argument(
        "--import",
        type=Path,
        metavar="FILE",
        dest="source",
        help="import a bundle into the store; - is standard input",
    )
    way.add_argument("--push", default="", metavar="REF", help="push the bundle to a registry: HOST/NAME:TAG")
    way.add_argument(
        "--pull", default="", metavar="REF", help="pull the bundle from a registry: HOST/NAME:TAG or @DIGEST"
    )
    verb.add_argument(
        "--apt", action="store_true", help="include what an apt mirror needs: see `fetch --serve`"
    )
    verb.add_argument(
        "--sha256", default="", metavar="DIGEST", help="the digest that the imported bundle must have"
    )
    verb.add_argument(
        "--sign",
        type=Path,
        metavar="KEY",
        help="sign the bundle's digest with this private SSH or OpenPGP key",
    )
    verb.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="import only what an owner of this keys file signed (default: what lockwright.toml names)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Write or push a bundle of the selected locks, or take one in; 0, or an error."""
    _check_effect(options)
    project = project_of(options, console)
    json = options.format == ResultFormat.JSON
    if options.source:
        sha256 = _expected_sha256(options.sha256)
        keys = options.keys or project.bundle_keys
        return import_bundle(project, ImportOptions(file=options.source, sha256=sha256, keys=keys, json=json))
    if options.pull:
        if project.bundle_keys is not None:
            raise UsageError(
                "the signature of a bundle in a registry is not read, and this project pins keys",
                place=f"--pull {options.pull}",
                hint="import a signed file: --import FILE",
            )
        return pull_bundle(project, PullOptions(reference=options.pull, json=json))
    selection = selection_of(options)
    if options.push:
        return push_bundle(
            project,
            PushOptions(selection=selection, reference=options.push, apt=options.apt, json=json),
        )
    return export_bundle(
        project,
        Options(selection=selection, output=options.output, apt=options.apt, sign=options.sign, json=json),
    )


def _check_effect(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect (UsageError)."""
    chosen = options.release or options.platform or options.framework or options.arch or options.apt
    if chosen and (options.source or options.pull):
        raise UsageError(
            "the bundle decides what is imported", hint="leave out --release, --apt and the like"
        )
    if options.sha256 and not options.source:
        raise UsageError("--sha256 requires --import", hint="name what is pulled by HOST/NAME@DIGEST")
    if options.keys and not options.source:
        raise UsageError("--keys requires --import", hint="the signature lies beside a bundle's file")
    if options.sign and (options.source or options.pull or options.push):
        raise UsageError(
            "--sign requires --output", hint="a signature lies beside a file; a registry names a digest"
        )


def _expected_sha256(text: str) -> str:
    match = _SHA256.fullmatch(text)
    if text and match is None:
        raise UsageError("expected 64 hexadecimal digits", place=f"--sha256 {text[:80]}")
    return match[1] if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    output: Path
    apt: bool = False
    sign: Path | None = None
    """A private key that signs the bundle's digest."""
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the command line asks for."""

    file: Path
    """The bundle, or `STANDARD_INPUT`."""
    sha256: str = ""
    """What the bundle must have; empty accepts any whole one."""
    keys: Path | None = None
    """Whose signature it must have; None asks for none."""
    json: bool = False


def export_bundle(project: Project, options: Options) -> int:
    """Fetch what is missing, write the bundle, and its digest beside it; 0, or an error."""
    if options.sign is not None:
        # A key that cannot sign is refused before gigabytes are written.
        sign_bytes(b"", options.sign, SignaturePurpose.BUNDLE)
    bundle, locks = collect_bundle(project, options.selection, apt=options.apt)
    with (
        project.console.steps("writing", len(bundle.files)) as steps,
        replacing(options.output) as sink,
    ):
        digest = write_bundle(bundle, locks, project.store, sink, steps.done)
    written = write_checksum(options.output, digest, options.sign)
    result = {"file": str(options.output), "sha256": digest}
    if options.sign is not None:
        result["signature"] = str(written[-1])
    _report_bundle(project, bundle, result, json=options.json)
    return 0


def import_bundle(project: Project, options: ImportOptions) -> int:
    """Verify a whole bundle, then make its files part of the store and its locks part of the project."""
    place = "standard input" if options.file == STANDARD_INPUT else str(options.file)
    signed = _signed_checksum(options)
    expected = signed.sha256 if signed is not None else options.sha256
    with (
        _opened_bundle(options.file) as source,
        staging(project.store) as staged,
        project.console.steps("reading", 0) as steps,
    ):
        bundle, locks = read_bundle(source, staged, steps.done, expected=expected, place=place)
        receive_bundle(project, bundle, locks, staged, place=place)
    result = {"store": str(project.store.root)}
    if signed is not None:
        result["signed_by"] = signed.owner
    _report_bundle(project, bundle, result, json=options.json)
    return 0


def _signed_checksum(options: ImportOptions) -> SignedChecksum | None:
    """Return what a known owner signed, if a signature is wanted, before the bundle is read."""
    if options.keys is None:
        return None
    if options.file == STANDARD_INPUT:
        raise UsageError(
            "a bundle from standard input has no signature beside it",
            place="--import -",
            hint="import it from a file that has its .sha256 and .sha256.sig or .asc beside it",
        )
    signed = read_signed_checksum(options.file, read_keys(options.keys), now=datetime.now(UTC))
    if options.sha256 and options.sha256 != signed.sha256:
        raise DigestMismatchError(
            f"{signed.owner} signed sha256 {signed.sha256}, --sha256 says {options.sha256}",
            place=str(options.file),
            hint="ask who made it which of both is right",
        )
    return signed


@contextmanager
def _opened_bundle(file: Path) -> Iterator[BinaryIO]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as source:
            yield source
    except OSError as cause:
        raise UsageError(f"cannot be read: {cause.strerror or cause}", place=str(file)) from cause


def _report_bundle(project: Project, bundle: Bundle, result: dict[str, str], *, json: bool) -> None:
    counts = {
        kind: sum(file.kind == kind for file in bundle.files) for kind in {f.kind for f in bundle.files}
    }
    if json:
        told = {"locks": [lock.path for lock in bundle.locks], "files": len(bundle.files)}
        project.console.json({**result, **told, "bytes": bundle.size})
        return
    rows = [(str(kind), str(count)) for kind, count in sorted(counts.items())]
    project.console.table(("kind", "files"), [("lock", str(len(bundle.locks))), *rows])
    if "sha256" in result:
        project.console.data(f"sha256:{result['sha256']}  {result['file']}")
    else:
        signer = f"; signed by {result['signed_by']}" if "signed_by" in result else ""
        project.console.data(f"imported: {human_size(bundle.size)}; the store is {result['store']}{signer}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """What the command line asks for."""

    selection: Selection
    reference: str
    apt: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """What the command line asks for."""

    reference: str
    json: bool = False


def push_bundle(project: Project, options: PushOptions) -> int:
    """Fetch what is missing, and put the bundle into a registry; what the registry has is not sent again."""
    name, tag, digest = _parsed_reference(options.reference, "--push")
    if not tag or digest:
        raise UsageError("expected HOST/NAME:TAG", place=f"--push {options.reference}")
    bundle, locks = collect_bundle(project, options.selection, apt=options.apt)
    pushed, sent = push_artifact(project, name, tag, bundle, locks)
    if options.json:
        project.console.json({"reference": pushed, "bytes": bundle.size, "sent": sent})
    else:
        project.console.data(f"{pushed}  ({human_size(sent)} of {human_size(bundle.size)} sent)")
    return 0


def pull_bundle(project: Project, options: PullOptions) -> int:
    """Verify a whole bundle from a registry, then make it part of store and locks."""
    name, tag, digest = _parsed_reference(options.reference, "--pull")
    place, bundle = pull_artifact(project, name, digest or tag or "latest")
    if options.json:
        project.console.json(
            {
                "reference": place,
                "locks": sorted(row.path for row in bundle.locks),
                "files": len(bundle.files),
            }
        )
    else:
        project.console.data(f"pulled: {place}, {human_size(bundle.size)}; the store is {project.store.root}")
    return 0


def _parsed_reference(text: str, option: str) -> tuple[str, str, str]:
    match = _REFERENCE.fullmatch(text)
    if match is None or "/" not in match["name"]:
        raise UsageError("expected HOST/NAME:TAG or HOST/NAME@sha256:DIGEST", place=f"{option} {text[:200]}")
    return match["name"], match["tag"] or "", match["digest"] or ""
