"""From recipes to a lock: one file or package per kind of input."""
