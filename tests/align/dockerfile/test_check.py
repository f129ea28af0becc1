"""`align --dockerfile` and `--requirements`: what is found in files, and what hostile files do not do."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.align.dockerfile.pin import Pin, PinKind
from builder.align.dockerfile.pins import dockerfile_pins
from builder.align.dockerfile.reader import read_dockerfile
from builder.align.dockerfile.requirements_file import requirements_pins
from builder.align.dockerfile.variables import UNRESOLVED, expanded
from builder.cli import main
from builder.commands import align
from builder.console import Console
from builder.errors import UsageError
from builder.options import ResultFormat
from builder.project import open_project
from tests.local_index import LocalIndex

ROOT = Path(__file__).resolve().parents[3]
CASES = Path(__file__).parent / "cases"

pytestmark = pytest.mark.usefixtures("no_forge")


def judged(recorded: LocalIndex, folder: Path, **options: Any) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; return its exit code, its rows and its raw output."""
    out = io.StringIO()
    project = open_project(
        project=str(ROOT), store=str(folder / "cache/store"), origins=(), mirrors=(), console=Console(out)
    )
    usual: dict[str, Any] = {"index_url": recorded.url, "format": ResultFormat.JSON}
    code = align.check_files(project, align.FileOptions(**{**usual, **options}))
    text = out.getvalue()
    return code, json.loads(text)["rows"] if text.startswith("{") else [], text


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(
        f"{row['line']} {row['status']} | {row['found']} | {row['name']} {row['value']}".rstrip() + "\n"
        for row in rows
    )


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_files_are_judged_line_by_line(
    recorded: LocalIndex, tmp_path: Path, case: Path, update_golden: bool
) -> None:
    code, rows, _ = judged(recorded, tmp_path, dockerfiles=(case / "Dockerfile",))
    assert code == (1 if {row["status"] for row in rows} & {"drift", "impossible"} else 0)
    found = lines(rows)
    if update_golden:
        (case / "expect.txt").write_text(found)
    assert found == (case / "expect.txt").read_text()


def test_each_finding_has_its_evidence(recorded: LocalIndex, tmp_path: Path) -> None:
    _, rows, _ = judged(recorded, tmp_path, dockerfiles=(CASES / "handwritten/Dockerfile",))
    said = {(row["line"], row["found"]): row["evidence"] for row in rows}
    assert said[6, "conflict"].startswith(("vllm 0.10.2, extra flashinfer,", "tensorrt-llm 1.1.0rc5"))
    assert "nearest: 0.1.5, 0.1.6, 0.2.0" in said[6, "no such version"]
    assert "nearest: v1.20.0-rc1, v1.20.0, v1.20.1-rc1" in said[33, "no such tag"]
    assert "has no tag 1.20.0" in said[11, "no such tag"]
    assert "straight into an interpreter" in said[38, "unpinned download"]


