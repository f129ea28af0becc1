"""Refuse resolved rows that no CUDA fits, before anything else is resolved (traps T2, T3, T15)."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import canonicalize_name

from builder.errors import NoSolutionError
from builder.lockfile import CudaStack, Lock, PythonPackage, cuda_stack_faults, lock_faults
from builder.model import Arch
from builder.recipe import EffectiveRecipe

__all__ = ["check_cuda_stack", "check_solvable", "recipe_cuda_stack"]


def recipe_cuda_stack(recipe: EffectiveRecipe, rows: Iterable[PythonPackage]) -> CudaStack:
    """Return what the rules of CUDA judge of a target that is not a lock yet."""
    return CudaStack(
        rows=tuple(rows),
        arch=Arch(recipe.target.arch),
        toolkit=recipe.platform.cuda,
        release=recipe.target.release,
        framework=recipe.target.framework,
        accelerated=frozenset(str(canonicalize_name(name)) for name in recipe.framework.accelerated),
    )


def check_cuda_stack(stack: CudaStack, *, where_cuda_builds_are: str = "") -> None:
    """Refuse rows that break a rule of CUDA (NoSolutionError, both sides and who asked named).

    `where_cuda_builds_are` is the recipe's hint for a build without CUDA.
    """
    for rule, fault in cuda_stack_faults(stack):
        hint = where_cuda_builds_are if rule.id == "cuda-builds" else ""
        raise NoSolutionError(fault.text, hint=hint or fault.hint)


def check_solvable(lock: Lock) -> None:
    """Refuse a lock that contradicts itself, which another run would only make again (NoSolutionError)."""
    for rule, fault in lock_faults(lock):
        if rule.unsolvable:
            raise NoSolutionError(fault.text, hint=fault.hint)
