"""The command line as a whole; each verb's words are in `builder.verbs`."""

from __future__ import annotations

import argparse

from builder import __version__
from builder.verbs import (
    align,
    build,
    bundle,
    diff,
    export,
    fetch,
    git_driver,
    init,
    lock,
    matrix,
    render,
    reproduce,
    sbom,
    verify,
    why,
)

__all__ = ["parser"]

_EXIT_CODES = """\
exit codes:
  0 fine   1 differences or drift found   2 usage   3 invalid recipe   4 invalid lock
  5 no acceptable solution   6 fetch failed   7 digest mismatch   8 external tool failed
  130 interrupted
"""

_VERBS = (
    lock,
    render,
    export,
    fetch,
    bundle,
    build,
    reproduce,
    verify,
    init,
    matrix,
    why,
    sbom,
    align,
    diff,
    git_driver,
)


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
    for verb in _VERBS:
        verb.add(verbs)
    return top
