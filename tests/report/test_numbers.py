"""The numbers of the pages are those of `matrix`, `verify`, `diff`, `why` and the license policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.lockfile import Lock, parse_lock
from builder.policy import licensed_rows
from tests.report.conftest import REAL, ROOT, run
from tests.report.pages import parse, table


def answer(capsys: pytest.CaptureFixture[str], project: Path, *words: str) -> Any:
    """Return what a verb says in JSON."""
    capsys.readouterr()
    run(project, *words, "--format", "json")
    return json.loads(capsys.readouterr().out)


def lock_at(path: Path) -> Lock:
    return parse_lock(path.read_bytes(), place=str(path))


def test_counts_are_those_of_matrix(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = answer(capsys, ROOT, "matrix", *REAL, "--table", "summary")["summary"]
    shown = table(parse((real / "index.html").read_bytes()), "counts")
    assert [{key: value for key, value in row.items() if value != "0"} for row in shown] == [
        {"release": row["release"], "framework": row["framework"]}
        | {state: str(count) for state, count in row["counts"].items() if count}
        for row in summary
    ]


def test_cells_and_reasons_are_those_of_matrix(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = answer(capsys, small, "matrix", "--release", "1.0", "--table", "targets")["targets"]
    document = parse((small / "site/index.html").read_bytes())
    drawn = [one for one in document.all("td") if "data-state" in one.attributes]
    assert len(drawn) == len(cells) > 1
    reasons = {row["reason"] for row in table(document, "reasons")}
    assert reasons == {cell["reason"] for cell in cells if cell["state"] != "locked"}


def test_findings_are_those_of_verify(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, small, "verify")
    assert found["findings"], "the changed lock breaks rules"
    document = parse((small / "site/index.html").read_bytes())
    assert [
        (row["level"], row["rule"], row["lock"], row["row"], row["finding"])
        for row in table(document, "findings")
    ] == [(one["level"], one["rule"], one["lock"], one["row"], one["text"]) for one in found["findings"]]
    assert {row["lock"]: row["rows"] for row in table(document, "locks")} == {
        one["lock"]: str(one["rows"]) for one in found["locks"]
    }
    for claim in found["not-proven"]:
        assert claim["claim"] in document.text


def test_changes_are_those_of_diff(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, small, "diff", "HEAD", "--release", "1.0")
    document = parse((small / "site/change.html").read_bytes())
    assert [
        (row["row"], row["kind"], row["risk"], row["action"], row["locks"])
        for row in table(document, "changes")
    ] == [
        (one["name"], one["kind"], one["risk"], one["action"], str(len(one["targets"])))
        for one in found["changes"]
    ]
    capsys.readouterr()
    run(small, "diff", "HEAD", "--release", "1.0")
    words = " ".join(capsys.readouterr().out.split())
    shown = [
        " ".join(one.text.split())
        for one in document.all("li")
        if "depth-0" in one.attributes.get("class", "")
    ]
    assert shown
    for line in shown:
        assert line in words


def test_reasons_and_other_locks_are_those_of_why(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = real / "lock/1.4.2/debian-13/dynamo-x86_64.html"
    rows = {row["name"]: row for name in ("python", "os") for row in table(parse(page.read_bytes()), name)}
    checked = 0
    for name in ("ai-dynamo", "numpy", "libc6", "python3.13"):
        if name not in rows:
            continue
        found = answer(capsys, ROOT, "why", name, *REAL)["answers"][0]
        chains = [
            chain["steps"] for chain in found["chains"] if "1.4.2/debian-13/dynamo-x86_64" in chain["locks"]
        ]
        assert [step["name"] for step in chains[0]][-1] == name
        arrows = rows[name]["why"].partition(" (and ")[0].split(" → ")
        kinds = ("Python ", "OS package ", "build ", "image ")
        plain = [
            next((word.removeprefix(kind) for kind in kinds if word.startswith(kind)), word)
            for word in arrows
        ]
        assert plain == [step["name"] for step in chains[0]]
        places = next(
            row["locks"] for row in found["rows"] if "1.4.2/debian-13/dynamo-x86_64" in row["locks"]
        )
        others = rows[name]["in other locks"]
        assert (0 if others == "this lock alone" else int(others)) == len(places) - 1
        checked += 1
    assert checked >= 2


def test_a_page_has_every_row_with_its_hash(real: Path) -> None:
    lock = lock_at(ROOT / "lock/1.4.2/debian-13/dynamo-x86_64.toml")
    page = (real / "lock/1.4.2/debian-13/dynamo-x86_64.html").read_text()
    document = parse(page.encode())
    assert len(table(document, "python")) == len(lock.python)
    assert len(table(document, "os")) == len(lock.os_packages)
    hashes = [row.sha256 for row in lock.python if row.sha256]
    hashes += [row.sha256 for row in lock.os_packages] + [row.sha256 for row in lock.archives]
    hashes += [row.sha256 for row in lock.sources]
    assert len(hashes) > 50
    assert not [digest for digest in hashes if digest not in page]


def test_licenses_are_those_that_policies_judge(real: Path) -> None:
    locks = [lock_at(path) for path in sorted((ROOT / "lock/1.4.2/debian-13").glob("dynamo-*.toml"))]
    shown = {
        (row["kind"], row["name"], row["version"], row["license"])
        for row in table(parse((real / "licenses.html").read_bytes()), "rows")
    }
    judged = {
        (row.kind, row.name, row.version, row.license or "not stated")
        for lock in locks
        for row in licensed_rows(lock)
    }
    assert shown == judged


def test_claims_are_those_that_align_judged(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = answer(capsys, ROOT, "align", "--release", "1.4.2", "--offline")
    assert judged["rows"]
    (tmp_path / "aligned.json").write_text(json.dumps(judged))
    words = ("report", "--aligned", str(tmp_path / "aligned.json"), "--output", str(tmp_path / "site"))
    assert run(small, *words) == 0
    shown = table(parse((tmp_path / "site/evidence.html").read_bytes()), "claims")
    keys = {"verdict": "status", "published": "published", "lock": "lock", "why": "evidence"}
    assert [[row[key] for key in keys] for row in shown] == [
        [row[key] or "" for key in keys.values()] for row in judged["rows"]
    ]


def test_pins_of_files_are_not_claims(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements.txt").write_text("idna==3.10\n")
    judged = answer(capsys, ROOT, "align", "--requirements", str(tmp_path / "requirements.txt"), "--offline")
    (tmp_path / "aligned.json").write_text(json.dumps(judged))
    assert run(small, "report", "--aligned", str(tmp_path / "aligned.json")) == 2
    assert "is not what `align --format json` says of claims" in capsys.readouterr().err
