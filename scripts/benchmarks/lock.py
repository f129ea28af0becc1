"""`lock` and `render` beside uv and a bare Python.

Needs the committed locks and, without --offline, the Python index. It writes
below a temporary folder only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uv

from builder.console import Console
from builder.model import Target, uv_platform
from builder.project import open_project
from builder.recipe import effective_recipe, lockable_targets
from builder.selection import Selection

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = "import cattrs, packaging.markers, packaging.tags, rich.console, tomllib"
REPEATS = 5


@dataclass(frozen=True)
class Question:
    """What uv is asked for one target."""

    target: Target
    requirements: str
    constraints: str
    options: tuple[str, ...]


class Bench:
    """A copy of the project, its warm caches, and how long things take in it."""

    def __init__(self, work: Path, *, offline: bool) -> None:
        self.project = work / "project"
        self.store = work / "caches/store"
        self.cache = work / "uv"
        self.work = work
        self.offline = ["--offline"] if offline else []
        self.project.mkdir()
        for name in ("recipes", "lock"):
            shutil.copytree(ROOT / name, self.project / name)
        if (ROOT / "origins.toml").is_file():
            shutil.copy2(ROOT / "origins.toml", self.project / "origins.toml")
        opened = open_project(
            project=str(self.project), store=str(self.store), origins=(), mirrors=(), console=Console()
        )
        self.library = opened.library()

    def questions(self) -> list[Question]:
        """Return uv's question for every committed lock."""
        found = []
        for target in lockable_targets(self.library, Selection(releases=("all",))):
            if not (ROOT / "lock" / target.path).is_file():
                continue
            recipe = effective_recipe(self.library, target)
            options = (
                *("--python-platform", uv_platform(target.arch, recipe.platform.glibc)),
                *(
                    "--python-version",
                    recipe.platform.python,
                    "--exclude-newer",
                    recipe.release.exclude_newer,
                ),
            )
            if _from_index(recipe.parts):
                roots, bounds = "\n".join(recipe.roots), "\n".join(recipe.constraints)
                found.append(Question(target, roots, bounds, options))
        return found

    def uv(self, question: Question, *more: str) -> str:
        """Let uv answer a question with its own warm cache; return the requirements."""
        command = [
            uv.find_uv_bin(),
            "pip",
            "compile",
            "--quiet",
            "-",
            "--no-header",
            "--no-config",
            "--no-build",
        ]
        command += ["--no-annotate", "--cache-dir", str(self.cache), *question.options, *self.offline, *more]
        # As ours asks: uv otherwise looks for the Python of the target, and waits for its download.
        command += ["--python", sys.executable, "--no-python-downloads"]
        done = subprocess.run(
            command, input=question.requirements, capture_output=True, text=True, check=True
        )
        return done.stdout

    def builder(self, *words: str) -> None:
        """Run one of our commands in the copy."""
        command = [sys.executable, "-m", "builder", *words, "--quiet"]
        command += ["--project", str(self.project), "--store", str(self.store)]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)

    def lock(self, *words: str) -> None:
        """Make locks anew."""
        self.builder("lock", *words, *self.offline)

    def without(self, targets: list[Target]) -> None:
        """Remove the locks of some targets."""
        for target in targets:
            (self.project / "lock" / target.path).unlink(missing_ok=True)


def _from_index(parts: tuple[object, ...]) -> bool:
    """Say whether uv alone can answer: what exists only as a source build it cannot."""
    names = {wheel.name for part in parts for wheel in part.wheels}  # type: ignore[attr-defined]
    versions = {part.version for part in parts if part.name == "flashinfer"}  # type: ignore[attr-defined]
    return not (names & {"flashinfer-python"} and versions & {"0.3.0", "0.3.1"})


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def alternate(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the medians of alternating runs."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def say(what: str, ours: float, theirs: float, aim: float, limit: float) -> bool:
    """Print one comparison and return whether it is within its limit."""
    ratio = ours / theirs
    verdict = "ok" if ratio <= aim else "above the aim" if ratio <= limit else "ABOVE THE LIMIT"
    print(f"{what:58} {ours:10.2f} {theirs:10.2f} {ratio:7.2f}  aim {aim:g}, limit {limit:g}: {verdict}")
    return ratio <= limit


def bench_lock(bench: Bench) -> bool:
    """Run every comparison of `lock` and `render`."""
    questions = bench.questions()
    one = next(q for q in questions if q.target.framework == "vllm")
    selection = (
        *("--release", one.target.release, "--platform", one.target.platform),
        *("--framework", one.target.framework, "--arch", one.target.arch.value),
    )

    def relock() -> None:
        bench.without([one.target])
        bench.lock(*selection)

    for warm in (relock, lambda: bench.uv(one)):
        warm()
    print(f"{'seconds (medians), or bytes':58} {'ours':>10} {'other':>10} {'ratio':>7}")
    fine = [
        say(
            "lock, one vllm target / uv pip compile",
            *alternate(relock, lambda: bench.uv(one), REPEATS),
            1.25,
            1.5,
        ),
        say(
            "lock --check, one target / uv pip compile",
            *alternate(lambda: bench.builder("lock", "--check", *selection), lambda: bench.uv(one), REPEATS),
            0.2,
            0.2,
        ),
        say(
            "render one framework / python with the same libraries",
            *alternate(lambda: _render_question(bench, one), _start_bare_python, REPEATS),
            5,
            5,
        ),
        say(
            "Python rows of the lock / requirements with hashes",
            *_row_and_requirement_bytes(bench, one),
            0.3,
            0.3,
        ),
    ]
    return all(fine)


def _render_question(bench: Bench, question: Question) -> None:
    target = question.target
    words = ("--release", target.release, "--platform", target.platform, "--framework", target.framework)
    bench.builder("render", *words, "--inputs", "store", "--output", str(bench.work / "out"))


def _start_bare_python() -> None:
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)


def _row_and_requirement_bytes(bench: Bench, question: Question) -> tuple[float, float]:
    text = (ROOT / "lock" / question.target.path).read_text("utf-8")
    blocks = text.split("\n\n")
    rows = "\n\n".join(block for block in blocks if block.startswith("[[python]]"))
    assert len(tomllib.loads(rows)["python"]) > 100
    return len(rows.encode()), len(bench.uv(question, "--generate-hashes").encode())


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.add_argument("--offline", action="store_true", help="measure from warm caches alone")


def run(options: argparse.Namespace) -> bool:
    """Run the comparison; return whether everything is within its limits."""
    with tempfile.TemporaryDirectory(prefix="lockwright-bench-") as folder:
        bench = Bench(Path(folder), offline=False)
        if options.offline:
            _warm_caches(bench)
            bench.offline = ["--offline"]
        return bench_lock(bench)


def _warm_caches(bench: Bench) -> None:
    questions = bench.questions()
    bench.without([question.target for question in questions])
    platforms = sorted({question.target.platform for question in questions})
    bench.lock("--release", "all", *(word for name in platforms for word in ("--platform", name)))
    for question in questions:
        bench.uv(question, "--generate-hashes")
