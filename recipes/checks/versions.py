"""Each distribution has the locked version: in its metadata, and in `__version__` where its module has one.

    versions.py NAME==VERSION… [--module NAME=MODULE]…

A module is imported in a process of its own. One that cannot be imported here is named with the reason;
that is no failure of this check (`imports.py` decides it), a version that differs is one.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import subprocess
import sys

ASK = (
    "import importlib, sys; module = importlib.import_module(sys.argv[1]); "
    "print('version', getattr(module, '__version__', ''))"
)
LIMIT = 300  # seconds


def module_version(module: str) -> tuple[str, str]:
    """Return `__version__` of a module, and why there is none."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, module], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    said = [line.partition(" ")[2] for line in done.stdout.splitlines() if line.startswith("version ")]
    if done.returncode or not said:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return "", f"cannot be imported here: {last[:200]}"
    return said[-1], "" if said[-1] else "has no __version__"


def agrees(found: str, wanted: str) -> bool:
    """Whether a version is the wanted one; a local part that the lock does not name may follow."""
    return found == wanted or ("+" not in wanted and found.partition("+")[0] == wanted)


def main(words: list[str]) -> int:
    """Compare every version; 1 where one differs."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("wanted", nargs="+", metavar="NAME==VERSION")
    parser.add_argument("--module", action="append", default=[], metavar="NAME=MODULE")
    options = parser.parse_args(words)
    modules = dict(row.partition("=")[::2] for row in options.module)
    wrong = 0
    for row in options.wanted:
        name, _, wanted = row.partition("==")
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        good = agrees(found, wanted)
        wrong += not good
        print(f"{name}: {found}" + ("" if good else f"  DIFFERS, locked is {wanted}"), flush=True)
        if name in modules:
            version, why = module_version(modules[name])
            differs = bool(version) and not agrees(version, wanted)
            wrong += differs
            said = version or why
            print(f"  {modules[name]}.__version__: {said}" + ("  DIFFERS" if differs else ""), flush=True)
    print(f"{len(options.wanted)} versions: " + (f"{wrong} DIFFER" if wrong else "all as locked"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
