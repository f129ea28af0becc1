"""Every statement of the committed documents, and statements that nobody has seen, judged by evidence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.align import evidence_of, read_documents
from builder.align.claims import Says
from builder.align.evidence import Status
from builder.align.judge import judge_document
from builder.commands import align
from builder.console import Console
from builder.errors import RecipeError, UsageError
from builder.options import ResultFormat
from builder.project import Project, open_project
from tests.local_index import Indexes, LocalIndex

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = ROOT / "recipes/claims"
EXPECTED = Path(__file__).parent / "claims"
DOCUMENTS = ("support-matrix-0.8.0", "version-alignment-0.6.1")
HELD = (Says.PLATFORM,)
"""Kinds that are aligned if a recipe of ours has the glibc of the system, else unknown."""


class Run:
    """`align` on this project with caches of its own, and what it printed."""

    def __init__(self, folder: Path, index_url: str) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.index_url = index_url
        self.folder = folder
        console = Console(self.out, self.err)
        self.project: Project = open_project(
            project=str(ROOT), store=str(folder / "cache/store"), origins=(), mirrors=(), console=console
        )

    def __call__(self, *claims: Path, **options: Any) -> int:
        for stream in (self.out, self.err):
            stream.seek(0)
            stream.truncate()
        usual: dict[str, Any] = {"index_url": self.index_url, "format": ResultFormat.JSON}
        return align.judge_claims(self.project, align.Options(claims=claims, **{**usual, **options}))

    @property
    def rows(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.out.getvalue())["rows"]
        return found


pytestmark = pytest.mark.usefixtures("no_forge")


def document(says: str, **values: str) -> str:
    """Return a file of one statement about 0.8.0 as of 2026-01-20."""
    lines = ['name = "mine"', 'title = "t"', 'source = "s"', 'release = "0.8.0"', 'date = "2026-01-20"']
    lines += ['date-by = "given"', "[[claims]]", 'section = "s"', 'quote = "q"', f'says = "{says}"']
    lines += [f"{key.replace('_', '-')} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines)


Judge = Callable[..., dict[str, str]]


@pytest.fixture
def run(recorded: LocalIndex, tmp_path: Path) -> Run:
    return Run(tmp_path, recorded.url)


@pytest.fixture(scope="module")
def judge(recorded: LocalIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Judge one statement; the evidence is shared by all of this file."""
    folder = tmp_path_factory.mktemp("judge")
    one = Run(folder, recorded.url)
    own = read_documents(sorted(CLAIMS.glob("*.toml")), ROOT)
    with evidence_of(
        one.project, one.project.library(), own, offline=False, index_url=recorded.url
    ) as evidence:

        def judged(says: str, **values: str) -> dict[str, str]:
            path = folder / "mine.toml"
            path.write_text(document(says, **values))
            (row,) = judge_document(read_documents([path], folder)[0], evidence)
            return {"status": row.verdict.status.value, "evidence": row.verdict.evidence}

        yield judged


def statuses(rows: list[dict[str, str]], name: str) -> Iterator[str]:
    (document,) = read_documents([CLAIMS / f"{name}.toml"], ROOT)
    assert len(rows) == len(document.claims)
    for row, claim in zip(rows, document.claims, strict=True):
        status = row["status"]
        if claim.says in HELD and status in ("aligned", "unknown"):
            status = "aligned or unknown"
        yield f"{status} | {row['section']} | {row['quote']}\n"


def compare(run: Run, name: str, *, update: bool) -> None:
    assert run(CLAIMS / f"{name}.toml") == 1
    found, path = "".join(statuses(run.rows, name)), EXPECTED / f"{name}.txt"
    if update:
        path.write_text(found)
    assert found == path.read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_statement_has_its_status(run: Run, name: str, update_golden: bool) -> None:
    compare(run, name, update=update_golden)


@pytest.mark.network
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_statement_has_its_status_by_the_real_index(tmp_path: Path, name: str) -> None:
    compare(Run(tmp_path, ""), name, update=False)


