"""One resolution of --release, --platform, --framework and --arch: no verb succeeds for what matches nothing."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.cli import VERBS, command_line, main
from builder.errors import NoSolutionError, UsageError
from builder.model import Arch, Target
from builder.selection import Selection, TargetNames, choose, parse_arch

ROOT = Path(__file__).resolve().parent.parent
SMALL = ROOT / "tests/faults/project"

WORDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "lock": (("--check",), ("--dry-run", "--offline")),
    "render": ((),),
    "export": ((),),
    "fetch": (("--dry-run",), ("--serve", "127.0.0.1:0")),
    "store": (("gc", "--dry-run"),),
    "bundle": (("--output", "out.tar"), ("--push", "registry.invalid/bundles/tiny:1")),
    "build": ((), ("--inputs", "store")),
    "check": (),
    "reproduce": ((),),
    "verify": ((), ("--store",), ("--online",)),
    "pin": (),
    "init": (("framework", "fresh", "--summary", "x", "--license", "MIT", "--root", "idna"),),
    "outdated": ((),),
    "upgrade": (("idna", "--dry-run"),),
    "matrix": ((), *(("--table", table) for table in ("summary", "targets", "cuda", "wheels", "gpus"))),
    "report": (("--output", "report"), ("--output", "report", "--against", "before")),
    "explain": (("tiny",),),
    "why": (("idna",), ("--line", "1")),
    "image-size": ((),),
    "sbom": ((),),
    "align": (("--offline",), ("--offline", "--dockerfile", "Dockerfile")),
    "diff": (("before", "after"), ("before/lock", "after/lock"), ("--", "lock")),
    "completion": (),
    "git-driver": (),
}
"""For each verb the words beside a selection: a new verb, or a new way of one, is added here."""

OPTIONS = {
    "--release": (("1.0",), ("2.0",), ("1.00", "nope")),
    "--platform": (("plain",), ("plain-cuda", "bare"), ("plane", "debian13")),
    "--framework": (("tiny",), ("other",), ("tinny", "dynmo")),
    "--arch": (("x86_64", "aarch64"), (), ("amd64", "arm64", "x86_46")),
}
"""For each option the values of locks, those that exist and have no lock, and those that nobody knows."""


def options_of(verb: str) -> frozenset[str]:
    """Return which options of a selection a verb has."""
    subparsers = next(
        action for action in command_line([verb])._actions if isinstance(action, argparse._SubParsersAction)
    )
    strings = {string for action in subparsers.choices[verb]._actions for string in action.option_strings}
    return frozenset(strings & OPTIONS.keys())


def test_every_verb_is_tried() -> None:
    assert WORDS.keys() == VERBS.keys()
    for verb, ways in WORDS.items():
        assert bool(ways) == bool(options_of(verb)), verb


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, with a release, a platform and a framework more that have no lock."""
    folder = tmp_path_factory.mktemp("selection") / "project"
    shutil.copytree(SMALL, folder)
    recipes = folder / "recipes"
    release = (recipes / "releases/1.0.toml").read_text()
    (recipes / "releases/2.0.toml").write_text(
        release.replace('version = "1.0"', 'version = "2.0"').replace("default = true\n", "")
    )
    for kind, name, new in (("platforms", "plain", "bare"), ("frameworks", "tiny", "other")):
        text = (recipes / kind / f"{name}.toml").read_text()
        (recipes / kind / f"{new}.toml").write_text(text.replace(f'name = "{name}"', f'name = "{new}"'))
    (folder / "Dockerfile").write_text("FROM scratch\n")
    for side in ("before", "after"):
        shutil.copytree(folder / "lock", folder / side / "lock")
    lock = folder / "after/lock/1.0/plain/tiny-x86_64.toml"
    lock.write_text(lock.read_text().replace('python = "3.13"', 'python = "3.12"'))
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=A", "-c", "user.email=a@invalid", "commit", "-qm", "x")):  # fmt: skip
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.fixture(autouse=True)
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def exit_code(project: Path, verb: str, *words: str) -> int:
    places = ["--project", str(project), "--store", str(project.parent / "store")]
    split = words.index("--") if "--" in words else len(words)
    try:
        return main([verb, "--quiet", *places, *words[:split], *words[split:]])
    except SystemExit as ended:
        return int(ended.code or 0)


WAYS = [
    (verb, way, option)
    for verb, words in WORDS.items()
    for option in sorted(options_of(verb))
    for way in words
]


def placed(way: tuple[str, ...], chosen: list[str]) -> list[str]:
    """Return a way with the selection before the words that end in `--`."""
    split = way.index("--") if "--" in way else len(way)
    return [*way[:split], *chosen, *way[split:]]


