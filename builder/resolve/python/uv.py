"""The uv subprocess: one question in files, one PEP 751 answer.

Nothing of the user's configuration reaches it: it is given a configuration
file, so that it looks for no other, the environment is rebuilt, the cache named.

The date bound is half open: a file uploaded at `exclude-newer` or later does not exist
(uv's `--exclude-newer`, and `rows.choose_wheel` once more for the wheels of its answer).
An index without upload times would be empty under it, so the bound is lifted for roots
that name an extra index; those are bound by `==`.
"""

from __future__ import annotations

import re
import sys
import sysconfig
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import tomli_w
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from builder.errors import FetchError, NoSolutionError, ToolError
from builder.index import CandidateWheel, parse_rfc3339
from builder.io import Completed, ToolTimeoutError, clean_environment, redacted, run
from builder.model import (
    OpenMarkerError,
    Sha256,
    marker_holds,
    normalized_name,
    printable,
    recipe_requirement,
    toml,
    uv_platform,
)
from builder.recipe import UPGRADE_ALL
from builder.resolve.python.graph import open_marker
from builder.resolve.python.stand_in_wheels import write_stand_ins

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.index import IndexGateway, IndexServices
    from builder.recipe import PythonRequest

__all__ = ["PROJECT", "SolvedDistribution", "UnsolvedError", "compile_requirements", "resolver_name"]

PROJECT = "lockwright-recipe"
"""What uv calls the thing that the roots belong to."""

# Before Python 3.12, sysconfig fills its table without a lock (python/cpython#92452), and targets are
# resolved in threads that all look there for uv. An import has a lock, so the table is filled here.
sysconfig.get_config_vars()

_CONFIG_FILE = "uv.toml"
_CONSTRAINTS_FILE = "constraints.txt"
_OF_A_VERSION = re.compile(r"^warning: `[^`]*` is yanked")
"""uv says this of a version with one withdrawn file; `rows.choose_wheel` judges the files themselves."""
_OTHER_NAME = re.compile(r"Package metadata name `([^`]*)` does not match given name `([^`]*)`")
_LONGEST_QUESTION = 1800.0
"""Seconds; uv waits for every further byte of a page, so an index that drips would hold it for ever."""
_UNREACHABLE = ("Failed to fetch", "error sending request", "Request failed", "timed out", "dns error")


class UnsolvedError(Exception):
    """uv proved that there is no solution; the text is its explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedDistribution:
    """A distribution of the solution with its usable wheels."""

    name: str
    version: str
    wheels: tuple[CandidateWheel, ...]


def resolver_name() -> str:
    """Return the resolver and its version, as a lock records it."""
    return f"uv {version('uv')}"


def compile_requirements(request: PythonRequest, services: IndexServices) -> tuple[SolvedDistribution, ...]:
    """Let uv solve `request`. UnsolvedError when it cannot be, FetchError or ToolError when uv fails."""
    with tempfile.TemporaryDirectory(prefix="lockwright-") as name:
        folder = Path(name)
        with ExitStack() as stack:
            gateway = _gateway_of(request, services)
            if gateway is not None:
                stack.enter_context(gateway.running(offline=services.offline))
            _write_question(request, services, folder, gateway)
            command = _uv_command(request, services, folder)
            ask = partial(_ask_uv, command, folder, request, services, gateway)
            # What asks every page again is not answered from an earlier look at them.
            kept = _page_age(request, services) > 0
            answer = services.answers.get(_question_key(command, folder), ask) if kept else ask()
            real_url = gateway.real_url if gateway is not None else str
            return _read_answer(answer, request, real_url)


def _question_key(command: list[str], folder: Path) -> tuple[object, ...]:
    """Return all that uv is given but for the folder's name: equal keys are equal questions."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return (
        tuple(word.replace(str(folder), "") for word in command),
        tuple((path.relative_to(folder).as_posix(), Sha256.of(path.read_bytes())) for path in files),
    )


def _ask_uv(
    command: list[str],
    folder: Path,
    request: PythonRequest,
    services: IndexServices,
    gateway: IndexGateway | None,
) -> bytes:
    """Run uv in `folder`; return its answer, a `pylock.toml`."""
    environment = _uv_environment(services, gateway)
    try:
        with services.one_view():
            done = run(command, env=environment, cwd=folder, accept=(0, 1, 2), timeout=_LONGEST_QUESTION)
    except ToolTimeoutError as slow:
        raise FetchError(
            f"uv {slow.cause}: the index answers too slowly",
            place=redacted(services.index_url),
            hint="name a mirror of the index",
        ) from slow
    if gateway is not None:
        if done.returncode and (error := gateway.error_in(done.errors)):
            raise error
        done = replace(done, stderr=gateway.with_real_urls(done.errors).encode())
    _check_exit(done, request, services)
    for line in done.errors.splitlines():
        if line.startswith("warning:") and not _OF_A_VERSION.search(line):
            services.warn(redacted(line.removeprefix("warning:").strip()))
    return (folder / "pylock.toml").read_bytes()


