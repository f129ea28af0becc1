"""A release of ai-dynamo as a bill of versions, from what the index says of it and of what it requires.

What the index does not say stays open, and is named: versions of components that no metadata states,
versions that no recipe knows, distributions without a wheel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from packaging.version import Version

from builder.errors import NoSolutionError, RecipeError, UsageError
from builder.index import (
    IndexProject,
    IndexServices,
    WheelFacts,
    read_index_project,
    read_wheel_facts,
)
from builder.model import Target, exact_version, lenient_requirement, normalized_name, release_order, toml
from builder.project import Project
from builder.recipe import Library, Release, TargetSet, effective_recipe, lockable_targets, missing_pins
from builder.scaffold.newest import PinRequest, newest_version
from builder.selection import Selection

__all__ = ["NewRelease", "release_from_index"]

_DYNAMO = "ai-dynamo"
_ENGINES = {"vllm": "vllm", "sglang": "sglang", "trtllm": "tensorrt-llm"}
"""By framework, which is also the extra of ai-dynamo: the engine's distribution."""
_FROM_ENGINES = {"flashinfer-python": "flashinfer", "torch": ""}
"""Distributions whose version an engine requires, and the component that each is; torch is none."""
_DECLARE = "declare its wheel in the framework: [[declared]] with name, version, file, sha256, origin, by"
_NO_VERSION = re.compile(r"no version of '(?P<name>[^']+)'")
_UNKNOWN_VERSION = re.compile(r"(?P<name>\S+) (?P<version>\S+) is not in its recipe")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelease:
    """The text of a release's file, and what somebody must add before every target can be locked."""

    path: str
    text: str
    missing: tuple[str, ...]
    facts: int
    """How many versions were taken from the index."""


@dataclass(slots=True)
class _Bill:
    """Versions, each with where it was read."""

    components: dict[str, str] = field(default_factory=dict)
    of_framework: dict[str, dict[str, str]] = field(default_factory=dict)
    python: dict[str, dict[str, str]] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def add_python(self, group: str, name: str, version: str, why: str) -> None:
        """State a distribution's version, unless the group for all states the same."""
        if self.python.get("all", {}).get(name) != version:
            self.python.setdefault(group, {})[name] = version
            self.evidence[f"python.{group}.{name}"] = why

    def add_component(self, framework: str, name: str, version: str, why: str) -> None:
        """State a component's version: the first one for all, another one for its framework."""
        if self.components.setdefault(name, version) == version:
            self.evidence.setdefault(f"components.{name}", why)
        else:
            self.of_framework.setdefault(framework, {})[name] = version
            self.evidence[f"framework-components.{framework}.{name}"] = why


def release_from_index(project: Project, version: str, *, index_url: str = "") -> NewRelease:
    """Return the release `version` of ai-dynamo as the index describes it.

    UsageError for a release that is there; NoSolutionError for one that the index lacks; FetchError.
    """
    library = project.library()
    path = f"releases/{version}.toml"
    if version in library.releases:
        raise UsageError("this release is there", place=library.place(path), hint="edit it, or take another")
    base = _newest_release(library)
    bill = _Bill()
    with project.client() as client:
        services = project.services(client, index_url=index_url, warn=project.console.warning)
        uploaded = _read_bill(bill, version, services, project)
        bound = datetime(uploaded.year, uploaded.month, uploaded.day, tzinfo=UTC) + timedelta(days=1)
        _add_installer(bill, bound, library, base, services)
    own = any(f"releases/{name}.toml" not in library.inherited for name in library.releases)
    head: dict[str, Any] = {
        "version": version,
        "date": f"{uploaded:%Y-%m-%d}",
        "exclude-newer": bound.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({} if own else {"default": True}),
    }
    wanted = tuple(row for row in base.targets if row.framework in {"dynamo", *bill.python})
    tried = _release_text(bill, head, wanted)
    text = _release_text(bill, head, _offered_targets(project.library_with({path: tried}), version))
    bill.missing += _missing_for_locks(project, path, text, version)
    facts = sum(map(len, (bill.components, *bill.python.values(), *bill.of_framework.values())))
    return NewRelease(path=path, text=text, missing=tuple(dict.fromkeys(bill.missing)), facts=facts)


def _newest_release(library: Library) -> Release:
    """Return the newest release whose targets have an engine: its targets are the new one's too."""
    known = [row for row in library.releases.values() if "vllm" in {one.framework for one in row.targets}]
    if not known:
        raise UsageError("no release here has targets of vllm", place="init release", hint="see `matrix`")
    return max(known, key=lambda row: release_order(row.version))


