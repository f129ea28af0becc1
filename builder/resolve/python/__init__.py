"""Python requirements to rows of a lock: uv decides versions, everything else is decided here.

In: a `PythonRequest` and the services that reach indexes. Out: one wheel row for each
distribution, chosen for the target, checked and explained. Imports `index`, `recipe`,
`lockfile`, `model`.
"""

from builder.resolve.python.environment import resolve_python
from builder.resolve.python.uv import resolver_name

__all__ = ["resolve_python", "resolver_name"]