def _gateway_of(request: PythonRequest, services: IndexServices) -> IndexGateway | None:
    """Return what uv asks in place of the indexes; None if uv can ask them itself, which is faster."""
    urls = (services.index_url, *(index.url for index in request.indexes))
    return None if all(services.client.is_plain(url) for url in urls) else services.gateway


def _uv_environment(services: IndexServices, gateway: IndexGateway | None) -> dict[str, str]:
    found = clean_environment({"UV_PYTHON_DOWNLOADS": "never", **services.client.network.environment()})
    if gateway is not None:
        # It is on this machine, whatever proxy the rest goes through.
        for name in ("no_proxy", "NO_PROXY"):
            found[name] = ",".join(filter(None, (found.get(name, ""), "127.0.0.1")))
    return found


def _uv_program() -> str:
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - its absence must be an error with a hint

        return find_uv_bin()
    except (ImportError, FileNotFoundError) as error:
        raise ToolError(
            "is not installed", place="uv", hint="install the distribution uv beside lockwright"
        ) from error


def _uv_command(request: PythonRequest, services: IndexServices, folder: Path) -> list[str]:
    options = {
        "--format": "pylock.toml",
        "--output-file": "pylock.toml",
        "--find-links": str(folder / "wheels"),
        "--config-file": _CONFIG_FILE,
        "--exclude-newer": request.exclude_newer,
        "--python": sys.executable,
        "--python-platform": uv_platform(request.arch, request.glibc),
        "--python-version": request.shown_python(),
        "--cache-dir": str(services.uv_cache),
        "--color": "never",
    }
    words = [word for pair in options.items() for word in pair]
    # An extra index may state no upload times; what it gives is bound by `==`, and dated files are
    # judged by `rows.choose_wheel`.
    for name in _pinned_to_index(request):
        words += ["--exclude-newer-package", f"{name}=false"]
    if (folder / _CONSTRAINTS_FILE).exists():
        words += ["--constraints", _CONSTRAINTS_FILE]
    switches = ["--no-build", "--no-header", "--no-annotate", "--no-progress"]
    if services.offline:
        switches.append("--offline")
    return [_uv_program(), "pip", "compile", *switches, *words, "pyproject.toml"]


def _pinned_to_index(request: PythonRequest) -> tuple[str, ...]:
    names = {normalized_name(recipe_requirement(root)) for root in request.roots}
    return tuple(sorted(name for name in names if request.index_of(name)))


def _write_question(
    request: PythonRequest, services: IndexServices, folder: Path, gateway: IndexGateway | None
) -> None:
    write_stand_ins(request, folder / "wheels")
    bounds = (*request.constraints, *(f"{item.name}=={item.version}" for item in request.given))
    if bounds:
        (folder / _CONSTRAINTS_FILE).write_text("".join(f"{line}\n" for line in bounds))
    (folder / "pyproject.toml").write_text(tomli_w.dumps(_project_table(request, services, gateway)))
    url = _address_for_uv(services.index_url, services, gateway)
    default = {"default": True, **_index_table("default", url, _page_age(request, services))}
    (folder / _CONFIG_FILE).write_text(tomli_w.dumps({"index": [default]}))
    kept = _kept_pins(request)
    if kept:
        pins = {"lock-version": "1.0", "created-by": "lockwright", "packages": kept}
        (folder / "pylock.toml").write_text(tomli_w.dumps(pins))


def _address_for_uv(index_url: str, services: IndexServices, gateway: IndexGateway | None) -> str:
    if gateway is None or services.client.is_plain(index_url):
        return index_url
    return gateway.index_address(index_url)


def _index_table(name: str, url: str, seconds: int) -> dict[str, Any]:
    """Return an index for uv: its pages are asked for again after `seconds`, its files never change."""
    ages = {"api": f"max-age={seconds}", "files": "max-age=31536000, immutable"}
    return {"name": name, "url": url, "cache-control": ages}


def _page_age(request: PythonRequest, services: IndexServices) -> int:
    """Return how old a page may be, in seconds: one fetched after the date bound has every file before it.

    A bound that is not older than `max_age` could lie after the fetch of a page that is still kept, which
    then lacks files that count: such a request asks for every page again.
    """
    oldest = datetime.now(UTC) - timedelta(seconds=services.max_age)
    return services.max_age if parse_rfc3339(request.exclude_newer) < oldest else 0


