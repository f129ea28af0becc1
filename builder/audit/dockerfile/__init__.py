"""Dockerfiles and requirements that others wrote: what they pin, and what they leave to chance."""
