"""What is not rendered, each with its exact message and exit code."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from builder.errors import BuilderError, LockError, UsageError
from builder.lockfile.lock import Lock, PythonPackage
from builder.model.digest import Sha256
from builder.model.structuring import Table
from builder.render.fetches import Addresses, Inputs
from builder.render.files import render
from tests.render.golden import addresses, locks

RELOCK = "run `python -m builder lock`"
HERE = "1.4.2/debian-13/dynamo-x86_64"


def fabric() -> Lock:
    return next(lock for lock, _ in locks("fabric") if lock.arch == "x86_64")


def refused(*given: Lock, inputs: Inputs = Inputs.REMOTE, known: Addresses | None = None) -> BuilderError:
    pairs = [(lock, b"") for lock in given]
    with pytest.raises(BuilderError) as caught:
        render(pairs, inputs=inputs, addresses=known or addresses("fabric", *given))
    return caught.value


def change_build(name: str, **changes: object) -> Lock:
    lock = fabric()
    builds = tuple(
        dataclasses.replace(build, **changes) if build.component == name else build  # type: ignore[arg-type]
        for build in lock.builds
    )
    return dataclasses.replace(lock, builds=builds)


def change_python(name: str, change: Callable[[PythonPackage], PythonPackage | None]) -> Lock:
    lock = fabric()
    rows = [change(row) if row.name == name else row for row in lock.python]
    return dataclasses.replace(lock, python=tuple(row for row in rows if row is not None))


def with_runtime(**changes: object) -> Lock:
    lock = fabric()
    return dataclasses.replace(lock, runtime=dataclasses.replace(lock.runtime, **changes))  # type: ignore[arg-type]


def test_a_wheel_without_file_and_build() -> None:
    lock = change_python("torch", lambda row: dataclasses.replace(row, file="", sha256=None))
    error = refused(lock)
    assert str(error) == f"{HERE}: python: 'torch' is incomplete: neither a file with its sha256 nor a build"
    assert error.hint == RELOCK
    assert error.exit_code == 4


def test_a_file_without_an_address() -> None:
    decided = addresses("fabric", fabric()).files
    known = {row: url for row, url in decided.items() if row.origin != "pytorch"}
    error = refused(fabric(), known=Addresses(files=known))
    missing = next(row for row in decided if row.origin == "pytorch")
    assert isinstance(error, UsageError)
    assert str(error) == f"{HERE}: no address of {missing.file!r} is known"
    assert error.hint == "configure its origin: --origin 'pytorch'=LAYOUT+URL, or use --inputs store"
    assert error.exit_code == 2


def test_nothing_to_render() -> None:
    assert str(refused()) == "no lock to render"


@pytest.mark.parametrize(
    ("key", "value"),
    [("release", "0.8.0"), ("platform", "debian-12"), ("framework", "vllm"), ("source_date_epoch", 1)],
)
def test_locks_that_do_not_belong_together(key: str, value: object) -> None:
    first, second = (lock for lock, _ in locks("fabric"))
    changes: dict[str, Any] = {key: value}
    other = dataclasses.replace(second, **changes)
    error = refused(first, other)
    both = " and ".join(sorted((str(getattr(first, key)), str(value))))
    assert str(error) == f"the locks differ in {key.replace('_', '-')}: '{both}'"
    assert error.exit_code == 4


def test_two_locks_of_one_architecture() -> None:
    assert str(refused(fabric(), fabric())) == "there are two locks for x86_64"


@pytest.mark.parametrize(
    ("changes", "place", "cause"),
    [
        ({"steps": (("make", "{version}"),)}, "builds: 'ucx'", "the placeholder '{version}' is not filled"),
        (
            {"steps": (("make", "{arch:debian}"),)},
            "builds: 'ucx'",
            "the placeholder '{arch:debian}' is not filled",
        ),
        ({"env": Table({"A": "{prefix}"})}, "builds: 'ucx'", "the placeholder '{prefix}' is not filled"),
        ({"steps": ((),)}, "builds: 'ucx'", "a step without a command"),
        (
            {"steps": (("cd", "/"),)},
            "builds: 'ucx'",
            "the step 'cd /' would act on the shell, not run a program",
        ),
        ({"needs": ("verbs",)}, "builds: 'ucx'", "it needs 'verbs', which is not built"),
        ({"prefix": "opt/ucx"}, "stage 'nixl-x86_64'", "expected an absolute path, got 'opt/ucx'"),
        ({"prefix": "/opt/u cx"}, "", "expected a path of plain names, got 'u cx'"),
        ({"prefix": "/opt/../etc"}, "", "expected an absolute path without . and .., got '/opt/../etc'"),
        (
            {"env": Table({"A B": "x"})},
            "stage 'ucx-x86_64'",
            "expected the name of an environment variable, got 'A B'",
        ),
        (
            {"steps": (("echo", "a\nb"),)},
            "stage 'ucx-x86_64'",
            "'a\\nb': a control character (U+000A) at position 1 is not allowed",
        ),
    ],
)
def test_builds(changes: dict[str, object], place: str, cause: str) -> None:
    error = refused(change_build("ucx", **changes))
    assert error.cause == cause
    assert place in error.place
    assert error.exit_code == 4


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("HWLOC", "expected a name of lower-case letters, digits, - . and _, got 'HWLOC-x86_64'"),
        ("runtime", "two stages would be called 'runtime-x86_64'"),
        ("ucx", "two stages would be called 'ucx-x86_64'"),
    ],
)
def test_names_of_components(name: str, cause: str) -> None:
    error = refused(change_build("hwloc", component=name, archives=()))
    assert error.cause == cause


def test_a_build_that_comes_too_late() -> None:
    lock = fabric()
    error = refused(dataclasses.replace(lock, builds=tuple(reversed(lock.builds))))
    assert error.cause == "stage 'nixl-x86_64' reads 'cuda-x86_64', which is not made before it"


def test_no_installer() -> None:
    error = refused(change_python("pip", lambda _: None))
    assert error.cause == "python: exactly one row, pip, must be for installer: it installs the others"


@pytest.mark.parametrize(
    ("file", "cause"),
    [
        ("a b.whl", "expected a plain file name, got 'a b.whl'"),
        ("$HOME.whl", "expected a plain file name, got '$HOME.whl'"),
        ("../../x.whl", "expected a relative path, got '../../x.whl'"),
        ("x*.whl", "expected a plain file name, got 'x*.whl'"),
        ("requirements.txt", "a file cannot be called requirements.txt"),
        ("x.git", "BuildKit would take 'https://wheels.invalid/whl/cu130/d/x.git' for a git repository"),
    ],
)
def test_file_names(file: str, cause: str) -> None:
    error = refused(change_python("torch", lambda row: dataclasses.replace(row, file=file, path="d")))
    assert error.cause == cause


def test_the_same_file_twice_for_one_use() -> None:
    lock = fabric()
    again = next(row for row in lock.python if row.name == "torch")
    error = refused(
        dataclasses.replace(lock, python=(*lock.python, dataclasses.replace(again, name="torch2")))
    )
    assert error.cause == f"'{again.file}' appears twice, with one use"


@pytest.mark.parametrize("roles", [("build",), ("build", "runtime", "x")])
def test_images_that_fit_no_role(roles: tuple[str, ...]) -> None:
    lock = fabric()
    image = dataclasses.replace(lock.images[0], roles=roles)
    more = () if len(roles) == 1 else (image,)
    error = refused(dataclasses.replace(lock, images=(image, *more)))
    assert "images have the role" in error.cause


def test_an_image_with_neither_digest_nor_tar() -> None:
    lock = fabric()
    image = dataclasses.replace(lock.images[0], digest=None)
    error = refused(dataclasses.replace(lock, images=(image,)))
    assert error.cause == "images: 'registry.invalid/library/debian' needs either a digest or a tar"
    both = dataclasses.replace(lock.images[0], tar=Sha256("0" * 64))
    assert "needs either" in refused(dataclasses.replace(lock, images=(both,))).cause


def test_an_image_that_is_no_reference() -> None:
    lock = fabric()
    image = dataclasses.replace(lock.images[0], name="evil/image:latest AS x #")
    error = refused(dataclasses.replace(lock, images=(image,)))
    assert error.cause.startswith("expected an image by digest, got 'evil/image:latest AS x #@sha256:")


def test_another_family_of_packages() -> None:
    lock = fabric()
    other = dataclasses.replace(lock.environment, family="gentoo")
    error = refused(dataclasses.replace(lock, environment=other))
    assert error.cause == "OS packages of the family 'gentoo' cannot be installed by this version"


def test_a_library_path_with_a_line_of_its_own_meaning() -> None:
    error = refused(with_runtime(library_path=("include /etc/x",)))
    assert error.cause == "runtime: library-path: 'include /etc/x' is not a plain absolute path"


def test_a_release_that_would_be_a_template() -> None:
    lock = dataclasses.replace(fabric(), release="${STORE}")
    error = refused(lock)
    assert isinstance(error, LockError)
    assert error.cause == "expected a plain file name, got '${STORE}'"
