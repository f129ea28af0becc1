"""Statements of two owners with keys of two kinds pass; each that must not count is refused with its reason."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pysequoia import Tsk

from builder.attest import (
    RebuildStatement,
    SignaturePurpose,
    StatementVerdict,
    WantedRebuild,
    dump_statement,
    image_built,
    judge_folder,
    parse_statement,
    read_keys,
)
from builder.attest import write_attestation as write_signed
from builder.cli import main
from builder.errors import BuilderError, DigestMismatchError, UsageError
from tests.oci.samples_oci import File, image
from tests.verify.test_image import Made

NAMESPACE = SignaturePurpose.REBUILD
LOCK = "lock/1.0/plain/tiny-x86_64.toml"


class Rebuilds:
    """An image of one lock, two owners with their keys, and what they signed."""

    def __init__(self, folder: Path) -> None:
        self.made = Made(folder)
        self.folder = folder / "attestations"
        self.keys = folder / "keys.toml"
        self.image = self._image("image.tar")
        self.ssh = folder / "alice"
        self.public = ssh_key(self.ssh)
        self.openpgp = folder / "bob.key"
        self.certificate = openpgp_key(self.openpgp, "Bob <bob@invalid>")
        (folder / "bob.asc").write_text(self.certificate)
        self.write_keys()

    def _image(self, name: str, *more: list[File]) -> Path:
        settings = {
            "Env": [
                "PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/home/app",
            ],
            "User": "1000:0",
            "WorkingDir": "/home/app",
            "Labels": self.made.labels,
        }
        layers = [*self.made.layers[: len(self.made.layers) - len(more)], *more]
        return image(self.made.folder / name, layers, config={"config": settings}, tar=True)

    def altered(self) -> Path:
        """Return another image of the same lock, whose last layer is another."""
        return self._image("altered.tar", [File(path="etc/ld.so.cache", data=b"other")])

    def write_keys(self, options: str = "", *, more: str = "") -> None:
        """Write the keys file, with options of Alice's key and more owners."""
        self.keys.write_text(
            f"[[owners]]\nname = 'alice'\nssh = ['{options}{self.public}']\n"
            f"[[owners]]\nname = 'bob'\nopenpgp = ['bob.asc']\n{more}"
        )

    def statement(self, engine: str, image_file: Path | None = None) -> RebuildStatement:
        digest, platforms = image_built(image_file or self.image)
        return RebuildStatement(
            name="1.0/plain/tiny",
            digest=digest,
            locks=((LOCK, self.made.labels["lockwright.lock"]),),
            engine=((engine, "1.0"),),
            conditions=("pause of 5 s",),
            passed=("reproduce: identical",),
            platforms=platforms,
        )

    def sign(self, key: Path, statement: RebuildStatement | None = None) -> tuple[Path, Path]:
        engine = "buildkit" if key == self.ssh else "buildah"
        return write_signed(self.folder, statement or self.statement(engine), key)

    def verify(self, capsys: pytest.CaptureFixture[str], threshold: int = 2) -> tuple[int, dict[str, Any]]:
        """Return the exit code of `verify`, and its report; the image itself is explained in full."""
        words = ["--project", str(self.made.project), "--store", str(self.made.store.root), "--quiet"]
        words += ["--image", str(self.image), "--attestations", str(self.folder), "--keys", str(self.keys)]
        capsys.readouterr()
        code = main(["verify", *words, "--threshold", str(threshold), "--format", "json"])
        return code, json.loads(capsys.readouterr().out)


