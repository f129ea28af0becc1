"""Certificates for servers of tests, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

_CA = """\
[ca]
default_ca = d
[d]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = p
x509_extensions = v3
unique_subject = no
[p]
commonName = supplied
[v3]
subjectAltName = IP:127.0.0.1
authorityKeyIdentifier = keyid
"""


def make_certificates(folder: Path) -> Path:
    """Fill a folder with an authority (`ca.pem`) and keys with certificates: valid, expired, self-signed,
    and one of another host."""
    (folder / "ca.cnf").write_text(_CA)
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "rsa:2048", "-nodes", "-keyout")
    # From Python 3.13 on, an authority must say that it signs certificates (ssl.VERIFY_X509_STRICT).
    openssl(
        *(*new, "ca.key", "-x509", "-days", "30", "-subj", "/CN=authority", "-out", "ca.pem"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    openssl(
        *(*new, "self.key", "-x509", "-days", "30", "-subj", "/CN=self", "-out", "self.crt"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
    )
    openssl(
        *(*new, "another.key", "-x509", "-days", "30", "-subj", "/CN=another", "-out", "another.crt"),
        *("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:another.invalid"),
    )
    for name, first, last in (
        ("valid", "20200101000000Z", "20991231000000Z"),
        ("expired", "20200101000000Z", "20200201000000Z"),
    ):
        openssl(*new, f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        openssl(
            *("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"),
            *("-startdate", first, "-enddate", last, "-in", f"{name}.csr", "-out", f"{name}.crt", "-notext"),
        )
    for name in ("another", "valid", "expired", "self"):
        joined = (folder / f"{name}.key").read_bytes() + (folder / f"{name}.crt").read_bytes()
        (folder / f"{name}.pem").write_bytes(joined)
    return folder
