"""A built image explained by its lock: which row each file comes from, and what no row explains. Pure."""