def ssh_key(path: Path, kind: str = "ed25519") -> str:
    """Make a key with ssh-keygen; return its public part without comment."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def openpgp_key(path: Path, name: str) -> str:
    """Make an OpenPGP key for three years; return its certificate, armoured."""
    key = Tsk.generate(name, validity_seconds=3 * 365 * 86_400)
    path.write_text(str(key))
    return str(key.extract_certificate())


@pytest.fixture
def rebuilds(tmp_path: Path) -> Rebuilds:
    for program in ("ssh-keygen", "gpg"):
        assert shutil.which(program), f"install {program}: statements must be verifiable with it"
    return Rebuilds(tmp_path)


def test_two_owners_two_engines_one_digest_pass(
    rebuilds: Rebuilds, capsys: pytest.CaptureFixture[str]
) -> None:
    rebuilds.sign(rebuilds.ssh)
    rebuilds.sign(rebuilds.openpgp)
    code, report = rebuilds.verify(capsys)
    proof = next(one for one in report["proofs"] if one["name"] == "rebuilds")
    assert (code, proof["owners"]) == (0, ["alice", "bob"])
    code, report = rebuilds.verify(capsys, threshold=3)
    assert code == 1
    assert [one["rule"] for one in report["findings"] if one["level"] == "error"] == ["too-few-rebuilds"]


def test_one_owner_counts_once(rebuilds: Rebuilds, capsys: pytest.CaptureFixture[str]) -> None:
    rebuilds.sign(rebuilds.ssh)
    other = dataclasses.replace(rebuilds.statement("buildah"), conditions=("another machine",))
    rebuilds.sign(rebuilds.ssh, other)
    code, report = rebuilds.verify(capsys)
    assert code == 1
    assert next(one for one in report["proofs"] if one["name"] == "rebuilds")["owners"] == ["alice"]


def altered_layer(rebuilds: Rebuilds) -> None:
    rebuilds.sign(rebuilds.openpgp, rebuilds.statement("buildah", rebuilds.altered()))


def foreign_key(rebuilds: Rebuilds) -> None:
    key = rebuilds.made.folder / "mallory"
    ssh_key(key)
    rebuilds.sign(key)


def foreign_certificate(rebuilds: Rebuilds) -> None:
    key = rebuilds.made.folder / "mallory.key"
    openpgp_key(key, "Bob <bob@invalid>")
    rebuilds.sign(key)


def expired_key(rebuilds: Rebuilds) -> None:
    key = rebuilds.made.folder / "carol"
    line = ssh_key(key)
    owner = f"[[owners]]\nname = 'carol'\nssh = ['valid-before=\"20200101Z\" {line}']\n"
    rebuilds.write_keys(more=owner)
    rebuilds.sign(key)


def another_lock(rebuilds: Rebuilds) -> None:
    other = dataclasses.replace(rebuilds.statement("buildah"), locks=((LOCK, f"sha256:{'0' * 64}"),))
    rebuilds.sign(rebuilds.openpgp, other)


def changed_statement(rebuilds: Rebuilds) -> None:
    path, _ = rebuilds.sign(rebuilds.openpgp)
    path.write_bytes(path.read_bytes().replace(b"buildah", b"buildkit"))


def changed_statement_ssh(rebuilds: Rebuilds) -> None:
    key = rebuilds.made.folder / "erin"
    rebuilds.write_keys(more=f"[[owners]]\nname = 'erin'\nssh = ['{ssh_key(key)}']\n")
    path, _ = rebuilds.sign(key)
    path.write_bytes(path.read_bytes().replace(b"buildah", b"buildkit"))


def no_signature(rebuilds: Rebuilds) -> None:
    _, signature = rebuilds.sign(rebuilds.openpgp)
    signature.unlink()


def another_purpose(rebuilds: Rebuilds) -> None:
    key = rebuilds.made.folder / "frank"
    rebuilds.write_keys(more=f"[[owners]]\nname = 'frank'\nssh = ['{ssh_key(key)}']\n")
    path, signature = rebuilds.sign(key)
    signature.unlink()
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "file", path], check=True)


CASES: dict[Callable[[Rebuilds], None], tuple[str, str]] = {
    altered_layer: ("rebuilt-differently", "linux/amd64 differs in layer 6"),
    foreign_key: ("attestation-refused", "its SSH key belongs to no owner of the keys file"),
    foreign_certificate: ("attestation-refused", "no good signature by a certificate of the keyring"),
    expired_key: ("attestation-refused", "the key of carol expired on 2020-01-01"),
    another_lock: ("attestation-refused", "bob signed it for another lock"),
    changed_statement: ("attestation-refused", "is not one of these bytes"),
    changed_statement_ssh: ("attestation-refused", "the signature is not one of these bytes"),
    no_signature: ("attestation-refused", "has no signature beside it"),
    another_purpose: ("attestation-refused", f"the signature is for 'file', not '{NAMESPACE.value}'"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_must_not_count_is_refused_with_its_reason(
    case: Callable[[Rebuilds], None], rebuilds: Rebuilds, capsys: pytest.CaptureFixture[str]
) -> None:
    rebuilds.sign(rebuilds.ssh)
    case(rebuilds)
    code, report = rebuilds.verify(capsys)
    assert code == 1, "one owner is not two"
    rule, reason = CASES[case]
    assert [one["rule"] for one in report["findings"] if one["level"] != "note"] == ["too-few-rebuilds", rule]
    assert reason in report["findings"][1]["text"]


def test_a_certificate_that_expired_does_not_count_whatever_time_its_signature_states(
    rebuilds: Rebuilds,
) -> None:
    """Bob's lasts three years, and OpenPGP judges a signature at the time that it states."""
    rebuilds.sign(rebuilds.openpgp)
    digest, platforms = image_built(rebuilds.image)
    lock = rebuilds.made.labels["lockwright.lock"]
    wanted = WantedRebuild(digest=digest, locks=(lock,), platforms=platforms)
    now = datetime.now(UTC)
    for days, verdict in ((0, StatementVerdict.AGREES), (4 * 365, StatementVerdict.REFUSED)):
        moment = now + timedelta(days=days)
        (judged,) = judge_folder(rebuilds.folder, wanted, read_keys(rebuilds.keys), now=moment)
        assert judged.verdict is verdict
    assert judged.reason.startswith("the key of bob expired on ")


