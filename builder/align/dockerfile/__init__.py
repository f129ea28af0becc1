"""Dockerfiles and requirements files of others: what they pin, and what they leave to chance.

In: the text of a Dockerfile or of a requirements file. Out: pins, and whether each holds.
Imports `align` and `model`. Pure.
"""

from builder.align.dockerfile.check import check_pins
from builder.align.dockerfile.pin import Pin, PinFinding
from builder.align.dockerfile.pins import dockerfile_pins
from builder.align.dockerfile.reader import read_dockerfile
from builder.align.dockerfile.requirements_file import requirements_pins
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = [
    "UNRESOLVED",
    "Pin",
    "PinFinding",
    "check_pins",
    "dockerfile_pins",
    "read_dockerfile",
    "requirements_pins",
]