def _project_table(
    request: PythonRequest, services: IndexServices, gateway: IndexGateway | None
) -> dict[str, Any]:
    indexes = {name: request.index_of(name) for name in _pinned_to_index(request)}
    return {
        "project": {
            "name": PROJECT,
            "version": "0",
            "requires-python": f">={request.python}",
            "dependencies": list(request.roots),
        },
        "tool": {
            "uv": {
                "sources": {name: {"index": index.name} for name, index in indexes.items() if index},
                "index": [
                    {
                        "explicit": True,
                        **_index_table(
                            index.name,
                            _address_for_uv(index.url, services, gateway),
                            _page_age(request, services),
                        ),
                    }
                    for index in request.indexes
                ],
                "workspace": {"members": []},  # nothing above this folder is looked at
            }
        },
    }


def _kept_pins(request: PythonRequest) -> list[dict[str, str]]:
    if request.upgrade == UPGRADE_ALL:
        return []
    dropped = {canonicalize_name(name) for name in request.upgrade}
    return [
        {"name": str(canonicalize_name(name)), "version": pinned}
        for name, pinned in request.preferences
        if canonicalize_name(name) not in dropped
    ]


def _index_in_message(text: str, request: PythonRequest, services: IndexServices) -> str:
    """Return the address of the index that uv's message is about."""
    named = (index.url for index in request.indexes if index.url.rstrip("/") in text)
    return next(named, services.index_url)


def _check_exit(done: Completed, request: PythonRequest, services: IndexServices) -> None:
    if done.returncode == 0:
        return
    text = done.errors.strip()
    if services.offline and "network was disabled" in text:
        raise FetchError(
            "what it needs is not all in the cache, and the run is offline",
            place=redacted(services.index_url),
            hint="run without --offline",
        )
    if "No solution found" in text or "was included as a URL dependency" in text:
        raise UnsolvedError(text)
    if other := _OTHER_NAME.search(text):
        raise NoSolutionError(
            f"a wheel of {other[2]} is of {printable(other[1])} by its METADATA: "
            "pip and uv refuse to install it",
            hint=f"choose another version of {other[2]}",
        )
    shown = redacted(text.removeprefix("error: "))
    if any(word in text for word in _UNREACHABLE):
        raise FetchError(
            f"uv could not read the index: {_first_and_last_cause(shown)}",
            place=redacted(_index_in_message(text, request, services)),
            hint="check the network, or name a mirror of the index",
        )
    raise ToolError(f"uv pip compile ended with exit code {done.returncode}\n{shown}", place="uv")


def _first_and_last_cause(shown: str) -> str:
    """Return a chain of causes, one a line, as one line: what was asked for, and why it failed in the end."""
    lines = [line.strip().removeprefix("cause: ").removeprefix("Caused by: ") for line in shown.splitlines()]
    told = [line for line in lines if line]
    asked = next((line for line in told if "http" in line), "".join(told[:1]))
    return ": ".join(dict.fromkeys((asked, *told[-1:])))


def _read_answer(
    data: bytes, request: PythonRequest, real_url: Callable[[str], str]
) -> tuple[SolvedDistribution, ...]:
    listed = []
    for package in toml.loads(data, place="uv", error=ToolError)["packages"]:
        marker = package.get("marker")
        if marker is None or _marker_of_answer_holds(package["name"], marker, request):
            listed.append(_parsed_package(package, real_url))
    return tuple(listed)


def _marker_of_answer_holds(name: str, marker: str, request: PythonRequest) -> bool:
    try:
        return marker_holds(Marker(marker), request.markers())
    except OpenMarkerError as error:
        raise open_marker(f"the solution has {name} only if {marker}", error) from None


def _parsed_package(package: dict[str, Any], real_url: Callable[[str], str]) -> SolvedDistribution:
    if "wheels" not in package:
        raise ToolError(f"gave {package['name']} without a wheel", place="uv")
    return SolvedDistribution(
        name=str(canonicalize_name(package["name"])),
        version=package["version"],
        wheels=tuple(
            CandidateWheel(
                file=unquote(urlsplit(wheel["url"]).path.rpartition("/")[2]),
                url=real_url(wheel["url"]),
                sha256=wheel.get("hashes", {}).get("sha256", ""),
                size=wheel.get("size"),
                uploaded=wheel["upload-time"].isoformat() if "upload-time" in wheel else "",
            )
            for wheel in package["wheels"]
        ),
    )
