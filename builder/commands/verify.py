"""`verify`: what locks say, proven."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from builder import __version__, attest, oci, resolve, verify
from builder.console import Console
from builder.errors import RecipeError, UsageError
from builder.lockfile import (
    Examined,
    Lock,
    OsPackage,
    Proof,
    Repository,
    exit_code,
)
from builder.locks import lock_files
from builder.model import Target, printable
from builder.options import (
    ResultFormat,
    add_format,
    add_index_url,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.project import Project
from builder.recipe import EffectiveRecipe, Library, effective_recipe
from builder.selection import Selection
from builder.verify import as_text, as_value

if TYPE_CHECKING:
    from builder.io import Client  # with the HTTP library, which a run without network does not load

__all__ = ["EXAMPLES", "Options", "add_options", "run", "verify_locks"]

EXAMPLES = """\
  python -m builder verify                        every lock of the default release, offline
  python -m builder verify --release all --format json
  python -m builder verify --release all --format sarif > findings.sarif    (junit likewise)
  python -m builder verify lock/1.4.2/debian-13/dynamo-x86_64.toml
  python -m builder verify --licenses licenses.toml
  python -m builder verify --advisories osv-all.zip --accepted accepted.toml
  python -m builder verify --online                          still there, same hash, tag unmoved? all needed?
  python -m builder verify --store                           is every fetched file what it was?
  python -m builder verify --again                           does resolving it again give the same rows?
  python -m builder verify --again --resolver pip-tools      does another resolver choose the same versions?
  python -m builder verify --image dynamo-1.4.2.oci.tar      which row explains each file?
  python -m builder verify --image a.oci.tar --attestations attestations --keys keys.toml --threshold 2
"""


_STORE_OPTION = {
    "nargs": "?",
    "const": "",
    "help": "hash every file of the store again; DIR is another store (with --image it only names the store)",
}


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `verify`."""
    verb.add_argument("files", nargs="*", type=Path, metavar="LOCK", help="a lock file, instead of targets")
    add_selection(verb)
    add_places(verb, _STORE_OPTION)
    add_format(verb, ResultFormat.SARIF, ResultFormat.JUNIT)
    policies = verb.add_argument_group("policies")
    policies.add_argument("--licenses", type=Path, metavar="POLICY", help="judge licenses by a policy (TOML)")
    policies.add_argument(
        "--advisories",
        default="",
        metavar="FILE-OR-URL",
        help="known vulnerabilities (OSV): a folder, zip or JSON file, or a service's base URL",
    )
    policies.add_argument(
        "--accepted", type=Path, metavar="FILE", help="accepted advisories, each until a day (TOML)"
    )
    verb.add_argument("--online", action="store_true", help="ask indexes, archives, git and registries")
    add_index_url(verb)
    verb.add_argument("--again", action="store_true", help="resolve each lock from nothing, compare rows")
    verb.add_argument(
        "--resolver",
        choices=[one.value for one in Resolver],
        help="with --again: who resolves (default: uv); pip-tools can for targets like this machine",
    )
    verb.add_argument("--rebuild-base", action="store_true", help="assemble bases again, compare digests")
    verb.add_argument("--image", default="", metavar="IMAGE", help="explain every file: a tar, or a name")
    rebuilds = verb.add_argument_group("rebuilds, with --image")
    rebuilds.add_argument(
        "--attestations", type=Path, metavar="DIR", help="signed statements of who built the image's digest"
    )
    rebuilds.add_argument("--keys", type=Path, metavar="FILE", help="owners and their public keys (TOML)")
    rebuilds.add_argument(
        "--threshold",
        type=int,
        metavar="K",
        help="how many different owners must have built it (with --attestations)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Prove what the selected locks say; 0, or the exit code of the gravest finding."""
    return verify_locks(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            files=tuple(options.files),
            licenses=options.licenses,
            advisories=options.advisories,
            accepted=options.accepted,
            online=options.online,
            index_url=options.index_url,
            store=options.store is not None and not (options.store and options.image),
            again=options.again,
            resolver=Resolver(options.resolver) if options.resolver else None,
            rebuild_base=options.rebuild_base,
            image=options.image,
            attestations=options.attestations,
            keys=options.keys,
            threshold=options.threshold or 0,
            format=ResultFormat(options.format),
        ),
    )


class Resolver(StrEnum):
    """Who resolves a lock again."""

    UV = "uv"
    PIP_TOOLS = "pip-tools"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    files: tuple[Path, ...] = ()
    """Locks by file, instead of the selected ones."""
    licenses: Path | None = None
    """A policy of licences."""
    advisories: str = ""
    """A folder, zip or file of advisories, or a service's URL."""
    accepted: Path | None = None
    """Advisories that somebody accepted."""
    online: bool = False
    """Whether indexes, archives, git servers and registries are asked."""
    index_url: str = ""
    """The Python index that is asked instead of the default one."""
    store: bool = False
    """Whether every file of the store is hashed again."""
    again: bool = False
    """Whether each lock is resolved again from nothing."""
    resolver: Resolver | None = None
    """Who resolves again; None where nobody was named."""
    rebuild_base: bool = False
    """Whether assembled bases are made again from their packages."""
    image: str = ""
    """An image to explain: a file, a folder, or a name that the Docker engine knows."""
    attestations: Path | None = None
    """A folder of signed statements of who built the image."""
    keys: Path | None = None
    """The owners whose statements count."""
    threshold: int = 0
    """How many of them are required."""
    format: ResultFormat


