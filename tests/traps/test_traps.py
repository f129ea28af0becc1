"""Each trap is a folder: `request.toml` goes in, `expect.txt` and `exit-code` must come out.

`request.toml` holds the files of local indexes (`[[index]]`) and what is asked
of them (`[[request]]`, the fields of PythonRequest, and what only the rules of
CUDA ask: `cuda` of the platform, `accelerated` and its hint). Without an index the
default one is asked, and the trap needs the network. The rows of all requests
of one architecture are put together, and roots are compared across
architectures. What comes out is the error with its hint, or the rows.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuilderError
from builder.index.index_client import IndexClient
from builder.index.services import IndexServices, default_index_url
from builder.io.http import Client
from builder.lockfile.lock import PythonPackage
from builder.lockfile.rules_cuda import CudaStack
from builder.model.structuring import structure
from builder.model.target import Arch
from builder.recipe.assembly import check_architecture_skew, merge_rows
from builder.recipe.environment_requests import PythonRequest
from builder.resolve.python.environment import resolve_python
from builder.resolve.target import check_cuda_stack

HERE = Path(__file__).parent
OF_CUDA = {"cuda", "accelerated", "accelerated-hint"}
EMPTY = {"environment": "runtime", "glibc": "2.36", "python": "3.12", "exclude-newer": "2026-01-01T00:00:00Z"}


def read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "request.toml").read_text())


def cases() -> list[Any]:
    found = []
    for file in sorted(HERE.glob("*/request.toml")):
        marks = [] if "index" in read(file.parent) else [pytest.mark.network]
        found.append(pytest.param(file.parent, id=file.parent.name, marks=marks))
    return found


def serve(case: dict[str, Any], indexes: Any) -> dict[str, str]:
    """Serve the indexes of a case; return the address of each by name."""
    addresses = {}
    for described in case.get("index", []):
        index = indexes(
            described["name"], form=described.get("form", "json"), dates=described.get("dates", True)
        )
        addresses[described["name"]] = index.url
        for wheel in described.get("wheels", []):
            index.wheel(
                **{key: tuple(value) if isinstance(value, list) else value for key, value in wheel.items()}
            )
        for sdist in described.get("sdists", []):
            index.sdist(**sdist)
    return addresses


def resolve_all(
    case: dict[str, Any], services: IndexServices, addresses: dict[str, str]
) -> list[PythonPackage]:
    by_arch: dict[Arch, tuple[PythonPackage, ...]] = {}
    cuda: dict[str, Any] = {}
    for table in case["request"]:
        for extra in table.get("indexes", []):
            extra["url"] = addresses.get(extra["name"], extra.get("url", ""))
        asked = {key: value for key, value in table.items() if key not in OF_CUDA}
        request = structure({**EMPTY, **asked}, PythonRequest)
        known = by_arch.get(request.arch, ())
        by_arch[request.arch] = merge_rows((*known, *resolve_python(request, services)))
        cuda |= {key: table[key] for key in OF_CUDA & table.keys()}
    for arch, rows in by_arch.items():
        stack = CudaStack(
            rows=rows,
            arch=arch,
            toolkit=cuda.get("cuda", ""),
            release="1.0",
            framework="own",
            accelerated=frozenset(cuda.get("accelerated", ())),
        )
        check_cuda_stack(stack, where_cuda_builds_are=cuda.get("accelerated-hint", ""))
    check_architecture_skew(by_arch)
    return [row for rows in by_arch.values() for row in rows]


def outcome(case: dict[str, Any], services: IndexServices, addresses: dict[str, str]) -> tuple[str, int]:
    try:
        rows = resolve_all(case, services, addresses)
    except BuilderError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        return f"{error}{hint}\n", error.exit_code
    shown = [row for row in rows if row.name in case.get("show", [row.name])]
    return "".join(f"{row.name} {row.version} {row.file} {row.origin}\n" for row in shown), 0


@pytest.mark.parametrize("folder", cases())
def test_trap(
    folder: Path,
    indexes: Any,
    client: Client,
    tmp_path: Path,
    update_golden: bool,
) -> None:
    case = read(folder)
    addresses = serve(case, indexes)
    services = IndexServices(
        client=IndexClient(client),
        uv_cache=tmp_path / "uv",
        metadata=tmp_path / "metadata",
        index_url=addresses.get("default") or default_index_url(),
    )
    text, code = outcome(case, services, addresses)
    for name, address in addresses.items():
        text = text.replace(address, f"https://{name}.invalid/simple/")
    if update_golden:
        (folder / "expect.txt").write_text(text)
        (folder / "exit-code").write_text(f"{code}\n")
    assert text == (folder / "expect.txt").read_text()
    assert code == int((folder / "exit-code").read_text())
