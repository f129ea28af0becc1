"""`diff` and `verify`: CPU time of the whole process, on committed locks.

The least of some runs counts: other programs on the machine only add to it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from builder.lockfile import parse_lock

__all__ = ["add_options", "run"]

ROOT = Path(__file__).resolve().parents[2]
PAIR_LIMIT, MANY_LIMIT = 0.4, 4.0
"""Seconds for two locks, and for forty."""
MANY = 40
REPEATS = 7


def add_options(_parser: argparse.ArgumentParser) -> None:
    """Add no option."""


def run(_options: argparse.Namespace) -> bool:
    """Measure; return whether everything is within its limits."""
    places = sorted((ROOT / "lock").glob("*/*/*.toml"))
    sizes = {place: _row_counts(place) for place in places}
    old, new = _largest_pair(sizes)
    python, packages = sizes[new]
    what = f"two locks, {python} Python and {packages} OS rows"
    with tempfile.TemporaryDirectory(prefix="lockwright-bench-") as folder:
        before, after = (Path(folder) / side for side in ("before", "after"))
        many = places[:MANY]
        for place in many:
            _copy_lock(place, before)
            changed = _copy_lock(place, after)
            text = changed.read_text("utf-8")
            changed.write_text(text.replace('resolver = "uv ', 'resolver = "uv 9'), "utf-8")
        fine = [
            _measure_command(f"diff, {what}", ("diff", str(old), str(new)), PAIR_LIMIT),
            _measure_command(
                f"diff, {len(many)} locks, each changed", ("diff", str(before), str(after)), MANY_LIMIT
            ),
            _measure_command(f"verify, {what}", ("verify", str(old), str(new)), PAIR_LIMIT),
            _measure_command(f"verify, {len(many)} locks", ("verify", *map(str, many)), MANY_LIMIT),
        ]
    return all(fine)


def _row_counts(place: Path) -> tuple[int, int]:
    lock = parse_lock(place.read_bytes(), place=place.name)
    return len(lock.python), len(lock.os_packages)


def _largest_pair(sizes: dict[Path, tuple[int, int]]) -> tuple[Path, Path]:
    """Return two locks of one name and platform, of two releases, with the most OS rows."""
    pairs = [(old, new) for old in sizes for new in sizes if old < new and old.parts[-2:] == new.parts[-2:]]
    return max(pairs, key=lambda pair: [sum(sizes[place][1] for place in pair), pair])


def _copy_lock(place: Path, root: Path) -> Path:
    into = root / place.relative_to(ROOT / "lock")
    into.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(place, into))


def _measure_command(what: str, words: tuple[str, ...], limit: float) -> bool:
    found = _cpu_seconds(words)
    verdict = "ok" if found <= limit else "ABOVE THE LIMIT"
    print(f"{what:58} {found:10.2f} s of CPU  limit {limit:g}: {verdict}")
    return found <= limit


def _cpu_seconds(words: tuple[str, ...]) -> float:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    best = float("inf")
    for _ in range(REPEATS):
        process = subprocess.Popen(
            [sys.executable, "-m", "builder", *words], env=env, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in {0, 1}:
            raise SystemExit(f"builder {' '.join(words)} ended with {process.returncode}")
        best = min(best, usage.ru_utime + usage.ru_stime)
    return best
