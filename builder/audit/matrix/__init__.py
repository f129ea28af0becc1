"""The support matrix: what is locked, what is not and why, versions and floors."""
