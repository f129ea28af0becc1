from __future__ import annotations

import hashlib
import lzma
from datetime import UTC, datetime, timedelta

import pytest
from pysequoia import SignatureMode, Tsk, sign
from pysequoia.packet import PacketPile

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.resolve.debian.release import InRelease, check_index, check_suite, check_window, read_inrelease

INDEX = lzma.compress(b"Package: a\n")
PATH = "main/binary-amd64/Packages.xz"
DATE = datetime(2026, 9, 12, 7, 55, 41, tzinfo=UTC)
TEXT = f"""\
Origin: Test
Suite: stable
Codename: trixie
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC
Acquire-By-Hash: yes
Architectures: all amd64 arm64
Components: main contrib
MD5Sum:
 00000000000000000000000000000000 1 {PATH}
SHA256:
 {hashlib.sha256(INDEX).hexdigest()} {len(INDEX)} {PATH}
 {"0" * 64} 0 main/empty
"""


@pytest.fixture(scope="module")
def key() -> Tsk:
    return Tsk.generate("Archive <archive@example.invalid>")


@pytest.fixture(scope="module")
def other() -> Tsk:
    return Tsk.generate("Other <other@example.invalid>")


def public(key: Tsk) -> bytes:
    return bytes(key.extract_certificate())


def signed(key: Tsk, text: str = TEXT) -> bytes:
    return bytes(sign(key.signer(), text.encode(), mode=SignatureMode.CLEAR))


def read(key: Tsk, text: str = TEXT) -> InRelease:
    return read_inrelease(signed(key, text), public(key), place="InRelease")


def test_everything_is_read(key: Tsk) -> None:
    data = signed(key)
    release = read_inrelease(data, public(key), place="InRelease")
    assert (release.suite, release.codename, release.acquire_by_hash) == ("stable", "trixie", True)
    assert release.date == DATE
    assert release.valid_until == DATE + timedelta(days=7)
    assert release.components == ("main", "contrib")
    assert release.architectures == ("all", "amd64", "arm64")
    assert release.signers == (key.extract_certificate().fingerprint,)
    assert release.sha256 == hashlib.sha256(data).hexdigest()
    assert release.index_entry(PATH) == (hashlib.sha256(INDEX).hexdigest(), len(INDEX))
    assert release.by_hash(PATH) == f"main/binary-amd64/by-hash/SHA256/{hashlib.sha256(INDEX).hexdigest()}"


def test_a_keyring_may_hold_other_certificates_and_come_in_parts(key: Tsk, other: Tsk) -> None:
    assert read_inrelease(signed(key), public(other) + public(key), place="x").codename == "trixie"
    assert read_inrelease(signed(key), (public(other), public(key)), place="x").codename == "trixie"
    armoured = str(key.extract_certificate()).encode()
    assert read_inrelease(signed(key), armoured, place="x").codename == "trixie"


def test_a_tampered_body_is_refused(key: Tsk) -> None:
    data = signed(key).replace(b"Codename: trixie", b"Codename: sid")
    with pytest.raises(
        DigestMismatchError, match=r"InRelease: no good signature by a certificate of the keyring"
    ):
        read_inrelease(data, public(key), place="InRelease")


def test_the_wrong_key_is_refused(key: Tsk, other: Tsk) -> None:
    with pytest.raises(DigestMismatchError, match=r"no good signature") as caught:
        read_inrelease(signed(key), public(other), place="InRelease")
    assert "backtrace" not in str(caught.value)
    assert caught.value.hint


def test_a_replaced_key_is_named_with_what_to_do(key: Tsk, other: Tsk) -> None:
    block = b"-----BEGIN PGP SIGNATURE-----" + signed(key).partition(b"-----BEGIN PGP SIGNATURE-----")[2]
    (signer,) = {str(packet.issuer_fingerprint) for packet in PacketPile.from_bytes(block)}
    known = other.extract_certificate().fingerprint
    with pytest.raises(DigestMismatchError) as caught:
        read_inrelease(signed(key), public(other), place="InRelease")
    assert f"is by key {signer}; the keyring has {known}" in str(caught.value)
    assert f"{datetime.now(UTC):the signature of %Y-%m-%d}" in str(caught.value)
    assert caught.value.hint is not None
    assert "put the key into recipes/keys" in caught.value.hint


def test_a_key_that_expired_before_it_signed_is_named_with_the_day() -> None:
    """sequoia makes keys a minute old, so that one can have expired half a minute ago."""
    key = Tsk.generate("Archive <archive@example.invalid>")
    ended = datetime.now(UTC) - timedelta(seconds=30)
    expired = bytes(key.extract_certificate().set_expiration(ended, key.certifier()))
    with pytest.raises(DigestMismatchError) as caught:
        read_inrelease(signed(key), expired, place="InRelease")
    assert f"which expired on {ended:%Y-%m-%d}" in str(caught.value)
    assert caught.value.hint is not None
    assert "get the present certificate from the archive's owner" in caught.value.hint


