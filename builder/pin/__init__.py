"""Filling the pins of recipes from the network or a mirror: the one place that asks what a tag means now."""
