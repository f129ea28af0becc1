"""The conventional Dockerfile of a lock: golden texts, and what must hold of every one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from builder.errors import LockError
from builder.lockfile.lock import RUNTIME, Lock
from builder.lockfile.reading import parse_lock
from scripts.benchmarks.conventional import Conventional, conventional, os_pins
from tests.render.golden import ROOT, addresses, locks

COMMITTED = ROOT.parents[1] / "lock"
VLLM = "1.4.2/debian-13-assembled-cuda-13.0/vllm-x86_64.toml"
CASES = ("assembled", "fabric", "own-interpreter")
NUMBERED = re.compile(r"(?:ADD|COPY|RUN) ")


def golden(case: str) -> Lock:
    """Return the lock of a case, all of its wheels on the default index."""
    lock = locks(case)[-1][0]
    return replace(lock, python=tuple(replace(row, origin=row.origin and "pypi") for row in lock.python))


def made(lock: Lock, **options: frozenset[str]) -> Conventional:
    return conventional(lock, lambda row: f"https://files.invalid/{row.path}/{row.file}", **options)


def vllm() -> Lock:
    return parse_lock((COMMITTED / VLLM).read_bytes(), place=VLLM)


def stage(text: str, name: str) -> list[str]:
    """Return the lines of a stage that are instructions; bodies of heredocs and continued lines are not."""
    body = re.search(rf"(?ms)^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", text)
    assert body is not None
    plain = re.sub(r"(?ms)<<'EOF'\n.*?^EOF$", "", body[1]).replace("\\\n", "")
    return [line for line in plain.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("case", CASES)
def test_the_golden_text(case: str, update_golden: bool) -> None:
    path = ROOT / case / "conventional.Dockerfile"
    form = conventional(golden(case), addresses(case).file_url)
    if update_golden:
        path.write_text(form.dockerfile, encoding="utf-8", newline="\n")
    assert path.read_text("utf-8") == form.dockerfile, "run pytest with --update-golden, and read the diff"


@pytest.mark.parametrize("path", [VLLM, *CASES])
def test_every_step_of_the_builder_stage_has_an_owner(path: str) -> None:
    lock = vllm() if path == VLLM else golden(path)
    form = made(lock)
    numbered = [line for line in stage(form.dockerfile, "builder") if NUMBERED.match(line)]
    assert len(form.steps) == 1 + len(numbered), "BuildKit counts FROM as the first"
    assert set(form.steps) >= {build.component for build in lock.builds}
    for build in lock.builds:
        own = numbered[form.steps.index(build.component) - 1 : len(form.steps)]
        assert own, build.component
    if any(RUNTIME in row.for_ for row in lock.python):
        assert numbered[form.steps.index("Python packages") - 1].startswith("COPY requirements.txt")


def test_pins_are_the_locks_and_hashes_are_gone() -> None:
    lock = vllm()
    form = made(lock)
    wanted = {f"{row.name}=={row.version}" for row in lock.python if RUNTIME in row.for_ and row.file}
    assert set(form.requirements.splitlines()) == wanted
    assert "sha256" not in form.dockerfile + form.requirements
    for row in lock.sources:
        assert f"--branch={row.tag} {row.git} " in form.dockerfile
    steps = [
        word for build in lock.builds for step in build.steps for word in step if word.startswith("--with")
    ]
    assert steps
    assert all(word in form.dockerfile for word in steps)


def test_os_packages_are_pinned_unless_the_archive_has_them_no_more() -> None:
    lock = vllm()
    for name, version in os_pins(lock):
        if name != "apt":
            assert f" {name}={version} " in made(lock).dockerfile
    text = made(lock, unpinned=frozenset({"libnuma-dev"})).dockerfile
    assert re.search(r"(?m)^ +libnuma-dev \\$", text)
    assert "libnuma-dev=" not in text


def test_a_changed_pin_of_the_image_changes_no_dockerfile() -> None:
    lock = vllm()
    rows = tuple(replace(row, version="3.18") if row.name == "idna" else row for row in lock.python)
    before, after = made(lock), made(replace(lock, python=rows))
    assert before.dockerfile == after.dockerfile
    assert before.requirements != after.requirements


def test_a_source_without_a_tag_is_fetched_by_its_commit() -> None:
    lock = golden("assembled")
    sources = tuple(replace(row, tag="", reason="a test") for row in lock.sources)
    text = made(replace(lock, sources=sources)).dockerfile
    assert f"git fetch --depth=1 https://git.invalid/tool.git {lock.sources[0].commit}\n" in text
    assert "--branch" not in text


def test_submodules_of_submodules_come_with_them() -> None:
    lock = golden("fabric")
    inner = tuple(
        replace(
            row, submodules=(*row.submodules, *(replace(one, path=f"{one.path}/x") for one in row.submodules))
        )
        for row in lock.sources
    )
    assert any(row.submodules for row in inner)
    assert made(replace(lock, sources=inner)).dockerfile == made(lock).dockerfile


def test_what_has_no_conventional_form_is_refused() -> None:
    with pytest.raises(LockError, match="only Debian's family"):
        made(golden("rpm"))
    lock = vllm()
    rows = tuple(replace(row, origin="elsewhere") if row.name == "idna" else row for row in lock.python)
    with pytest.raises(LockError, match="idna comes from elsewhere"):
        made(replace(lock, python=rows))
    image = replace(lock.images[0], python=("torch==2.0",))
    with pytest.raises(LockError, match="brings Python packages"):
        made(replace(lock, images=(image,)))


def test_the_text_does_not_depend_on_the_seed_of_hashes(tmp_path: Path) -> None:
    import os  # noqa: PLC0415
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    code = (
        "from tests.benchmarks.test_conventional import made, vllm; import sys;"
        "sys.stdout.write(made(vllm()).dockerfile)"
    )
    texts = set()
    for seed in ("0", "1", "4294967295"):
        env = {"PATH": os.defpath, "PYTHONHASHSEED": seed, "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, cwd=ROOT.parents[1], check=True, capture_output=True
        )
        texts.add(done.stdout)
    assert len(texts) == 1
    assert texts.pop().startswith(b"# What a team would write")
