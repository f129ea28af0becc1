"""A built image explained by its lock: which row each file comes from, and what no row explains.

In: the files of an image and the rows of its lock. Out: an explanation of every file. Pure.
"""

from builder.verify.image.explanation import Explanation, explain
from builder.verify.image.libraries import LibraryClosure, library_closure

__all__ = ["Explanation", "LibraryClosure", "explain", "library_closure"]