def verify_locks(project: Project, options: Options) -> int:
    """Prove what the selected locks say; 0, or the exit code of the gravest finding."""
    if (options.files or options.image) and not options.selection.is_empty:
        raise UsageError(
            "the named lock files or the image decide what is verified",
            place=str(options.selection),
            hint="leave out --release, --platform, --framework and --arch",
        )
    _check_rebuild_options(options)
    if options.resolver is not None and not options.again:
        raise UsageError("it says who resolves again", place="--resolver", hint="add --again")
    library = project.library() if project.has_recipes else None
    if options.image:
        locks, proofs = _with_image(project, options, library)
    else:
        locks, proofs = verify.lock_proofs(project, options.selection, options.files, library)
    if options.online:
        proofs += _online_proofs(project, locks, options, library)
    proofs += _storage_proofs(project, locks, options, library)
    if options.again:
        again = _second_resolver if options.resolver is Resolver.PIP_TOOLS else _resolved_again
        proofs.append(again(project, locks, options, library))
    proofs += _policy_proofs(project, locks, options)
    _report_findings(project, locks, proofs, options.format)
    return exit_code(finding for proof in proofs for finding in proof.findings)


def _report_findings(
    project: Project, locks: Sequence[Examined], proofs: Sequence[Proof], form: ResultFormat
) -> None:
    """Write what was found in the form that is wanted."""
    if form is ResultFormat.JSON:
        project.console.json(as_value(locks, proofs))
    elif form is ResultFormat.SARIF:
        log = verify.as_sarif(proofs, version=__version__)
        project.console.data(json.dumps(log, indent=2, ensure_ascii=False))
    elif form is ResultFormat.JUNIT:
        project.console.data(verify.as_junit(locks, proofs))
    else:
        project.console.data(as_text(proofs))


def _online_proofs(
    project: Project, locks: Sequence[Examined], options: Options, library: Library | None
) -> list[Proof]:
    """Ask for every row, and prove the set of rows by what indexes state."""
    readable = [(one.name, one.lock) for one in locks if one.lock]
    indexes = verify.index_urls(library, options.index_url)
    asked = verify.online_proof(project, [lock for _, lock in readable], indexes)
    return [asked, *_index_proofs(project, _closure_questions(readable, library), library, indexes)]


def _index_proofs(
    project: Project,
    questions: Sequence[verify.ClosureQuestion],
    library: Library | None,
    indexes: Mapping[str, str],
) -> list[Proof]:
    """Prove the set of rows by what Python indexes and signed OS indexes state."""
    with project.client() as client:
        source = verify.IndexedMetadata(services=project.services(client), indexes=indexes)
        with project.console.steps("walking", len(questions)) as steps:
            proof = verify.closure_proof(
                questions, name="index-closure", read=source.of_lock, done=steps.done
            )
        evidence = source.evidence()
        said = ", ".join(f"{count} by {cover}" for cover, count in evidence.items())
        of_wheels = dataclasses.replace(
            proof,
            says=f"{proof.says}, Python only; metadata of wheels: {said}",
            facts={**proof.facts, "evidence": evidence},
        )
        return [of_wheels, _os_index_proof(project, client, questions, library, absent_is_unknown=True)]


def _os_index_proof(
    project: Project,
    client: Client,
    questions: Sequence[verify.ClosureQuestion],
    library: Library | None,
    *,
    absent_is_unknown: bool,
) -> Proof:
    """Compare OS packages with the signed indexes that `client`, the store or the recipes have."""
    session = project.session(client)

    def resolved_rows(recipe: EffectiveRecipe) -> tuple[tuple[Repository, ...], tuple[OsPackage, ...]]:
        assert library is not None, "without a library there is no recipe"  # noqa: S101
        return resolve.resolve_os(recipe, library=library, session=session)

    with project.console.steps("comparing", len(questions)) as steps:
        return verify.os_index_proof(
            questions, resolve=resolved_rows, absent_is_unknown=absent_is_unknown, done=steps.done
        )


def _storage_proofs(
    project: Project, locks: Sequence[Examined], options: Options, library: Library | None
) -> list[Proof]:
    """Hash what is in the store, prove closures by it, assemble bases again, as far as that was asked for."""
    if not (options.store or options.rebuild_base):
        return []
    readable = [(one.name, one.lock) for one in locks if one.lock]
    proofs = []
    if options.store:
        digests = tuple(project.store.digests())
        with project.console.steps("hashing", len(digests)) as steps:
            proof, damaged = verify.store_proof(
                project.store, digests, [lock for _, lock in readable], steps.done
            )
            proofs.append(proof)
        questions = _closure_questions(readable, library)
        read = functools.partial(verify.stored_metadata, project.store, damaged=damaged)
        with project.console.steps("walking", len(questions)) as steps:
            proofs.append(verify.closure_proof(questions, name="closure", read=read, done=steps.done))
        if library is not None and not options.online:
            with project.client(offline=True) as client:
                proofs.append(_os_index_proof(project, client, questions, library, absent_is_unknown=False))
    if options.rebuild_base:
        bases = {image.tar for _, lock in readable for image in lock.images if image.tar}
        with project.console.steps("assembling", len(bases)) as steps:
            proofs.append(verify.base_proof(project.store, readable, steps.done))
    return proofs


