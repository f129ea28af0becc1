"""lockwright: lockfiles and reproducible container images for LLM inference stacks."""

__version__ = "0.1.0"
