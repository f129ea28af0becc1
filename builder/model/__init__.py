"""Pure values: what a recipe, a target and a lock are, and how each is read and written."""
