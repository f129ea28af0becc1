"""Dockerfiles and requirements files of others: what they pin, and what they leave to chance.

In: the text of a Dockerfile, of requirements, or of another list of versions or images. Out: pins, and
whether each holds.
Imports `align` and `model`. Pure.
"""

from builder.align.dockerfile.check import check_pins
from builder.align.dockerfile.other_files import file_pins
from builder.align.dockerfile.pin import Pin, PinFinding
from builder.align.dockerfile.pins import dockerfile_pins, pins_of_dockerfiles
from builder.align.dockerfile.reader import read_dockerfile
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = [
    "UNRESOLVED",
    "Pin",
    "PinFinding",
    "check_pins",
    "dockerfile_pins",
    "file_pins",
    "pins_of_dockerfiles",
    "read_dockerfile",
]
