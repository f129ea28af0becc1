"""What servers do wrong, each a folder of `network/` named after its fault, over real sockets.

`server.toml` is what the server does (see `network_server.py`), `expect.txt`
what comes of it: the message and the exit code, what the store has, and what
was asked for. Whatever happens, the store holds right files only.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from builder.errors import BuilderError
from builder.fetch.download import fetch_all
from builder.io.credentials import Credentials
from builder.io.network import Network
from builder.store.arriving import Request
from builder.store.store import Store
from tests.faults.network_server import DATA, OTHER, FaultServer, packed

HERE = Path(__file__).parent / "network"
SHA256 = hashlib.sha256(DATA).hexdigest()


def outcome(store: Store, request: Request, network: Network) -> str:
    try:
        fetch_all(store, [request], network=network)
    except BuilderError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        return f"{error}{hint}\nexit {error.exit_code}\n"
    return "fetched\n"


def check_store(store: Store) -> str:
    """Insist that the store is right; return what is in it."""
    digests = list(store.digests())
    for digest in digests:
        store.verify(digest)
    arriving = [path for path in store.arriving.glob("*.part") if path.stat().st_size]
    for path in arriving:
        assert DATA.startswith(path.read_bytes()), "what is kept for the next time is a beginning of the file"
    size = arriving[0].stat().st_size if arriving else 0
    part = f", and {size if size >= 500 else 'a few'} bytes to go on from" if size else ""
    return f"the store has {'the file' if digests else 'nothing'}{part}\n"


@pytest.mark.parametrize("folder", sorted(HERE.iterdir()), ids=lambda folder: folder.name)
def test_network_fault(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    update_golden: bool,
) -> None:
    case = tomllib.loads((folder / "server.toml").read_text())
    monkeypatch.setattr("builder.io.download.ATTEMPTS", 3)
    monkeypatch.setattr("builder.io.network._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("builder.io.network._LONGEST_PAUSE", 1.0)
    tls = case.get("tls")
    folder_of_keys = request.getfixturevalue("certificates") if tls else None
    store = Store(tmp_path / "store")
    if "left" in case:  # by a process that was killed
        store.arriving.mkdir(parents=True)
        left = OTHER if case.get("left-other") else DATA
        (store.arriving / f"{SHA256}.part").write_bytes(left[: case["left"]])
    pem = folder_of_keys / f"{tls}.pem" if folder_of_keys else None
    with (
        FaultServer(case["answer"], tls=pem) as server,
        FaultServer(case.get("other-answer", [{}]), host="127.0.0.2") as other,
    ):
        server.names |= {"server": server.url, "other": other.url}
        if case.get("pauses"):
            server.names["pauses"] = ""
        place = server.url.removeprefix("http://").removeprefix("https://").removesuffix("/file")
        network = Network(
            ca_file=str(folder_of_keys / "ca.pem") if folder_of_keys else "",
            connect_timeout=5,
            stall_timeout=1,
            credentials=Credentials(
                environ={"LOCKWRIGHT_AUTH": f"{place}=me:secret"} if case.get("credentials") else {}
            ),
        )
        size = len(DATA) if case.get("size", True) else None
        urls = (server.url, other.url) if case.get("mirror") else (server.url,)
        wanted = Request(sha256=SHA256, size=size, urls=urls, label="torch.whl")
        said = outcome(store, wanted, network) + check_store(store)
        said += "".join(f"server: {line}\n" for line in server.log)
        said += "".join(f"other: {line}\n" for line in other.log)
        for name, url in (("SERVER", server.url), ("OTHER", other.url)):
            said = said.replace(url, name).replace(url.removesuffix("/file"), name)
    said = said.replace(place.partition(":")[2], "PORT")
    # Which bytes gzip makes differs between versions of zlib.
    said = said.replace(hashlib.sha256(packed(DATA)).hexdigest(), "PACKED")
    assert "secret" not in said
    if update_golden:
        (folder / "expect.txt").write_text(said)
    assert said == (folder / "expect.txt").read_text()
