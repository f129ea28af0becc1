"""Recipes: what people write, and what follows from it for one target.

In: the TOML files of `recipes/`. Out: a checked `Library`, the effective recipe of a
target, what its environments ask of the resolvers, its fingerprint, and the lock that
a recipe and resolved rows make together. Imports `lockfile` and `model`. Only the
reading of recipe files touches the file system.
"""

from builder.recipe.assembly import assemble, missing_pins
from builder.recipe.checks import SYSTEMS
from builder.recipe.component import Component, GitRecipe
from builder.recipe.edit import Change, Keys, RecipeEditor, key_path
from builder.recipe.effective_recipe import Effective, effective
from builder.recipe.environments import os_requests, python_requests
from builder.recipe.fingerprints import changed_keys, fingerprint
from builder.recipe.folder import read_library
from builder.recipe.freshness import staleness
from builder.recipe.library import Library
from builder.recipe.outcomes import Outcome, Outcomes, dump_outcomes, inputs_digest, load_outcomes
from builder.recipe.placeholders import Values, fill
from builder.recipe.publication import published_page
from builder.recipe.python_request import ALL, PYPI, Declared, PythonRequest, StandIn
from builder.recipe.reading import parse_recipe, parse_table
from builder.recipe.recipe import (
    Framework,
    ImageRecipe,
    Platform,
    Refusal,
    Release,
    RepomdRecipe,
    RepositoryRecipe,
    TargetSet,
)
from builder.recipe.recorded_tags import RecordedTags, TagRecord, plain_url
from builder.recipe.schema import recipe_schema, reference_page
from builder.recipe.skew import check_skew
from builder.recipe.targets import check_refused, lockable, refusal

__all__ = [
    "ALL",
    "PYPI",
    "SYSTEMS",
    "Change",
    "Component",
    "Declared",
    "Effective",
    "Framework",
    "GitRecipe",
    "ImageRecipe",
    "Keys",
    "Library",
    "Outcome",
    "Outcomes",
    "Platform",
    "PythonRequest",
    "RecipeEditor",
    "RecordedTags",
    "Refusal",
    "Release",
    "RepomdRecipe",
    "RepositoryRecipe",
    "StandIn",
    "TagRecord",
    "TargetSet",
    "Values",
    "assemble",
    "changed_keys",
    "check_refused",
    "check_skew",
    "dump_outcomes",
    "effective",
    "fill",
    "fingerprint",
    "inputs_digest",
    "key_path",
    "load_outcomes",
    "lockable",
    "missing_pins",
    "os_requests",
    "parse_recipe",
    "parse_table",
    "plain_url",
    "published_page",
    "python_requests",
    "read_library",
    "recipe_schema",
    "reference_page",
    "refusal",
    "staleness",
]
