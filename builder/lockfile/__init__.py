"""The lock: every byte that enters an image, by hash, and every step taken with it.

In: the text of a lock file. Out: a `Lock`, its canonical text, and the faults that its
own rules find. Imports `model`. Pure.
"""

from builder.lockfile.canonical import first_difference, row_key, summary_digest
from builder.lockfile.downloads import DownloadedRow, downloaded_rows
from builder.lockfile.finding import RULES, Finding, Level, Proof, exit_code, found
from builder.lockfile.labels import (
    LockRow,
    LockSection,
    named_label,
    part_label,
    row_label,
    section_rows,
    submodule_label,
)
from builder.lockfile.lock import (
    BASE,
    FORMAT,
    INSTALLER,
    PYTHON_FOLDER,
    RECIPE,
    REQUIRED,
    RUNTIME,
    Archive,
    Build,
    Check,
    Environment,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    Repository,
    Runtime,
    Submodule,
)
from builder.lockfile.reading import (
    Examined,
    check_lock,
    dump_lock,
    examine,
    load_lock,
    lock_findings,
    parse_lock,
)
from builder.lockfile.rule import LockRule
from builder.lockfile.rules import LOCK_RULES

__all__ = [
    "BASE",
    "FORMAT",
    "INSTALLER",
    "LOCK_RULES",
    "PYTHON_FOLDER",
    "RECIPE",
    "REQUIRED",
    "RULES",
    "RUNTIME",
    "Archive",
    "Build",
    "Check",
    "DownloadedRow",
    "Environment",
    "Examined",
    "Finding",
    "GitSource",
    "Image",
    "Level",
    "Lock",
    "LockRow",
    "LockRule",
    "LockSection",
    "OsPackage",
    "Proof",
    "PythonPackage",
    "Repository",
    "Runtime",
    "Submodule",
    "check_lock",
    "downloaded_rows",
    "dump_lock",
    "examine",
    "exit_code",
    "first_difference",
    "found",
    "load_lock",
    "lock_findings",
    "named_label",
    "parse_lock",
    "part_label",
    "row_key",
    "row_label",
    "section_rows",
    "submodule_label",
    "summary_digest",
]
