"""libsolv's Python module, or the reason why this machine has none.

It has wheels for Linux alone, so other systems install lockwright without it (a
marker in pyproject.toml), and only the solver of RPM platforms misses it there.
"""

from builder.errors import ToolError

try:
    import solv
except ModuleNotFoundError:
    raise ToolError(
        "RPM platforms need libsolv's Python module, which is not installed",
        hint="lock RPM platforms on Linux, for which the package `solv` has wheels",
    ) from None

__all__ = ["solv"]
