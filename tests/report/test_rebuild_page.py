"""The page of rebuilds: whose digests agree, where they do not, and what does not count."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from builder.attest import BuiltPlatform, RebuildStatement, write_attestation
from builder.model import Sha256
from tests.attest.test_attestations import openpgp_key, ssh_key
from tests.report.conftest import LOCK, run
from tests.report.pages import Element, parse, table

ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


def statement(project: Path, digest: str, *layers: str) -> RebuildStatement:
    """Return what somebody says who built the small project's lock."""
    built = BuiltPlatform(platform="linux/amd64", digest=digest, layers=layers)
    return RebuildStatement(
        name="1.0/plain/tiny",
        digest=digest,
        locks=((LOCK, f"sha256:{Sha256.of((project / LOCK).read_bytes())}"),),
        engine=(("buildkit", "1.0"),),
        conditions=("pause of 5 s",),
        passed=("reproduce: identical",),
        platforms=(built,),
    )


@pytest.fixture
def signed(small: Path, tmp_path: Path) -> Path:
    """Statements of Alice and Bob that agree, of Carol that does not, and of Mallory whom nobody knows."""
    folder = tmp_path / "attestations"
    lines = {name: ssh_key(tmp_path / name) for name in ("alice", "carol", "mallory")}
    (tmp_path / "bob.asc").write_text(openpgp_key(tmp_path / "bob", "Bob <bob@invalid>"))
    (tmp_path / "keys.toml").write_text(
        f"[[owners]]\nname = 'alice'\nssh = ['valid-before=\"20200101Z\" {lines['alice']}']\n"
        f"[[owners]]\nname = 'carol'\nssh = ['{lines['carol']}']\n"
        "[[owners]]\nname = 'bob'\nopenpgp = ['bob.asc']\n"
    )
    same = statement(small, ONE, ONE, ONE)
    for name in ("alice", "bob", "mallory"):
        write_attestation(folder, same, tmp_path / name)
    write_attestation(folder, statement(small, TWO, ONE, TWO), tmp_path / "carol")
    other = dataclasses.replace(same, locks=((LOCK, TWO),), digest=TWO)
    write_attestation(folder, other, tmp_path / "carol")
    return tmp_path


def page_of(small: Path, folder: Path, *words: str) -> Element:
    words = ("report", "--attestations", str(folder / "attestations"), *words)
    assert run(small, *words, "--output", str(folder / "site")) == 0
    return parse((folder / "site/rebuilds.html").read_bytes())


def test_digests_of_one_lock_stand_side_by_side(small: Path, signed: Path) -> None:
    document = page_of(small, signed, "--keys", str(signed / "keys.toml"))
    seen = [
        (
            row["digest"],
            row["its lock"],
            row["signed by"],
            row["verdict"],
            row["where it differs from the first"],
        )
        for row in table(document, "digests")
    ]
    assert sorted(seen) == sorted(
        [
            (ONE, "as here", "alice, bob", "digests disagree", ""),
            (TWO, "as here", "carol", "digests disagree", "linux/amd64 differs in layer 2"),
            (TWO, "another lock", "carol", "one owner", ""),
        ]
    )
    reasons = [row["why it does not count"] for row in table(document, "statements")]
    assert sorted(reasons) == ["", "", "", "", "its SSH key belongs to no owner of the keys file"]
    (alice,) = (row for row in table(document, "statements") if row["signed by"] == "alice")
    assert alice["the key counts"] == "until 2020-01-01"


def test_without_keys_nobody_is_said_to_have_signed(small: Path, signed: Path) -> None:
    document = page_of(small, signed)
    assert table(document, "digests") == []
    rows = table(document, "statements")
    assert {row["signed by"] for row in rows} == {""}
    assert {row["why it does not count"] for row in rows} == {
        "no keys file was named, so nobody knows who signed it"
    }


def test_keys_without_statements_have_no_effect(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(small, "report", "--keys", "keys.toml") == 2
    assert "--keys requires --attestations" in capsys.readouterr().err
