"""The local index of tests/resolve/python, for the traps too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent.parent / "resolve" / "python" / "conftest.py"
_spec = importlib.util.spec_from_file_location("local_index", _SOURCE)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)

client = _module.client
indexes = _module.indexes
