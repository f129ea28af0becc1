"""What other installers and downloaders take: npm, cargo, go, conda, hf and their like. Pure.

Verbs and options are those of each tool's documentation. A verb that is not known gives None, and the command
is then shown as not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from builder.align.dockerfile.arguments import Arguments, read_arguments, tool_arguments
from builder.align.dockerfile.go_commands import read_go
from builder.align.dockerfile.pin import Judgement, Pin, PinKind, aligned, drift, unknown
from builder.align.dockerfile.tool_reading import (
    EXACT_VERSION,
    FULL_VERSION,
    Reading,
    fetches,
    is_local,
    loose_packages,
    may_resolve,
    resolves,
    verb_arguments,
)
from builder.align.dockerfile.variables import UNRESOLVED

__all__ = ["TOOLS", "tool_pins"]

_CHANNEL = re.compile(r"(\d+\.\d+\.\d+|nightly-\d{4}-\d\d-\d\d)(-.*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def _conda(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(
        words, "-c -f -n -p --channel --file --name --prefix --override-channels= --solver --platform"
    )
    if verb == "env":
        verb, given = (
            (given.operands[0] if given.operands else ""),
            Arguments(operands=(), options=given.options),
        )
    if verb in ("update", "upgrade"):
        return loose_packages([*given.operands] or ["--all"])
    if verb not in ("install", "create"):
        return (
            []
            if verb in ("activate", "clean", "config", "info", "init", "list", "remove", "run", "shell", "")
            else None
        )
    found = (
        loose_packages([word for word in given.operands if not _conda_exact(word) and not is_local(word)])
        or []
    )
    for name in given.values("-f", "--file"):
        found.append((PinKind.FILE, name, unknown("not read", "what it binds is not read")))
    return found


def _conda_exact(word: str) -> bool:
    """Whether a conda spec names one version: `a==1.2` and `a=1.2.3` do, `a=1.2` means 1.2.*."""
    version = word.partition("=")[2]
    if not version or re.search(r"[*<>|,~!]", word):
        return False
    return version.startswith("=") or "=" in version or bool(re.fullmatch(r"\d+(\.\d+){2,}.*", version))


def _npm(words: Sequence[str]) -> Reading:  # noqa: PLR0911 - one return a verb
    verb, given = verb_arguments(
        words, "-C -w --prefix --registry --workspace --cache --loglevel --omit --include --dir --filter -F"
    )
    if verb == "global":
        verb, given = (
            given.operands[0] if given.operands else "",
            Arguments(operands=given.operands[1:], options=given.options),
        )
    if verb in ("ci", "clean-install"):
        return []
    frozen = given.has("--frozen-lockfile", "--immutable", "--offline")
    if verb in ("i", "install", "add", "in", "isntall", "") and words is not None:
        names = [word for word in given.operands if not is_local(word)]
        if names:
            urls = [word for word in names if "://" in word or re.match(r"[\w-]+/[\w.-]+$", word)]
            loose = [
                word
                for word in names
                if word not in urls and not FULL_VERSION.fullmatch(word[1:].partition("@")[2])
            ]
            found = loose_packages([word for word in loose if UNRESOLVED not in word]) or []
            found += [(PinKind.DOWNLOAD, word, None) for word in urls if "://" in word]
            return found
        if (
            given.operands
            or frozen
            or (verb == "" and not any(word.startswith("-") for word in words) and words)
        ):
            return []
        if given.has("--no-package-lock", "--no-lockfile", "--no-frozen-lockfile"):
            return resolves(verb or "install", "it leaves the lock file aside and chooses versions itself")
        return (
            None if not verb and given.has("--version", "-v", "--help") else _no_lock_read(verb or "install")
        )
    if verb in ("update", "up", "upgrade", "upgrade-interactive"):
        return resolves(" ".join((verb, *given.operands)), "it chooses the newest versions")
    if verb in ("exec", "x", "dlx"):
        return _npx([*given.operands])
    return (
        []
        if verb in ("cache", "config", "ls", "list", "prune", "set", "version", "link", "store", "dedupe")
        else None
    )


def _no_lock_read(verb: str) -> Reading:
    return [(PinKind.RESOLVER, verb, unknown("not read", _NO_LOCK))]


_NO_LOCK = "it takes its lock file as far as there is one and it fits, and chooses the rest"


def _npx(words: Sequence[str]) -> Reading:
    given = read_arguments(words, frozenset(("-p", "--package")))
    names = given.values("-p", "--package") or given.operands[:1]
    return loose_packages([word for word in names if not FULL_VERSION.fullmatch(word[1:].partition("@")[2])])


def _cargo(words: Sequence[str]) -> Reading:  # noqa: PLR0911 - one return a verb
    while words and words[0].startswith("+"):
        words = words[1:]
    verb, given = verb_arguments(
        words, "-F -j -p -Z --config --color --features --manifest-path --target --target-dir --profile --bin"
    )
    if verb == "install":
        return _cargo_install(words[list(words).index("install") + 1 :])
    if verb in ("update", "upgrade"):
        return resolves(" ".join((verb, *given.operands)), "it chooses the newest versions")
    if verb == "add":
        return resolves("add", "it chooses the versions of its day")
    if verb in (
        "build",
        "b",
        "run",
        "r",
        "test",
        "t",
        "check",
        "c",
        "fetch",
        "bench",
        "doc",
        "rustc",
        "vendor",
        "zigbuild",
    ):
        if given.has("--locked", "--frozen", "--offline"):
            return []
        return may_resolve(
            verb, "without `--locked` it changes Cargo.lock where that does not fit, or writes one"
        )
    if verb == "chef":
        text = "the recipe of cargo-chef has a lock file in it, or has none"
        cooks = "cook" in given.operands
        return [(PinKind.FILE, " ".join((verb, *given.operands)), unknown("not read", text))] if cooks else []
    return (
        [] if verb in ("clean", "fmt", "clippy", "version", "init", "new", "metadata", "tree", "") else None
    )


def _cargo_install(words: Sequence[str]) -> Reading:
    given = tool_arguments(words, "cargo install", also_valued=("--vers",))
    found: list[tuple[PinKind, str, Judgement | None]] = []
    url = given.value("--git")
    locked = given.has("--locked", "--frozen", "--offline")
    text = "without `--locked` its dependencies are the newest that fit"
    if url:
        found.append((PinKind.GIT, f"{url} {given.value('--rev', '--tag', '--branch')}", None))
        return found if locked else [*found, *(resolves(f"install --git {url}", text) or ())]
    versioned = bool(given.value("--version", "--vers"))
    names = [word for word in given.operands if not given.has("--path")]
    loose = [word for word in names if not versioned and not EXACT_VERSION.fullmatch(word.partition("@")[2])]
    found += loose_packages(loose) or []
    if not loose and (names or given.has("--path")) and not locked:
        found.append(
            (PinKind.RESOLVER, " ".join(("install", *names)), drift("resolves while building", text))
        )
    return found


def _gem(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(words, "-v --version -i -n -s --install-dir --bindir --source -P --platform")
    if verb == "update":
        return resolves(" ".join(("update", *given.operands)), "it chooses the newest versions")
    if verb not in ("install", "i"):
        return (
            []
            if verb in ("build", "cleanup", "env", "environment", "list", "sources", "uninstall", "")
            else None
        )
    version = given.value("-v", "--version")
    if re.fullmatch(r"\d+(\.\w+)+", version):
        return []
    names = [word for word in given.operands if not is_local(word)]
    return loose_packages([word for word in names if not re.fullmatch(r".+:\d+(\.\w+)+", word)])


def _bundler(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(words)
    if verb in ("update", "lock", "add"):
        return resolves(verb, "it chooses the versions of its day")
    if verb in ("install", ""):
        frozen = given.has("--frozen", "--deployment", "--local")
        return (
            []
            if frozen
            else may_resolve("install", "it takes Gemfile.lock as far as there is one, and chooses the rest")
        )
    return [] if verb in ("config", "exec", "clean", "show", "info") else None


_RUSTUP_OPTIONS = "-c -t --component --profile --target --default-toolchain"


def _rustup(words: Sequence[str]) -> Reading:
    """Return toolchains that are channels, such as stable, which move."""
    given = read_arguments(words, frozenset(_RUSTUP_OPTIONS.split()))
    chosen = given.value("--default-toolchain")
    if chosen:
        return loose_packages([] if chosen == "none" or _CHANNEL.fullmatch(chosen) else [chosen])
    operands = list(given.operands)
    if operands[:2] in (["toolchain", "install"], ["toolchain", "add"], ["toolchain", "update"]):
        operands = operands[1:]
    verb = operands[0] if operands else ""
    if verb == "self":
        return resolves("self update", "it takes the newest rustup") if "update" in operands else []
    if verb in ("update", "upgrade") and len(operands) == 1:
        return loose_packages(["update"])
    if verb in ("default", "install", "update", "add"):
        return loose_packages(
            [word for word in operands[1:] if word != "none" and not _CHANNEL.fullmatch(word)]
        )
    return (
        []
        if verb
        in ("component", "target", "show", "override", "set", "toolchain", "which", "run", "completions")
        else None
    )


def _rustup_init(words: Sequence[str]) -> Reading:
    _, given = verb_arguments(words, f"{_RUSTUP_OPTIONS} --default-host")
    chosen = given.value("--default-toolchain") or "stable"
    return loose_packages([] if chosen == "none" or _CHANNEL.fullmatch(chosen) else [chosen])


def _apt_archives(words: Sequence[str]) -> Reading:
    names = [word for word in words if not word.startswith("-")]
    judged = drift("unpinned packages", "a third party's archive, whose content changes")
    return [(PinKind.PACKAGES, " ".join(names), judged)] if names else []


def _config_manager(words: Sequence[str]) -> Reading:
    given = read_arguments(words, frozenset(("--add-repo",)))
    judged = drift("unpinned packages", "a third party's archive, whose content changes")
    return [(PinKind.PACKAGES, name, judged) for name in given.values("--add-repo")]


def _apt_key(words: Sequence[str]) -> Reading:
    if "adv" in words or "--recv-keys" in words:
        keys = [word for word in words if re.fullmatch(r"(0x)?[0-9A-Fa-f]{8,40}", word)]
        exact = keys and all(re.fullmatch(r"(0x)?[0-9A-Fa-f]{40}", key) for key in keys)
        return [] if exact else fetches(" ".join(keys) or "keys", "a key server is asked by a short key id")
    return []


def _hub_files(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(
        words,
        "--revision --local-dir --cache-dir --repo-type --token --include --exclude --max-workers",
    )
    if verb not in ("download", "snapshot"):
        return (
            []
            if verb in ("login", "logout", "whoami", "auth", "env", "cache", "scan-cache", "version", "")
            else None
        )
    name, revision = " ".join(given.operands[:1]), given.value("--revision")
    if UNRESOLVED in revision:
        return [(PinKind.DOWNLOAD, name, unknown("decided later", "only the build knows its revision"))]
    if _COMMIT.fullmatch(revision):
        return [(PinKind.DOWNLOAD, name, aligned(f"the commit {revision[:12]} names its bytes"))]
    text = (
        f"{revision} is a branch or a tag, which moves"
        if revision
        else "without `--revision` it takes the newest state"
    )
    return fetches(name, text)


def _flashinfer(words: Sequence[str]) -> Reading:
    if any("download" in word or "install-cubin" in word for word in words):
        return fetches(
            " ".join(words),
            "cubins come from a server by the version of the program; no checksum is given here",
        )
    return (
        []
        if any(
            word in ("show-config", "list-cubins", "clear-cache", "clear-cubin", "module-status")
            for word in words
        )
        else None
    )


def _poetry(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(
        words, "-C -P --directory --project --with --without --only -E --extras -G --group"
    )
    if verb in ("update", "lock", "add", "remove"):
        if verb == "lock" and given.has("--check"):
            return []
        return resolves(" ".join((verb, *given.operands)), "it chooses the versions of its day")
    if verb in ("install", "sync"):
        return may_resolve(verb, "it takes poetry.lock if there is one, and chooses versions if not")
    if verb == "self":
        return (
            resolves("self", "it takes the newest versions")
            if {"update", "add"} & set(given.operands)
            else []
        )
    return (
        []
        if verb in ("config", "check", "env", "export", "version", "show", "build", "cache", "run", "")
        and verb != "run"
        else None
    )


def _pdm(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(words, "-p --project -G --group -L --lockfile")
    frozen = given.has("--frozen-lockfile", "--frozen", "--check", "--locked")
    if verb in ("update", "lock", "add"):
        return [] if verb == "lock" and frozen else resolves(verb, "it chooses the versions of its day")
    if verb == "install":
        if given.has("--no-lock"):
            return resolves("install --no-lock", "it leaves the lock file aside and chooses versions itself")
        return (
            []
            if frozen
            else may_resolve("install", "it changes pdm.lock where that does not fit, or writes one")
        )
    if verb == "sync":
        return []
    return [] if verb in ("config", "export", "info", "list", "use", "venv", "build", "") else None


def _pipenv(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(words, "--python --categories -e -r")
    if verb in ("update", "lock", "upgrade"):
        return resolves(verb, "it chooses the versions of its day")
    if verb == "install":
        if given.has("--deploy", "--ignore-pipfile") and not given.operands:
            return []
        return resolves(
            " ".join(("install", *given.operands)),
            "without `--deploy` it writes a new Pipfile.lock if that does not fit",
        )
    return [] if verb in ("sync", "run", "--venv", "verify", "graph", "clean", "") and verb != "run" else None


def _pixi(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(words, "--manifest-path -e --environment")
    if verb in ("update", "lock", "add", "upgrade", "global"):
        return resolves(" ".join((verb, *given.operands)), "it chooses the versions of its day")
    if verb in ("install", "run", "shell"):
        frozen = given.has("--locked", "--frozen")
        return (
            []
            if frozen
            else may_resolve(verb, "without `--locked` it changes pixi.lock where that does not fit")
        )
    return None


def _hatch(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(words, "-e -p --env --project")
    if verb in ("run", "shell", "test", "build", "fmt") or "create" in given.operands[:1]:
        return may_resolve(
            verb, "hatch makes an environment of the versions that fit that day, if none is there"
        )
    return [] if verb in ("clean", "config", "env", "status", "version", "") else None


def _image_pull(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(
        words,
        "--platform --format --authfile --creds -o --output --src-creds --dest-creds --override-arch",
    )
    if verb in ("pull", "copy", "export", "run", "cp"):
        name = given.operands[0] if given.operands else ""
        if re.search(r"@sha256:[0-9a-f]{64}$", name):
            return []
        return fetches(name, "an image without a digest: its tag can be moved")
    return None


def _bucket_files(words: Sequence[str]) -> Reading:
    urls = [word for word in words if re.match(r"(s3|gs|az|https?|hf|ngc|r2)://", word)]
    if urls and any(
        word in ("cp", "sync", "copy", "rsync", "mv", "download", "get", "cat") for word in words
    ):
        return fetches(urls[0], "no checksum of what the bucket holds is given")
    return None


def _same_for_all(text: str) -> Callable[[Sequence[str]], Reading]:
    def read(words: Sequence[str]) -> Reading:
        return fetches(" ".join(words)[:120], text)

    return read


def _by_verb(verbs: str, text: str, harmless: str = "") -> Callable[[Sequence[str]], Reading]:
    """Return a reader of a tool some of whose verbs download, and some do nothing of the kind."""

    def read(words: Sequence[str]) -> Reading:
        verb, given = verb_arguments(words)
        if verb in verbs.split():
            return fetches(" ".join((verb, *given.operands))[:120], text)
        return [] if verb in harmless.split() else None

    return read


def _tool_versions(words: Sequence[str]) -> Reading:
    """Return what version managers such as pyenv and nvm install."""
    verb, given = verb_arguments(words)
    if verb not in ("install", "i"):
        return (
            []
            if verb
            in (
                "global",
                "local",
                "use",
                "alias",
                "rehash",
                "init",
                "default",
                "cache",
                "reshim",
                "plugin",
                "",
            )
            else None
        )
    return loose_packages(
        [word for word in given.operands if not re.search(r"\d+\.\d+\.\d+", word)]
        or ([] if given.operands else ["the newest"])
    )


def _helm(words: Sequence[str]) -> Reading:
    verb, given = verb_arguments(
        words, "--version --repo -n --namespace -f --values -d --destination --untardir"
    )
    if verb in ("pull", "install", "fetch", "upgrade", "template"):
        exact = bool(FULL_VERSION.fullmatch(given.value("--version")))
        names = [word for word in given.operands if not word.startswith((".", "/"))]
        return [] if exact or not names else loose_packages(names[-1:])
    if verb in ("dependency", "dep"):
        return (
            resolves(" ".join((verb, *given.operands)), "it chooses the versions of its day")
            if "update" in given.operands
            else []
        )
    if verb == "plugin":
        exact = bool(given.value("--version"))
        return [] if exact else loose_packages(list(given.operands[1:]))
    return [] if verb in ("repo", "version", "lint", "package", "") else None


_NO_SUM = "no checksum or signature is checked"
TOOLS: Mapping[str, Callable[[Sequence[str]], Reading]] = {
    "add-apt-repository": _apt_archives,
    "apt-add-repository": _apt_archives,
    "apt-key": _apt_key,
    "asdf": _tool_versions,
    "aws": _bucket_files,
    "azcopy": _bucket_files,
    "bower": _npm,
    "brew": _by_verb(
        "install upgrade update tap bundle", "it takes the newest versions", "list cleanup --prefix"
    ),
    "bun": _npm,
    "bundle": _bundler,
    "cargo": _cargo,
    "conda": _conda,
    "corepack": _by_verb(
        "prepare use install up", "package managers come from the registry", "enable disable"
    ),
    "crane": _image_pull,
    "docker": _image_pull,
    "flashinfer": _flashinfer,
    "flashinfer-cli": _flashinfer,
    "fnm": _tool_versions,
    "gcloud": _bucket_files,
    "gdown": _same_for_all(_NO_SUM),
    "gem": _gem,
    "gh": _by_verb("release run repo", _NO_SUM, "auth api version"),
    "go": read_go,
    "gsutil": _bucket_files,
    "hatch": _hatch,
    "helm": _helm,
    "hf": _hub_files,
    "hg": _by_verb("clone pull update", "it takes the newest state unless -r names one", "log id"),
    "huggingface-cli": _hub_files,
    "kaggle": _same_for_all(_NO_SUM),
    "lftp": _same_for_all(_NO_SUM),
    "mamba": _conda,
    "micromamba": _conda,
    "modelscope": _by_verb("download", "without a commit it takes the newest state", "login"),
    "n": _tool_versions,
    "nerdctl": _image_pull,
    "ngc": _by_verb("registry", _NO_SUM, "config version"),
    "nix-env": _by_verb("-i -iA -u", "channels move"),
    "npm": _npm,
    "npx": _npx,
    "nvm": _tool_versions,
    "ollama": _by_verb("pull run", "tags of models move", "list serve"),
    "oras": _image_pull,
    "pdm": _pdm,
    "pip-compile": lambda words: resolves(" ".join(words), "it writes the versions of its day"),
    "pip-sync": lambda words: [(PinKind.FILE, " ".join(words) or "requirements.txt", None)],
    "pipenv": _pipenv,
    "pixi": _pixi,
    "playwright": _by_verb("install", "browsers come by the version of the program", "--version"),
    "pnpm": _npm,
    "podman": _image_pull,
    "poetry": _poetry,
    "pyenv": _tool_versions,
    "rclone": _bucket_files,
    "rsync": _bucket_files,
    "rustup": _rustup,
    "rustup-init": _rustup_init,
    "scp": _same_for_all(_NO_SUM),
    "skopeo": _image_pull,
    "snap": _by_verb("install refresh", "channels move", "list"),
    "svn": _by_verb("checkout co export update", "it takes the newest state unless -r names one", "info"),
    "unattended-upgrade": lambda _: loose_packages(["everything"]),
    "unattended-upgrades": lambda _: loose_packages(["everything"]),
    "volta": _tool_versions,
    "yarn": _npm,
    "yum-builddep": lambda words: loose_packages([word for word in words if not word.startswith("-")]),
    "yum-config-manager": _config_manager,
}
"""Programs, each with what reads its arguments."""


def tool_pins(words: Sequence[str], line: int, *, forgiven: bool) -> tuple[Pin, ...] | None:
    """Return what a command of one of TOOLS takes; None if its verb is not known."""
    program = words[0].rpartition("/")[2]
    found = TOOLS[program](list(words[1:]))
    if found is None:
        return None
    pins = []
    for kind, value, judged in found:
        name, shown = program, value
        if kind is PinKind.GIT:
            name, _, shown = value.partition(" ")
        pins.append(
            Pin(
                line=line,
                kind=kind,
                name=name,
                value=shown,
                forgiven=forgiven,
                judged=(judged,) if judged else (),
            )
        )
    return tuple(pins)
