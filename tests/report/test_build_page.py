"""The timeline of a build is that of its record, and nothing else passes for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.build.events import BuildStep
from builder.build.request import Built
from builder.build.timeline import stage_rows, timeline_rows
from builder.errors import UsageError
from builder.report import read_build_records
from tests.report.conftest import run
from tests.report.pages import parse, table

DOCKERFILE = "FROM scratch AS first\nRUN a\nFROM scratch AS second\nRUN b\nFROM scratch AS third\nCOPY c /c\n"


def build_record() -> dict[str, Any]:
    """Return a record whose rows `build` would write: one stage ran, one came from the cache."""
    ran: dict[str, Any] = {"total": 1, "done": True}
    steps = (
        BuildStep(digest="a", stage="first", number=1, what="RUN a", began=10.0, ended=14.0, **ran),
        BuildStep(digest="b", stage="second", number=1, what="RUN b", cached=True, **ran),
        BuildStep(digest="c", stage="third", number=1, what="COPY c", began=14.0, ended=14.5, **ran),
    )
    built = Built(seconds=5.0, steps=steps)
    rows = {"stages": stage_rows(built, DOCKERFILE), "timeline": timeline_rows(built, DOCKERFILE)}
    return {"engine": {"buildkit": "1.0"}, "seconds": 5.0, **rows}


def test_the_page_shows_what_the_record_says(small: Path, tmp_path: Path) -> None:
    one = build_record()
    both = {**one, **{key: [one[key], one[key]] for key in ("seconds", "stages", "timeline")}}
    (tmp_path / "runtime.json").write_text(json.dumps(one))
    (tmp_path / "reproduce.json").write_text(json.dumps(both))
    words = [
        word for name in ("runtime", "reproduce") for word in ("--record", str(tmp_path / f"{name}.json"))
    ]
    assert run(small, "report", *words, "--output", str(tmp_path / "site")) == 0
    document = parse((tmp_path / "site/build.html").read_bytes())
    expected = [
        {"name": "first", "kind": "stage", "began": "0.00", "seconds": "4.00", "share": "4.00", "from the cache": "1 RUN ran"},
        {"name": "third", "kind": "stage", "began": "4.00", "seconds": "0.50", "share": "0.50", "from the cache": "no RUN ran"},
    ]  # fmt: skip
    for number in (1, 2, 3):
        assert table(document, f"stages-{number}") == expected
    assert document.text.count("the cache had them: second") == 3
    bars = list(document.all("rect"))
    assert len(bars) == 6
    assert float(bars[0].attributes["width"]) == pytest.approx(
        8 * float(bars[1].attributes["width"]), rel=0.01
    )
    assert "at 0.5 s of them nothing was reported" in document.text


@pytest.mark.parametrize("changes", [{"timeline": None}, {"seconds": "x"}, {"engine": []}, {"stages": [{}]}])
def test_what_is_no_record_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="not a record"):
        read_build_records(json.dumps({**build_record(), **changes}).encode(), place="x")
