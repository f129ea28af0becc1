"""How git reaches a place: authorities, proxy and credentials that count for every other request too."""

from __future__ import annotations

__all__ = ["reaching"]

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from builder.git.process import instead_of
from builder.io import Network


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
