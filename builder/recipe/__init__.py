"""Recipes: what people write, and what follows from it for one target.

In: the bytes of the TOML files of `recipes/`. Out: a checked `Library`, the effective recipe
of a target, what its environments ask of the resolvers, its fingerprint, and the lock that
a recipe and resolved rows make together. Imports `lockfile`, `model` and `selection`. Pure:
`project` reads the files of the folder, and `recipe_editor` changes them.
"""

from typing import TYPE_CHECKING

from builder.lazy_face import lazy_face

if TYPE_CHECKING:
    from builder.recipe.agreement import LockAgreement, lock_agreement, recipe_faults
    from builder.recipe.assembly import assemble_lock, check_architecture_skew, merge_os, missing_pins
    from builder.recipe.catalogue import RecipeCatalogue
    from builder.recipe.component import Component, GitRecipe
    from builder.recipe.effective import EffectiveRecipe, effective_recipe
    from builder.recipe.environment_requests import (
        PYPI,
        UPGRADE_ALL,
        PythonRequest,
        StandIn,
        os_requests,
        python_requests,
    )
    from builder.recipe.explanation import (
        RECIPE_KINDS,
        ExplainedValue,
        explain_recipe,
        explain_target,
        recipe_kinds,
    )
    from builder.recipe.framework import DeclaredWheel, Framework
    from builder.recipe.freshness import changed_keys, fingerprint
    from builder.recipe.generated_documents import published_page, recipe_schema, reference_page
    from builder.recipe.library import BUILD_SYSTEMS, Library
    from builder.recipe.outcomes import LockOutcome, LockOutcomes, dump_outcomes, inputs_digest, load_outcomes
    from builder.recipe.placeholders import PlaceholderValues, fill_placeholders
    from builder.recipe.platform import ImageRecipe, Platform, RepomdRecipe, RepositoryRecipe
    from builder.recipe.reading import parse_recipe, parse_table, read_library
    from builder.recipe.recorded_tags import RecordedTags, TagRecord, plain_url
    from builder.recipe.release import Release, TargetRefusal, TargetSet
    from builder.recipe.targets import check_refused, lockable_targets, target_refusal
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "BUILD_SYSTEMS": "library",
            "RecipeCatalogue": "catalogue",
            "Component": "component",
            "DeclaredWheel": "framework",
            "EffectiveRecipe": "effective",
            "ExplainedValue": "explanation",
            "Framework": "framework",
            "GitRecipe": "component",
            "ImageRecipe": "platform",
            "Library": "library",
            "LockAgreement": "agreement",
            "LockOutcome": "outcomes",
            "LockOutcomes": "outcomes",
            "PYPI": "environment_requests",
            "PlaceholderValues": "placeholders",
            "Platform": "platform",
            "PythonRequest": "environment_requests",
            "RecordedTags": "recorded_tags",
            "RECIPE_KINDS": "explanation",
            "Release": "release",
            "RepomdRecipe": "platform",
            "RepositoryRecipe": "platform",
            "StandIn": "environment_requests",
            "TagRecord": "recorded_tags",
            "TargetRefusal": "release",
            "TargetSet": "release",
            "UPGRADE_ALL": "environment_requests",
            "assemble_lock": "assembly",
            "changed_keys": "freshness",
            "check_architecture_skew": "assembly",
            "check_refused": "targets",
            "dump_outcomes": "outcomes",
            "effective_recipe": "effective",
            "explain_recipe": "explanation",
            "explain_target": "explanation",
            "fill_placeholders": "placeholders",
            "fingerprint": "freshness",
            "inputs_digest": "outcomes",
            "load_outcomes": "outcomes",
            "lock_agreement": "agreement",
            "lockable_targets": "targets",
            "merge_os": "assembly",
            "missing_pins": "assembly",
            "os_requests": "environment_requests",
            "parse_recipe": "reading",
            "parse_table": "reading",
            "plain_url": "recorded_tags",
            "published_page": "generated_documents",
            "python_requests": "environment_requests",
            "read_library": "reading",
            "recipe_faults": "agreement",
            "recipe_kinds": "explanation",
            "recipe_schema": "generated_documents",
            "reference_page": "generated_documents",
            "target_refusal": "targets",
        },
    )

__all__ = [
    "BUILD_SYSTEMS",
    "PYPI",
    "RECIPE_KINDS",
    "UPGRADE_ALL",
    "Component",
    "DeclaredWheel",
    "EffectiveRecipe",
    "ExplainedValue",
    "Framework",
    "GitRecipe",
    "ImageRecipe",
    "Library",
    "LockAgreement",
    "LockOutcome",
    "LockOutcomes",
    "PlaceholderValues",
    "Platform",
    "PythonRequest",
    "RecipeCatalogue",
    "RecordedTags",
    "Release",
    "RepomdRecipe",
    "RepositoryRecipe",
    "StandIn",
    "TagRecord",
    "TargetRefusal",
    "TargetSet",
    "assemble_lock",
    "changed_keys",
    "check_architecture_skew",
    "check_refused",
    "dump_outcomes",
    "effective_recipe",
    "explain_recipe",
    "explain_target",
    "fill_placeholders",
    "fingerprint",
    "inputs_digest",
    "load_outcomes",
    "lock_agreement",
    "lockable_targets",
    "merge_os",
    "missing_pins",
    "os_requests",
    "parse_recipe",
    "parse_table",
    "plain_url",
    "published_page",
    "python_requests",
    "read_library",
    "recipe_faults",
    "recipe_kinds",
    "recipe_schema",
    "reference_page",
    "target_refusal",
]
