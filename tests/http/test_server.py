"""The server around the application."""

import pytest

from gateway.app import Gateway
from gateway.config import Settings
from tests.http.conftest import Api


async def test_server_on_port_0_takes_a_free_one_and_says_which(api: Api) -> None:
    assert (await api.request("GET", "/livez")).status == 200


async def test_server_on_ipv6_is_reached_there() -> None:
    gateway = Gateway(Settings.model_validate({"http": "[::1]:0", "udp": "[::1]:0"}))
    bound = await gateway.start()
    try:
        assert str(bound) == f"[::1]:{bound.port}"
    finally:
        await gateway.stop()


async def test_server_on_a_port_that_is_taken_is_an_error(api: Api) -> None:
    taken = f"127.0.0.1:{api.port}"
    gateway = Gateway(Settings.model_validate({"http": taken, "udp": "127.0.0.1:0"}))
    with pytest.raises(OSError, match="in use"):
        await gateway.start()
    await gateway.stop()