def _read_bill(bill: _Bill, version: str, services: IndexServices, project: Project) -> datetime:
    """Fill the bill from the metadata of ai-dynamo, its engines and kvbm; return when it was uploaded."""
    said = project.console.status
    said(f"reading {_DYNAMO} {version}")
    page, dynamo = _wheel_of(_DYNAMO, version, services)
    if page is None or dynamo is None:
        raise NoSolutionError(
            f"the index has no wheel of {_DYNAMO} {version}",
            place=f"init release {version}",
            hint=f"its newest are {', '.join(map(str, page.versions()[-5:]))}" if page else "see --index-url",
        )
    uploaded = min((item.uploaded for item in page.of(Version(version)) if item.uploaded), default=None)
    if uploaded is None:
        raise NoSolutionError("the index states no upload time", place=f"{_DYNAMO} {version}")
    when = f"{uploaded:%Y-%m-%d %H:%M} UTC"
    bill.evidence["date"] = f"upload of {_DYNAMO} {version} to the Python index, {when}"
    bill.add_python("all", _DYNAMO, version, "the release itself")
    runtime = _required_versions(dynamo, "")
    if "ai-dynamo-runtime" in runtime:
        why = f"{_DYNAMO} {version} requires it"
        bill.add_python("all", "ai-dynamo-runtime", runtime["ai-dynamo-runtime"], why)
    _name_those_without_wheels(bill, runtime, f"{_DYNAMO} {version}", services)
    for framework in _ENGINES:
        _read_engine(bill, framework, dynamo, version, services)
    _read_kvbm(bill, version, services)
    return uploaded


def _read_engine(
    bill: _Bill, framework: str, dynamo: WheelFacts, version: str, services: IndexServices
) -> None:
    """Add what an extra of ai-dynamo requires: the engine, NIXL, and what the engine binds itself."""
    asked, engine = _required_versions(dynamo, framework), _ENGINES[framework]
    if engine not in asked:
        said = f"{_DYNAMO} {version}[{framework}] binds no version of it"
        bill.missing.append(f"python.{framework}.{engine}: {said}")
        return
    by = f"{_DYNAMO} {version}, extra {framework}"
    bill.add_python(framework, engine, asked[engine], f"{by}, requires {engine}=={asked[engine]}")
    if "nixl" in asked:
        bill.add_component(framework, "nixl", asked["nixl"], f"{by}, requires nixl=={asked['nixl']}")
    _name_those_without_wheels(bill, asked, by, services)
    _, facts = _wheel_of(engine, asked[engine], services)
    if facts is None:
        return  # named above: it has no wheel
    bound = _required_versions(facts, "")
    for name, component in _FROM_ENGINES.items():
        if name not in bound:
            continue
        why = f"{engine} {asked[engine]} requires {name}=={bound[name]}"
        if component:
            bill.add_component(framework, component, bound[name], why)
        elif framework == "vllm":
            bill.add_python("all", name, bound[name], why)
        else:
            bill.add_python(framework, name, bound[name], why)


def _read_kvbm(bill: _Bill, version: str, services: IndexServices) -> None:
    _, kvbm = _wheel_of("kvbm", version, services)
    if kvbm is None:
        return
    bill.add_python("kvbm", "kvbm", version, "published with the release")
    nixl = _required_versions(kvbm, "").get("nixl", "")
    if nixl:
        bill.add_component("kvbm", "nixl", nixl, f"kvbm {version} requires nixl=={nixl}")


def _required_versions(facts: WheelFacts, extra: str) -> dict[str, str]:
    """Return the exact versions that a wheel requires by itself, or for an extra, by distribution."""
    found = {}
    for text in facts.requires:
        requirement = lenient_requirement(text)
        marker = str(requirement.marker or "")
        named = re.search(r"extra == ['\"]([^'\"]+)['\"]", marker)
        if (named[1] if named else "") == extra and (version := exact_version(requirement.specifier)):
            found[normalized_name(requirement)] = version
    return found


def _name_those_without_wheels(
    bill: _Bill, required: Mapping[str, str], by: str, services: IndexServices
) -> None:
    for name, version in required.items():
        page = read_index_project(services.client, services.index_url, name)
        if page is None or not any(item.wheel for item in page.of(Version(version))):
            what = "a source alone" if page and page.of(Version(version)) else "no file"
            bill.missing.append(
                f"{name} {version}, which {by} requires: the index has {what} of it; {_DECLARE}"
            )


def _wheel_of(
    name: str, version: str, services: IndexServices
) -> tuple[IndexProject | None, WheelFacts | None]:
    """Return the index's page, and what the first wheel of a version says of itself, if there is one."""
    page = read_index_project(services.client, services.index_url, name)
    wheel = page.some_wheel(Version(version)) if page else None
    if page is None or wheel is None:
        return page, None
    return page, read_wheel_facts([(page.name, wheel)], services)[page.name]


