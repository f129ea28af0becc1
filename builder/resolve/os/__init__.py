"""OS packages whatever their family: what a pinned archive can be asked, and what it answers.

In: the pins of a platform's repositories, and the inventories of its images. Out: the
protocol `OsArchive`, which `resolve.debian` and `resolve.rpm` fulfil, and the values that
pass through it. Imports `lockfile`, `model`, `recipe`; knows neither family.
"""

from builder.resolve.os.archive import (
    OsArchive,
    PackageChoice,
    PackagePlan,
    image_inventory,
    pinned_moment,
    snapshot_stamp,
    utc_rfc3339,
    utc_text,
)

__all__ = [
    "OsArchive",
    "PackageChoice",
    "PackagePlan",
    "image_inventory",
    "pinned_moment",
    "snapshot_stamp",
    "utc_rfc3339",
    "utc_text",
]