def test_a_known_key_and_other_bytes_are_told_apart_from_a_replaced_key(key: Tsk) -> None:
    data = signed(key).replace(b"Codename: trixie", b"Codename: sid")
    with pytest.raises(DigestMismatchError, match="is not one of these bytes") as caught:
        read_inrelease(data, public(key), place="InRelease")
    assert "fetch the InRelease file again" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"Codename: sid\n\n" + data, "there is unsigned text before the signed message"),
        (lambda data: b"\n" + data, "there is unsigned text before the signed message"),
        (lambda data: data + b"\nCodename: sid\n", "there is unsigned text after the signature"),
        (lambda data: data + data, "more than one message or signature block"),
        (lambda data: data[: len(data) // 2], "its signature is missing"),
        (lambda data: data[:-60], "its signature is missing"),
        (lambda _: b"", "there is unsigned text before the signed message"),
        (lambda _: TEXT.encode(), "there is unsigned text before the signed message"),
    ],
)
def test_only_one_whole_signed_message_is_read(key: Tsk, change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(FetchError, match=message):
        read_inrelease(change(signed(key)), public(key), place="InRelease")


def test_a_header_cannot_smuggle_fields(key: Tsk) -> None:
    data = signed(key).replace(b"\n\n", b"\nCodename: sid\n\n", 1)
    try:
        release = read_inrelease(data, public(key), place="InRelease")
    except BuilderError:
        return
    assert release.codename == "trixie"


def test_a_signature_of_another_message_is_refused(key: Tsk) -> None:
    good, bad = signed(key), signed(key, TEXT.replace("trixie", "forky"))
    split = b"-----BEGIN PGP SIGNATURE-----"
    with pytest.raises(DigestMismatchError, match=r"no good signature"):
        read_inrelease(good.split(split)[0] + split + bad.split(split)[1], public(key), place="InRelease")


def test_a_binary_signed_message_is_refused(key: Tsk) -> None:
    data = bytes(sign(key.signer(), TEXT.encode(), mode=SignatureMode.INLINE))
    with pytest.raises(FetchError, match=r"unsigned text before"):
        read_inrelease(data, public(key), place="InRelease")


@pytest.mark.parametrize("keyring", [b"", b"no key", (b"",)])
def test_a_keyring_without_certificate_is_refused(key: Tsk, keyring: bytes | tuple[bytes, ...]) -> None:
    with pytest.raises(FetchError, match=r"keyring"):
        read_inrelease(signed(key), keyring, place="InRelease")


@pytest.mark.parametrize("field", ["Codename", "Date", "Components", "Architectures", "SHA256"])
def test_a_missing_field_is_named(key: Tsk, field: str) -> None:
    text = TEXT.replace(f"{field}:", "Other:")
    with pytest.raises(FetchError, match=f"the signed text has no {field}"):
        read(key, text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("07:55:41 UTC\nValid", "soon\nValid", "Date is .* which is not a date"),
        (PATH + "\n" + " " + "0" * 64, "/etc/passwd\n " + "0" * 64, "malformed row for '/etc/passwd'"),
        ("main/empty", "../empty", "malformed row for '../empty'"),
        (f"{'0' * 64} 0", f"{'0' * 63} 0", "malformed row for 'main/empty'"),
        (f"{'0' * 64} 0", f"{'0' * 64} -1", "malformed row for 'main/empty'"),
    ],
)
def test_a_malformed_field_is_refused(key: Tsk, old: str, new: str, message: str) -> None:
    head, table, tail = TEXT.partition("SHA256:")
    text = head.replace(old, new) + table + tail.replace(old, new)
    with pytest.raises(FetchError, match=message):
        read(key, text)


def test_the_window(key: Tsk) -> None:
    release = read(key)
    check_window(release, DATE)
    check_window(release, DATE + timedelta(days=7))
    with pytest.raises(
        FetchError, match=r"the index of trixie is of 2026-09-12 07:55:41 UTC, later than 2026-09-12"
    ):
        check_window(release, DATE - timedelta(seconds=1))
    with pytest.raises(
        FetchError, match=r"expired on 2026-09-19 07:55:41 UTC, before 2026-09-19 07:55:42 UTC"
    ):
        check_window(release, DATE + timedelta(days=7, seconds=1))


def test_a_suite_without_end_never_expires(key: Tsk) -> None:
    release = read(key, "".join(line for line in TEXT.splitlines(keepends=True) if "Valid-Until" not in line))
    assert release.valid_until is None
    check_window(release, DATE + timedelta(days=10_000))


def test_another_suite_in_the_place_of_this_one(key: Tsk) -> None:
    release = read(key)
    check_suite(release, "stable")
    check_suite(release, "trixie")
    with pytest.raises(FetchError, match=r"expected the index of bookworm, got that of stable \(trixie\)"):
        check_suite(release, "bookworm")


def test_swapped_and_truncated_indices(key: Tsk) -> None:
    release = read(key)
    check_index(release, PATH, INDEX)
    with pytest.raises(DigestMismatchError, match=rf"{PATH} has 4 bytes, the signed index says {len(INDEX)}"):
        check_index(release, PATH, INDEX[:4])
    with pytest.raises(DigestMismatchError, match=rf"{PATH} has sha256 [0-9a-f]+, the signed index says"):
        check_index(release, PATH, INDEX[:-1] + b"x")


def test_an_unlisted_index_is_refused(key: Tsk) -> None:
    with pytest.raises(
        FetchError, match=r"main/binary-riscv64/Packages.xz is not listed; components are main contrib"
    ):
        read(key).index_entry("main/binary-riscv64/Packages.xz")
