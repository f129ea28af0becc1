"""Files that are neither Dockerfiles nor requirements: what is judged of them, and what is said to be unread."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.align.dockerfile.other_files import file_pins
from builder.align.dockerfile.pin import PinKind
from builder.errors import UsageError

COMMIT = "0123456789" * 4
PROJECT = """
[project]
name = "x"
dependencies = ["numpy==2.2.6", "torch>=2"]
[project.optional-dependencies]
a = ["b @ https://f.invalid/b.whl"]
[dependency-groups]
dev = ["pytest", {include-group = "other"}]
[build-system]
requires = ["hatchling==1.27"]
[tool.poetry.dependencies]
c = "^1"
"""
LOCK = f"""
version = 1
[[package]]
name = "numpy"
version = "2.2.6"
source = {{ registry = "https://i.invalid/simple" }}
wheels = [{{ url = "https://f.invalid/n.whl", hash = "sha256:00" }}]

[[package]]
name = "x"
version = "0.1"
source = {{ editable = "." }}

[[package]]
name = "vllm"
version = "0.11.0"
source = {{ git = "https://f.invalid/vllm.git?rev=main#{COMMIT}" }}
"""
PYLOCK = """
lock-version = "1.0"
created-by = "x"
[[packages]]
name = "numpy"
version = "2.2.6"
wheels = [{ name = "n.whl", url = "https://f.invalid/n.whl", hashes = { sha256 = "00" } }]
[[packages]]
name = "local"
directory = { path = "." }
"""
COMPOSE = """
services:
  a: &a
    image: nvcr.io/x/y:1.0
  b:
    <<: *a
    image: "${IMAGE}"
  c: { image: "z@sha256:%s" }
""" % ("a" * 64)
VALUES = """
image:
  repository: nvcr.io/x/y
  tag: "1.0"
worker:
  image: {registry: r.invalid, repository: w, tag: 2, digest: "%s"}
dependencies:
  - name: etcd
    version: 12.0.0
    repository: https://c.invalid/
""" % ("b" * 64)
CONDA = "dependencies:\n  - python=3.12\n  - numpy==2.2.6\n  - pip:\n    - torch==2.8.0\n    - foo\n"


@pytest.mark.parametrize(
    ("place", "text", "wanted"),
    [
        (
            "pyproject.toml",
            PROJECT,
            [
                *("4 numpy==2.2.6", "4 torch>=2", "6 https://f.invalid/b.whl", "8 pytest"),
                *("10 hatchling==1.27", "11 [tool.poetry]"),
            ],
        ),
        ("uv.lock", LOCK, ["4 numpy==2.2.6", f"15 {COMMIT}"]),
        ("pylock.dev.toml", PYLOCK, ["5 numpy==2.2.6"]),
        ("compose.yaml", COMPOSE, ["4 nvcr.io/x/y:1.0", "7 \N{REPLACEMENT CHARACTER}", f"8 z@sha256:{'a' * 64}"]),
        ("values.yaml", VALUES, ["3 nvcr.io/x/y:1.0", f"6 r.invalid/w:2@sha256:{'b' * 64}", "8 etcd"]),
        ("environment.yml", CONDA, ["2 python=3.12", "5 torch==2.8.0", "6 foo"]),
        ("t/templates/d.yaml", "image: {{ .Values.image }}\n", ["1 d.yaml"]),
        ("k.yaml", "a: 1\n", ["1 k.yaml"]),
        ("versions.md", "| a | b |\n", ["1 versions.md"]),
        ("package-lock.json", "{}", ["1 package-lock.json"]),
        ("notes.txt", "this is prose\nand more of it\nnumpy==1\n", ["1 notes.txt"]),
        ("requirements.txt", "numpy==1\nthis is prose\n", ["1 numpy==1", "2 this is prose"]),
    ],
)  # fmt: skip
def test_a_file_is_read_by_its_kind(place: str, text: str, wanted: list[str]) -> None:
    found = sorted(file_pins(text.encode(), place=place), key=lambda pin: pin.line)
    assert [f"{pin.line} {pin.value}" for pin in found] == wanted


def test_a_locked_package_with_hashes_is_checked() -> None:
    (pin,) = [pin for pin in file_pins(LOCK.encode(), place="uv.lock") if pin.kind is PinKind.REQUIREMENT]
    assert pin.checked
    assert not file_pins(LOCK.replace(', hash = "sha256:00"', "").encode(), place="uv.lock")[0].checked


@pytest.mark.parametrize(
    ("place", "data", "words"),
    [
        ("a.yaml", b"a: [", "not YAML"),
        ("a.yaml", b"[" * 20_000, "not YAML"),
        ("a.yaml", b"\xff", "is not UTF-8"),
        ("a.yaml", b"a:\n " * 2**18 + b" ", "too many"),
        ("uv.lock", b"x = ", "not TOML"),
    ],
)
def test_a_damaged_file_is_an_error(place: str, data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        file_pins(data, place=place)


def test_aliases_do_not_multiply_a_file() -> None:
    lines = ["a0: &a0 {image: x}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    assert [pin.value for pin in file_pins("\n".join(lines).encode(), place="a.yaml")] == ["x"]


@given(
    st.sampled_from(["pyproject.toml", "uv.lock", "pylock.toml", "a.yaml", "r.txt"]), st.binary(max_size=300)
)
@settings(max_examples=200)
def test_no_bytes_raise_anything_but_a_usage_error(place: str, data: bytes) -> None:
    try:
        found = file_pins(data, place=place)
    except UsageError:
        return
    assert all(pin.line >= 1 for pin in found)


COMPOSE = """\
services:
  a: {build: .}
  b:
    image: redis:8
    command: [sh, -c, "pip install numpy && exec serve"]
  c: {build: {context: "https://g.invalid/a.git#main"}}
  d:
    build:
      dockerfile_inline: |
        FROM debian
  e: {image: "x/y", imageTag: "1.0", build: true, command: serve}
"""


def test_what_a_compose_file_builds_and_starts_is_not_silent() -> None:
    found = sorted(file_pins(COMPOSE.encode(), place="compose.yaml"), key=lambda pin: pin.line)
    assert [(pin.line, pin.kind, pin.name, pin.value) for pin in found] == [
        (2, PinKind.FILE, "file", "build"),
        (4, PinKind.IMAGE, "image", "redis:8"),
        (5, PinKind.FILE, "file", "command"),
        (6, PinKind.GIT, "https://g.invalid/a.git", "main"),
        (9, PinKind.FILE, "file", "dockerfile_inline"),
        (11, PinKind.IMAGE, "image", "x/y:1.0"),
    ]