@pytest.mark.parametrize("form", ["json", "html"])
def test_the_form_in_which_the_index_answers_changes_nothing(
    recorded: LocalIndex, run: Run, form: str
) -> None:
    recorded.form = form
    compare(run, DOCUMENTS[1], update=False)


def test_offline_gives_the_same_rows_and_says_how_old_they_are(run: Run, recorded: LocalIndex) -> None:
    path = CLAIMS / f"{DOCUMENTS[1]}.toml"
    run(path)
    before, asked = run.rows, len(recorded.requests)
    assert run(path, offline=True) == 1
    assert run.rows == before
    assert len(recorded.requests) == asked
    assert "offline: nothing was asked; the kept answers are of 20" in run.err.getvalue()


def test_offline_without_kept_answers_knows_nothing_and_alarms_nobody(run: Run) -> None:
    run(CLAIMS / f"{DOCUMENTS[1]}.toml", offline=True)
    alarming = {row["claim"] for row in run.rows if row["status"] in ("drift", "impossible")}
    assert alarming == {"vllm image: vllm 0.10.2", "everything holds"}  # what is recorded needs no index
    assert "could not be asked" in run.rows[0]["evidence"]


def test_an_index_that_does_not_answer_is_no_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.io.network._FIRST_PAUSE", 0)
    gone, path = Run(tmp_path, "http://127.0.0.1:9/simple/"), tmp_path / "mine.toml"
    path.write_text(document("includes", name="vllm", version="0.12.0"))
    assert gone(path) == 0
    (row,) = gone.rows
    assert row["status"] == "unknown"
    assert "could not be asked" in row["evidence"]


@pytest.mark.parametrize(
    ("version", "status", "words"),
    [
        ("0.12.0", "aligned", "requires vllm[flashinfer,runai]==0.12.0"),
        ("0.11.0", "drift", "requires vllm[flashinfer,runai]==0.12.0"),
        ("0.12.77", "impossible", "never existed"),
        ("latest", "unknown", "'latest' is not a version"),
    ],
)
def test_what_a_release_includes(judge: Judge, version: str, status: str, words: str) -> None:
    row = judge("includes", name="vllm", version=version)
    assert (row["status"], words in row["evidence"]) == (status, True)


def test_nearest_versions_come_from_the_index_and_from_tags(judge: Judge) -> None:
    row = judge("includes", name="flashinfer", version="0.1.8")
    assert row["status"] == "impossible"
    assert "nearest: 0.1.5, 0.1.6, 0.2.0, 0.2.0.post1" in row["evidence"]


def test_a_component_that_no_index_has_is_judged_by_tags_and_by_upstream_s_sources(judge: Judge) -> None:
    assert judge("includes", name="ucx", version="1.19.7")["status"] == "impossible"
    assert judge("includes", name="libfabric", version="2.3.0")["status"] == "aligned"
    assert judge("includes", name="libfabric", version="2.4.0")["status"] == "drift"
    newer = judge("includes", name="ucx", version="99.0")
    assert newer["status"] == "unknown"
    assert "newer than every tag" in newer["evidence"]


def test_a_name_that_nobody_knows_is_unknown(judge: Judge) -> None:
    row = judge("includes", name="never-heard-of-it", version="1.0")
    assert row["status"] == "unknown"
    assert "the index has no project never-heard-of-it" in row["evidence"]


@pytest.mark.parametrize(
    ("version", "status"), [("0.8.0", "aligned"), ("0.7.1", "drift"), ("0.9.0", "drift")]
)
def test_of_what_a_cap_admits_the_newest_of_the_day_is_included(
    judge: Judge, version: str, status: str
) -> None:
    assert judge("includes", name="nixl", version=version)["status"] == status


def test_what_a_cap_admits_fits(judge: Judge) -> None:
    assert judge("fits", name="nixl", version="0.7.1")["status"] == "aligned"
    assert judge("fits", name="nixl", version="0.9.0")["status"] == "drift"


def test_main_is_a_snapshot_of_the_document_s_day(judge: Judge) -> None:
    early = judge("includes", release="main", name="sglang", version="0.5.6.post2")
    assert early["status"] == "aligned"
    late = judge("includes", release="main", name="vllm", version="0.14.1")
    assert late["status"] == "impossible"
    assert "after the document's day 2026-01-20" in late["evidence"]


