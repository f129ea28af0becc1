"""Golden Dockerfiles: what is rendered, and that an independent reader finds it hermetic."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builder.lockfile.reading import load_lock
from builder.render.fetches import Addresses, Form, Inputs
from builder.render.instructions import Comment
from builder.render.planning import plan
from tests.render import hermetic
from tests.render.declared import of_declared, of_read
from tests.render.golden import CASES, ROOT, addresses, configuring, locks, rendered, rewrite_locks
from tests.render.reader import ReadStage, read, stages

FORMS = tuple(Inputs)
HASHED_SEEDS = ("0", "1", "4294967295")


def outputs(case: str) -> dict[str, str]:
    remote, store = rendered(case, Inputs.REMOTE), rendered(case, Inputs.STORE)
    return {
        "remote.Dockerfile": remote.dockerfile,
        "store.Dockerfile": store.dockerfile,
        "source-policy.json": remote.policy,
        "docker-bake.json": remote.bake,
    }


@pytest.mark.parametrize("case", CASES)
def test_rendering_gives_the_golden_files(case: str, update_golden: bool) -> None:
    if update_golden:
        rewrite_locks(case)
    for name, text in outputs(case).items():
        path = ROOT / case / name
        if update_golden:
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.read_text("utf-8") == text, f"{path}: run pytest with --update-golden, and read the diff"


def test_the_script_that_configures_a_base_was_read_by_somebody(update_golden: bool) -> None:
    path = ROOT / "assembled" / "configure-base.sh"
    if update_golden:
        path.write_text(configuring(), encoding="utf-8", newline="\n")
    assert path.read_text("utf-8") == configuring(), "run pytest with --update-golden, and read the diff"


@pytest.mark.parametrize("case", CASES)
def test_the_golden_locks_are_sound(case: str) -> None:
    for lock, data in locks(case):
        assert load_lock(data, place=f"{case}: {lock.arch}") == lock


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_every_line_holds_property_4(case: str, form: Inputs) -> None:
    hermetic.check(rendered(case, form).dockerfile)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_the_reader_finds_exactly_what_was_declared(case: str, form: Inputs) -> None:
    dockerfile = plan(locks(case), Form(inputs=form, addresses=addresses(case)))
    declared = [of_declared(item) for item in dockerfile.instructions() if not isinstance(item, Comment)]
    assert [of_read(item) for item in read(dockerfile.text())] == declared


@pytest.mark.parametrize("case", CASES)
def test_both_forms_differ_in_fetch_stages_only(case: str) -> None:
    """Same RUN texts and same final stages: the image digest is one."""
    remote, store = (bare(stages(read(rendered(case, form).dockerfile))) for form in FORMS)
    assert remote.keys() == store.keys()
    different = {name for name in remote if remote[name] != store[name]}
    assert all(name.startswith(("debs-", "rpms-", "wheels-", "inputs-", "installer-")) for name in different)


def bare(found: list[ReadStage]) -> dict[str, object]:
    return {stage.name: (stage.base, [of_read(item) for item in stage.body]) for stage in found}


@pytest.mark.parametrize("case", CASES)
def test_the_store_form_names_no_place(case: str) -> None:
    text = rendered(case, Inputs.STORE).dockerfile
    assert "://" not in text
    assert "--checksum" not in text


def test_rendering_does_not_depend_on_the_hash_seed_or_the_surroundings() -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from tests.render.golden import *\n"
        "for case in CASES:\n"
        "    for form in Inputs:\n"
        "        sys.stdout.buffer.write(repr(rendered(case, form)).encode())\n"
    )
    paths = [str(ROOT.parent.parent)]
    digests = set()
    for seed in HASHED_SEEDS:
        env = {"PYTHONHASHSEED": seed, "TZ": f"UTC{seed[0]}", "LC_ALL": "C", "PATH": os.environ["PATH"]}
        command = [sys.executable, "-c", program, *paths]
        done = subprocess.run(command, capture_output=True, env=env, check=True, cwd="/")
        digests.add(hashlib.sha256(done.stdout).hexdigest())
    assert len(digests) == 1


def test_the_order_in_which_locks_are_given_does_not_matter() -> None:
    pairs = locks("fabric")
    form = Form(inputs=Inputs.STORE, addresses=Addresses())
    assert plan(pairs, form).text() == plan(tuple(reversed(pairs)), form).text()


@pytest.mark.parametrize("case", CASES)
def test_the_policy_allows_exactly_the_sources_of_the_dockerfile(case: str) -> None:
    result = rendered(case, Inputs.REMOTE)
    denied, local, *allowed = json.loads(result.policy)["rules"]
    assert denied == {"action": "DENY", "selector": {"identifier": "*"}}
    assert local == {"action": "ALLOW", "selector": {"identifier": "local://*"}}
    expected = set()
    for item in read(result.dockerfile):
        if item.keyword == "FROM" and "@" in item.rest:
            expected.add((f"docker-image://{item.words()[0]}", ""))
        if item.keyword == "ADD" and item.options[-1].startswith("--checksum="):
            expected.add((item.words()[0], item.options[-1].removeprefix("--checksum=")))
    found = set()
    for rule in allowed:
        assert rule["action"] == "ALLOW"
        assert rule["selector"]["matchType"] == "EXACT"
        constraints = rule["selector"].get("constraints", [{"value": ""}])
        assert all(
            c["value"] == "" or (c["key"], c["condition"]) == ("http.checksum", "EQUAL") for c in constraints
        )
        found.add((rule["selector"]["identifier"], constraints[0]["value"]))
    assert found == expected
    assert len(allowed) == len(found)


@pytest.mark.parametrize("case", CASES)
def test_the_bake_file_builds_what_is_locked(case: str) -> None:
    bake = json.loads(rendered(case, Inputs.STORE).bake)
    target = bake["target"]["runtime"]
    assert target["platforms"] == [lock.arch.oci for lock, _ in locks(case)][:: -1 if case == "fabric" else 1]
    assert target["args"] == {"SOURCE_DATE_EPOCH": "1788000000"}
    assert "rewrite-timestamp=true" in target["output"][0]
    assert all(re.search("disabled=true", attestation) for attestation in target["attest"])
    assert bake["target"]["check"]["target"] == "check"


@pytest.mark.lab
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_buildkit_parses_it(case: str, form: Inputs, tmp_path: Path) -> None:
    """BuildKit's own frontend reads the file: the outline names our build argument and target."""
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(rendered(case, form).dockerfile, encoding="utf-8")
    bases = [stage.name for stage in stages(read(dockerfile.read_text("utf-8"))) if "@" in stage.base]
    contexts = [f"--build-context={name}={tmp_path}" for name in bases]  # no registry.invalid is asked
    platform = f"--platform={locks(case)[0][0].arch.oci}"
    options = [platform, "--print=outline", *contexts, f"--file={dockerfile}"]
    command = ["docker", "buildx", "build", *options, str(tmp_path)]
    env = {**os.environ, "BUILDX_EXPERIMENTAL": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(r"TARGET:\s+runtime", done.stdout)
    with dockerfile.open("a") as file:
        file.write("\nRUN --network=nowhere true\n")
    broken = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=120)
    assert "invalid network mode" in broken.stderr
