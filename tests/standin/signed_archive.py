"""A Debian-layout archive with a key of its own, without time stamps, to be served on loopback."""

from __future__ import annotations

import hashlib
import lzma
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from pysequoia import SignatureMode, Tsk, sign
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


@dataclass(slots=True)
class SignedArchive:
    """A signed archive on loopback, without time stamps."""

    server: HTTPServer
    date: datetime
    until: datetime | None
    key: Tsk
    prefix: str = "/debian/"
    served: dict[str, bytes] = field(default_factory=dict)

    def publish(self, suite: str, packages: dict[str, bytes]) -> None:
        """Serve a suite: component and architecture (`main/amd64`) to the text of its Packages."""
        lines = []
        components = dict.fromkeys(name.partition("/")[0] for name in packages)
        for name, text in packages.items():
            component, arch = name.split("/")
            data = lzma.compress(text)
            sha256 = hashlib.sha256(data).hexdigest()
            folder = f"{component}/binary-{arch}"
            self.serve(f"dists/{suite}/{folder}/Packages.xz", data)
            self.serve(f"dists/{suite}/{folder}/by-hash/SHA256/{sha256}", data)
            lines.append(f" {sha256} {len(data)} {folder}/Packages.xz")
        head = [f"Suite: {suite}", f"Codename: {suite}", f"Date: {format_datetime(self.date, usegmt=True)}"]
        if self.until:
            head.append(f"Valid-Until: {format_datetime(self.until, usegmt=True)}")
        body = [
            *head,
            f"Components: {' '.join(components)}",
            "Architectures: amd64 arm64",
            "SHA256:",
            *lines,
            "",
        ]
        signed = sign(self.key.signer(), "\n".join(body).encode(), mode=SignatureMode.CLEAR)
        self.serve(f"dists/{suite}/InRelease", bytes(signed))

    def serve(self, path: str, data: bytes) -> None:
        self.served[path] = data

    def answer(self, request: Request) -> Response:
        data = self.served.get(request.path.removeprefix(self.prefix))
        return Response(status=404) if data is None else Response(data)

    def clear(self) -> None:
        """Serve nothing any more."""
        self.served.clear()

    def break_(self, path: str, data: bytes) -> None:
        """Serve other bytes at a path, and nothing by hash."""
        self.served[path] = data
        for known in [known for known in self.served if "/by-hash/" in known]:
            del self.served[known]