@pytest.mark.parametrize(
    ("requirement", "status"),
    [
        ("vllm[flashinfer]==0.12.0", "aligned"),
        ("vllm[audio]==0.12.0", "drift"),
        ("vllm==0.11.0", "drift"),
        ("nixl<=0.8.0", "aligned"),
        ("nixl<0.9", "drift"),
        ("uvloop", "aligned"),
        ("left-pad", "drift"),
        ("vllm==0.12.77", "impossible"),
        ("not a requirement!", "unknown"),
    ],
)
def test_what_ai_dynamo_requires(judge: Judge, requirement: str, status: str) -> None:
    assert judge("requires", requirement=requirement)["status"] == status


@pytest.mark.parametrize(
    ("python", "status"),
    [(">=3.10", "aligned"), ("~=3.10", "aligned"), (">=3.9", "drift"), (">3.x", "unknown")],
)
def test_ranges_of_python_are_compared_by_what_they_admit(judge: Judge, python: str, status: str) -> None:
    assert judge("python", python=python)["status"] == status


def test_a_python_that_metadata_excludes(judge: Judge) -> None:
    assert judge("runs-on-python", python="3.9")["status"] == "drift"
    assert judge("runs-on-python", python="3.11")["status"] == "aligned"
    assert judge("not-on-python", name="tensorrt-llm", python="3.9")["status"] == "aligned"
    assert judge("not-on-python", name="ai-dynamo-runtime", python="3.11")["status"] == "drift"


def test_supported_only_with_one_python(judge: Judge) -> None:
    """kvbm's wheels are abi3 for 3.10 and newer: that leaves open what its publisher supports."""
    open_ = judge("only-on-python", name="kvbm", version="0.8.0", python="3.12")
    assert open_["status"] == "unknown"
    assert "Requires-Python >=3.10" in open_["evidence"]
    assert "nothing says what is supported" in open_["evidence"]
    assert judge("only-on-python", name="kvbm", version="0.8.0", python="3.9")["status"] == "drift"


def test_what_a_named_distribution_requires_is_not_what_ai_dynamo_requires(judge: Judge) -> None:
    row = judge("requires", release="0.6.1", name="vllm", version="0.10.2", requirement="nixl<=0.7.0")
    assert row["status"] == "drift"
    assert row["evidence"].startswith(
        "vllm 0.10.2 does not require nixl; ai-dynamo 0.6.1, extra vllm, requires"
    )
    own = judge("requires", release="0.6.1", requirement="nixl<=0.7.0")
    assert own["status"] == "aligned"


@pytest.mark.parametrize("gpu", ["Blackwell", "Hopper", "Ampere", "Volta"])
def test_our_own_recipe_says_nothing_about_gpus(judge: Judge, gpu: str) -> None:
    assert judge("gpu", release="1.4.2", gpu=gpu)["status"] == "unknown"


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        # Only the locks of `efa` have a UCX in 0.7.1, and another one: they are ours.
        ({"version": "1.19.0"}, "aligned", "upstream's sources have 1.19.0 (ai-dynamo/dynamo container @2"),
        ({"version": "1.20.0"}, "drift", "upstream's sources have 1.19.0"),
        ({"version": "1.19.0", "framework": "vllm"}, "aligned", "have 1.19.0"),
        ({"version": "1.19.0", "framework": "efa"}, "drift", "have 1.20.0.dev0+9d2b88a"),
    ],
)
def test_a_component_is_judged_by_upstream_s_sources(
    judge: Judge, values: dict[str, str], status: str, words: str
) -> None:
    row = judge("includes", release="0.7.1", name="ucx", **values)
    assert (row["status"], words in row["evidence"]) == (status, True), row


def test_a_version_that_our_recipe_chose_is_no_evidence(judge: Judge) -> None:
    """1.4.2's aws-sdk-cpp is not upstream's: the recipe says so."""
    recipe = judge("includes", release="1.4.2", name="aws-sdk-cpp", version="1.11.760")
    assert recipe["status"] == "unknown"


