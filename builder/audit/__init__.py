"""Locks compared, explained and proven; nothing is here yet."""
