"""Which pins of a file hold: each with its status, what was found, and the evidence. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement

from builder.align import Evidence, Status, UnaskedError, existence, tag_version
from builder.align.dockerfile.pin import Pin, PinFinding, PinKind, decided_later, finding, of_release
from builder.align.dockerfile.refs import is_pin, judged_argument, judged_git, meant
from builder.align.dockerfile.variables import UNRESOLVED
from builder.errors import UsageError
from builder.model import admits, exact_version, normalized_name, parsed_requirement

__all__ = ["check_pins"]

_MOST = 2000
_DOCKER_HUB = """
almalinux alpine alt amazoncorretto amazonlinux archlinux bash buildpack-deps busybox caddy cassandra
centos clearlinux clojure composer consul couchdb crate dart debian docker eclipse-temurin
elasticsearch elixir erlang fedora gcc golang gradle groovy haproxy haskell hello-world httpd hylang
ibmjava influxdb jetty julia jruby kibana kong logstash mageia mariadb maven memcached mongo mono
mysql nats neo4j nextcloud nginx node openjdk oraclelinux percona perl photon php postgres pypy python
r-base rabbitmq redis registry rethinkdb rockylinux ros ruby rust sapmachine scratch sl solr swift
tomcat traefik ubuntu ubi vault wordpress zookeeper
"""
_OFFICIAL_IMAGES = frozenset(_DOCKER_HUB.split())
"""Names without a slash that Docker Hub serves as images."""
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def check_pins(pins: Iterable[Pin], evidence: Evidence, release: str = "") -> tuple[PinFinding, ...]:
    """Judge every pin; with `release` also against what our locks of it hold. UsageError for too many."""
    found: list[PinFinding] = []
    given = tuple(pins)
    if len(given) > _MOST:
        raise UsageError(f"{len(given)} pins are too many to judge (at most {_MOST})")
    for pin in given:
        found += _pin_findings(pin, evidence, release)
    found += _conflict_findings(given, evidence)
    return tuple(sorted(found, key=lambda item: item.pin.line))


def _pin_findings(pin: Pin, evidence: Evidence, release: str) -> list[PinFinding]:
    rules: dict[PinKind, Callable[[], Iterator[PinFinding]]] = {
        PinKind.IMAGE: lambda: _image_findings(pin),
        PinKind.ARGUMENT: lambda: judged_argument(pin, evidence, release),
        PinKind.GIT: lambda: judged_git(pin, evidence),
        PinKind.DOWNLOAD: lambda: _download_findings(pin),
        PinKind.REQUIREMENT: lambda: _requirement_findings(pin, evidence, release),
        PinKind.PACKAGES: lambda: iter(()),
        PinKind.RESOLVER: lambda: iter(()),
        PinKind.FILE: lambda: _file_findings(pin),
        PinKind.COMMAND: lambda: iter(()),
        PinKind.SHELL: lambda: _shell_findings(pin),
    }
    try:
        own = [finding(pin, item.status, item.what, item.text) for item in pin.judged]
        found = own if own and pin.kind is not PinKind.ARGUMENT else list(rules[pin.kind]())
    except UnaskedError as error:
        found = [finding(pin, Status.UNKNOWN, "not asked", str(error))]
    if pin.note and found:
        found[0] = replace(found[0], evidence=f"{found[0].evidence}; {pin.note}")
    found += [finding(pin, item.status, item.what, item.text) for item in pin.besides]
    if pin.forgiven:
        found.append(finding(pin, Status.DRIFT, "hidden failure", "the build continues if it fails (`||`)"))
    return found


def _image_findings(pin: Pin) -> Iterator[PinFinding]:
    if _DIGEST.search(pin.value):
        yield finding(pin, Status.ALIGNED, "holds", "named by digest")
    elif not pin.value or UNRESOLVED in pin.value:
        yield decided_later(pin)
    else:
        name, _, tag = pin.value.rpartition(":")
        if _names_a_context(pin):
            text = "no stage has this name: it is a build context (`--build-context`), or an untagged image"
            yield finding(pin, Status.UNKNOWN, "named context", text)
            return
        tagged = bool(name) and "/" not in tag
        if "@" in pin.value:
            text = "expected sha256: and 64 digits after the @"
            yield finding(pin, Status.IMPOSSIBLE, "no digest", text)
            return
        text = f"the tag {tag} can be moved" if tagged else "no tag: the build takes the newest"
        yield finding(pin, Status.DRIFT, "floating base", f"{text}; name it by digest (@sha256:…)")


def _names_a_context(pin: Pin) -> bool:
    """Whether a reference may be a named build context: one word that no official image of Docker Hub has."""
    return not re.search(r"[/:@]", pin.value) and pin.value.lower() not in _OFFICIAL_IMAGES


def _download_findings(pin: Pin) -> Iterator[PinFinding]:
    if pin.checked:
        yield finding(pin, Status.ALIGNED, "holds", "a checksum or a signature is checked with it")
        return
    text = "no checksum or signature is checked"
    if pin.piped:
        text = "it goes straight into an interpreter, and no checksum or signature is checked"
    yield finding(pin, Status.DRIFT, "unpinned download", text)


def _file_findings(pin: Pin) -> Iterator[PinFinding]:
    if pin.checked:
        yield finding(pin, Status.ALIGNED, "holds", "requirements without a hash are refused")
        return
    yield finding(pin, Status.UNKNOWN, "not read", "judge what it pins with --requirements")


def _shell_findings(pin: Pin) -> Iterator[PinFinding]:
    yield finding(pin, Status.UNKNOWN, "not understood", f"{pin.reason}; what it fetches is not judged")


def _requirement_findings(  # noqa: PLR0911 - one return a cause
    pin: Pin, evidence: Evidence, release: str
) -> Iterator[PinFinding]:
    if UNRESOLVED in pin.value:
        yield decided_later(pin)
        return
    try:
        requirement = parsed_requirement(pin.value)
    except InvalidRequirement:
        yield finding(pin, Status.IMPOSSIBLE, "no requirement", "pip cannot read it")
        return
    if (
        not (pin.elsewhere or pin.binders)
        and evidence.published.project(normalized_name(requirement)) is None
    ):
        near = [
            name
            for name in evidence.distributions(normalized_name(requirement))
            if name != normalized_name(requirement)
        ]
        known = f"; it has {', '.join(near)}" if near else ""
        text = f"the index has no project {normalized_name(requirement)}{known}"
        yield finding(pin, Status.IMPOSSIBLE, "no such project", text)
        return
    exact = exact_version(requirement.specifier)
    if not exact and pin.binders:
        text = f"not bound by `==` here; {', '.join(pin.binders)} may bind it and is not read"
        yield finding(pin, Status.UNKNOWN, "not read", text)
        return
    if not exact:
        today = "not bound by `==`" if pin.elsewhere else _newest_today(requirement, evidence)
        yield finding(pin, Status.DRIFT, "unpinned requirement", today)
        return
    found = existence(evidence, requirement.name, exact)
    if not found.exists and (pin.elsewhere or pin.binders):
        text = f"it names another index, which is not asked; on the default one {found.said}"
        yield finding(pin, Status.UNKNOWN, "not asked", text)
        return
    if not found.exists:
        yield finding(pin, Status.IMPOSSIBLE, "no such version", found.said)
        return
    if pin.replaced:
        text = f"another index is asked instead, and not here; on the default one {found.said}"
        yield finding(pin, Status.UNKNOWN, "not asked", text)
        return
    different = of_release(pin, normalized_name(requirement), exact, evidence, release)
    text = f"{found.said}{'' if pin.checked else '; no hash is given'}"
    text += "; the other index that it names is not asked" if pin.elsewhere else ""
    yield different or finding(pin, Status.ALIGNED, "holds", text)


def _newest_today(requirement: Requirement, evidence: Evidence) -> str:
    try:
        known = evidence.project(requirement.name).versions()
    except UnaskedError as error:
        return f"not bound by `==`; {error}"
    fitting = [version for version in known if admits(requirement.specifier, str(version))]
    finals = [version for version in fitting if not version.is_prerelease]
    if not fitting:
        return "not bound by `==`, and no version fits"
    return f"not bound by `==`: today it is {(finals or fitting)[-1]}"


def _conflict_findings(pins: tuple[Pin, ...], evidence: Evidence) -> Iterator[PinFinding]:
    """Yield the pins that another pin's metadata excludes."""
    versions = dict(_exact_pins(pins, evidence))
    for pin in pins:
        requirement = _exact_requirement(pin)
        if requirement is None:
            continue
        version = exact_version(requirement.specifier)
        try:
            asked = evidence.requirements(requirement.name, version, requirement.extras)
        except UnaskedError:
            continue
        for item in asked:
            other = versions.get(normalized_name(item.requirement))
            if other and other[0].line != pin.line and not admits(item.requirement.specifier, other[1]):
                text = f"{item}, and line {pin.line} asks for that"
                yield finding(other[0], Status.DRIFT, "conflict", text)


def _exact_requirement(pin: Pin) -> Requirement | None:
    if pin.kind is not PinKind.REQUIREMENT or UNRESOLVED in pin.value:
        return None
    try:
        requirement = parsed_requirement(pin.value)
    except InvalidRequirement:
        return None
    return requirement if exact_version(requirement.specifier) else None


def _exact_pins(pins: tuple[Pin, ...], evidence: Evidence) -> Iterator[tuple[str, tuple[Pin, str]]]:
    """Yield what each distribution is bound to, by an argument or by a requirement."""
    for pin in pins:
        requirement = _exact_requirement(pin)
        if requirement is not None:
            yield normalized_name(requirement), (pin, exact_version(requirement.specifier))
        elif pin.kind is PinKind.ARGUMENT and is_pin(pin.name) and tag_version(pin.value):
            subject = meant(pin.name, evidence.names)
            for name in evidence.distributions(subject) if subject else ():
                yield name, (pin, str(tag_version(pin.value)))
