"""The command line's words: verbs, options, help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder import __version__, dispatch
from builder.model.target import Arch

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse names no public type

__all__ = ["parser"]

FORMS = ("remote", "store")
EVERYTHING = "*"

_EXIT_CODES = """\
exit codes:
  0 fine   1 differences or drift found   2 usage   3 invalid recipe   4 invalid lock
  5 no acceptable solution   6 fetch failed   7 digest mismatch   8 external tool failed
  130 interrupted
"""

_EXAMPLES = {
    "lock": """\
  python -m builder lock                          every target of the default release
  python -m builder lock --framework vllm --arch aarch64
  python -m builder lock --release all --check    does every lock still fit its recipe?
  python -m builder lock --upgrade torch          let one distribution move
""",
    "render": """\
  python -m builder render --framework vllm
  python -m builder render --framework dynamo --inputs store --output out/
  python -m builder render --framework vllm --origin pypi=https://files.example.invalid/packages/
""",
    "export": """\
  python -m builder export --framework vllm --arch x86_64
  python -m builder export --framework dynamo --output out/
""",
    "fetch": """\
  python -m builder fetch --framework dynamo --arch x86_64 --dry-run   how much is missing?
  python -m builder fetch --framework dynamo --inputs remote           git sources and base only
""",
    "build": """\
  python -m builder build --framework dynamo --platform debian-13 --arch x86_64
  python -m builder build --framework dynamo --target check
  python -m builder build --framework vllm --inputs store --output out/
""",
    "reproduce": """\
  python -m builder reproduce --framework dynamo --platform debian-13 --arch x86_64
  python -m builder reproduce --compare first.tar second.tar --format json
""",
}


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top = argparse.ArgumentParser(
        prog="python -m builder",
        description="Lockfiles and reproducible container images for LLM inference stacks.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"lockwright {__version__}")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_lock, _add_render, _add_export, _add_fetch, _add_build, _add_reproduce):
        add(verbs)
    return top


def _verb(verbs: Verbs, name: str, summary: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"examples:\n{_EXAMPLES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    which = verb.add_argument_group("which targets")
    for word, said in (
        ("--release", "a release, or all (default: the default release)"),
        ("--platform", "a platform; may be repeated"),
        ("--framework", "a framework; may be repeated"),
    ):
        which.add_argument(word, action="append", default=[], metavar="NAME", help=said)
    arches = [arch.value for arch in Arch]
    which.add_argument("--arch", action="append", default=[], choices=arches, help="may be repeated")
    where = verb.add_argument_group("where things are")
    where.add_argument("--project", default="", metavar="DIR", help="folder of recipes and locks")
    where.add_argument("--store", default="", metavar="DIR", help="content-addressed store")
    where.add_argument("--origin", action="append", default=[], metavar="NAME=URL", help="bind an origin")
    where.add_argument("--mirror", action="append", default=[], metavar="FROM=TO", help="use a mirror")
    verb.add_argument("--quiet", "-q", action="store_true", help="errors and results only")
    verb.add_argument("--format", choices=["text", "json"], default="text", help="form of the result")
    return verb


def _inputs(verb: argparse.ArgumentParser, default: str) -> None:
    said = f"where files come from: their origins, or the store alone (default: {default})"
    verb.add_argument("--inputs", choices=FORMS, default=default, help=said)


def _add_lock(verbs: Verbs) -> None:
    verb = _verb(verbs, "lock", "Resolve recipes into hash-pinned locks.")
    verb.add_argument("--check", action="store_true", help="write nothing; exit 1 where a lock is stale")
    verb.add_argument("--dry-run", action="store_true", help="resolve and show, write nothing")
    verb.add_argument(
        "--upgrade",
        nargs="?",
        action="append",
        const=EVERYTHING,
        default=[],
        metavar="NAME",
        help="resolve anew; with a NAME let only that distribution move",
    )
    verb.add_argument("--offline", action="store_true", help="use the store and the caches only")
    verb.add_argument("--index-url", default="", metavar="URL", help="Python index instead of the default")
    verb.set_defaults(run=dispatch.lock)


def _add_render(verbs: Verbs) -> None:
    verb = _verb(verbs, "render", "Turn locks into a hermetic Dockerfile.")
    _inputs(verb, "remote")
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write to")
    verb.set_defaults(run=dispatch.render)


def _add_export(verbs: Verbs) -> None:
    verb = _verb(verbs, "export", "Write pylock.toml and requirements.txt from a lock.")
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder to write to")
    verb.set_defaults(run=dispatch.export)


def _add_fetch(verbs: Verbs) -> None:
    verb = _verb(verbs, "fetch", "Bring everything that locks name into the store, verified.")
    _inputs(verb, "store")
    verb.add_argument("--dry-run", action="store_true", help="say how much is missing")
    verb.add_argument("--jobs", type=int, default=8, metavar="N", help="downloads at once (default: 8)")
    verb.set_defaults(run=dispatch.fetch)


def _engine(verb: argparse.ArgumentParser) -> None:
    _inputs(verb, "remote")
    verb.add_argument("--output", type=Path, metavar="DIR", help="folder for the image and records")
    verb.add_argument("--builder", default="", metavar="NAME", help="builder of docker buildx")


def _add_build(verbs: Verbs) -> None:
    verb = _verb(
        verbs, "build", "Render, fetch what the build takes from the store, and build with BuildKit."
    )
    _engine(verb)
    verb.add_argument("--target", choices=["runtime", "check"], default="runtime", help="the stage to build")
    verb.add_argument("--no-cache", action="store_true", help="build every stage anew")
    verb.set_defaults(run=dispatch.build)


def _add_reproduce(verbs: Verbs) -> None:
    verb = _verb(verbs, "reproduce", "Build twice under varied conditions and compare; 1 where they differ.")
    _engine(verb)
    verb.add_argument(
        "--pause", type=int, default=5, metavar="SECONDS", help="between the builds (default: 5)"
    )
    verb.add_argument("--second-builder", default="", metavar="NAME", help="builder of the second build")
    verb.add_argument("--cgroup-parent", default="", metavar="GROUP", help="of the second build")
    verb.add_argument("--processors", type=int, metavar="N", help="of the second build")
    verb.add_argument(
        "--compare", nargs=2, type=Path, default=[], metavar="IMAGE", help="compare, build nothing"
    )
    verb.add_argument(
        "--keep", action="store_true", help="keep the second image even when both are identical"
    )
    verb.set_defaults(run=dispatch.reproduce)