def test_a_pin_is_compared_with_a_release_where_one_is_named(recorded: LocalIndex, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("vllm==0.11.0\nai-dynamo==0.8.0\n")
    code, rows, _ = judged(recorded, tmp_path, requirements=(file,))
    assert code == 0
    code, rows, _ = judged(recorded, tmp_path, requirements=(file,), release="0.8.0")
    assert code == 1
    assert [(row["status"], row["found"]) for row in rows] == [
        ("drift", "another version"),
        ("aligned", "holds"),
    ]
    assert rows[0]["evidence"] == "our lock of 0.8.0 has vllm 0.12.0"


def pins(text: str) -> list[Pin]:
    return list(dockerfile_pins(read_dockerfile(text.encode(), place="Dockerfile")))


def values(text: str, kind: PinKind) -> list[tuple[str, str]]:
    return [(pin.name, pin.value) for pin in pins(text) if pin.kind is kind]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("FROM a", [("FROM", "a")]),
        ("ARG T=1\nFROM a:$T", [("FROM", "a:1")]),
        ("ARG T\nFROM a:${T:-2}", [("FROM", "a:2")]),
        ("ARG T\nFROM a:${T}", [("FROM", f"a:{UNRESOLVED}")]),
        ("FROM --platform=linux/amd64 a:1 AS x\nFROM X", [("FROM", "a:1")]),
        ("FROM scratch\nCOPY --from=0 /a /b", []),
        ("FROM a AS x\nCOPY --from=b:1 /a /b\nCOPY --from=x /a /b", [("FROM", "a"), ("--from", "b:1")]),
        ("FROM a\nRUN --mount=type=bind,from=b:1,target=/x true", [("FROM", "a"), ("--from", "b:1")]),
    ],
)
def test_images(text: str, wanted: list[tuple[str, str]]) -> None:
    assert values(text, PinKind.IMAGE) == wanted


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("git clone https://f.invalid/a.git", ("https://f.invalid/a.git", "")),
        ("git clone -b v1 --depth 1 https://f.invalid/a.git dir", ("https://f.invalid/a.git", "v1")),
        ("git clone --branch=v1 https://f.invalid/a.git", ("https://f.invalid/a.git", "v1")),
        (
            "git clone https://f.invalid/a.git \\\n && cd a \\\n && git checkout v2",
            ("https://f.invalid/a.git", "v2"),
        ),
        (
            "V=3; git clone https://f.invalid/a.git && git -C a checkout tags/v$V",
            ("https://f.invalid/a.git", "tags/v3"),
        ),
        (
            "set -ex; if true; then git clone -b 'v1' \"https://f.invalid/a.git\"; fi",
            ("https://f.invalid/a.git", "v1"),
        ),
        ("(cd /x && git clone -b v1 https://f.invalid/a.git)", ("https://f.invalid/a.git", "v1")),
        ("sh -c 'git clone -b v1 https://f.invalid/a.git'", ("https://f.invalid/a.git", "v1")),
        ("pip install git+https://f.invalid/a.git@v1#egg=a", ("git+https://f.invalid/a.git", "v1")),
        ("pip install 'a @ git+https://f.invalid/a.git'", ("git+https://f.invalid/a.git", "")),
    ],
)
def test_sources(script: str, wanted: tuple[str, str]) -> None:
    assert values(f"FROM a\nRUN {script}", PinKind.GIT) == [wanted]


