"""Addresses that a registry names in its answers: each is asked, or refused with a cause."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from builder.errors import FetchError
from builder.io import Network
from builder.oci.registry import RegistryAuth

NO_ADDRESSES = [
    "https://[x/token",
    "https://h.invalid:x/token",
    "https://h.invalid:99999999/token",
    "//[",
    "/token",
]


@pytest.mark.parametrize("realm", NO_ADDRESSES)
def test_a_token_service_without_an_address_is_an_error(httpserver: HTTPServer, realm: str) -> None:
    host = f"127.0.0.1:{httpserver.port}"
    auth = RegistryAuth(frozenset((host,)), frozenset(), Network())
    with pytest.raises(FetchError) as raised:
        auth.obtain(f"http://{host}/v2/", f'Bearer realm="{realm}",service="x"')
    assert "token service" in raised.value.cause
