"""What is chosen for a request, and what is said when nothing can be."""

from __future__ import annotations

import pytest

from builder.errors import FetchError, NoSolutionError, RecipeError
from builder.model.target import Arch
from builder.resolve.os import PackageChoice
from builder.resolve.rpm.closure import plan, resolve
from builder.resolve.rpm.pool import RepositorySource, RpmPool
from tests.standin.rpm_repository import Rpm, filelists_xml, primary_xml


def source(*packages: Rpm, label: str = "main", priority: int = 99) -> RepositorySource:
    return RepositorySource(
        label=label,
        primary=primary_xml(packages).encode(),
        filelists=lambda: filelists_xml(packages).encode(),
        priority=priority,
    )


def rpm_pool(*packages: Rpm, base: tuple[str, ...] = (), arch: Arch = Arch.X86_64) -> RpmPool:
    return RpmPool.of(arch, base, [source(*packages)])


def names(choices: tuple[PackageChoice, ...]) -> list[str]:
    return [f"{choice.name}={choice.version}" for choice in choices]


def test_the_closure_is_taken_and_says_who_asked() -> None:
    found = rpm_pool(
        Rpm(name="cmake", requires=("libuv >= 1", "cap(x)")),
        Rpm(name="libuv", version="1:1.44-2"),
        Rpm(name="other"),
        Rpm(name="x", arch="noarch", provides=("cap(x) = 2",)),
    )
    choices = resolve(found, ["cmake"])
    assert names(choices) == ["cmake=1.0-1", "libuv=1:1.44-2", "x=1.0-1"]
    assert [choice.because for choice in choices] == [("recipe",), (), ()]
    assert [choice.needs for choice in choices] == [("libuv", "x"), (), ()]
    assert choices[1].filename == "Packages/libuv-1.44-2.x86_64.rpm"
    assert choices[1].size == 10
    assert len(choices[1].sha256) == 64
    assert choices[2].arch == "noarch"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0-9", "1.0-10"),
        ("1.9-1", "1.10-1"),
        ("9.0-1", "1:1.0-1"),
        ("1.0~rc1-1", "1.0-1"),
        ("1.0-1", "1.0^git1-1"),
        ("1.0a-1", "1.0.1-1"),
    ],
)
def test_versions_are_in_rpms_own_order(older: str, newer: str) -> None:
    found = rpm_pool(Rpm(name="a", version=newer), Rpm(name="a", version=older))
    assert names(resolve(found, ["a"])) == [f"a={newer}"]
    assert names(resolve(found, [f"a={older}"])) == [f"a={older}"]


def test_a_lower_priority_number_wins_over_a_newer_version() -> None:
    sources = [source(Rpm(name="a", version="9-1")), source(Rpm(name="a"), label="vendor", priority=10)]
    (choice,) = resolve(RpmPool.of(Arch.X86_64, (), sources), ["a"])
    assert (choice.version, choice.index) == ("1.0-1", "vendor")


def test_what_the_base_has_is_not_chosen_again_and_is_upgraded_when_asked_for() -> None:
    packages = (
        Rpm(name="a", requires=("b",)),
        Rpm(name="b"),
        Rpm(name="b", version="2.0-1"),
    )
    base = ("b=1.0-1", "gpg-pubkey=1-1", "gpg-pubkey=2-2", "unknown=3-3")
    assert names(resolve(rpm_pool(*packages, base=base), ["a"])) == ["a=1.0-1"]
    assert names(resolve(rpm_pool(*packages, base=base), ["a", "b"])) == ["a=1.0-1", "b=2.0-1"]


def test_a_published_list_may_leave_epochs_out() -> None:
    packages = (Rpm(name="a", requires=("b = 1:2-3",)), Rpm(name="b", version="1:2-3"))
    assert names(resolve(rpm_pool(*packages, base=("b=2-3",)), ["a"])) == ["a=1.0-1"]


def test_a_version_that_is_there_without_an_epoch_is_that_one() -> None:
    packages = (
        Rpm(name="a", requires=("b >= 1:2",)),
        Rpm(name="b", version="1:2-3"),
        Rpm(name="b", version="2-3"),
    )
    assert names(resolve(rpm_pool(*packages, base=("b=2-3",)), ["a"])) == ["a=1.0-1", "b=1:2-3"]
    assert names(resolve(rpm_pool(*packages, base=("b=1:2-3",)), ["a"])) == ["a=1.0-1"]