@pytest.mark.parametrize(
    ("script", "checked", "piped"),
    [
        ("curl -fsSL https://f.invalid/x -o x", False, False),
        ("curl https://f.invalid/x | bash", False, True),
        ("curl https://f.invalid/x | sudo tee /x > /dev/null", False, False),
        ('bash -c "$(curl https://f.invalid/x)"', False, False),
        ("wget https://f.invalid/x && echo 'a  x' | sha256sum --check", True, False),
        ("wget https://f.invalid/x && sha512sum -c x.sum", True, False),
        ("wget https://f.invalid/x && sha256sum x", False, False),
        ("wget https://f.invalid/x && gpg --batch --verify x.asc x", True, False),
        ("wget https://f.invalid/x # sha256sum -c", False, False),
        ("wget https://f.invalid/x && sha256sum -c x.sum || true", False, False),
        (f"wget https://f.invalid/x && echo '{'a' * 64}  x' | sha256sum -c", True, False),
        (f"wget https://f.invalid/x && echo '{'a' * 64}  y' | sha256sum -c", False, False),
        (f"curl -o y https://f.invalid/x && echo '{'a' * 64}  y' | sha256sum -c", True, False),
    ],
)
def test_downloads(script: str, checked: bool, piped: bool) -> None:
    (pin,) = [pin for pin in pins(f"FROM a\nRUN {script}") if pin.kind is PinKind.DOWNLOAD]
    assert (pin.value, pin.checked, pin.piped) == ("https://f.invalid/x", checked, piped)


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("pip install a==1 b", ["a==1", "b"]),
        ("pip3 install --no-cache-dir -U 'a>=1,<2'", ["a>=1,<2"]),
        ("python3.12 -m pip install -r req.txt a", ["a"]),
        ("/opt/venv/bin/pip install a", ["a"]),
        ("uv pip install --python 3.12 --system a==1", ["a==1"]),
        ("uv tool install a", ["a"]),
        ("A=b pip install -i https://i.invalid/ a", ["a"]),
        ("pip install . ./x /y x.whl", []),
        ("pip install -e .[dev]", []),
        ("pip list", []),
        ("echo pip install a", []),
        ("V=1 && pip install a==$V a2==${V}.0", ["a==1", "a2==1.0"]),
        ("pip install a==$(cat v)", [f"a=={UNRESOLVED}"]),
        ("pip install a==%V%", [f"a=={UNRESOLVED}"]),
        ("uvx a && uvx b@1 && uvx --from c==2 d && pipx run e@latest", ["a", "b==1", "c==2", "e"]),
        ("uv tool run a", ["a"]),
    ],
)
def test_requirements(script: str, wanted: list[str]) -> None:
    assert [value for _, value in values(f"FROM a\nRUN {script}", PinKind.REQUIREMENT)] == wanted


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("conda install -y -c x pytorch=2.8 numpy", [("conda", "pytorch=2.8 numpy")]),
        ("npm install -g a b@1.2.3 @c/d @c/e@1.0.0", [("npm", "a @c/d")]),
        ("npm ci", []),
        ("cargo install sccache", [("cargo", "sccache")]),
        ("cargo install sccache --version 0.8.2 && cargo install a@1.2.3", []),
        ("cargo build --release", []),
        ("go install x.invalid/a@latest", [("go", "x.invalid/a@latest")]),
        ("go install x.invalid/a@v1.2.3", []),
        ("gem install a", [("gem", "a")]),
        ("rustup toolchain install stable", [("rustup", "stable")]),
        ("rustup default 1.90.0", []),
        ("./rustup-init -y --default-toolchain nightly", [("rustup-init", "nightly")]),
        ("./rustup-init -y --default-toolchain=1.90.0 --profile minimal", []),
        ("add-apt-repository -y ppa:a/b", [("add-apt-repository", "ppa:a/b")]),
    ],
)
def test_other_package_managers(script: str, wanted: list[tuple[str, str]]) -> None:
    assert values(f"FROM a\nRUN {script}", PinKind.PACKAGES) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("RUN pip install a", False),
        ("ENV PIP_INDEX_URL=https://i.invalid/simple\nRUN pip install a", True),
        ("ARG UV_INDEX_URL=https://i.invalid/simple\nRUN uv pip install a", True),
        ("RUN PIP_EXTRA_INDEX_URL=https://i.invalid/ pip install a", True),
        ("RUN pip config set global.index-url https://i.invalid/ && pip install a", True),
        ("RUN pip install -i https://i.invalid/ b && pip install a", False),
    ],
)
def test_another_index_may_be_named_by_a_variable(text: str, wanted: bool) -> None:
    (pin,) = [pin for pin in pins(f"FROM b\n{text}") if pin.value == "a"]
    assert pin.elsewhere is wanted


@pytest.mark.parametrize(
    ("options", "wanted"),
    [("-r a.txt", False), ("--requirement=a.txt", False), ("--require-hashes -ra.txt", True)],
)
def test_a_requirements_file_is_named_and_not_read(options: str, wanted: bool) -> None:
    (pin,) = pins(f"FROM b\nRUN pip install {options}")[1:]
    assert (pin.kind, pin.value, pin.checked) == (PinKind.FILE, "a.txt", wanted)


@pytest.mark.parametrize("keyword", ["RUN", "run", "RUN\t", "ONBUILD\tRUN", "ONBUILD  RUN"])
def test_any_white_space_follows_an_instruction(keyword: str) -> None:
    assert values(f"FROM\ta\n{keyword} pip install b", PinKind.REQUIREMENT) == [("pip", "b")]