def test_everything_holds_only_if_everything_is_known(judge: Judge, tmp_path: Path) -> None:
    assert judge("all-hold")["status"] == "unknown"


def test_days_and_what_was_out(judge: Judge) -> None:
    assert judge("released", date="2026-01-15")["status"] == "aligned"
    assert judge("released", date="2026-01-14")["status"] == "drift"
    assert judge("unreleased")["status"] == "drift"
    assert judge("published", name="kvbm", since="0.7.0")["status"] == "aligned"
    assert judge("published", name="kvbm", since="0.6.1")["status"] == "drift"
    assert judge("published", name="flashinfer-nothing")["status"] == "impossible"


def test_floors(judge: Judge) -> None:
    assert judge("glibc", name="ai-dynamo", version="0.8.0", glibc="2.28")["status"] == "aligned"
    assert judge("glibc", name="ai-dynamo", version="0.8.0", glibc="2.17")["status"] == "drift"
    assert judge("cuda-floor", name="nixl", version="0.8.0", cuda="12.0")["status"] == "aligned"
    assert judge("cuda", framework="vllm", cuda="12.8")["status"] == "aligned"
    assert judge("cuda", framework="vllm", cuda="12")["status"] == "aligned"
    assert judge("cuda", framework="vllm", cuda="12.8.1")["status"] == "aligned"
    assert judge("cuda", framework="vllm", cuda="13.0")["status"] == "drift"
    assert judge("cuda", framework="vllm", cuda="1")["status"] == "drift"


def test_a_local_label_is_that_of_another_index(judge: Judge) -> None:
    named = {"release": "0.8.0", "name": "vllm"}
    assert judge("includes", version="0.12.0+cu129", **named)["status"] == "aligned"
    assert judge("fits", version="0.12.0+cu129", **named)["status"] == "aligned"
    other = judge("includes", version="0.11.0+cu129", **named)
    assert other["status"] == "drift"
    assert "without +cu129, which is the label of another index's build" in other["evidence"]
    assert judge("includes", version="0.12.77+cu129", **named)["status"] == "impossible"
    assert judge("published", version="0.12.0+cu129", **named)["status"] == "unknown"


def test_images_are_judged_by_what_is_recorded_of_them(judge: Judge) -> None:
    old = judge("image", release="0.6.1", framework="vllm", name="vllm", version="0.10.2")
    assert old["status"] == "drift"
    assert "VLLM_REF=v0.11.0" in old["evidence"]
    assert judge("image", framework="vllm", name="vllm", version="0.12.0")["status"] == "aligned"
    assert judge("image", framework="vllm", name="torch", version="2.9.0")["status"] == "unknown"


def test_bases_are_judged_by_what_is_recorded_of_them(judge: Judge) -> None:
    named = {"release": "0.6.1", "framework": "trtllm"}
    right = judge("built-on", image="nvcr.io/nvidia/pytorch:25.06-py3", **named)
    assert right["status"] == "aligned"
    assert "Dockerfile.trtllm @9bb1af33" in right["evidence"]
    assert judge("built-on", image="nvcr.io/nvidia/pytorch:25.10-py3", **named)["status"] == "drift"
    unknown = judge("built-on", framework="vllm", image="nvcr.io/nvidia/pytorch:25.06-py3")
    assert unknown["status"] == "unknown"
    assert "what the vllm image of 0.8.0 is built on" in unknown["evidence"]


def test_metadata_requires_no_images(judge: Judge) -> None:
    row = judge("requires-image", name="tensorrt-llm", version="1.1.0rc5", image="pytorch:25.06-py3")
    assert row["status"] == "drift"
    assert "torch<=2.8.0a0,>=2.7.1" in row["evidence"]


