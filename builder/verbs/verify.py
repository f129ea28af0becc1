"""The words of `verify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builder.verbs.common import add_format, add_places, add_selection, add_verb, project_of, selection_of

if TYPE_CHECKING:
    from builder.console import Console
    from builder.verbs.common import Verbs

__all__ = ["add", "run"]

_EXAMPLES = """\
  python -m builder verify                        every lock of the default release, offline
  python -m builder verify --release all --format json
  python -m builder verify lock/1.4.2/debian-13/dynamo-x86_64.toml
  python -m builder verify --licenses licenses.toml
  python -m builder verify --advisories osv-all.zip --accepted accepted.toml
  python -m builder verify --online                          still there, same hash, tag unmoved?
  python -m builder verify --store                           is every fetched file what it was?
  python -m builder verify --image dynamo-1.4.2.oci.tar      which row explains each file?
"""

_STORE = {
    "nargs": "?",
    "const": "",
    "help": "hash every file of the store again; DIR is another store (with --image it only names the store)",
}


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verb = add_verb(verbs, "verify", "Prove what locks say: integrity, freshness, and more.", _EXAMPLES)
    verb.add_argument("files", nargs="*", type=Path, metavar="LOCK", help="a lock file, instead of targets")
    add_selection(verb)
    add_places(verb, _STORE)
    add_format(verb)
    policies = verb.add_argument_group("policies")
    policies.add_argument("--licenses", type=Path, metavar="POLICY", help="judge licences by a policy (TOML)")
    policies.add_argument(
        "--advisories",
        default="",
        metavar="FILE-OR-URL",
        help="known vulnerabilities (OSV): a folder, zip or JSON file, or a service's base URL",
    )
    policies.add_argument(
        "--accepted", type=Path, metavar="FILE", help="advisories that somebody accepted, until when (TOML)"
    )
    verb.add_argument("--online", action="store_true", help="ask indexes, archives, git and registries")
    verb.add_argument("--rebuild-base", action="store_true", help="assemble bases again, compare digests")
    verb.add_argument("--image", default="", metavar="IMAGE", help="explain every file: a tar, or a name")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    from builder.commands import verify  # noqa: PLC0415 - see the package's docstring

    return verify.run(
        project_of(options, console),
        verify.Options(
            selection=selection_of(options),
            files=tuple(options.files),
            licenses=options.licenses,
            advisories=options.advisories,
            accepted=options.accepted,
            online=options.online,
            store=options.store is not None and not (options.store and options.image),
            rebuild_base=options.rebuild_base,
            image=options.image,
            json=options.format == "json",
        ),
    )