@pytest.mark.parametrize(
    "text",
    [
        "ENV A=xx\n" + "ENV A=$A$A$A\n" * 60 + "RUN pip install $A",
        "RUN A=xx; " + "A=$A$A$A; " * 60 + "pip install $A",
        "RUN export A=xx; " + "export A=$A$A$A; " * 60 + "pip install $A",
    ],
)
def test_no_value_grows_without_bound(text: str) -> None:
    (pin,) = [pin for pin in pins(f"FROM b\n{text}\n") if pin.kind is PinKind.REQUIREMENT]
    assert UNRESOLVED in pin.value
    assert len(pin.value) < 10_000


def unused(text: str) -> list[str]:
    return [pin.name for pin in pins(text) if pin.unused]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ARG A=1\nFROM b", ["A"]),
        ("ARG A=1\nFROM b:$A", []),
        ("FROM b\nARG A=1\nRUN echo $A", []),
        ("FROM b\nARG A=1\nRUN echo A", []),
        ("FROM b\nRUN echo A\nARG A=1\nCMD a", ["A"]),
        ("FROM b\nARG A=1\nENV B=${A}", []),
        ("FROM b\nARG A=1\nARG B=${A}x\nRUN echo ${B#x}", []),
        ("ARG A=1\nFROM b\nRUN echo $A", ["A"]),
        ("ARG A=1\nFROM b\nARG A\nRUN echo $A", []),
        ("FROM b AS x\nARG A=1\nFROM x\nRUN echo $A", []),
        ("FROM b AS x\nARG A=1\nFROM c\nRUN echo $A", ["A"]),
        ("FROM b\nARG A=1\nRUN python -c 'import os; os.environ[\"A\"]'", []),
        ("FROM b\nARG A=1\nRUN <<X\necho $A\nX", []),
        ("FROM b\nARG A=1\n# $A\nCMD a", ["A"]),
        ("FROM b AS x\nARG A=1\nFROM x\nRUN make", []),
        ("ARG TARGETARCH\nFROM b", []),
    ],
)
def test_arguments_that_nothing_uses(text: str, wanted: list[str]) -> None:
    assert unused(text) == wanted


