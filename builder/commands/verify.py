"""`verify`: what locks say, proven."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder import oci, resolve, verify
from builder.console import Console
from builder.errors import LockError, NoSolutionError, RecipeError, UsageError
from builder.io import read_bytes
from builder.lockfile import (
    Examined,
    Finding,
    Lock,
    OsPackage,
    Proof,
    Repository,
    examine,
    exit_code,
    found,
)
from builder.locks import lock_files, lock_path, lock_place, select_locks
from builder.model import Sha256, Target, counted, printable
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
from builder.recipe import EffectiveRecipe, Library, effective_recipe, lockable_targets
from builder.selection import ALL, Selection
from builder.verify import as_text, as_value, outdated, signature_findings, signed_indexes

if TYPE_CHECKING:
    from builder.io import Client  # with the HTTP library, which a run without network does not load

__all__ = ["EXAMPLES", "Options", "add_options", "run", "verify_locks"]

EXAMPLES = """\
  python -m builder verify                        every lock of the default release, offline
  python -m builder verify --release all --format json
  python -m builder verify lock/1.4.2/debian-13/dynamo-x86_64.toml
  python -m builder verify --licenses licenses.toml
  python -m builder verify --advisories osv-all.zip --accepted accepted.toml
  python -m builder verify --online                          still there, same hash, tag unmoved? all needed?
  python -m builder verify --store                           is every fetched file what it was?
  python -m builder verify --again                           does resolving it again give the same rows?
  python -m builder verify --image dynamo-1.4.2.oci.tar      which row explains each file?
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
    add_format(verb)
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
    verb.add_argument("--rebuild-base", action="store_true", help="assemble bases again, compare digests")
    verb.add_argument("--image", default="", metavar="IMAGE", help="explain every file: a tar, or a name")


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
            rebuild_base=options.rebuild_base,
            image=options.image,
            json=options.format == ResultFormat.JSON,
        ),
    )


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
    rebuild_base: bool = False
    """Whether assembled bases are made again from their packages."""
    image: str = ""
    """An image to explain: a file, a folder, or a name that the Docker engine knows."""
    json: bool = False


def verify_locks(project: Project, options: Options) -> int:
    """Prove what the selected locks say; 0, or the exit code of the gravest finding."""
    if (options.files or options.image) and not options.selection.is_empty:
        raise UsageError(
            "the named lock files or the image decide what is verified",
            place=str(options.selection),
            hint="leave out --release, --platform, --framework and --arch",
        )
    library = project.library() if project.has_recipes else None
    if library is not None and not options.selection.releases:
        default = (library.default_release.version,)
        options = dataclasses.replace(
            options, selection=dataclasses.replace(options.selection, releases=default)
        )
    prove = _with_image if options.image else _lock_proofs
    locks, proofs = prove(project, options, library)
    if options.online:
        proofs += _online_proofs(project, locks, options, library)
    proofs += _storage_proofs(project, locks, options, library)
    if options.again:
        proofs.append(_resolved_again(project, locks, options, library))
    proofs += _policy_proofs(project, locks, options)
    if options.json:
        project.console.json(as_value(locks, proofs))
    else:
        project.console.data(as_text(proofs))
    return exit_code(finding for proof in proofs for finding in proof.findings)


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


def _lock_proofs(
    project: Project, options: Options, library: Library | None
) -> tuple[list[Examined], list[Proof]]:
    listed = _listed_targets(library)
    unlocked = _missing_targets(project, options, library, listed)
    locks = _examined_locks(project, options, unlocked)
    missing = [
        found("missing", "it has no lock", lock=str(target), hint="run `python -m builder lock`")
        for target in unlocked
    ]
    return locks, [_integrity_proof(locks), _freshness_proof(project, locks, library, listed, missing)]


def _listed_targets(library: Library | None) -> frozenset[Target]:
    """Return every target that any release lists: none without recipes."""
    if library is None:
        return frozenset()
    return frozenset(lockable_targets(library, Selection(releases=(ALL,))))


