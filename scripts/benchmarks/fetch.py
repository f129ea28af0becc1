"""`fetch` beside the tools that download and verify: curl with sha256sum, aria2, uv, pip.

2,000 small and 20 large wheels from a server on loopback, alternating runs,
medians. Then one file of some gigabytes, for the memory that `fetch` takes.
Every tool writes to the same disk and must find every digest right.
Needs about 8 GB of disk with the defaults, and no network; tools that are not installed are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uv

from builder.lockfile import PythonPackage, dump_lock, parse_lock
from builder.model import Evidence, Sha256
from scripts.benchmarks.file_server import generated_sha256, serving

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "fabric" / "lock-x86_64.toml"
LEAST = 0.9  # of the throughput of the fastest that also verifies
MEMORY = 200  # MB
MARGIN = 2 * 2**30  # bytes of the disk that stay free


@dataclass(frozen=True)
class Wheel:
    """One file that is served."""

    name: str
    file: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Tool:
    """A way to have all files, verified: what it is called and what it runs."""

    name: str
    run: Callable[[], None]
    repeats: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.add_argument("--small", type=int, default=2000, metavar="N", help="small files")
    parser.add_argument("--large", type=int, default=20, metavar="N", help="large files of 40 MB")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of each tool")
    parser.add_argument("--skip", action="append", default=[], metavar="TOOL", help="pip takes minutes")
    parser.add_argument("--gigabytes", type=int, default=5, metavar="N", help="size of the one huge file")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to write (default: /var/tmp)")


def run(options: argparse.Namespace) -> bool:
    """Run the comparison; return whether `fetch` is within its limits."""
    with tempfile.TemporaryDirectory(prefix="lockwright-bench-", dir=options.folder or "/var/tmp") as name:
        work = Path(name)
        work.chmod(0o755)  # nginx reads as somebody else
        fast = _measure_throughput(work, options)
        return _measure_memory(work, options.gigabytes) and fast


def _measure_throughput(work: Path, options: argparse.Namespace) -> bool:
    wheels = list(_make_wheels(work / "files", options.small, options.large))
    total = sum(wheel.size for wheel in wheels)
    with serving(work / "files", work / "server") as (address, server):
        print(
            f"{len(wheels)} files, {total / 1e6:.0f} MB, from {server} on loopback; "
            f"medians of {options.repeats} runs, alternating"
        )
        _simple_index(work / "files" / "simple", wheels)
        tools = [
            tool
            for tool in _available_tools(work, address, wheels, options.repeats)
            if tool.name.split()[0].rstrip(",") not in options.skip
        ]
        seconds: dict[str, list[float]] = {tool.name: [] for tool in tools}
        for number in range(max(tool.repeats for tool in tools)):
            for tool in tools[:: -1 if number % 2 else 1]:
                if number < tool.repeats:
                    seconds[tool.name].append(_timed_run(work / "out", tool))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = medians.pop("lockwright fetch")
    print(f"{'tool':24} {'seconds':>8} {'MB/s':>8} {'ours is':>8}")
    print(f"{'lockwright fetch':24} {ours:8.2f} {total / ours / 1e6:8.0f}")
    for name, median in sorted(medians.items(), key=lambda item: item[1]):
        print(f"{name:24} {median:8.2f} {total / median / 1e6:8.0f} {median / ours:7.2f}x")
    ratio = min(medians.values()) / ours
    verdict = "ok" if ratio >= LEAST else "BELOW THE LIMIT"
    print(f"throughput, of the fastest that also verifies: {ratio:.2f} (at least {LEAST}): {verdict}")
    return ratio >= LEAST


def _timed_run(out: Path, tool: Tool) -> float:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    start = time.perf_counter()
    tool.run()
    seconds = time.perf_counter() - start
    shutil.rmtree(out)
    return seconds


def _available_tools(work: Path, address: str, wheels: Sequence[Wheel], repeats: int) -> list[Tool]:
    out = work / "out"
    project = _make_project(work / "project", wheels, address)
    config, sums, list_, requirements = (
        work / name for name in ("curl", "sums", "aria2", "requirements.txt")
    )
    config.write_text("".join(f'url = "{address}/{w.file}"\noutput = "{out}/{w.file}"\n' for w in wheels))
    sums.write_text("".join(f"{w.sha256}  {out}/{w.file}\n" for w in wheels))
    list_.write_text("".join(f"{address}/{w.file}\n  checksum=sha-256={w.sha256}\n" for w in wheels))
    requirements.write_text("".join(f"{w.name}==1.0 --hash=sha256:{w.sha256}\n" for w in wheels))

    def curl() -> None:
        _run_program(
            "curl", "--silent", "--fail", "--parallel", "--parallel-max", "16", "--config", str(config)
        )
        _run_program("sha256sum", "--check", "--quiet", str(sums))

    def aria2() -> None:
        _run_program(
            *("aria2c", "--quiet", "--max-concurrent-downloads=16", "--max-connection-per-server=16"),
            *("--file-allocation=none", "--check-integrity=true", f"--dir={out}", f"--input-file={list_}"),
        )

    def uv_install() -> None:
        _run_program(
            *(uv.find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--no-cache", "--no-deps"),
            *("--require-hashes", "--index-url", f"{address}/simple/", "--target", str(out / "target")),
            *("--python", sys.executable, "--requirement", str(requirements)),
        )

    def pip() -> None:
        _run_program(
            *(
                sys.executable,
                "-m",
                "pip",
                "--isolated",
                "--disable-pip-version-check",
                "download",
                "--quiet",
            ),
            *("--no-cache-dir", "--no-deps", "--require-hashes", "--index-url", f"{address}/simple/"),
            *("--dest", str(out), "--requirement", str(requirements)),
        )

    found = [Tool("lockwright fetch", lambda: _fetch_project(project, out / "store"), repeats)]
    if shutil.which("curl"):
        found.append(Tool("curl, then sha256sum", curl, repeats))
    if shutil.which("aria2c"):
        found.append(Tool("aria2", aria2, repeats))
    found.append(Tool("uv (also unpacks)", uv_install, repeats))
    if (
        subprocess.run(
            [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        found.append(Tool("pip download", pip, 1))
    return found


def _measure_memory(work: Path, gigabytes: int) -> bool:
    size = gigabytes * 10**9
    free = shutil.disk_usage(work).free
    if free < size + MARGIN:
        print(
            f"memory: not measured, {free / 1e9:.0f} GB are free and {(size + MARGIN) / 1e9:.0f} are needed"
        )
        return True
    wheel = Wheel("huge", "huge-1.0-py3-none-any.whl", generated_sha256(size), size)
    with serving(work, work / "server", plain=True) as (address, _):
        project = _make_project(work / "huge", [wheel], f"{address}/generated/{size}")
        argv = _fetch_argv(project, work / "store")
        process = subprocess.Popen(argv, env=_environment_without_proxies(), stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"fetch ended with status {status}")
    peak = usage.ru_maxrss * 1024 / 1e6
    shutil.rmtree(work / "store")
    verdict = "ok" if peak < MEMORY else "ABOVE THE LIMIT"
    print(f"memory, for one file of {gigabytes} GB: at most {peak:.0f} MB (under {MEMORY}): {verdict}")
    return peak < MEMORY


def _make_wheels(folder: Path, small: int, large: int) -> Iterator[Wheel]:
    """Make wheels that pip and uv accept, of bytes that do not compress."""
    folder.mkdir()
    chance = random.Random(1)
    for number in range(small + large):
        name = f"bench{number:05}"
        size = 40_000_000 if number >= small else chance.randint(1_000, 60_000)
        file = folder / f"{name}-1.0-py3-none-any.whl"
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(f"{name}.bin", chance.randbytes(size))
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(
                f"{info}/RECORD", f"{name}.bin,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
            )
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        yield Wheel(name, file.name, sha256, file.stat().st_size)


def _simple_index(folder: Path, wheels: Sequence[Wheel]) -> None:
    for wheel in wheels:
        page = folder / wheel.name / "index.html"
        page.parent.mkdir(parents=True)
        link = f'<a href="../../{wheel.file}#sha256={wheel.sha256}">{wheel.file}</a>'
        page.write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")


def _make_project(folder: Path, wheels: Sequence[Wheel], address: str) -> Path:
    """Make a project with one lock that names the wheels, and the place that has them."""
    golden = parse_lock(GOLDEN.read_bytes(), place=str(GOLDEN))
    rows = tuple(
        PythonPackage(
            name=wheel.name,
            version="1.0",
            for_=("runtime",),
            evidence=Evidence.OBSERVED,
            file=wheel.file,
            sha256=Sha256(wheel.sha256),
            size=wheel.size,
            origin="bench",
            via=("recipe",),
        )
        for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    )
    lock = replace(
        golden,
        images=golden.images[:1],
        repositories=(),
        sources=(),
        archives=(),
        os_packages=(),
        builds=(),
        python=rows,
    )
    file = folder / "lock" / lock.target.path
    file.parent.mkdir(parents=True)
    file.write_bytes(dump_lock(lock))
    (folder / "origins.toml").write_text(f'[origins.bench]\nurl = "{address}/"\nlayout = "flat"\n')
    return folder


def _fetch_project(project: Path, store: Path) -> None:
    _run_program(*_fetch_argv(project, store))


def _fetch_argv(project: Path, store: Path) -> tuple[str, ...]:
    words = ("fetch", "--release", "all", "--quiet", "--project", str(project), "--store", str(store))
    return (sys.executable, "-m", "builder", *words)


def _environment_without_proxies() -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return env | {"PYTHONPATH": str(ROOT)}


def _run_program(*argv: str) -> None:
    done = subprocess.run(
        argv, env=_environment_without_proxies(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{argv[0]} ended with status {done.returncode}: {done.stderr[-2000:]}")
