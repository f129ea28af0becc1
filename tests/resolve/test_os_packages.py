"""OS packages of a target: one place chooses the family, and who asks for each package."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import cast

import pytest

from builder.errors import RecipeError
from builder.fetch import Session
from builder.lockfile import Repository
from builder.model import Arch
from builder.resolve.os import PackageChoice
from builder.resolve.os_packages import who_asks
from builder.resolve.rpm import RpmArchive

RESOLVE = Path(__file__).resolve().parents[2] / "builder/resolve"
FAMILIES = {"debian": ("rpm", "dnf", "libsolv"), "rpm": ("debian", "ubuntu", "apt", "dpkg")}
"""Each family's package, and words that only the others' may say."""


def choice(name: str, *needs: str, because: str = "") -> PackageChoice:
    return PackageChoice(
        name=name,
        version="1",
        arch="all",
        filename=f"pool/{name}.deb",
        size=1,
        sha256="0" * 64,
        index="x/main",
        needs=needs,
        because=(because,) if because else (),
    )


def test_each_environment_has_its_own_edges() -> None:
    chosen = {
        "runtime": (choice("a", "b", "libc6", because="recipe"), choice("b", because="a")),
        "ucx": (choice("b", because="recipe"), choice("c", "b", because="recipe")),
    }
    assert who_asks(chosen) == {
        ("runtime", "a"): ("recipe",),
        ("runtime", "b"): ("a",),
        ("ucx", "b"): ("c", "recipe"),
        ("ucx", "c"): ("recipe",),
    }


def test_an_assembled_base_is_asked_for_by_the_distribution_the_recipe_and_what_stands_on_it() -> None:
    chosen = {
        "base": (
            choice("apt", "libc6", because="recipe"),
            choice("dpkg", "libc6", because="required"),
            choice("libc6", because="dpkg"),
        ),
        "runtime": (choice("a", "libc6", "dpkg", because="recipe"),),
    }
    assert who_asks(chosen) == {
        ("base", "apt"): ("recipe",),
        ("base", "dpkg"): ("a", "required"),
        ("base", "libc6"): ("a", "apt", "dpkg"),
        ("runtime", "a"): ("recipe",),
    }


def test_an_upgrade_is_there_for_what_pushed_it() -> None:
    chosen = {"runtime": (choice("a", because="recipe"), choice("libx", because="a"))}
    assert who_asks(chosen)["runtime", "libx"] == ("a",)


def test_one_module_chooses_between_the_families_of_platforms() -> None:
    importers = {
        path.relative_to(RESOLVE).as_posix()
        for path in RESOLVE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(tuple(f"builder.resolve.{family}" for family in FAMILIES))
        and path.relative_to(RESOLVE).parts[0] not in FAMILIES
    }
    assert importers == {"os_packages.py"}


def test_no_family_speaks_of_another_one() -> None:
    said = [
        (path.relative_to(RESOLVE).as_posix(), word)
        for family, foreign in FAMILIES.items()
        for path in sorted((RESOLVE / family).glob("*.py"))
        for word in foreign
        if word in path.read_text("utf-8").lower().replace("adapt", "").replace("capt", "")
    ]
    assert said == []


def test_what_the_families_share_names_neither() -> None:
    for path in (RESOLVE / "os").glob("*.py"):
        text = path.read_text("utf-8")
        assert "Rpm" not in text, path
        assert "rpm_" not in text, path
        assert "Deb" not in text.replace("Debian's snapshot", ""), path


def test_no_base_is_assembled_from_rpm_packages() -> None:
    archive = RpmArchive(
        arch=Arch.X86_64,
        repositories=(Repository(origin="centos", suite="baseos"),),
        opened=(),
        session=cast("Session", None),
    )
    with pytest.raises(
        RecipeError, match=r"no base is assembled from RPM packages \(here of bash\)"
    ) as caught:
        archive.assembled_base(("bash",))
    assert (caught.value.place, caught.value.hint) == (
        "repository baseos",
        "name a published image for this architecture below `images`",
    )
