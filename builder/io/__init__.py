"""Bytes in and out: files, processes, HTTP and git, without any domain type."""
