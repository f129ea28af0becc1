"""Other files than Dockerfiles as pins: pyproject.toml, locks, compose files, Helm values. Pure.

What is not read is a row. PyYAML builds only the nodes of YAML: no tag is resolved, nothing is constructed,
and each node is visited once, so aliases cannot multiply it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from posixpath import basename
from typing import Any

import yaml

from builder.align import Status
from builder.align.dockerfile.other_tools import tool_pins
from builder.align.dockerfile.pin import Judgement, Pin, PinKind, unknown
from builder.align.dockerfile.python_packages import Settings, pip_pins
from builder.align.dockerfile.requirements_file import requirements_pins
from builder.align.dockerfile.variables import UNRESOLVED, expanded
from builder.errors import UsageError
from builder.model import toml

__all__ = ["file_pins"]

_NO_SETTINGS = Settings(values={})
_MOST_BYTES = 16 * 2**20
_MOST_NODES = 200_000
_MOST_BYTES_OF_YAML = 2**20
"""PyYAML takes up to 17 s of one core for so many."""
_LATER = Judgement(Status.UNKNOWN, "decided later", "a variable stands in it")
_REQUIREMENTS = (".txt", ".in", ".pip", ".requirements", "")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


def file_pins(data: bytes, *, place: str) -> tuple[Pin, ...]:
    """Return the pins of a file by its name; what has no other format is requirements (UsageError)."""
    name = basename(place).lower()
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{len(data)} bytes are too many for a file of pins", place=place)
    if name.endswith("pyproject.toml"):
        return tuple(_project_pins(data, place))
    if name == "uv.lock":
        return tuple(_lock_pins(data, place))
    if name.startswith("pylock") and name.endswith(".toml"):
        return tuple(_lock_pins(data, place))
    if name.endswith((".yaml", ".yml")):
        return tuple(_yaml_pins(data, place))
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    if suffix not in _REQUIREMENTS:
        why = (
            "write its tables into claims with --write-claims"
            if suffix == ".md"
            else "the format is not known"
        )
        return (_not_read_pin(1, basename(place), f"{suffix} is not a requirements file; {why}"),)
    return _requirements_or_nothing(requirements_pins(data, place=place), place)


def _requirements_or_nothing(pins: tuple[Pin, ...], place: str) -> tuple[Pin, ...]:
    """Return the pins, or one row if most lines of the file are no requirements."""
    asked = [pin for pin in pins if pin.kind is PinKind.REQUIREMENT and not pin.judged]
    strange = [pin for pin in asked if not re.match(r"[A-Za-z0-9][\w.-]*\s*(\[|[<>=!~;@(]|$|\()", pin.value)]
    if len(strange) >= _SEVERAL and len(strange) * 2 > len(pins):
        text = f"{len(strange)} of {len(pins)} lines are no requirements: it is another kind of file"
        return (_not_read_pin(1, basename(place), text),)
    return pins


_SEVERAL = 2


def _not_read_pin(line: int, what: str, text: str) -> Pin:
    return Pin(line=line, kind=PinKind.FILE, name="file", value=what, judged=(unknown("not read", text),))


def _line_of(text: str, wanted: str) -> int:
    position = text.find(wanted)
    return text.count("\n", 0, position) + 1 if position >= 0 else 1


def _project_pins(data: bytes, place: str) -> Iterator[Pin]:
    """Yield the requirements of a pyproject.toml: of the project, its extras, groups and build system."""
    table = toml.loads(data, place=place, error=UsageError)
    text = data.decode("utf-8")
    project = _table_or_empty(table.get("project"))
    lists: list[Any] = [
        project.get("dependencies"),
        _table_or_empty(table.get("build-system")).get("requires"),
    ]
    lists += [
        *_table_or_empty(project.get("optional-dependencies")).values(),
        *_table_or_empty(table.get("dependency-groups")).values(),
    ]
    for listed in lists:
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, str):
                yield from pip_pins(["--", item], _line_of(text, item), _NO_SETTINGS)
    tool = _table_or_empty(table.get("tool"))
    for name in sorted(set(tool) & {"poetry", "pdm", "hatch", "pixi", "uv", "conda-lock"}):
        own = {"dependencies", "dev-dependencies", "group", "envs", "sources", "override-dependencies"}
        if own & set(_table_or_empty(tool[name])):
            line = _line_of(text, f"[tool.{name}")
            keys = ", ".join(sorted(own & set(_table_or_empty(tool[name]))))
            yield _not_read_pin(line, f"[tool.{name}]", f"{keys}: the tables of this tool are not read")
    if project.get("dynamic") and "dependencies" in project["dynamic"]:
        yield _not_read_pin(
            _line_of(text, "dynamic"), "dynamic", "its dependencies are made by the build backend"
        )


def _lock_pins(data: bytes, place: str) -> Iterator[Pin]:
    """Yield the packages of uv.lock (`package`) or of a pylock.toml (`packages`)."""
    table = toml.loads(data, place=place, error=UsageError)
    text = data.decode("utf-8")
    rows = table.get("package", table.get("packages"))
    if not isinstance(rows, list):
        yield _not_read_pin(1, basename(place), "it has no list of packages")
        return
    position = 0
    for row in map(_table_or_empty, rows):
        name, version = str(row.get("name", "")), str(row.get("version", ""))
        position = max(text.find(f'name = "{name}"', position), position)
        line = text.count("\n", 0, position) + 1
        position += 1
        yield from _locked_package(name, version, row, line)


def _locked_package(name: str, version: str, row: Mapping[str, Any], line: int) -> Iterator[Pin]:
    source = _table_or_empty(row.get("source"))
    vcs, archive = _table_or_empty(row.get("vcs")), _table_or_empty(row.get("archive"))
    git = str(source.get("git", "") or vcs.get("url", ""))
    if git:
        commit = git.partition("#")[2] or str(vcs.get("commit-id", ""))
        yield Pin(line=line, kind=PinKind.GIT, name=re.split(r"[?#]", git)[0], value=commit)
        return
    if {"editable", "virtual", "directory", "path"} & {*source, *row}:
        return
    files = [
        _table_or_empty(row.get("sdist")),
        *(_table_or_empty(item) for item in row.get("wheels", ()) if isinstance(item, dict)),
    ]
    files = [item for item in files if item]
    checked = bool(files) and all(item.get("hash") or item.get("hashes") for item in files)
    url = str(source.get("url", "") or archive.get("url", ""))
    if url:
        hashed = checked or bool(archive.get("hashes"))
        yield Pin(line=line, kind=PinKind.DOWNLOAD, name=name, value=url, checked=hashed)
    elif not version:
        yield _not_read_pin(line, name, "it has no version: its build backend makes it")
    else:
        pin = Pin(
            line=line, kind=PinKind.REQUIREMENT, name="lock", value=f"{name}=={version}", checked=checked
        )
        yield replace(pin, elsewhere=True, replaced=True)


def _table_or_empty(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _yaml_pins(data: bytes, place: str) -> Iterator[Pin]:
    """Yield the images of compose files and Helm values, and the packages of a conda environment."""
    if len(data) > _MOST_BYTES_OF_YAML:
        raise UsageError(f"{len(data)} bytes are too many for a file of YAML", place=place)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"byte {error.start} is not UTF-8", place=place) from None
    if _TEMPLATE.search(text):
        yield _not_read_pin(
            _line_of(text, "{{"), basename(place), "a template that Helm fills: render it first"
        )
        return
    try:
        documents = [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise UsageError(
            f"{line}not YAML: {getattr(error, 'problem', None) or 'damaged'}", place=place
        ) from None
    except RecursionError:
        raise UsageError("not YAML that can be read: nested too deeply", place=place) from None
    found = [pin for node in documents for pin in _node_pins(node, place)]
    yield from found
    if not found:
        yield _not_read_pin(1, basename(place), "no image and no package is named in it")


def _node_pins(root: yaml.Node, place: str) -> Iterator[Pin]:
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        if len(seen) > _MOST_NODES:
            raise UsageError(f"more than {_MOST_NODES} nodes are too many", place=place)
        below: Sequence[yaml.Node] = ()
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
            yield from _mapping_pins(pairs)
            below = list(pairs.values())
        elif isinstance(node, yaml.SequenceNode):
            below = node.value
        for child in below:
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)


def _mapping_pins(pairs: Mapping[str, yaml.Node]) -> Iterator[Pin]:
    image, repository = pairs.get("image"), pairs.get("repository")
    if isinstance(image, yaml.ScalarNode) and image.value:
        yield _image_pin(_with_helm_tag(image.value, pairs), image.start_mark.line + 1)
    yield from _build_pins(pairs.get("build"))
    for key in ("command", "entrypoint", "args"):
        if (given := pairs.get(key)) is not None and _INSTALLS.search(_words_of(given)):
            text = "a command that a container starts with, which may install or download"
            yield _not_read_pin(given.start_mark.line + 1, key, text)
    if isinstance(repository, yaml.ScalarNode) and {"tag", "digest", "sha"} & set(pairs):
        yield _image_pin(_helm_image(repository.value, pairs), repository.start_mark.line + 1)
    chart, version = pairs.get("name"), pairs.get("version")
    if (
        isinstance(repository, yaml.ScalarNode)
        and isinstance(chart, yaml.ScalarNode)
        and "://" in repository.value
    ):
        bound = version.value if isinstance(version, yaml.ScalarNode) else ""
        text = f"the chart {chart.value} {bound} of {repository.value}; chart archives are not asked"
        yield _not_read_pin(chart.start_mark.line + 1, chart.value, text)
    listed = pairs.get("dependencies")
    if isinstance(listed, yaml.SequenceNode):
        yield from _conda_pins(listed)


_REMOTE = re.compile(r"git@|git://|ssh://|https?://")
_INSTALLS = re.compile(
    r"\b(pip[0-9.]*|uvx?|pipx|apt|apt-get|apk|dnf|yum|npm|npx|conda|curl|wget|git|hf)\b|\b(ba)?sh -c\b"
)


def _words_of(node: yaml.Node) -> str:
    """Return the words of a command as one text; it is a text, or a list of them."""
    if isinstance(node, yaml.SequenceNode):
        return " ".join(item.value for item in node.value if isinstance(item, yaml.ScalarNode))
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _build_pins(build: yaml.Node | None) -> Iterator[Pin]:
    """Yield what a service of a compose file is built from."""
    given: dict[str, yaml.Node] = {}
    if isinstance(build, yaml.ScalarNode) and build.tag.endswith(":str"):
        given = {"context": build}
    if isinstance(build, yaml.MappingNode):
        given = {key.value: value for key, value in build.value if isinstance(key, yaml.ScalarNode)}
        given = {key: given[key] for key in ("context", "dockerfile", "dockerfile_inline") if key in given}
    context = given.get("context")
    if isinstance(context, yaml.ScalarNode) and _REMOTE.match(context.value):
        url, _, ref = expanded(context.value, {}).partition("#")
        yield Pin(line=context.start_mark.line + 1, kind=PinKind.GIT, name=url, value=ref.partition(":")[0])
    elif set(given) - {"dockerfile_inline"}:
        line = next(iter(given.values())).start_mark.line + 1
        yield _not_read_pin(line, "build", "judge the Dockerfile that it names with --dockerfile")
    if "dockerfile_inline" in given:
        line = given["dockerfile_inline"].start_mark.line + 1
        text = "put it into a file of its own and judge that with --dockerfile"
        yield _not_read_pin(line, "dockerfile_inline", text)


def _with_helm_tag(image: str, pairs: Mapping[str, yaml.Node]) -> str:
    """Return an image with the tag that Helm values give beside it, if it has none itself."""
    if "@" in image or ":" in image.rpartition("/")[2]:
        return image
    tags = (pairs.get(key) for key in ("imageTag", "tag"))
    tag = next((node.value for node in tags if isinstance(node, yaml.ScalarNode) and node.value), "")
    return f"{image}:{tag}" if tag else image


def _helm_image(repository: str, pairs: Mapping[str, yaml.Node]) -> str:
    """Return the reference that `repository`, `tag` and `digest` of Helm values make up."""
    given = {
        key: pairs[key].value
        for key in ("registry", "tag", "digest", "sha")
        if isinstance(pairs.get(key), yaml.ScalarNode) and pairs[key].value
    }
    name = f"{given['registry']}/{repository}" if "registry" in given else repository
    digest = given.get("digest", "") or given.get("sha", "")
    name += f":{given['tag']}" if "tag" in given else ""
    return f"{name}@{digest if ':' in digest else f'sha256:{digest}'}" if digest else name


def _image_pin(reference: str, line: int) -> Pin:
    value = expanded(reference, {})
    pin = Pin(line=line, kind=PinKind.IMAGE, name="image", value=value)
    return replace(pin, judged=(_LATER,)) if UNRESOLVED in value else pin


def _conda_pins(listed: yaml.SequenceNode) -> Iterator[Pin]:
    for item in listed.value:
        line = item.start_mark.line + 1
        if isinstance(item, yaml.ScalarNode):
            yield from tool_pins(("conda", "install", item.value), line, forgiven=False) or ()
        elif isinstance(item, yaml.MappingNode):
            for key, value in item.value:
                if key.value == "pip" and isinstance(value, yaml.SequenceNode):
                    for word in value.value:
                        if isinstance(word, yaml.ScalarNode):
                            yield from pip_pins(word.value.split(), word.start_mark.line + 1, _NO_SETTINGS)
