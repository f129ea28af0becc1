"""The catalogue behind a project: what is whose, what a lock records of it, and what an update changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.errors import NoSolutionError, RecipeError
from builder.lockfile.lock import Lock
from builder.lockfile.reading import dump_lock
from builder.model.target import Arch, Target
from builder.recipe.agreement import lock_agreement
from builder.recipe.assembly import assemble_lock
from builder.recipe.catalogue import RecipeCatalogue
from builder.recipe.effective import effective_recipe
from builder.recipe.freshness import changed_keys, fingerprint
from builder.recipe.library import Library
from builder.recipe.reading import read_library
from builder.recipe.targets import lockable_targets
from builder.selection import ALL, Selection
from tests.recipe.samples import SMALL, folder_files

CATALOGUE = folder_files(SMALL / "recipes") | {"checks/look.py": b"print('looked')\n"}
ZLIB, PLAIN, TINY = "components/zlib.toml", "platforms/plain.toml", "frameworks/tiny.toml"
MINE = """\
name = "mine"
summary = "Tiny, and one package more"
extends = "tiny"
roots = ["acme-router"]
env = { ACME = "1" }
"""
RELEASE = """\
version = "2026.1"
extends = "1.0"
default = true

[python.mine]
acme-router = "3.1"

[[targets]]
framework = "mine"
platforms = ["plain"]
arches = ["x86_64"]
"""
OWN = {"frameworks/mine.toml": MINE.encode(), "releases/2026.1.toml": RELEASE.encode()}
TARGET = Target(release="2026.1", platform="plain", framework="mine", arch=Arch.X86_64)


def project(
    own: dict[str, bytes] | None = None, changes: dict[str, tuple[str, str]] | None = None, version: str = "1"
) -> Library:
    """Return the library of a project, behind it a catalogue of `version` with texts replaced."""
    files = dict(CATALOGUE)
    for path, (old, new) in (changes or {}).items():
        assert old in files[path].decode()
        files[path] = files[path].decode().replace(old, new).encode()
    return read_library(OWN if own is None else own, RecipeCatalogue(version=version, files=files))


def lock_of(library: Library, before: Lock | None = None) -> Lock:
    return assemble_lock(
        effective_recipe(library, TARGET),
        python=(),
        os_packages=(),
        repositories=(),
        resolver="uv 0",
        before=before.catalogue if before else None,
    )


def test_a_project_has_what_it_does_not_define_from_the_catalogue() -> None:
    recipe = effective_recipe(project(), TARGET)
    assert recipe.roots == ("acme-router==3.1", "idna==3.10")
    assert [part.name for part in recipe.parts] == ["zlib", "tool"]
    assert dict(recipe.env) == {"ACME": "1"}
    assert [file.path for file in recipe.catalogue] == [
        "components/tool.toml",
        ZLIB,
        TINY,
        PLAIN,
        "releases/1.0.toml",
    ]


def test_all_means_the_releases_of_the_project() -> None:
    assert lockable_targets(project(), Selection(releases=(ALL,))) == (TARGET,)
    assert {target.release for target in lockable_targets(project({}), Selection(releases=(ALL,)))} == {"1.0"}


def test_a_release_of_the_catalogue_can_be_named() -> None:
    assert {str(t) for t in lockable_targets(project(), Selection(releases=("1.0",)))} == {
        "1.0/plain/tiny-aarch64",
        "1.0/plain/tiny-x86_64",
    }


def test_a_file_of_the_same_name_says_that_it_replaces() -> None:
    text = CATALOGUE[ZLIB].replace(b'"-O2"', b'"-O3"')
    with pytest.raises(RecipeError) as caught:
        project(OWN | {ZLIB: text})
    assert f"recipes/{ZLIB}: the catalogue of lockwright 1 has catalogue/{ZLIB} too" in str(caught.value)
    assert "`replaces = true`" in caught.value.hint
    recipe = effective_recipe(project(OWN | {ZLIB: b"replaces = true\n" + text}), TARGET)
    assert dict(recipe.parts[0].env) == {"CFLAGS": "-O3"}
    assert ZLIB not in [file.path for file in recipe.catalogue]


def test_a_program_of_the_same_name_cannot_replace() -> None:
    with pytest.raises(RecipeError, match=r"catalogue/checks/look\.py too") as caught:
        project(OWN | {"checks/look.py": b""})
    assert caught.value.hint == "give yours another name"


def test_what_replaces_nothing_is_refused() -> None:
    own = OWN | {"frameworks/mine.toml": b"replaces = true\n" + OWN["frameworks/mine.toml"]}
    with pytest.raises(RecipeError, match=r"frameworks/mine.toml: replaces: the catalogue has no file"):
        project(own)
    alone = {path: data for path, data in CATALOGUE.items() if path != TINY}
    with pytest.raises(RecipeError, match="this project uses no catalogue"):
        read_library(alone | {TINY: b"replaces = true\n" + CATALOGUE[TINY]})


def test_an_error_in_a_file_names_whose_it_is() -> None:
    with pytest.raises(RecipeError, match=f"catalogue/{ZLIB}: sytem"):
        project(changes={ZLIB: ("system =", "sytem =")})
    with pytest.raises(RecipeError, match=r"recipes/frameworks/mine.toml: extends") as caught:
        project(OWN | {"frameworks/mine.toml": MINE.replace('"tiny"', '"tyni"').encode()})
    assert "tiny" in caught.value.hint


def test_an_update_that_changes_no_input_changes_no_lock() -> None:
    lock = lock_of(project())
    assert lock.catalogue
    assert lock.catalogue.version == "1"
    changes = {
        ZLIB: ('summary = "A small component"', "# a remark\nsummary = 'Smaller'"),  # words for people
        "releases/1.0.toml": (
            'tool = "2.0" }',
            'tool = "2.0", other = "9" }',
        ),  # a component that is not used
        "components/tool.toml": (
            '[[versions."2.0".archives]]',
            '[versions."3.0"]\npublished = true\nreason = "new"\n\n[[versions."2.0".archives]]',
        ),
    }
    other = CATALOGUE["components/tool.toml"].replace(b'"tool"', b'"other"').replace(b'"2.0"', b'"9"')
    updated = project(OWN | {"components/other.toml": other}, changes, version="2")
    agreement = lock_agreement(effective_recipe(updated, TARGET), dump_lock(lock), place="lock")
    assert not agreement.keys
    assert dump_lock(lock_of(updated, lock)) == dump_lock(lock)
    # Made from nothing it differs in the version alone, which is compared with nothing.
    assert lock_of(updated) == replace(lock, catalogue=replace(lock.catalogue, version="2"))


def test_an_update_that_changes_an_input_is_named_by_key_and_file() -> None:
    old = fingerprint(effective_recipe(project(), TARGET))
    new = fingerprint(effective_recipe(project(changes={ZLIB: ('"-O2"', '"-O1"')}), TARGET))
    assert changed_keys(old, new) == (f"catalogue.{ZLIB}", "component.zlib.env")
    lock = lock_of(project())
    agreement = lock_agreement(
        effective_recipe(project(changes={ZLIB: ('"-O2"', '"-O1"')}), TARGET), dump_lock(lock), place="lock"
    )
    assert (agreement.reason, agreement.keys) == ("the recipe changed", changed_keys(old, new))


def test_a_change_of_the_project_names_no_file_of_the_catalogue() -> None:
    """Own roots, pins, variables and days are the project's: what it took from the catalogue is the same."""
    own = {
        "frameworks/mine.toml": MINE.replace('ACME = "1"', 'ACME = "2"').replace('"acme-router"', '"acme-x"'),
        "releases/2026.1.toml": RELEASE.replace("acme-router", "acme-x").replace(
            "default", 'exclude-newer = "2026-09-02T00:00:00Z"\ndefault'
        ),
    }
    files = {path: text.encode() for path, text in own.items()}
    old, new = (fingerprint(effective_recipe(library, TARGET)) for library in (project(), project(files)))
    assert changed_keys(old, new) == (
        "catalogue.releases/1.0.toml",  # its bound is no longer taken
        "framework.env.ACME",
        "framework.roots",
        "python.pins",
        "python.roots",
        "release.exclude-newer",
    )