def _add_installer(
    bill: _Bill, bound: datetime, library: Library, base: Release, services: IndexServices
) -> None:
    """State the newest pip that was there, for every platform of the targets."""
    pythons = frozenset(
        (arch, platform.glibc, platform.python)
        for row in base.targets
        for platform in map(library.platform, row.platforms)
        for arch in row.arches
    )
    page = read_index_project(services.client, services.index_url, "pip")
    found = newest_version(page, PinRequest(before=bound, pythons=pythons)) if page else None
    if found is None:
        bill.missing.append("python.installer.pip: the index has none before the date bound")
    else:
        bill.add_python("installer", "pip", str(found), f"the newest before {bound:%Y-%m-%d}")


def _release_text(bill: _Bill, head: Mapping[str, Any], targets: Iterable[TargetSet]) -> str:
    blocks = [toml.dumps(head), f"[components]\n{toml.dumps(dict(sorted(bill.components.items())))}"]
    blocks += [
        f"[framework-components.{name}]\n{toml.dumps(dict(sorted(rows.items())))}"
        for name, rows in bill.of_framework.items()
    ]
    blocks += [
        f"[python.{group}]\n{toml.dumps(dict(sorted(rows.items())))}" for group, rows in bill.python.items()
    ]
    for row in targets:
        table = {
            "framework": row.framework,
            "platforms": list(row.platforms),
            "arches": [arch.value for arch in row.arches],
        }
        blocks.append(f"[[targets]]\n{toml.dumps(table)}")
    blocks.append(f"[evidence]\n{toml.dumps(bill.evidence)}")
    return "\n".join(blocks)


def _missing_for_locks(project: Project, path: str, text: str, version: str) -> Iterator[str]:
    """Yield what keeps targets from being locked, as far as recipes say it.

    For the rest of the search, and not in the file, a version that is missing or unknown is that of the
    newest release which has one: so one error hides no other.
    """
    usual = _usual_versions(project.library())
    for _ in range(len(usual) + 1):
        library = project.library_with({path: text})
        replaced: dict[str, str] = {}
        for target in lockable_targets(library, Selection(releases=(version,))):
            try:
                yield from missing_pins(effective_recipe(library, target))
            except RecipeError as error:
                name, stated = _named_component(error)
                yield _what_to_add(error, name, stated, usual)
                if name in usual:
                    replaced[name] = stated
        if not replaced:
            return
        for name, stated in replaced.items():
            row = f'{name} = "{usual[name][0]}"\n'
            if stated:
                text = text.replace(f'{name} = "{stated}"\n', row)
            else:
                text = text.replace("[components]\n", f"[components]\n{row}", 1)


def _usual_versions(library: Library) -> dict[str, tuple[str, str]]:
    """Return by component the version of the newest release that has one, and that release."""
    found: dict[str, tuple[str, str]] = {}
    for release in sorted(library.releases.values(), key=lambda row: release_order(row.version)):
        found |= {name: (version, release.version) for name, version in release.components}
    return found


def _named_component(error: RecipeError) -> tuple[str, str]:
    """Return which component an error is about, and the version that is stated; empty where it is another."""
    if missing := _NO_VERSION.fullmatch(error.cause):
        return missing["name"], ""
    if unknown := _UNKNOWN_VERSION.fullmatch(error.cause):
        return unknown["name"], unknown["version"]
    return "", ""


def _what_to_add(error: RecipeError, name: str, stated: str, usual: Mapping[str, tuple[str, str]]) -> str:
    if not name or stated:
        return f"{error.cause}; {error.hint}"
    known = f" (release {usual[name][1]} has {usual[name][0]})" if name in usual else ""
    return f'components.{name}: its version; write `{name} = "…"` under [components]{known}'


def _offered_targets(library: Library, version: str) -> tuple[TargetSet, ...]:
    """Return the targets of a release without those that their framework refuses for these versions."""

    def offered(row: TargetSet, platform: str) -> bool:
        try:
            for arch in row.arches:
                target = Target(release=version, platform=platform, framework=row.framework, arch=arch)
                effective_recipe(library, target)
        except NoSolutionError:
            return False
        except RecipeError:
            return True  # what is missing is told apart from what is refused
        return True

    rows = []
    for row in library.releases[version].targets:
        platforms = tuple(platform for platform in row.platforms if offered(row, platform))
        if platforms:
            rows.append(replace(row, platforms=platforms))
    return tuple(rows)
