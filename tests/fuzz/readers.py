"""The readers of foreign bytes: each with its corpus, and the errors that it may end in.

A reader takes any bytes and returns or raises one of its errors; everything else is a finding. Sizes and
times are bounded by the reader itself: docs/bounds.md.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from builder.attest.sshsig import SignaturePurpose, check_ssh, read_ssh_signature, sign_ssh
from builder.attest.statement import BuiltPlatform, RebuildStatement, dump_statement, parse_statement
from builder.errors import BuilderError, DigestMismatchError, FetchError, LockError, RecipeError, UsageError
from builder.git.heritage import _take_objects
from builder.index.metadata import parse_metadata
from builder.index.project_page import parse_project_page
from builder.index.remote_wheel import read_metadata_member
from builder.index.sdist import read_sdist
from builder.io.exchange import redirect_target, retry_after
from builder.io.http import Answer
from builder.io.transfer import stated_length
from builder.json_text import parse_json
from builder.lockfile.reading import load_lock
from builder.model import Arch, toml
from builder.oci.elf import read_elf
from builder.oci.manifests import parse_config, parse_manifest, parse_saved_images
from builder.oci.registry import parse_challenge
from builder.origins.reading import parse_origins
from builder.pin.image import LayeredFiles
from builder.pin.image_packages import dpkg_packages
from builder.policy.advisories import read_advisory_policy
from builder.policy.osv_sources import read_advisories
from builder.recipe.component import Component
from builder.recipe.reading import parse_recipe, parse_table
from builder.report.alignment_record import read_judged_claims
from builder.report.build_record import read_build_records
from builder.reproduce.difference import members
from builder.resolve.debian.index import parse_packages, parse_status
from builder.rootfs.deb import LockedDeb, read_deb
from builder.tars import UnreadableError, open_unpacked, open_zip, read_ar, read_contents, read_tar
from tests.checks.elf_files import elf
from tests.fuzz.fuzzed_reader import FuzzedReader, read_in_file
from tests.fuzz.text_readers import TEXT_READERS
from tests.rootfs.tiny_debs import archive as ar_archive
from tests.rootfs.tiny_debs import member as deb_member
from tests.rootfs.tiny_debs import tar as deb_tar

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests/faults/project"


def _ssh_signature(data: bytes) -> None:
    """Read a signature, whose armour may be missing, and check it by the key that it names."""
    form = _armoured(data) if data.startswith(b"SSHSIG") else data
    check_ssh(b"message", read_ssh_signature(form, place="x"), purpose=SignaturePurpose.REBUILD, place="x")


def _armoured(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    return b"-----BEGIN SSH SIGNATURE-----\n" + text + b"\n-----END SSH SIGNATURE-----\n"


SSH_KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
)
SSH_SIGNATURE = sign_ssh(b"message", SSH_KEY, purpose=SignaturePurpose.REBUILD, place="x")
STATEMENT = dump_statement(
    RebuildStatement(
        name="1.0/plain/tiny",
        digest=f"sha256:{'1' * 64}",
        locks=(("lock/1.0/plain/tiny-x86_64.toml", f"sha256:{'2' * 64}"),),
        engine=(("buildah", "1.0"),),
        conditions=("pause",),
        passed=("reproduce: identical",),
        platforms=(BuiltPlatform(platform="linux/amd64", digest=f"sha256:{'3' * 64}", layers=()),),
    )
)


BUILD_RECORD = (
    b'{"engine": {"buildkit": "1"}, "seconds": 3.0, "stages": [{"stage": "a", "ran": 0}], "timeline": '
    b'[{"kind": "stage", "name": "a", "began": 0.0, "ended": 2.0, "seconds": 2.0, "share": 2.0}, '
    b'{"kind": "nothing reported", "name": "", "seconds": 1.0, "share": 1.0}]}'
)

JUDGED_CLAIMS = (
    b'{"command": "align", "rows": [{"source": "a", "section": "b", "quote": "", "release": "1", "claim": "c", '
    b'"published": null, "lock": "1.0", "status": "drift", "evidence": "d"}]}'
)


def _tar_members(data: bytes) -> object:
    with open_unpacked(io.BytesIO(data)) as stream:
        return [(member, content.read()) for member, content in read_tar(stream)]


def _zip_members(data: bytes) -> object:
    with open_zip(io.BytesIO(data)) as archive:
        return [archive.read(member, 2**20) for member in archive.members]


def _deb(path: Path) -> object:
    return read_deb(LockedDeb(name="p", version="1.0", arch="amd64", path=path), io.BytesIO())


def _heritage(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _take_objects(io.BytesIO(data), Path(folder) / "r.git", place="vault")


def _layer(data: bytes) -> object:
    files = LayeredFiles(lambda path: path.endswith(("status", "a")), frozenset({"var/lib/dpkg"}))
    files.apply(io.BytesIO(data), place="layer")
    return files.files


def _page(kind: str) -> Callable[[bytes], object]:
    url = "https://index.invalid/simple/idna/"
    return lambda data: parse_project_page(Answer(url=url, content_type=kind, body=data), "idna")


def _header(data: bytes) -> object:
    text = data.decode("latin-1")
    retry_after(text)
    stated_length(text)
    parse_challenge(text)
    return redirect_target("https://a.invalid/x", text, "https://a.invalid/x")


def _origins(data: bytes) -> object:
    return parse_origins(data.decode("utf-8", "replace"), "origins.toml")


def _component(data: bytes) -> object:
    table = parse_table(data, place="recipes/components/zlib.toml")
    return parse_recipe(table, Component, place="recipes/components/zlib.toml")


def _wheel_member(data: bytes) -> object:
    return read_metadata_member(io.BytesIO(data), name="idna", place="idna.whl")


TAR = deb_tar([deb_member("./a/"), deb_member("./a/b", b"text"), deb_member("./a/c", b"", link="b")])


def _pax_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a-1/" + "long/" * 30 + "PKG-INFO")
        info.pax_headers = {"mtime": "1.5", "SCHILY.xattr.user.x": "y"}
        info.size = 4
        archive.addfile(info, io.BytesIO(b"text"))
    return out.getvalue()


def _zip(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


METADATA = b"Metadata-Version: 2.2\nName: idna\nVersion: 1\nRequires-Dist: a>=1; os_name ~= 'posix'\nDynamic: b\n\ntext\n"
CONTROL = b"Package: p\nVersion: 1.0\nArchitecture: amd64\nReplaces: q (<< 2), r\nDepends: a | b (>= 1:2-3)\n"
DEB = ar_archive(
    [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", gzip.compress(deb_tar([deb_member("./control", CONTROL)]), mtime=0)),
        ("data.tar", TAR),
    ]
)
PAGE = json.dumps(
    {
        "meta": {"api-version": "1.1"},
        "name": "idna",
        "versions": ["1"],
        "files": [
            {
                "filename": "idna-1-py3-none-any.whl",
                "url": "../idna-1-py3-none-any.whl",
                "hashes": {"sha256": "0" * 64},
                "upload-time": "2025-01-01T00:00:00Z",
                "yanked": "why",
                "requires-python": ">=3.9",
                "size": 3,
                "core-metadata": {"sha256": "1" * 64},
            }
        ],
    }
).encode()
HTML = (
    b'<!DOCTYPE html><html><body><a href="idna-1-py3-none-any.whl#sha256=00" data-yanked="x" '
    b'data-requires-python="&gt;=3">idna-1-py3-none-any.whl</a></body></html>'
)
_BLOB = {"mediaType": "x", "digest": "sha256:" + "0" * 64, "size": 3}
MANIFEST = json.dumps({"schemaVersion": 2, "config": _BLOB, "layers": [_BLOB]}).encode()
INDEX = json.dumps({"schemaVersion": 2, "manifests": [_BLOB | {"platform": {"os": "linux"}}]}).encode()
CONFIG = json.dumps(
    {
        "os": "linux",
        "rootfs": {"diff_ids": ["sha256:0"]},
        "history": [{"created_by": "x", "empty_layer": True}],
    }
).encode()
ADVISORY = json.dumps(
    {
        "id": "X-1",
        "modified": "2025-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"name": "idna", "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}],
                "versions": ["1"],
            }
        ],
    }
).encode()
PACKAGES = CONTROL + b"Filename: pool/p.deb\nSize: 3\nSHA256: " + b"0" * 64 + b"\n\n"
STATUS = CONTROL + b"Status: install ok installed\n\n"
LOCK = (SMALL / "lock/1.0/plain/tiny-x86_64.toml").read_bytes()
RECIPE = (SMALL / "recipes/components/zlib.toml").read_bytes()
ORIGINS = (
    b'[origins.a]\nurl = "https://a.invalid/"\nlayout = "flat"\n[network]\nproxy = "http://p.invalid:3128"\n'
)
POLICY = b'[[accepted]]\nid = "X-1"\nname = "idna"\nreason = "why"\nexpires = "2027-01-01"\n'

ARCHIVE_ERRORS = (UnreadableError,)

READERS = (
    FuzzedReader(
        name="tar, packed or not",
        source="sdists, layers, .debs, bundles, archives",
        read=_tar_members,
        corpus=(TAR, _pax_tar(), gzip.compress(TAR, mtime=0), bz2.compress(TAR), lzma.compress(TAR)),
        errors=ARCHIVE_ERRORS,
    ),
    FuzzedReader(
        name="zip",
        source="wheels, sdists, advisories",
        read=_zip_members,
        corpus=(_zip(a=b"text" * 9, a__b=b""),),
        errors=ARCHIVE_ERRORS,
    ),
    FuzzedReader(
        name="ar",
        source=".debs, static libraries",
        read=lambda data: list(read_ar(io.BytesIO(data))),
        corpus=(DEB,),
        errors=ARCHIVE_ERRORS,
    ),
    FuzzedReader(
        name="compared archive",
        source="a download that is not the promised one",
        read=read_in_file(read_contents),
        corpus=(gzip.compress(TAR, mtime=0), _zip(a=b"x")),
        errors=ARCHIVE_ERRORS,
    ),
    FuzzedReader(
        name="compared file",
        source="two builds",
        read=members,
        corpus=(TAR, DEB, _zip(a=b"x"), gzip.compress(b"x", mtime=0)),
        errors=(),
    ),
    FuzzedReader(name="Debian package", source="an archive", read=read_in_file(_deb), corpus=(DEB,)),
    FuzzedReader(
        name="sdist",
        source="an index",
        read=lambda data: read_sdist("a-1.tar.gz", data),
        corpus=(gzip.compress(_pax_tar(), mtime=0), _pax_tar()),
        errors=(BuilderError,),
    ),
    FuzzedReader(
        name="wheel's METADATA member",
        source="an index",
        read=_wheel_member,
        corpus=(_zip(**{"idna-1.dist-info__METADATA": METADATA}),),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="core metadata",
        source="an index",
        read=lambda data: parse_metadata(data, name="idna", size=1, place="idna"),
        corpus=(METADATA,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="project page, JSON",
        source="an index",
        read=_page("application/vnd.pypi.simple.v1+json"),
        corpus=(PAGE,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="project page, HTML",
        source="an index",
        read=_page("text/html"),
        corpus=(HTML,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="JSON", source="every service", read=parse_json, corpus=(PAGE, CONFIG), errors=(ValueError,)
    ),
    FuzzedReader(
        name="TOML",
        source="locks, recipes, policies",
        read=lambda data: toml.loads(data, place="x", error=UsageError),
        corpus=(LOCK, RECIPE),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="lock",
        source="a pull request, a bundle",
        read=lambda data: load_lock(data, place="lock"),
        corpus=(LOCK,),
        errors=(LockError,),
    ),
    FuzzedReader(
        name="component recipe",
        source="a pull request",
        read=_component,
        corpus=(RECIPE,),
        errors=(RecipeError,),
    ),
    FuzzedReader(
        name="origins file", source="a project", read=_origins, corpus=(ORIGINS,), errors=(UsageError,)
    ),
    FuzzedReader(
        name="manifest or index of an image",
        source="a registry, a file",
        read=lambda data: parse_manifest(data, place="x"),
        corpus=(MANIFEST, INDEX),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="configuration of an image",
        source="a registry, a file",
        read=lambda data: parse_config(data, place="x"),
        corpus=(CONFIG,),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="list of saved images",
        source="`docker save`",
        read=lambda data: parse_saved_images(data, place="x"),
        corpus=(b'[{"Config": "c.json", "Layers": ["l.tar"]}]',),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="layer of a pinned image",
        source="a registry",
        read=_layer,
        corpus=(TAR, gzip.compress(TAR, mtime=0)),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="bundle of a git archive",
        source="Software Heritage",
        read=_heritage,
        corpus=(_pax_tar(),),
        errors=(FetchError,),
    ),
    FuzzedReader(
        name="advisories",
        source="an OSV database",
        read=read_in_file(lambda path: list(read_advisories(path)), "osv.zip"),
        corpus=(_zip(**{"a.json": ADVISORY}), ADVISORY),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="accepted advisories",
        source="a project",
        read=lambda data: read_advisory_policy(data, place="x"),
        corpus=(POLICY,),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="Debian package index",
        source="an archive",
        read=lambda data: parse_packages(data, place="x"),
        corpus=(PACKAGES, PACKAGES * 2),
    ),
    FuzzedReader(
        name="dpkg's database",
        source="an image",
        read=lambda data: parse_status(data, place="x"),
        corpus=(STATUS,),
    ),
    FuzzedReader(
        name="packages of a pinned image",
        source="an image",
        read=lambda data: dpkg_packages({"var/lib/dpkg/status": data}, Arch.X86_64, place="x"),
        corpus=(STATUS,),
    ),
    FuzzedReader(
        name="ELF object",
        source="an image",
        read=lambda data: read_elf(io.BytesIO(data)),
        corpus=(elf(needed=("libc.so.6",), soname="a", runpath="$ORIGIN"),),
        errors=(),
    ),
    FuzzedReader(
        name="rebuild statement",
        source="a folder of attestations",
        read=lambda data: parse_statement(data, place="x"),
        corpus=(STATEMENT,),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="record of a build",
        source="whoever built an image",
        read=lambda data: read_build_records(data, place="x"),
        corpus=(BUILD_RECORD,),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="claims that align judged",
        source="whoever ran align",
        read=lambda data: read_judged_claims(data, place="x"),
        corpus=(JUDGED_CLAIMS,),
        errors=(UsageError,),
    ),
    FuzzedReader(
        name="SSH signature",
        source="a folder of attestations",
        read=_ssh_signature,
        corpus=(SSH_SIGNATURE, base64.b64decode(b"".join(SSH_SIGNATURE.splitlines()[1:-1]))),
        errors=(UsageError, DigestMismatchError),
    ),
    FuzzedReader(
        name="headers that lead elsewhere",
        source="every server",
        read=_header,
        corpus=(b"https://b.invalid/x?y", b"120", b'Bearer realm="https://a.invalid/token",service="x"'),
        errors=(FetchError,),
    ),
    *TEXT_READERS,
)
"""Every reader of the table in docs/bounds.md, in its order."""