@pytest.mark.parametrize(("verb", "way", "option"), WAYS)
def test_a_misspelt_value_is_a_usage_error_with_the_nearest_names(
    verb: str, way: tuple[str, ...], option: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in OPTIONS[option][2]:
        assert exit_code(project, verb, *placed(way, [option, value])) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert value in said.err
        assert "hint: " in said.err


LOCKED_ONLY = (
    "render", "export", "fetch", "bundle", "build", "reproduce", "verify", "why", "sbom", "diff", "image-size",
    "store",
)  # fmt: skip
"""Verbs that are about locks alone."""


@pytest.mark.parametrize(
    ("verb", "way", "option"), [way for way in WAYS if way[0] in LOCKED_ONLY and way[2] != "--arch"]
)
def test_a_value_without_a_lock_says_why(
    verb: str, way: tuple[str, ...], option: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in OPTIONS[option][1]:
        code = exit_code(project, verb, *placed(way, [option, value]))
        said = capsys.readouterr()
        if verb == "verify" and option == "--release":
            assert code == 1, said  # the release lists targets, and none of them is locked: a finding each
            assert "it has no lock" in said.out
            continue
        assert code == 5, said
        assert said.out == ""
        assert f"{option} {value}" in said.err
        assert f"{value}" in said.err.partition("no lock matches; ")[2]


@given(data=st.data())
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_verb_succeeds_for_a_filter_that_matches_nothing(data: st.DataObject, project: Path) -> None:
    verb, way, _ = data.draw(st.sampled_from(list(WAYS)))
    kinds: set[int] = set()
    chosen: list[str] = []
    for option in sorted(options_of(verb)):
        values = [(kind, value) for kind, group in enumerate(OPTIONS[option]) for value in group]
        most = 1 if verb in {"align", "init"} else 2
        for kind, value in data.draw(st.lists(st.sampled_from(values), max_size=most, unique=True)):
            kinds.add(kind)
            chosen += [option, value]
    if 2 in kinds:
        assert exit_code(project, verb, *placed(way, chosen)) == 2, chosen
    elif 1 in kinds and verb in LOCKED_ONLY:
        code = exit_code(project, verb, *placed(way, chosen))
        assert code == 5 or (verb == "verify" and code > 0), (
            chosen
        )  # a listed target without a lock: a finding


def test_lock_says_why_a_framework_has_no_target(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for way in ((), ("--check",)):
        assert exit_code(project, "lock", *way, "--framework", "other") == 5
        said = capsys.readouterr().err
        assert "no target matches: 1.0 neither lists nor refuses it; 1.0/" in said
        assert "other-x86_64" in said


@pytest.mark.parametrize("names", [("idnaa",), ("idna", "idnaa")])
def test_an_upgrade_of_what_no_lock_has_is_a_usage_error(
    names: tuple[str, ...], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for name in names for word in ("--upgrade", name)]
    assert exit_code(project, "lock", "--dry-run", "--offline", *words) == 2
    said = capsys.readouterr()
    assert (said.out, "did you mean `idna`?" in said.err) == ("", True)


@pytest.mark.parametrize(
    "words",
    [
        ("HEAD", "--", "Dockerfile"),
        ("HEAD", "--", "lock", "recipes/frameworks/tiny.toml"),
        ("HEAD", "HEAD", "--", "Dockerfile"),
        ("Dockerfile", "Dockerfile"),
    ],
)
def test_what_is_no_lock_is_not_counted_as_compared(
    words: tuple[str, ...], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unchanged file was once `1 lock compared, no difference`, whatever it was."""
    assert exit_code(project, "diff", *words) == 4
    assert capsys.readouterr().out == ""


def test_a_command_that_is_misspelt_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lok"]) == 2
    assert capsys.readouterr().err == "error: there is no command 'lok'\nhint: did you mean `lock`?\n"


@pytest.mark.parametrize(
    ("word", "meant"),
    [("amd64", "x86_64"), ("linux/arm64", "aarch64"), ("sbsa", "aarch64"), ("X86-64", "x86_64"), ("aarch_64", "aarch64")],
)  # fmt: skip
def test_names_of_other_tools_are_hints(word: str, meant: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_arch(word)
    assert f"`{meant}`" in raised.value.hint


def target(name: str) -> Target:
    found = Target.of_path(f"{name}.toml")
    assert found
    return found


def test_every_value_that_is_named_must_match() -> None:
    """One name that matches must not hide another that does not."""
    have = [target("1.0/plain/tiny-x86_64"), target("2.0/plain/big-x86_64")]
    both = Selection(releases=("1.0",), frameworks=("tiny", "big"))
    with pytest.raises(NoSolutionError) as raised:
        choose(both, have, known=TargetNames.of(have), unlocked=lambda _: ())
    assert raised.value.place == "--release 1.0 --framework big"
    assert raised.value.hint == "locked in 2.0: name one with --release"
    wide = Selection(releases=("all",), frameworks=("tiny", "big"))
    assert choose(wide, have, known=TargetNames.of(have), unlocked=lambda _: ()) == tuple(have)


def test_counts_speak_of_what_was_compared(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", "--project", str(project), "--arch", "aarch64", "--format", "json", "before", "after"])
    compared = json.loads(capsys.readouterr().out)["locks"]
    assert [row["target"] for row in compared] == ["1.0/plain/tiny-aarch64"]
    assert exit_code(project, "diff", "--arch", "aarch64", "before", "after") == 0
    assert exit_code(project, "diff", "--arch", "x86_64", "before", "after") == 1


def test_a_lock_that_lies_at_another_s_path_is_not_hidden_by_a_filter(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = project / "after/lock/1.0/plain/tiny-aarch64.toml"
    text = lock.read_text()
    try:
        lock.write_text(text.replace('framework = "tiny"', 'framework = "other"', 1))
        assert exit_code(project, "diff", "--framework", "tiny", "--arch", "aarch64", "before", "after") == 1
        assert exit_code(project, "diff", "--framework", "other", "before", "after") == 1
    finally:
        lock.write_text(text)


@pytest.mark.parametrize("arch", Arch)
def test_a_path_names_its_target(arch: Arch) -> None:
    made = Target(release="1.0", platform="plain", framework="a-b", arch=arch)
    assert Target.of_path(made.path) == Target.of_path(f"some/where/{made.path}") == made
    assert Target.of_path("plain/tiny-x86_64.toml") is None
    assert Target.of_path("1.0/plain/tiny-amd64.toml") is None


def test_the_program_says_it_on_the_real_project() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "builder", "diff", "--framework", "dynmo"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --framework: there is no framework 'dynmo'\nhint: did you mean `dynamo`?\n"