def test_a_release_without_claims_is_compared_with_its_locks(run: Run) -> None:
    assert run(releases=("0.8.0",)) == 1
    own = [row for row in run.rows if row["source"] == "ai-dynamo"]
    vllm = next(row for row in own if row["published"].startswith("vllm["))
    assert (vllm["lock"], vllm["status"]) == ("0.12.0", "aligned")
    with pytest.raises(UsageError, match="the recipes have no release '9\\.9\\.9'"):
        run(releases=("9.9.9",))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('says = "includes"', "claims[0]: a statement of kind `includes` needs `name`"),
        ('says = "holds"', "claims[0].says: expected one of"),
        ('says = "arch"\narch = "arm64"', "claims[0].arch: expected one of x86_64, aarch64"),
        ('says = "runs-on-python"\npython = ">=3.12"', "claims[0].python: '>=3.12' is not a Python such as"),
        ('says = "released"\ndate = "yesterday"', "claims[0].date: 'yesterday' is not a day"),
        ('says = "statement"\nwhy = "a\\u001b[31mb"', "claims[0].why: a control character"),
        ('says = "statement"\nwhy = "x"\nreson = "y"', "claims[0].reson: unknown key"),
    ],
)
def test_a_broken_file_of_claims_names_the_place(run: Run, change: str, words: str) -> None:
    path = run.folder / "broken.toml"
    path.write_text(
        'name = "x"\ntitle = "x"\nsource = "x"\nrelease = "0.8.0"\ndate = "2026-01-20"\ndate-by = "x"\n'
        f'[[claims]]\nsection = "s"\nquote = "q"\n{change}\n'
    )
    with pytest.raises(RecipeError) as raised:
        run(path)
    assert words in str(raised.value)


def test_rows_can_be_narrowed_and_the_exit_code_speaks_of_all(run: Run) -> None:
    path = CLAIMS / f"{DOCUMENTS[1]}.toml"
    assert run(path, statuses=(Status.UNKNOWN,)) == 1
    assert {row["status"] for row in run.rows} == {"unknown"}
    run(path, format=ResultFormat.MARKDOWN)
    assert run.out.getvalue().startswith("| status | release | claim |")
    run(path, format=ResultFormat.TEXT)
    assert " impossible, " in run.out.getvalue().splitlines()[-1]


def test_a_damaged_kept_page_is_asked_again(run: Run, recorded: LocalIndex) -> None:
    path = run.folder / "mine.toml"
    path.write_text(document("published", name="kvbm"))
    assert run(path) == 0
    (page,) = run.folder.glob("cache/pages/*/kvbm.json")
    page.write_text('{"files": 3}')
    asked = recorded.requests.count("GET /recorded/simple/kvbm/")
    assert run(path) == 0
    assert recorded.requests.count("GET /recorded/simple/kvbm/") == asked + 1


def test_indexes_with_one_project_elsewhere_do_not_mix(indexes: Indexes, tmp_path: Path) -> None:
    other = indexes("other")
    other.wheel("ai-dynamo", "0.8.0", uploaded="2026-01-15T00:00:00Z")
    path = tmp_path / "mine.toml"
    path.write_text(document("published", name="vllm"))
    run = Run(tmp_path, other.url)
    assert run(path) == 1
    assert run.rows[0]["status"] == "impossible"


def test_a_requirement_of_an_extra_is_compared_with_the_locks_of_that_framework(
    indexes: Indexes, tmp_path: Path
) -> None:
    index = indexes("extras")
    requires = (
        "vllm==0.26.0; extra == 'vllm'",
        "vllm==0.26.0; extra == 'sglang'",
        "torch==9; extra == 'vllm'",
    )
    index.wheel("ai-dynamo", "1.4.2", requires=requires, extras=("vllm", "sglang"))
    run = Run(tmp_path, index.url)
    assert run(releases=("1.4.2",)) == 1
    found = {(row["section"], row["published"]): row["status"] for row in run.rows}
    assert found == {
        ("ai-dynamo 1.4.2, extra vllm", "vllm==0.26.0"): "aligned",
        ("ai-dynamo 1.4.2, extra sglang", "vllm==0.26.0"): "unknown",
        ("ai-dynamo 1.4.2, extra vllm", "torch==9"): "drift",
    }


@pytest.mark.network
def test_what_the_default_release_requires_is_in_its_locks(tmp_path: Path) -> None:
    run = Run(tmp_path, "")
    assert run() == 0
    assert "aligned" in {row["status"] for row in run.rows}