def _resolved_again(
    project: Project, locks: Sequence[Examined], options: Options, library: Library | None
) -> Proof:
    """Resolve every readable lock again in memory; nothing is written."""
    if library is None:
        raise UsageError("--again needs recipes, and the project has none", hint="name it: --project DIR")
    readable = [(one.name, one.lock) for one in locks if one.lock]
    with project.client() as client, project.console.steps("resolving", len(readable)) as steps:
        session = project.session(client)
        services = project.services(client, index_url=options.index_url, warn=project.console.warning)

        def resolved_lock(target: Target) -> Lock:
            return resolve.make_lock(
                target, library=library, session=session, services=services, before=None, upgrade=()
            )

        return verify.resolved_again_proof(readable, resolve=resolved_lock, done=steps.done)


def _second_resolver(
    project: Project, locks: Sequence[Examined], options: Options, library: Library | None
) -> Proof:
    """Ask pip-tools for the Python rows of every readable lock that it can solve for here."""
    if library is None:
        raise UsageError("--again needs recipes, and the project has none", hint="name it: --project DIR")
    questions = _closure_questions([(one.name, one.lock) for one in locks if one.lock], library)
    with project.client() as client, project.console.steps("resolving", len(questions)) as steps:
        services = project.services(client, index_url=options.index_url, warn=project.console.warning)
        source = verify.IndexedMetadata(
            services=services, indexes=verify.index_urls(library, options.index_url)
        )
        return verify.second_resolver_proof(
            questions, verify.pip_tools(services), read=source.of_lock, done=steps.done
        )


def _closure_questions(
    locks: Sequence[tuple[str, Lock]], library: Library | None
) -> list[verify.ClosureQuestion]:
    """Return each lock with its recipe as it is now."""
    questions = []
    for name, lock in locks:
        recipe = None
        if library is not None:
            with contextlib.suppress(UsageError, RecipeError):  # a lock that no recipe makes any more
                recipe = effective_recipe(library, lock.target)
        questions.append(verify.ClosureQuestion(name=name, lock=lock, recipe=recipe))
    return questions


def _policy_proofs(project: Project, locks: Sequence[Examined], options: Options) -> list[Proof]:
    """Judge what policies were named for."""
    if not (options.licenses or options.advisories or options.accepted):
        return []
    proofs = []
    if options.licenses is not None:
        proofs.append(verify.licenses_proof(locks, options.licenses))
    if options.advisories:
        proofs.append(verify.advisories_proof(locks, options.advisories, options.accepted, project))
    elif options.accepted is not None:
        raise UsageError("--accepted needs --advisories", hint="name where the advisories are")
    return proofs


def _with_image(
    project: Project, options: Options, library: Library | None
) -> tuple[list[Examined], list[Proof]]:
    """Prove the locks that are named, or that the image names, and explain the image by them."""
    with oci.image_file(options.image) as image:
        files = options.files or _locks_here(project, verify.labelled(image), options.image)
        locks, proofs = verify.lock_proofs(project, options.selection, files, library)
        proofs.append(verify.image_proof(project, image, locks))
        if options.attestations is not None and options.keys is not None:
            proofs.append(
                verify.rebuild_proof(
                    image,
                    locks,
                    options.attestations,
                    attest.read_keys(options.keys),
                    threshold=options.threshold,
                    now=datetime.now(UTC),
                )
            )
        return locks, proofs


def _check_rebuild_options(options: Options) -> None:
    """Refuse a question about rebuilds that is not whole (UsageError)."""
    given = {
        "--attestations": options.attestations is not None,
        "--keys": options.keys is not None,
        "--threshold": options.threshold != 0,
    }
    if not any(given.values()):
        return
    for name, there in {"--image": bool(options.image), **given}.items():
        if not there:
            raise UsageError(f"{name} is missing", hint=f"{', '.join(given)} go together, with --image")
    if options.threshold < 1:
        raise UsageError(f"expected 1 or more, got {options.threshold}", place="--threshold")


def _locks_here(project: Project, targets: Iterable[str], image: str) -> tuple[Path, ...]:
    """Return the locks of `targets` that are here."""
    known = dict(lock_files(project))
    paths = tuple(known[f"{target}.toml"] for target in targets if f"{target}.toml" in known)
    if not paths:
        hint = "name the lock: verify --image IMAGE lock/…/….toml"
        raise UsageError("it names no lock of this project", place=printable(image), hint=hint)
    return paths