def test_an_installed_version_that_is_gone_is_estimated_from_the_newest() -> None:
    packages = (
        Rpm(name="gcc", requires=("libgcc >= 11.4",)),
        Rpm(name="libgcc", version="11.5-5", requires=("libc = 2",), provides=("libgcc(x86-64) = 11.5-5",)),
        Rpm(name="tool", requires=("libgcc(x86-64) = 11.5-5",)),
        Rpm(name="libc", version="2-1"),
    )
    assert names(resolve(rpm_pool(*packages, base=("libgcc=11.4-1",)), ["gcc"])) == ["gcc=1.0-1"]
    upgraded = names(resolve(rpm_pool(*packages, base=("libgcc=11.4-1",)), ["tool"]))
    assert upgraded == ["libc=2-1", "libgcc=11.5-5", "tool=1.0-1"]


def test_weak_dependencies_are_left_out() -> None:
    packages = (Rpm(name="a", recommends=("b",)), Rpm(name="b"))
    assert names(resolve(rpm_pool(*packages), ["a"])) == ["a=1.0-1"]


def test_a_capability_can_be_asked_for() -> None:
    packages = (Rpm(name="zlib-devel", provides=("pkgconfig(zlib) = 1.2",)),)
    assert names(resolve(rpm_pool(*packages), ["pkgconfig(zlib)"])) == ["zlib-devel=1.0-1"]


@pytest.mark.parametrize("path", ["/usr/bin/tool", "/usr/share/tool/data"], ids=["primary", "filelists"])
def test_files_are_found_where_they_are_listed(path: str) -> None:
    packages = (Rpm(name="a", requires=(path,)), Rpm(name="tool", files=(path,)))
    assert names(resolve(rpm_pool(*packages), ["a"])) == ["a=1.0-1", "tool=1.0-1"]
    assert names(resolve(rpm_pool(*packages, base=("tool=1.0-1",)), ["a"])) == ["a=1.0-1"]


def test_file_lists_are_read_only_when_a_file_in_them_matters() -> None:
    asked = []

    def lists() -> bytes:
        asked.append(1)
        return filelists_xml(packages).encode()

    packages = (
        Rpm(name="a", requires=("/usr/bin/b",)),
        Rpm(name="b", files=("/usr/bin/b",)),
        Rpm(name="c", requires=("/usr/share/b",)),
    )
    made = RepositorySource(label="main", primary=primary_xml(packages).encode(), filelists=lists)
    found = RpmPool.of(Arch.X86_64, (), [made])
    assert names(resolve(found, ["a"])) == ["a=1.0-1", "b=1.0-1"]
    assert not asked
    with pytest.raises(NoSolutionError, match=r"nothing provides /usr/share/b needed by c-1\.0-1"):
        resolve(found, ["c"])
    assert len(asked) == 1
    assert names(resolve(found, ["a"])) == ["a=1.0-1", "b=1.0-1"]


def test_rich_dependencies_hold() -> None:
    packages = (
        Rpm(name="a", requires=("(b or c)", "(d if c)")),
        Rpm(name="b", conflicts=("a",)),
        Rpm(name="c"),
        Rpm(name="d"),
    )
    assert names(resolve(rpm_pool(*packages), ["a"])) == ["a=1.0-1", "c=1.0-1", "d=1.0-1"]


def test_what_obsoletes_a_name_takes_its_place() -> None:
    packages = (Rpm(name="old"), Rpm(name="new", obsoletes=("old < 2",), provides=("old = 2",)))
    assert names(resolve(rpm_pool(*packages), ["old"])) == ["new=1.0-1"]
    assert plan(rpm_pool(*packages, base=("old=1.0-1",)), ["new"]).removals == (("old", "1.0-1"),)
    with pytest.raises(NoSolutionError, match=r"old 1\.0-1 of the base image would be replaced"):
        resolve(rpm_pool(*packages, base=("old=1.0-1",)), ["new"])


@pytest.mark.parametrize("arch", ["i686", "aarch64", "src"])
def test_packages_of_other_architectures_are_no_candidates(arch: str) -> None:
    packages = (Rpm(name="a", arch=arch, version="2-1"), Rpm(name="a"), Rpm(name="b", arch=arch))
    assert names(resolve(rpm_pool(*packages), ["a"])) == ["a=1.0-1"]
    with pytest.raises(NoSolutionError, match=f"package b is there only as {arch}.*not for x86_64"):
        resolve(rpm_pool(*packages), ["b"])


