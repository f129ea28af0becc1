"""What two images differ in is named: file, cause and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.reproduce.causes import CAUSES, BuildConditions
from builder.reproduce.comparison import (
    DIFFERENT,
    IDENTICAL,
    NORMALISED,
    Comparison,
    as_text,
    as_value,
    compare,
)
from tests.oci.samples_oci import File, image
from tests.reproduce.planted import CASES, Case

CONDITIONS = BuildConditions(hostnames=("buildkitsandbox", "another-machine"), processors=(2, 1))
SAME = File(path="usr/bin/same", data=b"same")


def compared(tmp_path: Path, first: list[File], second: list[File]) -> Comparison:
    left = image(tmp_path / "first", [[SAME], first])
    right = image(tmp_path / "second", [[SAME], second])
    return compare(left, right, CONDITIONS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_planted_difference_is_named_with_its_file_and_cause(tmp_path: Path, case: Case) -> None:
    found = compared(tmp_path, [case.first], [case.second])
    (finding,) = found.findings
    assert finding.causes == case.causes
    assert finding.path == case.first.path
    assert finding.harmless is case.harmless
    assert case.detail in finding.detail
    assert finding.place == "linux/amd64, layer 2 of 2"
    assert finding.step == "RUN step 2"
    assert found.verdict == (NORMALISED if case.harmless else DIFFERENT)
    text = as_text(found)
    assert case.first.path in text
    assert all(CAUSES[name].remedy in text for name in case.causes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_order_of_the_images_does_not_matter(tmp_path: Path, case: Case) -> None:
    swapped = BuildConditions(hostnames=("another-machine", "buildkitsandbox"), processors=(1, 2))
    left, right = image(tmp_path / "a", [[case.second]]), image(tmp_path / "b", [[case.first]])
    assert compare(left, right, swapped).findings[0].causes == case.causes


def test_all_planted_causes_in_one_layer_are_found_together(tmp_path: Path) -> None:
    cases = {case.first.path: case for case in CASES}
    found = compared(
        tmp_path, [case.first for case in cases.values()], [case.second for case in cases.values()]
    )
    assert {finding.path: finding.causes for finding in found.findings} == {
        path: case.causes for path, case in cases.items()
    }
    assert found.verdict == DIFFERENT
    assert len({name for case in CASES for name in case.causes if name != "unknown"}) >= 10


def test_every_cause_of_a_file_has_a_planted_case() -> None:
    planted = {name for case in CASES for name in case.causes}
    assert set(CAUSES) - planted == {"compression", "layer-order", "lock"}


def test_the_same_layers_are_identical(tmp_path: Path) -> None:
    found = compared(tmp_path, [SAME], [SAME])
    assert found.verdict == IDENTICAL
    assert found.findings == ()
    assert as_text(found) == f"identical: {found.digests[0]}"


def test_two_differences_of_one_file_are_two_findings(tmp_path: Path) -> None:
    first, second = File(path="a", mode=0o644, mtime=1), File(path="a", mode=0o600, mtime=2)
    assert compared(tmp_path, [first], [second]).causes == ("mtime", "umask")


def test_a_file_in_one_image_only(tmp_path: Path) -> None:
    found = compared(tmp_path, [SAME, File(path="opt/extra")], [SAME])
    (finding,) = found.findings
    assert (finding.path, finding.what, finding.detail) == (
        "opt/extra",
        "presence",
        "only in the first image",
    )
    assert found.verdict == DIFFERENT


def test_a_log_in_one_image_only_is_harmless(tmp_path: Path) -> None:
    assert compared(tmp_path, [SAME, File(path="var/log/x")], [SAME]).verdict == NORMALISED


def test_the_order_of_a_layer(tmp_path: Path) -> None:
    found = compared(tmp_path, [SAME, File(path="z")], [File(path="z"), SAME])
    assert found.causes == ("layer-order",)


def test_a_layer_compressed_differently(tmp_path: Path) -> None:
    files = [[File(path="a", data=b"text " * 500)]]
    left, right = image(tmp_path / "a", files, level=9), image(tmp_path / "b", files, level=1)
    found = compare(left, right)
    assert (found.causes, found.verdict) == (("compression",), NORMALISED)


def test_configurations(tmp_path: Path) -> None:
    left = image(tmp_path / "a", [[SAME]])
    right = image(
        tmp_path / "b", [[SAME]], config={"config": {"Env": ["PATH=/bin"]}, "created": "2026-09-01"}
    )
    found = compare(left, right)
    assert [(f.path, f.causes) for f in found.findings] == [
        ("config.Env.0", ("unknown",)),
        ("created", ("build-time",)),
    ]
    assert found.verdict == DIFFERENT


def test_images_of_different_locks(tmp_path: Path) -> None:
    label = [{"config": {"Labels": {"lockwright.lock": f"sha256:{digit * 64}"}}} for digit in "01"]
    left, right = (image(tmp_path / str(n), [[SAME]], config=label[n]) for n in (0, 1))
    found = compare(left, right)
    assert found.causes == ("lock",)
    assert found.verdict == DIFFERENT


def test_another_number_of_layers(tmp_path: Path) -> None:
    left, right = image(tmp_path / "a", [[SAME]]), image(tmp_path / "b", [[SAME], [SAME]])
    assert "1 and 2 layers" in compare(left, right).findings[-1].detail


def test_platforms(tmp_path: Path) -> None:
    both = image(tmp_path / "a", [[SAME]], arches=("amd64", "arm64"))
    one = image(tmp_path / "b", [[SAME]])
    found = compare(both, one)
    assert [finding.place for finding in found.findings] == ["linux/arm64"]
    assert compare(both, both).verdict == IDENTICAL


def test_a_tar_and_a_folder_of_one_image_are_the_same(tmp_path: Path) -> None:
    left = image(tmp_path / "a", [[SAME]])
    right = image(tmp_path / "b.tar", [[SAME]], tar=True)
    assert compare(left, right).verdict == IDENTICAL


def test_what_is_no_image(tmp_path: Path) -> None:
    good = image(tmp_path / "a", [[SAME]])
    bad = tmp_path / "text"
    bad.write_text("no image")
    for wrong in (bad, tmp_path / "missing", tmp_path):
        with pytest.raises(UsageError) as caught:
            compare(good, wrong)
        assert str(wrong) in str(caught.value)


def test_a_damaged_layer(tmp_path: Path) -> None:
    left = image(tmp_path / "a", [[File(path="x", data=b"1" * 5000)]])
    right = image(tmp_path / "b", [[File(path="x", data=b"2" * 5000)]])
    for blob in (right / "blobs" / "sha256").iterdir():
        if blob.read_bytes()[:2] == b"\x1f\x8b":
            blob.write_bytes(blob.read_bytes()[:40])
    with pytest.raises(UsageError, match="cannot be read"):
        compare(left, right)


def test_the_report_for_machines_has_everything(tmp_path: Path) -> None:
    case = CASES[0]
    value = as_value(compared(tmp_path, [case.first], [case.second]))
    assert json.loads(json.dumps(value)) == value
    assert value["verdict"] == NORMALISED
    assert value["causes"][0]["remedy"]
    assert value["findings"][0]["path"] == case.first.path