def test_ssh_keygen_and_gpg_agree(rebuilds: Rebuilds) -> None:
    folder = rebuilds.made.folder
    statement, signature = rebuilds.sign(rebuilds.ssh)
    (folder / "allowed").write_text(f'alice namespaces="{NAMESPACE}" {rebuilds.public}\n')
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed"), "-I", "alice", "-n", NAMESPACE]
    for data, fine in ((statement.read_bytes(), True), (statement.read_bytes() + b" ", False)):
        done = subprocess.run([*verify, "-s", signature], input=data, capture_output=True, check=False)
        assert (done.returncode == 0) is fine, done.stderr
    statement, signature = rebuilds.sign(rebuilds.openpgp)
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*gpg, "--import", folder / "bob.asc"], check=True, capture_output=True)
    assert (
        subprocess.run([*gpg, "--verify", signature, statement], capture_output=True, check=False).returncode
        == 0
    )
    statement.write_bytes(statement.read_bytes() + b" ")
    assert (
        subprocess.run([*gpg, "--verify", signature, statement], capture_output=True, check=False).returncode
        != 0
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_what_ssh_keygen_signs_is_read_and_the_other_way_round(
    kind: str, rebuilds: Rebuilds, capsys: pytest.CaptureFixture[str]
) -> None:
    key = rebuilds.made.folder / f"key-{kind}"
    public = ssh_key(key, kind)
    rebuilds.write_keys(more=f"[[owners]]\nname = 'grace'\nssh = ['{public}']\n")
    statement, signature = rebuilds.sign(key)
    assert rebuilds.verify(capsys, threshold=1)[0] == 0
    (rebuilds.made.folder / "allowed").write_text(f"grace {public}\n")
    words = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        "grace",
        "-n",
        NAMESPACE,
        "-s",
        str(signature),
    ]
    done = subprocess.run(
        words, cwd=rebuilds.made.folder, input=statement.read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    signature.unlink()
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", NAMESPACE, statement], check=True)
    assert rebuilds.verify(capsys, threshold=1)[0] == 0


def test_an_image_with_other_bytes_than_its_digest_is_no_image(rebuilds: Rebuilds) -> None:
    folder = image(rebuilds.made.folder / "layout", rebuilds.made.layers)
    digest, _ = image_built(folder)
    for blob in sorted((folder / "blobs/sha256").iterdir()):
        data = blob.read_bytes()
        if data.startswith(b"{"):
            blob.write_bytes(data + b" ")
            with pytest.raises(DigestMismatchError):
                image_built(folder)
            blob.write_bytes(data)
    assert image_built(folder)[0] == digest


def test_a_statement_has_one_form(rebuilds: Rebuilds) -> None:
    data = dump_statement(rebuilds.statement("buildkit"))
    assert parse_statement(data, place="x") == rebuilds.statement("buildkit")
    value = json.loads(data)
    value["predicate"]["made"] = "today"
    half = data.replace(b"pause of", b"pause \xed\xa0\x80")
    hostile = [
        half,
        half.replace(b"\xed\xa0\x80", b"\\ud800"),
        b"",
        b"[]",
        b"[" * 100_000,
        data[:-1],
        data.replace(b"sha256:", b"md5:"),
        b"\xff" + data,
    ]
    hostile.append((json.dumps(value, indent=1, sort_keys=True) + "\n").encode())
    for one in hostile:
        with pytest.raises(UsageError):
            parse_statement(one, place="x")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("owners = []\n", "names no key"),
        ("[[owners]]\nname = 'a'\nssh = ['ssh-ed25519 AAAA']\n", "not an SSH public key"),
        ("[[owners]]\nname = 'a'\nssh = ['{key}']\n[[owners]]\nname = 'b'\nssh = ['{key}']\n", "twice"),
        ("[[owners]]\nname = 'a'\nssh = ['{key}']\n[[owners]]\nname = 'a'\n", "named once"),
        ("[[owners]]\nname = 'a'\nssh = ['valid-before=\"2020\" {key}']\n", "not a moment in UTC"),
        ("[[owners]]\nname = 'a'\nssh = ['namespaces=\"file\" {key}']\n", "only"),
        ("[[owners]]\nname = 'a'\nssh = ['cert-authority=\"x\" {key}']\n", "is not read here"),
    ],
)
def test_a_keys_file_that_would_mislead_is_refused(
    keys: str, reason: str, rebuilds: Rebuilds, capsys: pytest.CaptureFixture[str]
) -> None:
    rebuilds.sign(rebuilds.ssh)
    rebuilds.keys.write_text(keys.replace("{key}", rebuilds.public))
    words = ["--project", str(rebuilds.made.project), "--image", str(rebuilds.image), "--threshold", "1"]
    words += ["--attestations", str(rebuilds.folder), "--keys", str(rebuilds.keys), "--quiet"]
    assert main(["verify", *words, "--store", str(rebuilds.made.store.root)]) == 2
    assert reason in capsys.readouterr().err


def test_a_key_with_a_passphrase_says_what_to_do(rebuilds: Rebuilds) -> None:
    key = rebuilds.made.folder / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key], check=True)
    with pytest.raises(BuilderError, match="can be used") as caught:
        rebuilds.sign(key)
    assert "ssh-keygen -p" in caught.value.hint


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--attestations", "a", "--keys", "k", "--threshold", "1"), "--image is missing"),
        (("--image", "x", "--attestations", "a", "--threshold", "1"), "--keys is missing"),
        (("--image", "x", "--attestations", "a", "--keys", "k"), "--threshold is missing"),
        (("--image", "x", "--attestations", "a", "--keys", "k", "--threshold", "-1"), "expected 1 or more"),
    ],
)
def test_half_a_question_is_refused(
    words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--quiet", *words]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--compare", "a", "b"), ("--component", "ucx"), ("--against", "a")])
def test_only_two_builds_of_a_whole_image_are_signed(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "--quiet", "--attest", "key", *words]) == 2
    assert "two builds of a whole image" in capsys.readouterr().err
