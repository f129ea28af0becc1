"""`requests` in threads beside libcurl in one thread, with the same files, store and hashing.

Small files, then large ones, from a server on loopback; alternating runs, medians, one process. Both engines
check digests with the same code and keep files in the same store. Decision 14 rests on these ratios.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from builder.fetch import fetch_all
from builder.io import Network, Transfer
from builder.model import Sha256
from builder.store import Request, Store, journal, open_partial
from scripts.benchmarks.file_server import serving

THREADS = 16
CHUNK = 2**18  # bytes
LEAST = {"small": 1.0, "large": 0.9}  # large files wait for SHA-256 with either; a tenth is noise
Engine = Callable[[Store, Sequence[Request]], None]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.add_argument("--small", type=int, default=2000, metavar="N", help="small files, of 1 to 60 kB")
    parser.add_argument("--large", type=int, default=10, metavar="N", help="large files of 40 MB")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs of each engine")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to write (default: /var/tmp)")


def run(options: argparse.Namespace) -> bool:
    """Run the comparison; return whether libcurl is faster for small files and no slower for large ones."""
    chance = random.Random(1)
    faster = True
    with tempfile.TemporaryDirectory(prefix="lockwright-engines-", dir=options.folder or "/var/tmp") as name:
        work = Path(name)
        work.chmod(0o755)  # nginx reads as somebody else
        files = work / "files"
        files.mkdir()
        with serving(files, work / "server") as (address, server):
            print(f"from {server} on loopback; medians of {options.repeats} alternating runs")
            kinds = {
                "small": [chance.randint(1_000, 60_000) for _ in range(options.small)],
                "large": [40_000_000] * options.large,
            }
            for kind, sizes in kinds.items():
                wanted = [_make_file(files / f"{kind}{n}", size, address) for n, size in enumerate(sizes)]
                faster = (
                    _compare_engines(kind, wanted, work / "store", options.repeats, LEAST[kind]) and faster
                )
    print(f"libcurl is faster for small files and no slower for large ones: {'yes' if faster else 'NO'}")
    return faster


def _make_file(file: Path, size: int, address: str) -> Request:
    data = random.Random(file.name).randbytes(size)
    file.write_bytes(data)
    return Request(sha256=Sha256.of(data), size=size, urls=(f"{address}/{file.name}",), label=file.name)


def _compare_engines(kind: str, wanted: Sequence[Request], folder: Path, repeats: int, least: float) -> bool:
    engines: dict[str, Engine] = {"libcurl": _by_libcurl, "requests": _by_requests}
    elapsed: dict[str, list[float]] = {name: [] for name in engines}
    processor: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(repeats):
        for name in list(engines)[:: -1 if number % 2 else 1]:
            clock, cpu = time.perf_counter(), time.process_time()
            engines[name](Store(folder), wanted)
            elapsed[name].append(time.perf_counter() - clock)
            processor[name].append(time.process_time() - cpu)
            if not all(Store(folder).has(request.sha256, request.size) for request in wanted):
                raise SystemExit(f"{name} did not bring every file")
            shutil.rmtree(folder)
    total = sum(request.size or 0 for request in wanted) / 1e6
    print(f"{len(wanted)} {kind} files, {total:.0f} MB")
    for name in engines:
        print(
            f"  {name:9} {statistics.median(elapsed[name]):6.2f} s"
            f"  {statistics.median(processor[name]):6.2f} s of processor time"
        )
    ratio = statistics.median(elapsed["requests"]) / statistics.median(elapsed["libcurl"])
    work = statistics.median(processor["requests"]) / statistics.median(processor["libcurl"])
    print(f"  requests takes {ratio:.2f} times as long, and {work:.2f} times the processor time")
    return ratio > least


def _by_libcurl(store: Store, wanted: Sequence[Request]) -> None:
    fetch_all(store, wanted, network=Network(connections=THREADS), jobs=THREADS)


def _by_requests(store: Store, wanted: Sequence[Request]) -> None:
    """Fetch as the project did before decision 14: one session, a thread for each connection."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_connections=THREADS, pool_maxsize=THREADS))

        def fetch(request: Request) -> None:
            partial = open_partial(store, request.sha256)
            if partial is None:
                raise SystemExit(f"{request.label}: somebody else fetches it")
            transfer = Transfer(
                partial, place=request.label, size=request.size, limit=2**36, sha256=request.sha256
            )
            headers = {"Accept-Encoding": "identity"}
            with session.get(request.urls[0], headers=headers, stream=True, timeout=60) as response:
                transfer.begin(response.status_code, response.headers)
                while chunk := response.raw.read(CHUNK):
                    transfer.take(chunk)
            transfer.finish()
            partial.keep()

        digests = [request.sha256 for request in wanted]
        with journal(store, digests), ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(fetch, wanted):
                pass
