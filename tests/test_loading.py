"""What a package may load: importing it does not load an HTTP library that only some of its users need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

HTTP = {"pycurl", "requests", "urllib3", "tornado"}


@pytest.mark.parametrize(
    "statement",
    [
        "from builder.store import Request, Store, journal, open_partial, staging",
        "from builder.origins import Origin, Origins, parse_origins",
        "from builder.io import Access, Network, first_answer, read_bytes, write_atomic",
        "from builder.oci import ImageManifest, open_images, parse_image_manifest, read_tree",
        "from builder.bundle import contents, make_bundle, read_bundle",
        "from builder.fetch import absent_parts, fetch_all, needs",
    ],
)
def test_no_http_library_is_loaded(statement: str) -> None:
    """Most commands have what they need in the store; requests alone takes a tenth of a second to load."""
    program = f"import sys; {statement}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HTTP & set(loaded.stdout.split())


NOT_FOR_CHECKS = (
    "builder.commands.verify",
    "builder.fetch.queue",
    "builder.io.download",
    "builder.io.transfer",
    "builder.render",
    "builder.resolve.target",
    "builder.store.arriving",
)


def test_a_check_of_locks_loads_nothing_of_downloads_and_other_verbs() -> None:
    program = (
        "import sys; from builder.cli import main;"
        "code = main(['lock', '--check', '--framework', 'fabric', '--quiet']); print(*sys.modules); sys.exit(code)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not set(NOT_FOR_CHECKS) & set(loaded.stdout.split())