def test_each_architecture_has_its_own_packages() -> None:
    packages = (Rpm(name="a", arch="aarch64"), Rpm(name="a"), Rpm(name="b", arch="noarch", requires=("a",)))
    (a, b) = resolve(rpm_pool(*packages, arch=Arch.AARCH64), ["b"])
    assert (a.arch, b.arch) == ("aarch64", "noarch")


def test_modular_packages_are_left_out() -> None:
    packages = (
        Rpm(name="nodejs", version="1:20.0-1.module_el9+1"),
        Rpm(name="nodejs", version="1:16.0-1.el9"),
    )
    assert names(resolve(rpm_pool(*packages), ["nodejs"])) == ["nodejs=1:16.0-1.el9"]


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        (["sour", "a"], ["sour-1.0-1.x86_64 conflicts with a", "provided by a-1.0-1.x86_64"]),
        (["broken"], ["nothing provides absent >= 3 needed by broken-1.0-1.x86_64"]),
        (["swap"], ["swap-1.0-1.x86_64 conflicts with base-tool", "base-tool-1.0-1.x86_64"]),
        (["aa"], ["no repository has a package or capability aa"]),
        (["a=7"], ["package a has no version 7; the repositories have 1.0-1"]),
        (["newer"], ["nothing provides a >= 2 needed by newer-1.0-1.x86_64"]),
        (
            ["two=1.0-1", "second"],
            ["second-1.0-1.x86_64 requires two >= 2", "both two-2.0-1.x86_64 and two-1.0"],
        ),
    ],
)
def test_a_refusal_names_both_sides(requests: list[str], said: list[str]) -> None:
    found = rpm_pool(
        Rpm(name="a"),
        Rpm(name="sour", conflicts=("a",)),
        Rpm(name="broken", requires=("absent >= 3",)),
        Rpm(name="swap", conflicts=("base-tool",)),
        Rpm(name="base-tool"),
        Rpm(name="newer", requires=("a >= 2",)),
        Rpm(name="two"),
        Rpm(name="two", version="2.0-1"),
        Rpm(name="second", requires=("two >= 2",)),
        base=("base-tool=1.0-1",),
    )
    with pytest.raises(NoSolutionError) as caught:
        resolve(found, requests)
    assert [words for words in said if words not in str(caught.value)] == [], str(caught.value)


def test_one_universe_answers_many_questions_alike() -> None:
    packages = (Rpm(name="a", requires=("b",)), Rpm(name="b"), Rpm(name="c", conflicts=("b",)))
    found = rpm_pool(*packages)
    for _ in range(3):
        assert names(resolve(found, ["a"])) == ["a=1.0-1", "b=1.0-1"]
        assert names(resolve(found, ["c"])) == ["c=1.0-1"]
        with pytest.raises(NoSolutionError):
            resolve(found, ["a", "c"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f'type="sha256" pkgid="YES">{Rpm(name="a").sha256}', f'type="md5">{32 * "0"}', "states no sha256"),
        ('package="10"', 'package="0"', "or no size"),
        ("<location href", '<location xml:base="https://e.invalid/" href', "a base elsewhere"),
        ('href="Packages/', 'href="/etc/', "no path below"),
    ],
)
def test_a_package_without_its_identity_is_refused(old: str, new: str, said: str) -> None:
    text = primary_xml((Rpm(name="a"),)).replace(old, new).encode()
    found = RpmPool.of(Arch.X86_64, (), [RepositorySource(label="main", primary=text, filelists=lambda: b"")])
    with pytest.raises(FetchError, match=said):
        resolve(found, ["a"])


@pytest.mark.parametrize("text", [b"<metadata", b"<html></html", b""])
def test_what_is_no_metadata_is_refused(text: bytes) -> None:
    with pytest.raises(FetchError, match="metadata cannot be read"):
        RpmPool.of(Arch.X86_64, (), [RepositorySource(label="main", primary=text, filelists=lambda: b"")])


def test_a_name_twice_in_the_inventory_is_refused() -> None:
    with pytest.raises(RecipeError, match="lists a twice"):
        rpm_pool(Rpm(name="a"), base=("a=1", "a=2"))