def test_an_argument_may_be_named_where_it_is_not_declared() -> None:
    (pin,) = [pin for pin in pins("ARG A=1\nFROM b\nRUN true\nRUN echo ${A:-2}") if pin.unused]
    assert (pin.name, pin.named_at) == ("A", 4)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "v1.2"),
        ("${A#v}", "1.2"),
        ("${A##*.}", "2"),
        ("${A%.*}", "v1"),
        ("${A/./_}", "v1_2"),
        ("${B:-x$A}", "xv1.2"),
        ("${E:-x}", "x"),
        ("${E-x}", ""),
        ("${A:+y}", "y"),
        ("\\$A", "$A"),
        ("$B", UNRESOLVED),
        ("$(date)", UNRESOLVED),
        ("${A", "v1.2"),
        ("5$", "5$"),
    ],
)
def test_expansion(text: str, value: str) -> None:
    assert expanded(text, {"A": "v1.2", "E": ""}) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"FROM a\nRUNN x", "line 2: 'RUNN' is not an instruction"),
        (b"FROM a\nRUN <<X\nx", "line 2: the heredoc X has no end"),
        (b"FROM \xff", "byte 5 is not UTF-8"),
        (b"FROM a\0", "it contains a zero byte"),
        (b"F\x1b[31mROM a", "is not an instruction"),
        (b"#" * 5_000_000, "are too many for a Dockerfile"),
    ],
)
def test_what_is_no_dockerfile_is_an_error_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_dockerfile(data, place="Dockerfile")
    assert words in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_credentials_of_a_file_are_not_shown(recorded: LocalIndex, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a\nRUN curl https://user:hunter2@f.invalid/x?token=hunter2 -o x\n")
    for form in ("text", "markdown", "json"):
        _, _, text = judged(recorded, tmp_path, dockerfiles=(file,), format=ResultFormat(form))
        assert "hunter2" not in text
        assert "f.invalid/x" in text


def test_a_file_that_names_another_index_makes_a_missing_version_unknown(
    recorded: LocalIndex, tmp_path: Path
) -> None:
    file = tmp_path / "Dockerfile"
    argument = "FROM a\nARG VLLM_VERSION=0.99.1\n"
    for rest, status in (("RUN x", "impossible"), ("RUN pip install -i https://i.invalid/ y", "unknown")):
        file.write_text(argument + rest + "\n")
        _, rows, _ = judged(recorded, tmp_path, dockerfiles=(file,))
        assert [row["status"] for row in rows if row["line"] == 2] == [status]


def test_foreign_text_does_not_reach_the_terminal(recorded: LocalIndex, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a:\x1b[31m\u202e|<b>\nRUN pip install 'x\x07y'\n")
    for form in ("text", "markdown"):
        _, _, text = judged(recorded, tmp_path, dockerfiles=(file,), format=ResultFormat(form))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\x07" not in text


_PIECES = st.sampled_from(
    ["FROM a AS b\n", "ARG X=", "RUN ", "ENV Y=$X ", "COPY --from=", "ADD ", "git clone ", "curl ", "pip install ",
     "https://f.invalid/x ", "$", "${", "}", "$(", ")", "`", '"', "'", "\\", "\\\n", "\n", "#", "|", "||", "&&", ";",
     "<<EOF", "EOF\n", "a==1", "@v1", "[", "]", ">", "2>&1", " ", "sh -c ", "v1.2", "%", "/", "é", "\u202e"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=60))
@settings(max_examples=150)
def test_no_file_breaks_the_reader(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        found = pins(text)
    except UsageError:
        return
    assert all(1 <= pin.line <= text.count("\n") + 1 for pin in found)


@pytest.mark.parametrize(
    "piece", ["${", "$(", "`", '"$(', "${A:-", "(", "<<", "a${A#", "x$A", '"', "FROM a\n", "\\\n"]
)
def test_long_files_are_read_to_their_end(piece: str) -> None:
    with contextlib.suppress(UsageError):
        assert pins(f"FROM a\nARG A=1\nRUN {piece * 10_000}\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a==1\n", [("a==1", False, 1)]),
        (
            "# x\n\na==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:11\nb\n",
            [("a==1", True, 3), ("b", False, 6)],
        ),
        ('a==1 ; python_version < "3.12"  # why\n', [('a==1 ; python_version < "3.12"', False, 1)]),
        ("-r other.txt\n-c bounds.txt\na\n", [("other.txt", False, 1), ("a", False, 3)]),
        ("./local\n", [("./local", False, 1)]),
    ],
)
def test_requirements_files(text: str, wanted: list[tuple[str, bool, int]]) -> None:
    found = requirements_pins(text.encode(), place="requirements.txt")
    assert [(pin.value, pin.checked, pin.line) for pin in found] == wanted


def test_another_index_is_said_to_be_unasked() -> None:
    (pin,) = requirements_pins(b"--extra-index-url https://i.invalid/\na==1\n", place="x")
    assert pin.elsewhere


def test_the_words_of_the_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["align", "--dockerfile", str(tmp_path / "none"), "--offline"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a:1\n")
    store = ["--store", str(tmp_path / "store")]
    assert main(["align", "--dockerfile", str(file), "--offline", "--format", "json", *store]) == 1
    assert json.loads(capsys.readouterr().out)["rows"][0]["found"] == "floating base"
    assert main(["align", "--dockerfile", str(file), "--release", "0.8", *store]) == 2
    assert main(["align", "--dockerfile", str(file), "--claims", "x.toml", *store]) == 2
