"""repomd.xml and its files: whole, tampered with, cut off, and hostile."""

from __future__ import annotations

import bz2
import gzip
import lzma
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import Tsk

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.resolve.rpm.repomd import RepodataFile, Repomd, check_moment, read_repomd, repodata_text
from tests.standin.rpm_repository import STAMP, Rpm, TinyRepo

BOMB = '<!DOCTYPE repomd [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n'


def read(repo: TinyRepo, keys: tuple[bytes, ...] = ()) -> Repomd:
    files = repo.publish()
    signature = files["repodata/repomd.xml.asc"]
    return read_repomd(files["repodata/repomd.xml"], signature, keys or (repo.certificate,), place="here")


def replacing(old: str, new: str) -> TinyRepo:
    return TinyRepo(change=lambda kind, text: text.replace(old, new) if kind == "repomd" else text)


def test_it_says_date_revision_files_and_signers() -> None:
    repo = TinyRepo(packages=(Rpm(name="a"),))
    found = read(repo)
    assert (found.revision, found.date) == (str(STAMP), datetime.fromtimestamp(STAMP, UTC))
    assert found.signers == (repo.key.extract_certificate().fingerprint,)
    files = repo.publish()
    for entry in found.files:
        assert len(files[entry.path]) == entry.size
        assert len(gzip.decompress(files[entry.path])) == entry.open_size


def test_one_of_several_keys_is_enough() -> None:
    repo = TinyRepo()
    other = bytes(Tsk.generate("Other <o@example.invalid>").extract_certificate())
    assert read(repo, (other, repo.certificate)).signers == (repo.key.extract_certificate().fingerprint,)


def test_another_key_is_refused() -> None:
    other = bytes(Tsk.generate("Other <o@example.invalid>").extract_certificate())
    with pytest.raises(DigestMismatchError, match="no good signature by a certificate of the keyring"):
        read(TinyRepo(), (other,))


def test_a_changed_byte_is_refused() -> None:
    repo = TinyRepo()
    files = repo.publish()
    data = files["repodata/repomd.xml"].replace(b"primary", b"primarz")
    with pytest.raises(DigestMismatchError, match="no good signature"):
        read_repomd(data, files["repodata/repomd.xml.asc"], (repo.certificate,), place="here")


@pytest.mark.parametrize("signature", [b"", b"-----BEGIN PGP SIGNATURE-----\n", b"\x88\x00", b"<html/>"])
def test_what_is_no_signature_is_said_to_be_none(signature: bytes) -> None:
    repo = TinyRepo()
    data = repo.publish()["repodata/repomd.xml"]
    with pytest.raises(FetchError, match="not an OpenPGP signature"):
        read_repomd(data, signature, (repo.certificate,), place="here")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<repomd ", BOMB + "<repomd ", "declares a document type"),
        ("</repomd>", "", "not well-formed XML"),
        ('type="primary"', 'type="other"', "lists no primary"),
        ('type="filelists"', 'type="primary"', "twice"),
        ('<checksum type="sha256">', '<checksum type="sha1">', "type 'sha1', not sha256"),
        ("repodata/", "../repodata/", "not a path of primary below"),
        ("repodata/", "/repodata/", "not a path of primary below"),
        ("<open-size>", "<open-size>-", "lacks its sha256 or a size"),
        ("<timestamp>", "<timestamp>x", "no time stamps"),
        ('<location href="', '<location xml:base="http://e.invalid/" href="', "a base elsewhere"),
    ],
)
def test_a_signed_file_that_is_no_repository_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(FetchError, match=said):
        read(replacing(old, new))


def test_metadata_later_than_its_pin_is_refused() -> None:
    found = read(TinyRepo())
    check_moment(found, datetime.fromtimestamp(STAMP, UTC))
    with pytest.raises(FetchError, match="later than 2026-09-10 00:26:39 UTC"):
        check_moment(found, datetime.fromtimestamp(STAMP - 1, UTC))


def index(data: bytes, open_size: int) -> RepodataFile:
    return RepodataFile(path="p", sha256="0" * 64, size=len(data), open_size=open_size)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_every_usual_compression_is_read(pack: object) -> None:
    text = b"<metadata/>" * 1000
    data = pack(text)  # type: ignore[operator]
    assert repodata_text(data, index(data, len(text)), place="p") == text


@pytest.mark.parametrize(
    ("data", "size", "said"),
    [
        (gzip.compress(b"<a/>" * 999)[:-30], 3996, "it unpacks to|cut off"),
        (gzip.compress(b"<a/>" * 999), 40, "unpacks to more than 40 bytes"),
        (gzip.compress(bytes(10_000_000)), 100, "more than 100"),
        (b"\x28\xb5\x2f\xfd1234", 4, "gzip, xz, bzip2 and plain XML"),
        (b"<a>\xff</a>", 8, "not UTF-8"),
        (b"<a>\0</a>", 8, "declares"),
        (BOMB.encode() + b"<a/>", len(BOMB) + 4, "declares a document type"),
        (b"<a/>", 3_000_000_000, "too many"),
    ],
    ids=["cut-off", "larger", "bomb", "zstd", "not-utf-8", "nul", "entities", "too-large"],
)
def test_hostile_metadata_is_refused(data: bytes, size: int, said: str) -> None:
    with pytest.raises(FetchError, match=said):
        repodata_text(data, index(data, size), place="p")


@given(st.binary(max_size=300))
def test_any_bytes_end_in_an_error_of_ours(data: bytes) -> None:
    repo = TinyRepo(key=KEY)
    with pytest.raises(BuilderError):
        read_repomd(data, repo.sign(data), (repo.certificate,), place="p")


KEY = Tsk.generate("Any <any@example.invalid>")