def _with_image(
    project: Project, options: Options, library: Library | None
) -> tuple[list[Examined], list[Proof]]:
    """Prove the locks that are named, or that the image names, and explain the image by them."""
    with oci.image_file(options.image) as image:
        files = options.files or _locks_here(project, verify.labelled(image), options.image)
        locks, proofs = _lock_proofs(project, dataclasses.replace(options, files=files), library)
        return locks, [*proofs, verify.image_proof(project, image, locks)]


def _locks_here(project: Project, targets: Iterable[str], image: str) -> tuple[Path, ...]:
    """Return the locks of `targets` that are here."""
    known = dict(lock_files(project))
    paths = tuple(known[f"{target}.toml"] for target in targets if f"{target}.toml" in known)
    if not paths:
        hint = "name the lock: verify --image IMAGE lock/…/….toml"
        raise UsageError("it names no lock of this project", place=printable(image), hint=hint)
    return paths


def _examined_locks(project: Project, options: Options, missing: Sequence[Target]) -> list[Examined]:
    """Read and judge the named files, or every selected lock."""
    if options.files:
        return [_examined_lock(project, path) for path in options.files]
    targets = select_locks(project, options.selection, missing=missing)
    return [_examined_lock(project, lock_path(project, target)) for target in targets]


def _examined_lock(project: Project, path: Path) -> Examined:
    data = read_bytes(path, error=LockError)
    place = lock_place(project, path)
    return examine(data, name=f"lock/{place}" if place else str(path), place=place)


def _integrity_proof(locks: Sequence[Examined]) -> Proof:
    findings = tuple(finding for one in locks for finding in _findings_of_lock(one, one.findings))
    rows = sum(one.rows for one in locks)
    size = f"{counted(len(locks), 'lock')} with {counted(rows, 'row')}"
    says = f"{size}: form, order, digests, references, target"
    return Proof(name="integrity", says=says, findings=findings)


def _freshness_proof(
    project: Project,
    locks: Sequence[Examined],
    library: Library | None,
    listed: frozenset[Target],
    missing: Sequence[Finding],
) -> Proof:
    if library is None:
        unknown = found("no-recipes", "the project has no recipes, so freshness was not checked")
        return Proof(name="freshness", says="not checked", findings=(unknown,))
    releases = _signed_contents(project, [one.lock for one in locks if one.lock])
    findings = list(missing)
    for one in locks:
        if one.lock is not None:
            against = (
                *outdated(one.lock, library, listed),
                *signed_indexes(one.lock, releases),
                *signature_findings(one.lock, library, releases),
            )
            faulty_rows = {finding.row for finding in one.findings}
            findings += _findings_of_lock(
                one, (f for f in against if f.rule.id != "recipe-mismatch" or f.row not in faulty_rows)
            )
    says = f"{counted(len(locks), 'lock')} against the recipes as they are now"
    return Proof(name="freshness", says=says, findings=tuple(findings))


def _missing_targets(
    project: Project, options: Options, library: Library | None, listed: frozenset[Target]
) -> list[Target]:
    """Return what a release lists, the selection holds, and nobody has locked."""
    if library is None or options.files:
        return []
    try:
        wanted = lockable_targets(library, options.selection)
    except (UsageError, NoSolutionError):
        return []  # what is selected are locks that no release lists
    there = {path for path, _ in lock_files(project)}
    return [target for target in wanted if target in listed and target.path not in there]


def _signed_contents(project: Project, locks: Iterable[Lock]) -> dict[str, bytes]:
    """Return the signed files that recipes keep of the locks' repositories, by digest."""
    contents = {}
    for name in sorted({_signed_file(row, lock) for lock in locks for row in lock.repositories}):
        path = project.recipe_path(f"indexes/{name}")
        if path.is_file():
            data = read_bytes(path)
            contents[str(Sha256.of(data))] = data
    return contents


def _signed_file(row: Repository, lock: Lock) -> str:
    """Return where recipes keep what vouches for a repository, below their folder of indexes."""
    if row.repomd is None:
        return f"{row.suite}-{row.snapshot}/InRelease"
    return f"{row.origin}-{row.suite}-{lock.arch.rpm}-{row.snapshot}/repomd.xml"


def _findings_of_lock(one: Examined, findings: Iterable[Finding]) -> list[Finding]:
    return [finding.in_lock(one.name) for finding in findings]
