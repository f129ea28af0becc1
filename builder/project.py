"""Where a project's recipes and locks are, and what a verb needs besides its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import builder
from builder import __version__, fetch, git, index, io, recipe
from builder.catalogue import catalogue_folder
from builder.console import Console
from builder.errors import UsageError
from builder.io import ATTEMPTS, hidden, read_bytes
from builder.model import Target
from builder.origins import Origin, Origins, load_origins
from builder.project_file import PROJECT_FILE, ProjectSettings, read_project_file
from builder.store import Store, store_root

__all__ = ["Project", "coming_project", "find_root", "open_project", "recipe_files"]

_RECIPE_FOLDERS = ("components", "frameworks", "platforms", "releases", "keys", "checks", "patches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One checkout: folders, store, places, and the streams to talk through."""

    root: Path
    store: Store
    origins: Origins
    console: Console
    catalogue: Path | None = None
    """The folder of the package's own recipes, behind the project's; None for one that stands alone."""
    settings: ProjectSettings = field(default_factory=ProjectSettings)
    """What `lockwright.toml` says."""

    @property
    def bundle_keys(self) -> Path | None:
        """The keys file of owners whose bundles are taken in; None takes any."""
        return self.root / self.settings.bundle.keys if self.settings.bundle.keys else None

    @property
    def has_recipes(self) -> bool:
        """Whether there are recipes here, so that locks can be compared with them."""
        return self.catalogue is not None or (self.recipes / "releases").is_dir()

    def recipe_path(self, path: str) -> Path:
        """Return the file at `path` below the recipe folder: the project's, else the catalogue's."""
        own = self.recipes / path
        return own if own.exists() or self.catalogue is None else self.catalogue / path

    @property
    def recipes(self) -> Path:
        """The folder of recipes."""
        return self.root / "recipes"

    @property
    def locks(self) -> Path:
        """The folder of locks."""
        return self.root / "lock"

    def rendered_folder(self, target: Target) -> Path:
        """Return where the files of a target's image are written unless another folder is named."""
        return self.root / "rendered" / target.release / target.platform / target.framework

    def client(self, *, offline: bool = False, attempts: int = ATTEMPTS) -> io.Client:
        """Return a new HTTP client with the network settings of the origins file; it is a context manager."""
        return io.Client(network=self.origins.network, offline=offline, attempts=attempts)

    def session(self, client: io.Client) -> fetch.Session:
        """Return what resolvers of OS packages share while `client` is open."""
        return fetch.Session(
            store=self.store,
            origins=self.origins,
            client=client,
            recipes=self.recipes,
            catalogue=self.catalogue,
        )

    def index_client(self, client: io.Client) -> index.IndexClient:
        """Return `client` with the mirrors of what indexes have."""
        return index.IndexClient(client, self.origins.alternatives)

    def services(
        self,
        client: io.Client,
        *,
        index_url: str = "",
        offline: bool = False,
        warn: Callable[[str], None] = lambda _: None,
    ) -> index.IndexServices:
        """Return what resolutions of Python packages share while `client` is open.

        `index_url` is the default index unless given; `warn` is told each warning of uv.
        """
        return index.IndexServices(
            client=self.index_client(client),
            uv_cache=self.uv_cache,
            metadata=self.metadata_cache,
            index_url=self.index_address(index_url),
            offline=offline,
            warn=warn,
        )

    def index_address(self, index_url: str) -> str:
        """Return the address of the default index: `index_url`, if it is given, without credentials.

        Those are given to its host and stand in no cache and no message. UsageError for what is not a URL
        of a folder: a token in a query would be part of every address that a cache keeps.
        """
        if not index_url:
            return index.default_index_url()
        place = "--index-url"
        try:
            plain = self.origins.network.credentials.take_from(index_url)
            parts = urlsplit(plain)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or True)
        except ValueError:
            usable = False
        if not usable:
            raise UsageError(f"expected an http(s) URL, got {hidden(index_url)!r}", place=place)
        if parts.query or parts.fragment:
            raise UsageError(
                "the address of an index has no query and no fragment",
                place=place,
                hint="put its token or password in ~/.netrc or LOCKWRIGHT_AUTH",
            )
        return plain

    def origins_of(self, names: Iterable[str], *, index_url: str | None = None) -> Origins:
        """Return the origins, with an address for the default Python index if it is among `names`.

        Where nobody configured one, the index is asked for its file base, once:
        the answer is kept in the user's origins file. FetchError when it gives none.
        """
        if recipe.PYPI not in names or any(origin.name == recipe.PYPI for origin in self.origins.origins):
            return self.origins
        self.console.status("asking the Python index where its files are (once)")
        with self.client() as client:
            base = fetch.discover_file_base(client, index_url and self.index_address(index_url))
        try:
            fetch.remember_file_base(base)
        except (OSError, UsageError) as error:
            self.console.warning(f"the answer could not be kept: {error}")
        added = Origin(name=recipe.PYPI, url=base, layout="warehouse")
        return replace(self.origins, origins=(*self.origins.origins, added))

    def git_places(self) -> git.GitPlaces:
        """Return where git repositories are had from, and the cache of what was fetched of them."""
        return git.GitPlaces.of(self.git_cache, origins=self.origins)

    @property
    def git_cache(self) -> Path:
        """The folder of bare copies of git repositories, beside the store; it may be deleted at any time."""
        return self.store.root.parent / "git"

    @property
    def uv_cache(self) -> Path:
        """The folder of uv's own cache, beside the store; it may be deleted at any time."""
        return self.store.root.parent / "uv"

    @property
    def metadata_cache(self) -> Path:
        """The folder of facts about wheels, by their digests, beside the store."""
        return self.store.root.parent / "metadata"

    @property
    def page_cache(self) -> Path:
        """The folder of index pages that `align` keeps for a run without the network, beside the store."""
        return self.store.root.parent / "pages"

    def check_program(self, file: str) -> bytes | None:
        """Return a program of checks by its path below the recipe folder; None if it is not there."""
        path = self.recipe_path(file)
        return read_bytes(path) if path.is_file() else None

    def library(self) -> recipe.Library:
        """Read all recipes (RecipeError)."""
        return self.library_with({})

    def library_with(self, texts: Mapping[str, str]) -> recipe.Library:
        """Read all recipes as they would be with `texts`, by path below the recipe folder (RecipeError)."""
        catalogue = None
        if self.catalogue is not None:
            catalogue = recipe.RecipeCatalogue(version=__version__, files=recipe_files(self.catalogue))
        own = {path: text.encode() for path, text in texts.items()}
        return recipe.read_library({**self._own_recipes(), **own}, catalogue)

    def recipe_texts(self) -> dict[str, bytes]:
        """Return what `library` reads, by path: the project's files, and what else the catalogue has."""
        return {**(recipe_files(self.catalogue) if self.catalogue else {}), **self._own_recipes()}

    def _own_recipes(self) -> dict[str, bytes]:
        return recipe_files(self.recipes) if self.catalogue is None or self.recipes.is_dir() else {}


