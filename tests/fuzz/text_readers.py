"""Readers of texts that people and archives write: Dockerfiles, requirements, policies, indexes, keys."""

from __future__ import annotations

import contextlib
from pathlib import Path

from builder.align import claims_in_markdown
from builder.align.dockerfile import dockerfile_pins, file_pins, read_dockerfile
from builder.attest.keys import read_keys
from builder.bundle.contents import (
    Bundle,
    BundledFile,
    BundledFileKind,
    BundledLock,
    dump_bundle,
    parse_bundle,
)
from builder.diff.exports import read_pylock, read_requirements
from builder.errors import DigestMismatchError, FetchError, LockError, UsageError
from builder.lockfile import Check
from builder.model import Arch, Sha256, marker_environment, toml
from builder.openpgp import certificates, verify_detached
from builder.policy.licenses import read_license_policy
from builder.project_file import read_project_file
from builder.recipe.outcomes import load_outcomes
from builder.resolve.debian.release import _parsed_release
from builder.resolve.rpm.pool import RepositorySource, RpmPool
from builder.resolve.rpm.repomd import _parsed_repomd
from builder.trial.outcomes import read_outcomes
from tests.fuzz.fuzzed_reader import FuzzedReader, read_in_file
from tests.standin.rpm_repository import Rpm, TinyRepo, filelists_xml, primary_xml

