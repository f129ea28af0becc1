"""From the recipe of one target to its lock: OS packages, Python distributions, sources.

In: a recipe library, a target and a session that reaches indexes. Out: a `Lock`.
`resolve.python` knows one ecosystem, `resolve.debian` and `resolve.rpm` each one family
of platforms behind the protocol of `resolve.os`; this package chooses among them and puts
their rows together. Imports `recipe`, `lockfile`, `index`, `fetch`.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.resolve.os_packages import resolve_base, resolve_os
    from builder.resolve.target import Trial, make_lock
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "Trial": "target",
            "make_lock": "target",
            "resolve_base": "os_packages",
            "resolve_os": "os_packages",
        },
    )

__all__ = ["Trial", "make_lock", "resolve_base", "resolve_os"]
