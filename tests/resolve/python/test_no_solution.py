from __future__ import annotations

from datetime import UTC, datetime

from packaging.version import Version

from builder.index.project_page import DistributionFile, IndexProject
from builder.resolve.python.no_solution import nearest_versions


def test_the_nearest_versions_of_the_time_are_offered() -> None:
    months = {"0.8": None, "1.0": 1, "1.0+cu128": 3, "2.0": 12}
    files = tuple(
        DistributionFile(
            file=f"app-{version}-py3-none-any.whl",
            url="",
            version=Version(version),
            wheel=True,
            uploaded=datetime(2025, month, 1, tzinfo=UTC) if month else None,
        )
        for version, month in months.items()
    )
    project = IndexProject(name="app", files=files)
    bound = datetime(2025, 6, 1, tzinfo=UTC)
    below = "nearest existing versions: 0.8, 1.0, 1.0+cu128"
    assert nearest_versions(project, Version("0.9"), bound) == below
    assert nearest_versions(project, Version("1.5"), None) == f"{below}, 2.0"