def test_what_the_project_replaced_may_change_in_the_catalogue() -> None:
    own = OWN | {
        "releases/2026.1.toml": RELEASE.replace(
            "[python.mine]", '[python.all]\nidna = "3.9"\n\n[python.mine]'
        ).encode()
    }
    old = fingerprint(effective_recipe(project(own), TARGET))
    new = fingerprint(
        effective_recipe(project(own, {"releases/1.0.toml": ('idna = "3.10"', 'idna = "3.11"')}), TARGET)
    )
    assert changed_keys(old, new) == ()


def test_taking_a_file_over_changes_the_lock() -> None:
    """Who answers for a recipe is part of what the lock records, even if both say the same."""
    own = OWN | {ZLIB: b"replaces = true\n" + CATALOGUE[ZLIB]}
    old, new = (fingerprint(effective_recipe(library, TARGET)) for library in (project(), project(own)))
    assert changed_keys(old, new) == (f"catalogue.{ZLIB}",)


def test_a_lock_of_a_project_that_stands_alone_records_none() -> None:
    recipe = effective_recipe(read_library(CATALOGUE), replace(TARGET, release="1.0", framework="tiny"))
    assert recipe.catalogue == ()
    assert not any(key.startswith("catalogue") for key, _ in fingerprint(recipe))


def test_conditions_on_the_release_are_judged_by_the_one_it_extends() -> None:
    refused = {
        TINY: ('roots = ["idna"]', 'roots = ["idna"]\n\n[[refused]]\nreason = "no"\n\n[refused.when]\n%s\n\n')
    }
    holds = {path: (old, new % 'versions = "<2"') for path, (old, new) in refused.items()}
    with pytest.raises(NoSolutionError, match="refused: no"):
        effective_recipe(project(changes=_moved_components(holds)), TARGET)
    passes = {path: (old, new % 'versions = ">=2"') for path, (old, new) in refused.items()}
    effective_recipe(project(changes=_moved_components(passes)), TARGET)


def _moved_components(changes: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Put the line after the roots before them, so that it stays in the table that it is of."""
    return {
        path: (f'{old}\ncomponents = ["tool"]', f'components = ["tool"]\n{new}')
        for path, (old, new) in changes.items()
    }


def test_what_is_said_of_the_parent_holds_for_its_heirs() -> None:
    conditional = {ZLIB: ("when = { cuda = true, versions", 'when = { framework = "tiny", versions')}
    steps = effective_recipe(project(changes=conditional), TARGET).parts[0].steps
    assert any("--with-cuda" in step for step in steps)
    versions = {
        "releases/1.0.toml": ("[python.all]", '[framework-components.tiny]\nzlib = "1.2.0"\n\n[python.all]')
    }
    assert effective_recipe(project(changes=versions), TARGET).parts[0].version == "1.2.0"


def test_a_circle_of_frameworks_is_refused() -> None:
    other = MINE.replace('"mine"', '"other"').replace('"tiny"', '"mine"')
    own = OWN | {
        "frameworks/other.toml": other.encode(),
        "frameworks/mine.toml": MINE.replace('"tiny"', '"other"').encode(),
    }
    with pytest.raises(RecipeError, match="extends itself"):
        project(own)
