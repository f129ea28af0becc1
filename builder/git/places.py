"""Remote git repositories, reached through mirrors and `insteadOf`, and what was fetched of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from builder.errors import FetchError
from builder.git.heritage import archived_repository
from builder.git.process import Ref, fetch_commit, git_environment, ls_remote, reaching
from builder.io import first_answer
from builder.origins import Origins

__all__ = ["GitPlaces"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPlaces:
    """Where git repositories are had from, and the folder that keeps a bare copy of each."""

    cache: Path
    origins: Origins
    environment: Mapping[str, str]
    """Of every git call; see `builder.git.process.git_environment`."""

    @classmethod
    def of(
        cls, cache: Path, *, origins: Origins | None = None, environment: Mapping[str, str] | None = None
    ) -> GitPlaces:
        """Take this process's environment and no mirrors unless they are given."""
        return cls(
            cache=cache,
            origins=origins or Origins(),
            environment=git_environment() if environment is None else environment,
        )

    def refs(self, url: str, patterns: tuple[str, ...]) -> dict[str, str]:
        """Return the refs of `url` that match, name to object (FetchError)."""

        def ask(place: str) -> tuple[Ref, ...]:
            return ls_remote(place, patterns, environment=self._environment_for(place))

        return {ref.name: ref.oid for ref in self._first_place(url, ask)}

    def commit(self, url: str, commit: str, tag: str = "") -> Path:
        """Return a bare repository that has `commit` of `url` with all its files (FetchError).

        Where no place has it any more, the archive of dead sources is asked.
        """
        into = self.cache / _copy_name(url)

        def fetch(place: str) -> Path:
            fetch_commit(place, commit, tag or None, into, environment=self._environment_for(place))
            return into

        try:
            return self._first_place(url, fetch)
        except FetchError as error:
            if not self.origins.heritage:
                raise
            return self._from_archive(commit, into, error)

    def _environment_for(self, place: str) -> dict[str, str]:
        return reaching(place, self.environment, self.origins.network)

    def _from_archive(self, commit: str, into: Path, lost: FetchError) -> Path:
        """Fetch a commit that its own places do not have; the error says what everybody said."""
        local = git_environment(self.environment, protocols=("file",))
        try:
            with archived_repository(
                commit, self.origins.heritage, network=self.origins.network
            ) as repository:
                fetch_commit(str(repository), commit, None, into, environment=local)
        except FetchError as error:
            raise FetchError(f"{lost.cause}\n  {error}", place=lost.place, hint=lost.hint) from error
        return into

    def _first_place(self, url: str, ask: Callable[[str], T]) -> T:
        """Return the answer of the first place that gives one; mirrors come before the place itself."""
        return first_answer(self.origins.candidates(url), ask, place=url)


def _copy_name(url: str) -> str:
    """Return a name for the copy of `url`: for people its last word, for the machine a digest."""
    word = re.sub(r"[^A-Za-z0-9._-]", "", url.rstrip("/").rpartition("/")[2]).removesuffix(".git")
    return f"{word or 'repository'}-{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"
