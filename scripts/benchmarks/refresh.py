"""Every committed lock made again, in one command, beside uv once per target.

Both have warm caches of their own and, without --offline, ask the index whether
these still hold. Ours also computes the OS packages and writes the locks; uv is
asked for the Python side alone, and only where it can answer: where a target has
no Python roots, or wants a source that nobody may execute, uv costs nothing here.
Ours is done once to warm up, and uv is asked each different question once, several at a time; then
both are measured as often as --repeats says, in turns: ours as one command, uv once for each target.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.model import Target
from builder.recipe import lockable_targets
from builder.selection import Selection
from scripts.benchmarks.lock import ROOT, Bench, Question, say, seconds

LIMIT = 0.5
_AT_A_TIME = 4
"""How many questions warm uv's cache at a time: they mostly wait for the index."""


def targets(bench: Bench, releases: tuple[str, ...], platforms: tuple[str, ...]) -> list[Target]:
    """Return the targets that have a committed lock."""
    wanted = lockable_targets(bench.library, Selection(releases=releases, platforms=platforms))
    return [target for target in wanted if (ROOT / "lock" / target.path).is_file()]


def answered(bench: Bench, questions: list[Question]) -> list[Question]:
    """Ask uv each different question once, which warms its cache; return the questions that it answers."""
    different = {_question_key(question): question for question in questions}
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        said = dict(
            zip(different, pool.map(lambda one: _uv_refusal(bench, one), different.values()), strict=True)
        )
    for question in questions:
        if said[_question_key(question)]:
            print(f"uv alone has no answer for {question.target}: {said[_question_key(question)]}")
    return [question for question in questions if not said[_question_key(question)]]


def _question_key(question: Question) -> tuple[str, tuple[str, ...]]:
    """Return all of a question that uv sees: targets share it."""
    return question.requirements, question.options


def _uv_refusal(bench: Bench, question: Question) -> str:
    """Ask uv; return why it has no answer, or nothing."""
    try:
        bench.uv(question)
    except subprocess.CalledProcessError as error:
        return _last_line(error)
    return ""


def _last_line(error: subprocess.CalledProcessError) -> str:
    return str(error.stderr).strip().rpartition("\n")[2]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.add_argument("--offline", action="store_true", help="measure from warm caches alone")
    parser.add_argument("--release", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--platform", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument(
        "--store", default="", help="a store that is warm, with the caches beside it (default: a new one)"
    )
    parser.add_argument("--repeats", type=int, default=1, help="measured runs of either side (default: 1)")


def run(options: argparse.Namespace) -> bool:
    """Run the comparison; return whether it is within its limit."""
    with tempfile.TemporaryDirectory(prefix="lockwright-bench-") as folder:
        bench = Bench(Path(folder), offline=False)
        bench.store = Path(options.store) if options.store else bench.store
        releases = tuple(options.release) or ("all",)
        everything = targets(bench, releases, tuple(options.platform))
        chosen = set(everything)
        words = [word for name in releases for word in ("--release", name)]
        words += [word for name in options.platform for word in ("--platform", name)]

        def ours() -> None:
            bench.without(everything)
            bench.lock(*words)
            missing = [
                target for target in everything if not (bench.project / "lock" / target.path).is_file()
            ]
            assert not missing, f"not made again: {missing}"

        print(f"warming up: {len(everything)} locks", flush=True)
        ours()
        asked = [q for q in bench.questions() if q.target in chosen and q.requirements]
        questions = answered(bench, asked)
        different = len({_question_key(question) for question in questions})
        print(f"measuring: uv has {len(questions)} runs, {different} of them different", flush=True)
        bench.offline = ["--offline"] if options.offline else []

        def theirs() -> None:
            for question in questions:
                bench.uv(question)

        pairs = [(seconds(ours), seconds(theirs)) for _ in range(options.repeats)]
        print(f"{'seconds (medians)':58} {'ours':>10} {'other':>10} {'ratio':>7}")
        what = f"lock, all {len(everything)} targets / uv, {len(questions)} runs"
        medians = (statistics.median(pair[index] for pair in pairs) for index in (0, 1))
        mine, other = medians
        return say(what, mine, other, LIMIT, LIMIT)
