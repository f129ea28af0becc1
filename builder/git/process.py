"""git as a subprocess that no configuration, hook or prompt of the machine can steer.

Of the caller's environment only proxies, authorities, `HOME` (for `~/.netrc`),
the ssh agent and the `url.<place>.insteadOf` pairs of `GIT_CONFIG_COUNT`
count; authorities, proxy and credentials are those of every other request too.
Remote failures are FetchErrors; a missing git is a ToolError.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import FetchError, UsageError
from builder.io import Completed, Network, ToolTimeoutError, clean_environment, locked, redacted, run

__all__ = [
    "Ref",
    "fetch_commit",
    "git_environment",
    "instead_of",
    "ls_remote",
    "reaching",
]


_PROTOCOLS = ("https", "ssh")
_SETTINGS = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.logAllRefUpdates", "false"),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("http.lowSpeedLimit", "1000"),  # bytes per second
    ("http.lowSpeedTime", "60"),  # seconds
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
)
_ISOLATED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
}
_INSTEAD_OF = re.compile(r"(?is)url\.(?P<place>.+)\.insteadof")
_OID = re.compile(r"[0-9a-f]{40}")
_ASK_TIMEOUT, _FETCH_TIMEOUT, _LOCAL_TIMEOUT = 120.0, 3600.0, 600.0  # seconds
_ELSEWHERE = "name another directory with --store: what git fetches is kept beside it"
_CANDIDATE = "refs/lockwright/candidate"
_NO_REPOSITORY = Path("/")  # no project's repository configuration applies here


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A name in a remote repository and the object that it names; `^{}` ends a peeled name."""

    name: str
    oid: str


