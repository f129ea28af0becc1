"""What `align` says of commands: package managers, resolvers, downloads, clones, and the order of a file's life."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from builder.align.dockerfile.arguments import read_arguments, tool_arguments
from builder.align.dockerfile.pin import Pin, PinKind
from builder.align.dockerfile.pins import dockerfile_pins
from builder.align.dockerfile.reader import read_dockerfile
from builder.align.dockerfile.requirements_file import requirements_pins
from builder.align.dockerfile.tool_options import PLAIN_OPTIONS, VALUE_OPTIONS
from builder.align.dockerfile.variables import UNRESOLVED

ROOT = Path(__file__).resolve().parents[3]
SUM = "a" * 64
COMMIT = "0123456789" * 4
URL = "https://f.invalid/x"


def pins(text: str) -> list[Pin]:
    return list(dockerfile_pins(read_dockerfile(text.encode(), place="Dockerfile")))


def said(script: str, before: str = "") -> list[str]:
    """Return what is said of the commands of a RUN: the first judgement of each pin, else its kind."""
    found = [pin for pin in pins(f"FROM scratch\n{before}RUN {script}\n") if pin.kind is not PinKind.ARGUMENT]
    shown = [(pin.judged[0].what if pin.judged else pin.kind, pin.value) for pin in found]
    return [f"{what}: {value}".replace(UNRESOLVED, "?") for what, value in shown]


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        *(
            (f"{command} {verb} -y", f"unpinned packages: {verb}")
            for command, verbs in {
                "apt": ("upgrade", "dist-upgrade", "full-upgrade"),
                "apt-get": ("upgrade", "dist-upgrade", "dselect-upgrade"),
                "aptitude": ("safe-upgrade", "full-upgrade"),
                "dnf": ("upgrade", "update", "distro-sync"),
                "dnf5": ("upgrade",),
                "microdnf": ("update", "upgrade"),
                "yum": ("update", "upgrade"),
                "tdnf": ("update",),
                "zypper": ("up", "update", "dup", "patch"),
                "apk": ("upgrade",),
            }.items()
            for verb in verbs
        ),
        ("dnf -y --nodocs groupinstall 'Development Tools'", "unpinned packages: groupinstall Development Tools"),
        ("dnf group install -y x", "unpinned packages: group install x"),
        ("dnf module enable -y nodejs:20", "unpinned packages: module enable nodejs:20"),
        ("apt-get build-dep -y x", "unpinned packages: build-dep x"),
        ("yum localinstall -y x.rpm", "not read: x.rpm"),
        ("apt install ./x.deb", "not read: ./x.deb"),
        ("pacman -Syu --noconfirm", "unpinned packages: -Syu"),
        ("pacman -S --noconfirm x", "unpinned packages: x"),
        ("add-apt-repository -y ppa:a/b", "unpinned packages: ppa:a/b"),
        (f"dnf config-manager --add-repo {URL}.repo", f"unpinned packages: {URL}.repo"),
        (f"dnf config-manager addrepo --from-repofile={URL}.repo", f"unpinned packages: {URL}.repo"),
        (f"yum-config-manager --add-repo={URL}.repo", f"unpinned packages: {URL}.repo"),
        (f"zypper addrepo {URL} x", f"unpinned packages: {URL}"),
        ("dnf copr enable -y a/b", "unpinned packages: a/b"),
        (f"rpm -i {URL}.rpm", f"download: {URL}.rpm"),
        (f"rpm -Uvh {URL}.rpm", f"download: {URL}.rpm"),
        (f"dnf install -y {URL}.rpm", f"download: {URL}.rpm"),
        (f"zypper --non-interactive in {URL}.rpm", f"download: {URL}.rpm"),
        ("apt-get install -y libssl3=3.0.*", "unpinned packages: libssl3=3.0.*"),
        ("apt-get install -t trixie-backports x", "unpinned packages: x"),
        ("apt-get install x/trixie", "unpinned packages: x/trixie"),
        ("apk add x~=1.2", "unpinned packages: x~=1.2"),
        ("apk add 'x>1'", "unpinned packages: x>1"),
        ("apk add y@edge", "unpinned packages: y@edge"),
        ("dnf install -y cuda-toolkit-12-8", "unpinned packages: cuda-toolkit-12-8"),
        ("dnf install -y x-1.2.3", "unpinned packages: x-1.2.3"),
        ("zypper in x=1.2", "unpinned packages: x=1.2"),
        ("xargs apt-get install -y < packages.txt", "decided later: ?"),
        ("apt-get install --allow-unauthenticated x=1-1", "unsigned archive: x=1-1"),
        ("apt-get install -o APT::Get::AllowUnauthenticated=true x=1-1", "unsigned archive: x=1-1"),
        ("dnf install --nogpgcheck x-1.2-3.el9", "unsigned archive: x-1.2-3.el9"),
        ("dnf --setopt=gpgcheck=0 install x-1.2-3.el9", "unsigned archive: x-1.2-3.el9"),
        ("zypper --no-gpg-checks in x=1-2", "unsigned archive: x=1-2"),
        ("apk add --allow-untrusted x=1-r0", "unsigned archive: x=1-r0"),
        ("apt-get update --allow-insecure-repositories", "unsigned archive: update"),
        (f"echo 'deb [trusted=yes] {URL} ./' > /etc/apt/x.list", f"unsigned archive: deb [trusted=yes] {URL} ./"),
        ("apt-get update && apt-get clean && apt-mark hold x", None),
    ],
)  # fmt: skip
def test_package_managers(script: str, wanted: str | None) -> None:
    assert said(script) == ([] if wanted is None else [wanted])


@pytest.mark.parametrize("name", ["x=1.2-3", "x:amd64=1:2.3-4+b1"])
def test_an_exact_package_is_no_finding(name: str) -> None:
    assert said(f"apt-get install -y {name}") == [f"packages: {name}"]


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("uv sync", ["resolves while building: "]),
        ("uv sync --locked --no-dev", []),
        ("uv sync --frozen", []),
        ("UV_LOCKED=1 uv sync", []),
        ("export UV_FROZEN=1 && uv sync", []),
        ("uv lock", ["resolves while building: "]),
        ("uv lock --check", []),
        ("uv run --no-sync pip install a", ["requirement: a"]),
        ("uv run --frozen flashinfer download-cubin", ["unpinned download: download-cubin"]),
        ("uv add x==1", ["requirement: x==1", "resolves while building: x==1"]),
        ("uv pip compile r.in -o r.txt", ["resolves while building: r.in -o r.txt"]),
        ("uv pip sync r.txt", ["file: r.txt"]),
        ("uv python install 3.12", ["unpinned packages: install 3.12"]),
        ("uv python install 3.12.8", ["not asked: install 3.12.8"]),
        ("uv self update", ["resolves while building: update"]),
        ("poetry update", ["resolves while building: update"]),
        ("poetry install", ["resolves while building: install"]),
        ("pdm install --no-lock", ["resolves while building: install --no-lock"]),
        ("pdm sync", []),
        ("pipenv install --deploy", []),
        ("pipenv install", ["resolves while building: install"]),
        ("npm install", ["resolves while building: install"]),
        ("npm i x@1.2.3 y@^1", ["unpinned packages: y@^1"]),
        ("npm ci", []),
        ("npm update", ["resolves while building: update"]),
        ("npx x", ["unpinned packages: x"]),
        ("yarn install", ["resolves while building: install"]),
        ("yarn install --immutable", []),
        ("pnpm add x", ["unpinned packages: x"]),
        ("cargo build --release --locked", []),
        ("cargo update", ["resolves while building: update"]),
        ("cargo install x --version 1.2.3 --locked", []),
        ("cargo install x --version 1.2.3", ["resolves while building: install x"]),
        (f"cargo install --locked --git {URL} --rev {COMMIT}", [f"git: {COMMIT}"]),
        (
            f"cargo install --git {URL} --rev {COMMIT}",
            [f"git: {COMMIT}", f"resolves while building: install --git {URL}"],
        ),
        ("go install x.invalid/a@latest", ["unpinned packages: x.invalid/a@latest"]),
        ("go install x.invalid/a@main", ["unpinned packages: x.invalid/a@main"]),
        ("go mod tidy", ["resolves while building: mod tidy"]),
        ("go mod download", []),
        ("gem install x -v '~> 1'", ["unpinned packages: x"]),
        ("gem install x:1.2.3", []),
        ("bundle update", ["resolves while building: update"]),
        ("conda install x=1.2 y==1.2 z=1.2.3", ["unpinned packages: x=1.2"]),
        ("conda update --all", ["unpinned packages: --all"]),
        ("conda env create -f e.yml", ["not read: e.yml"]),
        ("rustup update", ["unpinned packages: update"]),
        ("rustup toolchain install 1.90", ["unpinned packages: 1.90"]),
        ("./rustup-init -y", ["unpinned packages: stable"]),
        ("hf download a/b", ["unpinned download: a/b"]),
        ("huggingface-cli download a/b --revision main", ["unpinned download: a/b"]),
        (f"hf download a/b --revision {COMMIT}", ["holds: a/b"]),
        ("flashinfer download-cubin", ["unpinned download: download-cubin"]),
        ("python -m flashinfer download-cubin", ["unpinned download: download-cubin"]),
        ("python -m spacy download en", ["unpinned download: spacy download en"]),
        ("playwright install --with-deps", ["unpinned download: install"]),
        ("aws s3 cp s3://a/b .", ["unpinned download: s3://a/b"]),
        ("python setup.py install", ["resolves while building: install"]),
        ("pip install -e 'python[all]' -e server .", ["not read: .", "not read: python[all]", "not read: server"]),
        ("pip install --no-deps --no-build-isolation .", []),
        ("pip install --trusted-host f.invalid a==1", ["requirement: a==1"]),
    ],
)  # fmt: skip
def test_resolvers_and_downloads_of_other_tools(script: str, wanted: list[str]) -> None:
    assert said(script) == wanted


@pytest.mark.parametrize(
    ("before", "script", "wanted"),
    [
        ("COPY package.json package-lock.json ./\n", "npm install", ["not read: install"]),
        ("COPY . .\n", "npm install", ["not read: install"]),
        ("COPY package.json ./\n", "npm install", ["resolves while building: install"]),
        ("COPY Cargo.toml Cargo.lock ./\n", "cargo build", ["not read: build"]),
        ("ENV UV_LOCKED=1\n", "uv sync", []),
    ],
)
def test_a_lock_file_decides_only_if_a_line_brings_it(before: str, script: str, wanted: list[str]) -> None:
    assert said(script, before) == wanted


CHECK = f"echo '{SUM}  x' | sha256sum -c -"
FETCH = f"wget {URL}"


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        (f"RUN {FETCH} && {CHECK} && tar xf x", True),
        (f"RUN {FETCH} && tar xf x && {CHECK}", False),
        (f"RUN {CHECK}; {FETCH}", False),
        (f"RUN {FETCH}; {CHECK}; tar xf x", False),
        (f"RUN set -e; {FETCH}; {CHECK}; tar xf x", True),
        (f'SHELL ["/bin/bash", "-ec"]\nRUN {FETCH}; {CHECK}; tar xf x', True),
        (f"RUN {FETCH} && {CHECK} | tee log", False),
        (f"RUN {FETCH} && {CHECK} || exit 1", True),
        (f"RUN {FETCH} && {CHECK} || echo bad", False),
        (f"RUN {FETCH}\nRUN {CHECK} && sh x", True),
        (f"RUN {FETCH} && sh x\nRUN {CHECK}", False),
        (f"RUN {FETCH} && mv x y && echo '{SUM}  y' | sha256sum -c", True),
        (f"RUN {FETCH} && sha256sum -c <<< '{SUM}  x'", True),
        (f"RUN {FETCH} && echo '{SUM}  x' > s && sha256sum -c s", True),
        (f"RUN {FETCH} {URL}.sha256 && sha256sum -c x.sha256", False),
        (f"COPY x.sha256 .\nRUN {FETCH} && sha256sum -c x.sha256", True),
        (f"RUN {FETCH} && test \"$(sha256sum x | cut -d' ' -f1)\" = {SUM} && sh x", True),
        (f"RUN {FETCH} && [ \"$(sha256sum x | awk '{{print $1}}')\" = \"{SUM}\" ]", True),
        (f'RUN {FETCH} && [ "$(sha256sum y)" = {SUM} ]', False),
        (f'RUN {FETCH}; S=$(sha256sum x); if [ "$S" != {SUM} ]; then exit 1; fi; sh x', True),
        (f"RUN {FETCH} && sha256sum x | grep -q {SUM}", True),
        (f"RUN {FETCH} && sha256sum x", False),
        (f"WORKDIR /a\nRUN {FETCH}\nWORKDIR /b\nRUN {CHECK.replace('  x', '  /a/x')}", True),
        (f"FROM scratch AS a\nRUN {FETCH}\nFROM a\nRUN {CHECK}", True),
    ],
)  # fmt: skip
def test_a_download_holds_if_its_sum_is_checked_between_its_coming_and_its_use(
    text: str, checked: bool
) -> None:
    (pin,) = [pin for pin in pins(f"FROM scratch\n{text}\n") if pin.value == URL]
    assert (pin.checked and not pin.judged) is checked


@pytest.mark.parametrize(
    ("script", "what"),
    [
        (f"curl -k {URL}", "verification off"),
        (f"curl --insecure -fsSLo x {URL}", "verification off"),
        (f"wget --no-check-certificate {URL}", "verification off"),
        (f"git -c http.sslVerify=false clone {URL}", "verification off"),
        (f"GIT_SSL_NO_VERIFY=1 git clone {URL}", "verification off"),
        ("pip install --trusted-host f.invalid a==1", "verification off"),
        ("uv pip install --allow-insecure-host f.invalid a==1", "verification off"),
    ],
)
def test_switched_off_verification_is_a_finding_of_its_own(script: str, what: str) -> None:
    assert [item.what for pin in pins(f"FROM scratch\nRUN {script}") for item in pin.besides] == [what]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"RUN git clone {URL}/a && git clone {URL}/b && git -C a checkout v1 && git -C b checkout v2", ["v1", "v2"]),
        (f"RUN git clone {URL}/a\nRUN cd a && git checkout v1", ["v1"]),
        (f"WORKDIR /src\nRUN git clone {URL}/a\nWORKDIR a\nRUN git checkout v1", ["v1"]),
        (f"RUN git clone {URL}/a && (cd a && git checkout v1) && git clone {URL}/b", ["v1", ""]),
        (f"RUN cd /x && git clone {URL}/a .\nRUN git -C /x fetch origin v2 && git -C /x checkout FETCH_HEAD", ["v2"]),
        (f"FROM scratch AS a\nRUN git clone {URL}/a /a\nFROM a\nRUN git -C /a checkout v1", ["v1"]),
        (f"RUN git init a && cd a && git remote add origin {URL} && git fetch origin v3 && git reset --hard FETCH_HEAD", ["v3"]),
        (f"RUN git clone -b v1 {URL}/a && git -C a pull", [""]),
        (f"RUN git clone --jobs 4 --depth=1 -b v1 {URL}/a", ["v1"]),
        (f"RUN git clone {URL}/a && git -C a checkout -- file", [""]),
    ],
)  # fmt: skip
def test_clones_have_a_state(text: str, wanted: list[str]) -> None:
    assert [pin.value for pin in pins(f"FROM scratch\n{text}\n") if pin.kind is PinKind.GIT] == wanted


def test_an_env_wins_over_an_arg() -> None:
    found = pins("FROM scratch\nENV A_VERSION=2\nARG A_VERSION=1\nRUN pip install a==$A_VERSION\n")
    assert [(pin.line, pin.value, [item.what for item in pin.judged]) for pin in found] == [
        (2, "2", []),
        (3, "1", ["overridden"]),
        (4, "a==2", []),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("FROM scratch AS x\nFROM y", ["y"]),
        ("FROM scratch\nCOPY --from=x . /", ["x"]),
        ("FROM scratch AS x\nCOPY --from=X . /", []),
        ("FROM scratch AS b-amd64\nARG TARGETARCH\nFROM b-${TARGETARCH}", [f"b-{UNRESOLVED}"]),
    ],
)
def test_contexts_and_stages(text: str, named: list[str]) -> None:
    assert [pin.value for pin in pins(text) if pin.kind is PinKind.IMAGE] == named


def test_what_no_reader_knows_is_one_row() -> None:
    (pin,) = pins("FROM scratch\nRUN mkdir a && make -C a && ./configure && cd b && foo bar && ninja\n")
    assert (pin.kind, pin.value) == (PinKind.SHELL, "make -C a, ./configure, foo bar and 1 more")
    assert pin.reason == "4 commands of programs or scripts that are not read here"
    assert pins("FROM scratch\nRUN f() { mkdir a; }; f && cp a b | tee c\n") == []


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ("a==1\n".encode("utf-16"), "a==1"),
        ("a==1\n".encode("utf-8-sig"), "a==1"),
        (b"# -*- coding: latin-1 -*-\na==1 # \xe9\n", "a==1"),
        (b"a==${A_VERSION}\n", f"a=={UNRESOLVED}"),
        (b"a==$A_VERSION\n", "a==$A_VERSION"),
    ],
)
def test_requirements_are_decoded_and_expanded_as_pip_does(data: bytes, wanted: str) -> None:
    assert [pin.value for pin in requirements_pins(data, place="x")] == [wanted]


def test_options_are_read_by_the_tables_of_the_tools() -> None:
    given = tool_arguments(
        ["-qr", "r.txt", "--upgrade-strat", "eager", "-Ue", "x", "--unheard-of", "y", "a"], "pip install"
    )
    assert (given.operands, given.unknown, given.doubtful) == (("a",), ("--unheard-of",), ("y",))
    assert (given.value("-r"), given.value("--upgrade-strategy"), given.value("-e")) == (
        "r.txt",
        "eager",
        "x",
    )
    assert read_arguments(["-xfo", "v", "--", "-a"], frozenset(("-o",))).operands == ("-a",)


def test_the_recorded_options_are_those_of_the_installed_pip_and_uv() -> None:
    path = str(ROOT / "scripts/maintenance/record-tool-options")
    spec = importlib.util.spec_from_loader(
        "record_tool_options", SourceFileLoader("record_tool_options", path)
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for verb in script.UV_VERBS:
        listed = script.completed_options(verb, script.uv_completions())
        assert {option for option, valued in listed.items() if valued} <= set(
            VALUE_OPTIONS[f"uv {verb}"].split()
        )
        assert {option for option, valued in listed.items() if not valued} <= set(
            PLAIN_OPTIONS[f"uv {verb}"].split()
        )
    for name, table in script.pip_options():
        assert set(VALUE_OPTIONS[name].split()) == {option for option, valued in table.items() if valued}, (
            name
        )
        assert set(PLAIN_OPTIONS[name].split()) == {
            option for option, valued in table.items() if not valued
        }, name
