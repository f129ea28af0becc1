"""The lock: every byte that enters an image, by hash, and every step taken with it.

In: the text of a lock file. Out: a `Lock`, its canonical text, and the faults that its
own rules find. Imports `model`. Pure.
"""

from builder.lockfile.comparison import RecipeComparison
from builder.lockfile.component_part import component_build, component_part
from builder.lockfile.cuda import CudaBuild, cuda_build, cuda_version, is_cuda_runtime
from builder.lockfile.finding import RULES, Finding, Level, Proof, exit_code, found
from builder.lockfile.installed import environment_packages, glibc_version, lock_full_pythons, os_python
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
    LINKER_FILE,
    RECIPE,
    REQUIRED,
    RUNTIME,
    Archive,
    Build,
    Check,
    DownloadedRow,
    Environment,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    Repository,
    Runtime,
    Submodule,
    downloaded_rows,
    first_difference,
    row_key,
    summary_digest,
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
from builder.lockfile.rule import PLAIN_FOLDER, LockRule
from builder.lockfile.rules import LOCK_RULES, lock_faults
from builder.lockfile.rules_checks import filled_expectation
from builder.lockfile.rules_cuda import CudaStack, cuda_stack_faults

__all__ = [
    "BASE",
    "FORMAT",
    "INSTALLER",
    "LINKER_FILE",
    "LOCK_RULES",
    "PLAIN_FOLDER",
    "RECIPE",
    "REQUIRED",
    "RULES",
    "RUNTIME",
    "Archive",
    "Build",
    "Check",
    "CudaBuild",
    "CudaStack",
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
    "RecipeComparison",
    "Repository",
    "Runtime",
    "Submodule",
    "check_lock",
    "component_build",
    "component_part",
    "cuda_build",
    "cuda_stack_faults",
    "cuda_version",
    "downloaded_rows",
    "dump_lock",
    "environment_packages",
    "examine",
    "exit_code",
    "filled_expectation",
    "first_difference",
    "found",
    "glibc_version",
    "is_cuda_runtime",
    "load_lock",
    "lock_faults",
    "lock_findings",
    "lock_full_pythons",
    "named_label",
    "os_python",
    "parse_lock",
    "part_label",
    "row_key",
    "row_label",
    "section_rows",
    "submodule_label",
    "summary_digest",
]
