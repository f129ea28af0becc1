"""Programs of checks: named in a recipe, pinned by their digest, filled in with what the target is."""

from __future__ import annotations

import dataclasses

import pytest

from builder.errors import RecipeError
from builder.lockfile import Check, check_programs
from builder.model import Arch, Sha256, Target
from builder.recipe import Library, effective_recipe
from builder.recipe.freshness import changed_keys, fingerprint

TARGET = Target(
    release="1.4.2", platform="debian-13-assembled-cuda-13.0", framework="dynamo", arch=Arch.X86_64
)
PROGRAM = "checks/elf_closure.py"


def with_check(library: Library, check: Check) -> Library:
    """Return the library with this as the only check of dynamo."""
    dynamo = dataclasses.replace(library.frameworks["dynamo"], checks=(check,), variants=())
    dynamo = dataclasses.replace(dynamo, roots=("ai-dynamo", "ai-dynamo-runtime", "nixl[cu13]"))
    return dataclasses.replace(library, frameworks={**library.frameworks, "dynamo": dynamo})


def test_a_program_is_pinned_by_digest_and_its_command_filled(library: Library) -> None:
    check = Check(run=("python{python}", "{program}", "--gpus={gpu-archs:,}"), program=PROGRAM, seconds=5)
    (found,) = effective_recipe(with_check(library, check), TARGET).checks
    assert found.run == ("python3.13", "/checks/elf_closure.py", "--gpus=80,86,89,90,100,120")
    assert found.sha256 == library.programs[PROGRAM]
    assert found.seconds == 5


def test_other_bytes_of_the_program_make_the_lock_stale(library: Library) -> None:
    with_program = with_check(library, Check(run=("python", "{program}"), program=PROGRAM))
    changed = dataclasses.replace(with_program, programs={PROGRAM: Sha256.of(b"other")})
    one, other = (fingerprint(effective_recipe(item, TARGET)) for item in (with_program, changed))
    assert changed_keys(one, other) == ("framework.checks",)


def test_a_program_that_is_not_there_is_refused_with_those_that_are(library: Library) -> None:
    unknown = with_check(library, Check(run=("python", "{program}"), program="checks/elf_closures.py"))
    with pytest.raises(RecipeError, match=r"'checks/elf_closures\.py' is not a program") as caught:
        effective_recipe(unknown, TARGET)
    assert PROGRAM in caught.value.hint


def test_braces_of_a_check_without_program_are_its_own(library: Library) -> None:
    check = Check(run=("python", "-c", "print({'a': 1})"), expect="{cuda:torch}")
    assert effective_recipe(with_check(library, check), TARGET).checks == (check,)


def test_the_lock_lists_each_program_once(library: Library) -> None:
    del library
    one = Check(run=("/checks/a.py",), program="checks/a.py", sha256=Sha256("0" * 64))

    class Part:
        checks = (one,)

    class Made:
        runtime = Part
        builds = (Part,)

    assert check_programs(Made) == {"checks/a.py": "0" * 64}  # type: ignore[arg-type]
