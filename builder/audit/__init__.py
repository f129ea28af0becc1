"""TODO-audit."""
