"""Origins and mirrors: where locked bytes may be had; a lock names none of these places.

In: origins files, the environment, the command line, rows of locks. Out: the addresses of a file in
the order in which they are tried, and the settings of the network. Imports `io`, `lockfile`
and `model`.
"""

from builder.origins.origins import Origin, Origins, checked_place
from builder.origins.reading import load_origins, parse_origins, user_origins_file

__all__ = ["Origin", "Origins", "checked_place", "load_origins", "parse_origins", "user_origins_file"]
