"""Python requirements to rows of a lock: uv decides versions, everything else is decided here.

In: a `PythonRequest` and the services that reach indexes. Out: one wheel row for each
distribution, chosen for the target, checked and explained. Imports `index`, `recipe`,
`lockfile`, `model`.
"""

from builder.resolve.python.environment import resolve_python
from builder.resolve.python.graph import RequirementNode, walk_requirements
from builder.resolve.python.pip_tools import (
    RunningMachine,
    pip_tools_name,
    running_machine,
    solve_with_pip_tools,
)
from builder.resolve.python.stand_in_wheels import stand_in_node
from builder.resolve.python.uv import resolver_name

__all__ = [
    "RequirementNode",
    "RunningMachine",
    "pip_tools_name",
    "resolve_python",
    "resolver_name",
    "running_machine",
    "solve_with_pip_tools",
    "stand_in_node",
    "walk_requirements",
]
