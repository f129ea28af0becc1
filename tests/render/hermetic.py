"""Property 4 of the design, line by line, over what the independent reader found."""

from __future__ import annotations

import re

from tests.render.reader import Read, ReadStage, read, stages
from tests.render.script import commands

IMAGE = re.compile(r"[a-z0-9.:-]+(/[a-z0-9._-]+)*@sha256:[0-9a-f]{64}")
STAGE = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*")
ARCHES = ("amd64", "arm64")


def check(text: str) -> list[ReadStage]:
    """Assert that a rendered Dockerfile is hermetic, and return its stages."""
    instructions = read(text)
    assert all(item.keyword != "DIRECTIVE" for item in instructions), "a parser directive"
    found = stages(instructions)
    assert found[-1].name == "runtime", "the image is not the default target"
    seen: list[str] = []
    for stage in found:
        assert stage.commented, f"{stage.name} does not say where it comes from"
        assert STAGE.fullmatch(stage.name), stage.name
        assert stage.name not in seen, f"{stage.name} appears twice"
        check_base(stage.base, seen)
        check_body(stage, seen)
        seen.append(stage.name)
    check_final(found)
    return found


def check_base(base: str, seen: list[str]) -> None:
    if base.endswith("-${TARGETARCH}"):
        for arch in ARCHES:
            assert base.replace("${TARGETARCH}", arch) in seen, base
    else:
        assert base == "scratch" or base in seen or IMAGE.fullmatch(base), f"FROM {base}"
    assert "latest" not in base


def check_body(stage: ReadStage, seen: list[str]) -> None:
    knows_epoch = False
    for item in stage.body:
        if item.keyword == "ARG":
            assert item.rest == "SOURCE_DATE_EPOCH", f"line {item.number}: ARG {item.rest}"
            knows_epoch = True
        elif item.keyword == "RUN":
            assert knows_epoch, f"line {item.number}: RUN without SOURCE_DATE_EPOCH"
            check_run(item, seen)
        elif item.keyword == "ADD":
            check_add(item, stage)
        elif item.keyword == "COPY":
            check_copy(item, stage, seen)


def check_run(item: Read, seen: list[str]) -> None:
    network, *mounts = item.options
    assert network == "--network=none", f"line {item.number}: {network}"
    sources = []
    for mount in mounts:
        fields = dict(pair.split("=", 1) for pair in mount.removeprefix("--mount=").split(","))
        assert mount.startswith("--mount=type=bind,from="), f"line {item.number}: {mount}"
        assert fields.keys() <= {"type", "from", "source", "target"}
        assert fields["from"] in seen, f"line {item.number}: {mount}"
        sources.append((fields["from"], fields["target"]))
    scripts = [["".join(part.text for part in word) for word in words] for words in commands(item)]
    for name, target in sources:
        check_verified(name, target, scripts)


def check_verified(name: str, target: str, scripts: list[list[str]]) -> None:
    """Whatever is fetched is checked again by who uses it, before anything else happens with it."""
    if name.startswith("wheels-"):
        assert any(f"--requirement={target}/requirements.txt" in words for words in scripts), name
        assert all("--require-hashes" in words for words in scripts if f"--find-links={target}" in words)
    elif name.startswith(("debs-", "rpms-", "inputs-", "source-", "installer-", "base-")):
        verify = ["env", f"--chdir={target}", "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
        first = min(n for n, words in enumerate(scripts) if any(target in word for word in words))
        assert scripts[first] == verify, name


def options_of(stage: ReadStage) -> list[str]:
    """A file that steps may copy has one mode from both forms."""
    return ["--link", "--chmod=644"] if stage.name.startswith("inputs-") else ["--link"]


def check_add(item: Read, stage: ReadStage) -> None:
    assert stage.base == "scratch", f"line {item.number}: ADD in {stage.name}"
    source, target = item.words()
    if source.startswith("sha256/"):
        assert re.fullmatch(r"sha256/[0-9a-f]{2}/[0-9a-f]{62}", source)
        assert item.options == ("--link",)
        assert target == "/"
        return
    *how, checksum = item.options
    assert how == options_of(stage)
    assert re.fullmatch(r"--checksum=sha256:[0-9a-f]{64}", checksum), f"line {item.number}: no checksum"
    assert re.fullmatch(r"https?://[^\s$\"'\\]+", source)
    assert not source.endswith(".git")
    assert re.fullmatch(r"/[^/\s$\"'\\*?\[]+", target)


def check_copy(item: Read, stage: ReadStage, seen: list[str]) -> None:
    if item.heredoc is not None:
        link, mode = item.options
        assert (link, mode) in {("--link", "--chmod=644"), ("--link", "--chmod=755")}
        return
    *how, origin = item.options
    name = origin.removeprefix("--from=")
    assert name in seen, f"line {item.number}: {origin}"
    source, target = item.words()
    file = name == "store" and not source.startswith("no-lock-for-")
    assert how == (options_of(stage) if file else ["--link"])
    if file:
        assert re.fullmatch(r"sha256/[0-9a-f]{2}/[0-9a-f]{62}", source)
    assert target.startswith("/")


def check_final(found: list[ReadStage]) -> None:
    """No place of an input stands in the stages that become the image: their text is part of its history."""
    urls = [item.words()[0] for stage in found for item in stage.body if item.keyword == "ADD"]
    places = {"/".join(url.split("/")[:3]) for url in urls if "://" in url}
    by_name = {stage.name: stage for stage in found}
    waiting = [name.replace("${TARGETARCH}", arch) for name in (found[-1].base,) for arch in ARCHES]
    while waiting:
        stage = by_name[waiting.pop()]
        for item in stage.body:
            text = "\n".join((item.rest, *item.options, *(item.heredoc or ())))
            assert not any(place in text for place in places), f"line {item.number}: a place in {stage.name}"
            assert item.keyword != "ADD" or "sha256/" in text
        if stage.base in by_name:
            waiting.append(stage.base)
