"""Fetching: places for locked bytes, the content-addressed store, and what fills it."""
