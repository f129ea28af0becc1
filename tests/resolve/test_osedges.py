"""Who asks for each OS package of several environments."""

from __future__ import annotations

from builder.resolve.debian.closure import Choice
from builder.resolve.os_askers import askers


def choice(name: str, *needs: str, because: str = "") -> Choice:
    return Choice(
        name=name,
        version="1",
        arch="all",
        filename=f"pool/{name}.deb",
        size=1,
        sha256="0" * 64,
        index="x/main",
        because=because,
        needs=needs,
    )


def test_each_environment_has_its_own_edges() -> None:
    answers = {
        "runtime": (choice("a", "b", "libc6"), choice("b", because="a")),
        "ucx": (choice("b"), choice("c", "b")),
    }
    assert askers(answers, ()) == {
        ("runtime", "a"): ("recipe",),
        ("runtime", "b"): ("a",),
        ("ucx", "b"): ("c", "recipe"),
        ("ucx", "c"): ("recipe",),
    }


def test_an_assembled_base_is_asked_for_by_the_distribution_the_recipe_and_what_stands_on_it() -> None:
    answers = {
        "base": (choice("apt", "libc6"), choice("dpkg", "libc6"), choice("libc6", because="dpkg")),
        "runtime": (choice("a", "libc6", "dpkg"),),
    }
    assert askers(answers, ("apt=1",)) == {
        ("base", "apt"): ("recipe",),
        ("base", "dpkg"): ("a", "required"),
        ("base", "libc6"): ("a", "apt", "dpkg"),
        ("runtime", "a"): ("recipe",),
    }


def test_an_upgrade_is_there_for_what_pushed_it() -> None:
    answers = {"runtime": (choice("a"), choice("libx", because="a"))}
    assert askers(answers, ())["runtime", "libx"] == ("a",)