ROOT = Path(__file__).parents[2]
KEY = (ROOT / "recipes/keys/debian-13-archive.asc").read_bytes()
SIGNATURE = b"""-----BEGIN PGP SIGNATURE-----

wr0EABYKAG8FgmsOSVYJEPS/G2Mrv5IERxQAAAAAAB4AIHNhbHRAbm90YXRpb25z
LnNlcXVvaWEtcGdwLm9yZ0JiI6PorKQHivwkRvxvWSbWxpWAfAE16aQWWiJYif22
FiEEUMlhGCSscpkBdSYI9L8bYyu/kgQAAILZAP9WZoX0ZvXdLG+BF64mJsNz6SG7
l+PzHu/3qbTTiSBEOgD6An0UwqBCwU0O1aBU5a2cdxv6iGR7tgEk8XCuZGfeUg4=
=SGFV
-----END PGP SIGNATURE-----
"""
"""Over `message`, by a key that nobody has any more."""
HASHES = f"--hash=sha256:{'0' * 64}"
DOCKERFILE = f"""# syntax=docker/dockerfile:1
ARG BASE=debian:13
FROM ${{BASE}}@sha256:{"0" * 64} AS a
ARG X_REF=v1.0 # why
ENV A="$X_REF" B='c'
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN --mount=type=cache,target=/x set -e; git clone -b $X_REF https://g.invalid/x.git && cd x && \\
    pip install -r r.txt "numpy[a]==2.2.6" || true
RUN <<END bash
curl -fsSLo a https://f.invalid/a; echo "{"0" * 64}  a" | sha256sum -c -
if [ "$(sha256sum a | cut -d' ' -f1)" != "{"0" * 64}" ]; then exit 1; fi
END
COPY --from=a --chmod=644 <<-E /etc/x
\t[trusted=yes]
\tE
ONBUILD RUN apt-get install -y a=1.0-1 b=2.*
CMD ["sh", "-c", "uv sync && exec serve"]
""".encode()
REQUIREMENTS = (
    f"# why\n-r other.txt\nnumpy==2.2.6 \\\n    {HASHES}\nb @ git+https://g.invalid/b.git@main ; os_name == 'x'\n"
    "--extra-index-url https://i.invalid/simple\n-e .[all]\nc>=1,<2 ; python_version < '3.13'\nd==${VERSION}\n"
).encode()
PYPROJECT = b"""[project]
name = "a"
dependencies = ["b>=1", "c==2"]
[project.optional-dependencies]
d = ["e[f]~=3.0"]
[build-system]
requires = ["g"]
[dependency-groups]
h = ["i", {include-group = "d"}]
"""
UV_LOCK = f"""version = 1
[[package]]
name = "a"
version = "1"
source = {{ registry = "https://i.invalid/simple" }}
sdist = {{ url = "a.tar.gz", hash = "sha256:{"0" * 64}" }}
[[package]]
name = "b"
version = "2"
source = {{ git = "https://g.invalid/b.git?rev=main#{"0" * 40}" }}
""".encode()
PYLOCK = f"""lock-version = "1.0"
created-by = "x"
[[packages]]
name = "a"
version = "1"
[[packages.wheels]]
name = "a-1-py3-none-any.whl"
url = "https://f.invalid/a-1-py3-none-any.whl"
hashes = {{ sha256 = "{"0" * 64}" }}
[[packages]]
name = "b"
version = "2"
marker = "os_name == 'posix'"
[packages.vcs]
type = "git"
url = "https://g.invalid/b.git"
commit-id = "{"0" * 40}"
""".encode()
YAML = f"""services: &s
  a: {{image: "x:1"}}
  b: {{<<: *s, image: "y@sha256:{"0" * 64}"}}
image: {{repository: r.invalid/z, tag: {{{{ .Values.tag }}}}}}
dependencies: [a=1, {{pip: [numpy==2.2.6]}}]
""".encode()
MARKDOWN = b"# T\n\n| name | 0.8.0 | main |\n|---|:-:|--|\n| vllm | `0.10.2` | >=1 |\n| **NIXL** | 0.7.1 \\| x | |\n\ntext\n"
RELEASE = (
    "Suite: s\nCodename: c\nDate: Sat, 01 Jan 2028 00:00:00 UTC\nValid-Until: Sat, 08 Jan 2028 00:00:00 UTC\n"
    f"Components: main\nArchitectures: amd64\nSHA256:\n {'0' * 64} 3 main/binary-amd64/Packages.xz\n"
).encode()
PRIMARY = primary_xml((Rpm(name="a"), Rpm(name="b"))).encode()
FILELISTS = filelists_xml((Rpm(name="a"), Rpm(name="b"))).encode()
REPOMD = TinyRepo(packages=(Rpm(name="a"),)).publish()["repodata/repomd.xml"]
KEYS = b'[[owners]]\nname = "a"\nssh = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"]\n'
BUNDLE = dump_bundle(
    Bundle(
        format=1,
        locks=(BundledLock(path="1.0/plain/tiny-x86_64.toml", sha256=Sha256("1" * 64), size=3),),
        files=(
            BundledFile(
                sha256=Sha256("2" * 64),
                size=4,
                kind=BundledFileKind.WHEEL,
                name="a-1-py3-none-any.whl",
                rows=("1.0/plain/tiny-x86_64 python a",),
            ),
        ),
    )
)
CHECK = Check(run=("true",))
ENVIRONMENT = marker_environment(Arch.X86_64, "3.13", "3.13.5")
LICENSES = b'allowed = ["MIT", "Apache-2.0 WITH LLVM-exception"]\ndenied = ["AGPL-3.0-only"]\n'


def _rpms(primary: bytes, filelists: bytes) -> object:
    """Read package metadata and file lists with libsolv."""
    source = RepositorySource(label="main", primary=primary, filelists=lambda: filelists)
    pool = RpmPool.of(Arch.X86_64, (), [source])
    pool.complete()
    return [str(package) for package in pool.named("a")]


def _pylock(data: bytes) -> object:
    return read_pylock(toml.loads(data, place="x", error=LockError), ENVIRONMENT, place="x")


def _openpgp(data: bytes) -> object:
    return verify_detached(b"message", data, certificates((KEY,), place="x"), place="x", hint="look")


def _settings(data: bytes) -> None:
    for read in (read_project_file, read_license_policy, load_outcomes):
        with contextlib.suppress(UsageError, LockError):
            read(data, place="x")