def find_root(start: Path) -> Path:
    """Return the folder at or above `start` that is a project, has recipes or locks, else this program's."""
    for folder in (start, *start.parents):
        if (
            (folder / PROJECT_FILE).is_file()
            or (folder / "recipes" / "releases").is_dir()
            or any((folder / "lock").glob("*/*/*.toml"))
        ):
            return folder
    own = Path(builder.__file__).resolve().parent.parent
    if (own / "recipes").is_dir():
        return own
    raise UsageError(
        "no project here: no recipes and no locks",
        place=str(start),
        hint="go to one, name it with --project DIR, or begin one with `python -m builder init project`",
    )


def open_project(
    *,
    project: str,
    store: str,
    origins: tuple[str, ...],
    mirrors: tuple[str, ...],
    console: Console,
) -> Project:
    """Find the project and read its configuration (UsageError)."""
    root = Path(project).resolve() if project else find_root(Path.cwd())
    if not root.is_dir():
        raise UsageError("no such folder", place=project, hint="name an existing project: --project DIR")
    settings = _settings_of(root)
    catalogue = catalogue_folder() if settings is not None and settings.catalogue else None
    found = _project_at(root, catalogue, store=store, origins=origins, mirrors=mirrors, console=console)
    return replace(found, settings=settings or ProjectSettings())


def coming_project(
    root: Path, *, store: str, origins: tuple[str, ...], mirrors: tuple[str, ...], console: Console
) -> Project:
    """Return a project that uses the catalogue and whose files are still to be written (UsageError)."""
    return _project_at(
        root, catalogue_folder(), store=store, origins=origins, mirrors=mirrors, console=console
    )


def _project_at(
    root: Path,
    catalogue: Path | None,
    *,
    store: str,
    origins: tuple[str, ...],
    mirrors: tuple[str, ...],
    console: Console,
) -> Project:
    if (root / "lock").is_symlink():
        raise UsageError(
            "is a symbolic link",
            place=str(root / "lock"),
            hint="make it a folder: a link hides which target a lock is of",
        )
    return Project(
        root=root,
        catalogue=catalogue,
        store=Store(store_root(Path(store) if store else None)),
        origins=load_origins(
            root,
            catalogue_file=catalogue / "origins.toml" if catalogue else None,
            origin_options=origins,
            mirror_options=mirrors,
        ),
        console=console,
    )


def _settings_of(root: Path) -> ProjectSettings | None:
    """Return what the project at `root` says of itself; None without a file (UsageError)."""
    file = root / PROJECT_FILE
    return read_project_file(read_bytes(file), place=str(file)) if file.is_file() else None


def recipe_files(folder: Path) -> dict[str, bytes]:
    """Return every recipe and key by its path below `folder` (UsageError without any)."""
    if not folder.is_dir():
        raise UsageError(
            "no recipes here", place=str(folder), hint="go to a project, or name it: --project DIR"
        )
    files = {}
    for name in _RECIPE_FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file():
                files[path.relative_to(folder).as_posix()] = read_bytes(path)
    return files