def git_environment(
    base: Mapping[str, str] | None = None, *, protocols: tuple[str, ...] = _PROTOCOLS
) -> dict[str, str]:
    """Return the isolated environment of every git call, from `base` (this process's unless given).

    Remotes may use `protocols` and those that the insteadOf pairs of `base`
    lead to: who sets such a pair names a place on purpose.
    """
    source = os.environ if base is None else base
    pairs = tuple(instead_of(source))
    allowed = {*protocols, *(_protocol_of(place) for place, _ in pairs)}
    settings = (*_SETTINGS, *((f"url.{place}.insteadOf", prefix) for place, prefix in pairs))
    passed = {name: source[name] for name in ("HOME", "SSH_AUTH_SOCK") if source.get(name)}
    authorities = source.get("REQUESTS_CA_BUNDLE") or source.get("SSL_CERT_FILE")
    if authorities:
        passed["GIT_SSL_CAINFO"] = authorities
    passed |= {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_ALLOW_PROTOCOL": ":".join(sorted(allowed))}
    for number, (key, value) in enumerate(settings):
        passed |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return clean_environment({**_ISOLATED, **passed}, base=source)


def ls_remote(
    url: str, patterns: tuple[str, ...] = (), *, environment: Mapping[str, str] | None = None
) -> tuple[Ref, ...]:
    """Return the refs of `url` that match git's `patterns` (all without), peeled ones included, by name."""
    text = _run_remote(("ls-remote", "--quiet", "--", url, *patterns), url, environment, _ASK_TIMEOUT)
    rows = (line.split("\t", 1) for line in text.splitlines() if "\t" in line)
    return tuple(sorted((Ref(name=name, oid=oid) for oid, name in rows), key=lambda ref: ref.name))


def fetch_commit(
    url: str, commit: str, ref: str | None, into: Path, *, environment: Mapping[str, str] | None = None
) -> None:
    """Bring `commit` with all its files from `url` into the bare repository `into`, made where missing.

    `ref` is a tag, or a name beginning with `refs/`, that leads to the commit
    where the server does not hand out commits by id; without it everything is
    fetched then. Only the commit itself is fetched where the server allows.
    FetchError when it cannot be had, naming both commits when the tag moved.
    """
    if not _OID.fullmatch(commit):
        raise FetchError(f"not a full commit id: {commit}", place=redacted(url))
    env = git_environment() if environment is None else environment
    with ExitStack() as held:
        try:
            held.enter_context(locked(into.with_name(f"{into.name}.lock")))
        except UsageError as error:
            raise FetchError(error.cause, place=error.place, hint=_ELSEWHERE) from None
        _initialise_repository(into, env)
        if _has_kept_commit(into, commit, env):
            return
        last: FetchError | None = None
        for source, depth in _ways_to_fetch(commit, ref):
            try:
                _fetch_once(url, source, depth, into, env)
            except FetchError as error:
                last = error
                continue
            if _keep_commit(into, commit, env, whole=not depth):
                return
        raise _not_fetched(url, commit, ref, last, _peeled_commit(into, env))


def instead_of(source: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (place, replaced prefix) of each insteadOf pair of an environment, in its order."""
    count = source.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() else 0):
        match = _INSTEAD_OF.fullmatch(source.get(f"GIT_CONFIG_KEY_{number}", ""))
        if match:
            yield match["place"], source.get(f"GIT_CONFIG_VALUE_{number}", "")


def _protocol_of(place: str) -> str:
    """Return git's name of the protocol that a URL or path uses."""
    scheme, separator, _ = place.partition("://")
    if separator:
        return scheme.lower()
    return "ssh" if re.match(r"[^/]+:", place) else "file"


def _run_remote(
    arguments: tuple[str, ...], url: str, environment: Mapping[str, str] | None, timeout: float
) -> str:
    env = git_environment() if environment is None else environment
    try:
        done = run(
            ("git", *arguments), env=env, cwd=_NO_REPOSITORY, timeout=timeout, accept=tuple(range(256))
        )
    except ToolTimeoutError as cause:
        raise FetchError(
            cause.cause, place=redacted(url), hint="check the network, or name a mirror"
        ) from cause
    if done.returncode == 0:
        return done.output
    raise FetchError(_failure_line(done), place=redacted(url), hint="check the URL and the network")


def _failure_line(done: Completed) -> str:
    """Return the line in which git says why it failed."""
    lines = [line.strip() for line in done.errors.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return redacted((fatal or lines or [f"git ended with exit code {done.returncode}"])[0])


def _initialise_repository(into: Path, env: Mapping[str, str]) -> None:
    for stale in (*into.glob("*.lock"), *(into / "refs").rglob("*.lock")):
        stale.unlink()  # of a git that was killed: nobody else is here while our own lock is held
    if (into / "HEAD").is_file():
        return
    arguments = ("--quiet", "--bare", "--object-format=sha1", "--template=", "--initial-branch=main")
    argv = ("git", "init", *arguments, "--", str(into.absolute()))
    done = run(argv, env=env, cwd=_NO_REPOSITORY, accept=tuple(range(256)))
    if done.returncode:  # no fault of git's: the disk is full, or may not be written
        raise FetchError(_failure_line(done), place=str(into), hint=_ELSEWHERE)


def _ways_to_fetch(commit: str, ref: str | None) -> tuple[tuple[str, int], ...]:
    """Return (what to ask for, depth) from cheap to dear; depth 0 is everything."""
    if ref is None:
        return ((commit, 1), ("refs/*", 0))
    name = ref if ref.startswith("refs/") else f"refs/tags/{ref}"
    return ((commit, 1), (name, 1), (name, 0))


def _fetch_once(url: str, source: str, depth: int, into: Path, env: Mapping[str, str]) -> None:
    target = "refs/lockwright/all/*" if source.endswith("*") else _CANDIDATE
    shallow = (into / "shallow").exists()
    history = (f"--depth={depth}",) if depth else ("--unshallow",) if shallow else ()
    arguments = ("--quiet", "--force", "--no-tags", "--no-write-fetch-head", *history)
    where = f"--git-dir={into.absolute()}"
    _run_local(into, ("update-ref", "-d", _CANDIDATE), env)  # an earlier fetch's must not answer for this one
    _run_remote((where, "fetch", *arguments, "--", url, f"+{source}:{target}"), url, env, _FETCH_TIMEOUT)


def _has_kept_commit(into: Path, commit: str, env: Mapping[str, str]) -> bool:
    """Whether an earlier fetch of the commit was complete: its own ref is set last."""
    return (
        _run_local(into, ("rev-parse", "--verify", "--quiet", f"refs/lockwright/commits/{commit}"), env)
        == commit
    )


def _keep_commit(into: Path, commit: str, env: Mapping[str, str], *, whole: bool) -> bool:
    """Set the commit's own ref when what was fetched contains it with all its files."""
    if not whole and _peeled_commit(into, env) != commit:
        return False
    if whole and not _run_local(into, ("for-each-ref", "--count=1", "--contains", commit), env):
        return False
    _run_local(into, ("update-ref", f"refs/lockwright/commits/{commit}", commit), env)
    return _has_kept_commit(into, commit, env)


def _peeled_commit(into: Path, env: Mapping[str, str]) -> str:
    """Return the commit that the fetched tag or commit means, or nothing."""
    return _run_local(into, ("rev-parse", "--verify", "--quiet", f"{_CANDIDATE}^{{commit}}"), env)


def _run_local(into: Path, arguments: tuple[str, ...], env: Mapping[str, str]) -> str:
    """Return what git says of the repository, or nothing when it fails."""
    argv = ("git", f"--git-dir={into.absolute()}", *arguments)
    done = run(argv, env=env, cwd=_NO_REPOSITORY, timeout=_LOCAL_TIMEOUT, accept=tuple(range(256)))
    return done.output.strip() if done.returncode == 0 else ""


def _not_fetched(url: str, commit: str, ref: str | None, last: FetchError | None, found: str) -> FetchError:
    place = redacted(url)
    if ref is not None and found and found != commit:
        hint = "compare both commits before accepting the new one: the tag was moved"
        return FetchError(
            f"{ref} is at {found}, which does not lead to commit {commit}", place=place, hint=hint
        )
    cause, hint = (f": {last.cause}", last.hint) if last else (", although the fetch succeeded", "")
    return FetchError(f"commit {commit} cannot be fetched{cause}", place=place, hint=hint)


def reaching(place: str, environment: Mapping[str, str], network: Network) -> dict[str, str]:
    """Return the environment of git with what `network` says of the way to `place`.

    The settings are for single hosts: that of `place` and those that an
    insteadOf pair leads to. A password goes to its host and no further: no
    redirect is followed there, because git would take the password along.
    http is for a `place` that is http itself: whoever named it was allowed to.
    """
    made = dict(environment)
    if network.ca_file:
        made["GIT_SSL_CAINFO"] = network.ca_file
    if urlsplit(place).scheme == "http":
        made["GIT_ALLOW_PROTOCOL"] = f"{made.get('GIT_ALLOW_PROTOCOL', '')}:http".strip(":")
    settings = tuple(_host_settings((place, *(other for other, _ in instead_of(environment))), network))
    count = int(made.get("GIT_CONFIG_COUNT", "0"))
    for number, (key, value) in enumerate(settings, count):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made | {"GIT_CONFIG_COUNT": str(count + len(settings))}


def _host_settings(places: tuple[str, ...], network: Network) -> Iterator[tuple[str, str]]:
    bases = dict.fromkeys(
        f"{parts.scheme}://{parts.netloc}/"
        for parts in map(urlsplit, places)
        if parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc
    )
    for base in bases:
        if network.proxy:
            yield f"http.{base}.proxy", network.proxy_for(base)
        header = network.credentials.header(base)
        if header is not None:
            yield f"http.{base}.extraHeader", f"Authorization: {header}"
            yield f"http.{base}.followRedirects", "false"