TEXT_READERS = (
    FuzzedReader(
        name="Dockerfile",
        source="a user, a pull request",
        read=lambda data: dockerfile_pins(read_dockerfile(data, place="Dockerfile")),
        corpus=(DOCKERFILE, DOCKERFILE.replace(b"\n", b"\r\n")),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="requirements file",
        source="a user, a pull request",
        read=lambda data: file_pins(data, place="requirements.txt"),
        corpus=(REQUIREMENTS, REQUIREMENTS.decode().encode("utf-16")),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="pyproject.toml",
        source="a user, a pull request",
        read=lambda data: file_pins(data, place="pyproject.toml"),
        corpus=(PYPROJECT,),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="uv.lock, pylock.toml",
        source="a user, a pull request",
        read=lambda data: (file_pins(data, place="uv.lock"), file_pins(data, place="pylock.toml")),
        corpus=(UV_LOCK, PYLOCK),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="compose file, Helm values, conda environment",
        source="a user, a pull request",
        read=lambda data: file_pins(data, place="a.yaml"),
        corpus=(YAML,),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="table of versions",
        source="a user",
        read=lambda data: claims_in_markdown(data.decode("utf-8", "replace"), ("vllm", "nixl")).as_toml({}),
        corpus=(MARKDOWN, MARKDOWN.replace(b"0.10.2", b"9" * 5000)),
        errors=(),
    ),
    FuzzedReader(
        name="pylock.toml that is compared",
        source="a user",
        read=_pylock,
        corpus=(PYLOCK,),
        errors=(LockError,),
    ),
    FuzzedReader(
        name="requirements that are compared",
        source="a user",
        read=lambda data: read_requirements(data.decode("utf-8", "replace"), ENVIRONMENT, place="x"),
        corpus=(REQUIREMENTS, f"a==1 {HASHES}\n".encode()),
        errors=(LockError,),
    ),
    FuzzedReader(
        name="project file, licence policy, outcomes",
        source="a project",
        read=_settings,
        corpus=(LICENSES, b"catalogue = false\n", b'published = ""\n[[tried]]\ntarget = "a"\n'),
    ),
    FuzzedReader(
        name="keys of owners",
        source="a project",
        read=read_in_file(read_keys),
        corpus=(KEYS,),
        errors=(UsageError, FetchError),
    ),
    FuzzedReader(
        name="OpenPGP certificate",
        source="a project",
        read=lambda data: certificates((data,), place="x"),
        corpus=(KEY,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="OpenPGP signature",
        source="an archive, a folder of attestations",
        read=_openpgp,
        corpus=(SIGNATURE,),
        errors=(FetchError, DigestMismatchError),
    ),
    FuzzedReader(
        name="release file of a Debian archive",
        source="an archive, once its signature is good",
        read=lambda data: _parsed_release(data.decode("utf-8", "replace"), signers=(), sha256="", place="x"),
        corpus=(RELEASE, RELEASE.replace(b"SHA256:\n", b"SHA256:")),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="repomd.xml",
        source="an archive, once its signature is good",
        read=lambda data: _parsed_repomd(data, signers=(), place="x"),
        corpus=(REPOMD,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="RPM package metadata",
        source="an archive, once its signature is good",
        read=lambda data: (_rpms(data, FILELISTS), _rpms(PRIMARY, data)),
        corpus=(PRIMARY, FILELISTS, b"<\0" + b"\xff" * 40, PRIMARY.replace(b"UTF-8", b"UTF-16")),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="table of contents of a bundle",
        source="a bundle",
        read=lambda data: parse_bundle(data, place="x"),
        corpus=(BUNDLE,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="outcome of a check",
        source="an image that is tried",
        read=lambda data: read_outcomes((CHECK,), (), {"0.code": data, "0.seconds": data, "0.output": data}),
        corpus=(b"0\n", b"12", b"9" * 5000),
        errors=(),
    ),
)
