"""`bundle --sign`: what an owner signed is taken in, and nothing else where keys are pinned."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.cli import main
from builder.commands import bundle
from builder.selection import Selection
from tests.attest.test_attestations import openpgp_key, ssh_key
from tests.commands.stocked import Stock, make_stock


@dataclass(frozen=True)
class Carried:
    """A signed bundle on its way, the keys of its owner, and who waits for it."""

    file: Path
    keys: Path
    key: Path
    here: Stock
    there: Stock

    @property
    def checksum(self) -> Path:
        return self.file.with_name(f"{self.file.name}.sha256")

    @property
    def signature(self) -> Path:
        return next(self.file.parent.glob(f"{self.checksum.name}.*"))

    def export(self, *words: str) -> int:
        return main([*bundle_words(self.here), "--release", "all", "--output", str(self.file), *words])

    def take(self, *words: str) -> int:
        return main([*bundle_words(self.there), "--import", str(self.file), *words])

    def locks(self) -> list[Path]:
        return sorted(self.there.project.locks.rglob("*.toml"))


def bundle_words(stock: Stock) -> list[str]:
    return ["bundle", "--quiet", "--project", str(stock.project.root), "--store", str(stock.store.root)]


@pytest.fixture(params=["ssh", "openpgp"])
def carried(request: pytest.FixtureRequest, tmp_path: Path) -> Carried:
    here = make_stock(tmp_path / "here")
    there = here.elsewhere(tmp_path / "there")
    keys, key = tmp_path / "keys.toml", tmp_path / "alice"
    if request.param == "ssh":
        keys.write_text(f"[[owners]]\nname = 'alice'\nssh = ['{ssh_key(key)}']\n")
    else:
        (tmp_path / "alice.cert").write_text(openpgp_key(key, "Alice <alice@invalid>"))
        keys.write_text("[[owners]]\nname = 'alice'\nopenpgp = ['alice.cert']\n")
    shutil.rmtree(there.project.locks, ignore_errors=True)
    found = Carried(file=tmp_path / "made.tar", keys=keys, key=key, here=here, there=there)
    assert found.export("--sign", str(key)) == 0
    return found


def test_a_signed_bundle_is_taken_in_and_its_owner_is_named(
    carried: Carried, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert carried.take("--keys", str(carried.keys), "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["signed_by"] == "alice"
    assert carried.locks()


def test_ssh_keygen_and_gpg_agree(carried: Carried) -> None:
    folder = carried.file.parent
    subprocess.run(["sha256sum", "--check", "--quiet", carried.checksum], cwd=folder, check=True)
    if carried.signature.suffix == ".sig":
        (folder / "allowed").write_text(f"alice {carried.key.with_suffix('.pub').read_text()}")
        words = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "alice", "-n", "lockwright-bundle"]
        with carried.checksum.open("rb") as line:
            subprocess.run([*words, "-s", carried.signature], cwd=folder, stdin=line, check=True)
        return
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*gpg, "--import", folder / "alice.cert"], check=True, capture_output=True)
    subprocess.run([*gpg, "--verify", carried.signature, carried.checksum], check=True, capture_output=True)


def another_whole_bundle(carried: Carried) -> None:
    kept = {path: path.read_bytes() for path in (carried.checksum, carried.signature)}
    every = Selection(releases=("all",))
    wanted = bundle.Options(selection=every, output=carried.file, apt=True)
    assert bundle.export_bundle(carried.here.project, wanted) == 0
    for path, data in kept.items():
        path.write_bytes(data)


def other_digest(carried: Carried) -> None:
    carried.checksum.write_bytes(carried.checksum.read_bytes().replace(b"made.tar", b"more.tar"))


def no_signature(carried: Carried) -> None:
    carried.signature.unlink()


def no_checksum(carried: Carried) -> None:
    carried.checksum.unlink()


def foreign_key(carried: Carried) -> None:
    line = ssh_key(carried.file.parent / "bob")
    carried.keys.write_text(f"[[owners]]\nname = 'bob'\nssh = ['{line}']\n")


def expired_key(carried: Carried) -> None:
    public = " ".join(carried.key.with_suffix(".pub").read_text().split()[:2])
    line = f'valid-before="20200101Z" {public}'
    carried.keys.write_text(f"[[owners]]\nname = 'alice'\nssh = ['{line}']\n")


def key_for_rebuilds(carried: Carried) -> None:
    public = " ".join(carried.key.with_suffix(".pub").read_text().split()[:2])
    line = f'namespaces="lockwright-rebuild" {public}'
    carried.keys.write_text(f"[[owners]]\nname = 'alice'\nssh = ['{line}']\n")


def signed_for_another_purpose(carried: Carried) -> None:
    carried.signature.unlink()
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(carried.key), "-n", "lockwright-rebuild"]
    subprocess.run([*words, str(carried.checksum)], check=True)


FAULTS: dict[Callable[[Carried], None], tuple[int, str]] = {
    another_whole_bundle: (7, "expected sha256"),
    other_digest: (7, "is not one of these bytes"),
    no_signature: (2, "has no signature beside it"),
    no_checksum: (2, "cannot be read"),
    foreign_key: (7, "belongs to no owner of the keys file"),
    expired_key: (7, "the key of alice expired on 2020-01-01"),
    key_for_rebuilds: (7, "is not for lockwright-bundle"),
    signed_for_another_purpose: (7, "the signature is for 'lockwright-rebuild'"),
}
_OF_SSH = {expired_key, key_for_rebuilds, signed_for_another_purpose}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_is_not_signed_so_leaves_nothing(
    fault: Callable[[Carried], None], carried: Carried, capsys: pytest.CaptureFixture[str]
) -> None:
    if fault in _OF_SSH and carried.signature.suffix != ".sig":
        return
    fault(carried)
    code, reason = FAULTS[fault]
    assert carried.take("--keys", str(carried.keys)) == code
    assert reason in capsys.readouterr().err
    assert carried.locks() == []
    assert list(carried.there.store.digests()) == []


def test_pinned_keys_are_asked_without_an_option(
    carried: Carried, capsys: pytest.CaptureFixture[str]
) -> None:
    root = carried.there.project.root
    shutil.copy(carried.keys, root / "keys.toml")
    for certificate in carried.keys.parent.glob("*.cert"):
        shutil.copy(certificate, root)
    (root / "lockwright.toml").write_text("catalogue = false\n\n[bundle]\nkeys = 'keys.toml'\n")
    assert main([*bundle_words(carried.there), "--pull", "localhost:1/a/b:c"]) == 2
    assert "this project pins keys" in capsys.readouterr().err
    assert main([*bundle_words(carried.there), "--import", "-"]) == 2
    assert "standard input has no signature" in capsys.readouterr().err
    signature = carried.signature.read_bytes()
    carried.signature.unlink()
    assert carried.take() == 2
    carried.checksum.with_name(
        f"{carried.checksum.name}.{'sig' if b'SSH' in signature else 'asc'}"
    ).write_bytes(signature)
    assert carried.take() == 0


def test_a_bundle_written_again_loses_the_older_signature(carried: Carried) -> None:
    assert carried.export() == 0
    assert carried.take("--keys", str(carried.keys)) == 2


def test_a_digest_that_contradicts_the_signature_is_refused(
    carried: Carried, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried.take("--keys", str(carried.keys), "--sha256", "0" * 64) == 7
    assert "alice signed sha256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--import", "x", "--sign", "k"), "--sign requires --output"),
        (("--pull", "a/b:c", "--sign", "k"), "--sign requires --output"),
        (("--push", "a/b:c", "--sign", "k"), "--sign requires --output"),
        (("--keys", "k"), "--keys requires --import"),
    ],
)
def test_an_option_without_effect_is_refused(
    words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "--quiet", *words]) == 2
    assert reason in capsys.readouterr().err
