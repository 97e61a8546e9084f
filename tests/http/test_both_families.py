"""HTTP on `[::]`: IPv6 and IPv4, and who comes by IPv4 is known by that address."""

import errno
import socket

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.app import Gateway
from gateway.config import Settings
from gateway.http.client import is_this_machine, remote_host
from gateway.http.keys import SETTINGS
from gateway.hub.admission import client_key
from tests.http.conftest import PUBLISH_OFFER, SDP, Api, Serve

BOTH = {"http": "[::]:0", "auth": {"open_to_network": True}}
FAMILIES = ("127.0.0.1", "[::1]")

pytestmark = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


async def ask(api: Api, host: str, method: str, path: str, **given: object) -> tuple[int, str]:
    """Status, and the Location if there is one."""
    url = f"http://{host}:{api.port}{path}"
    async with aiohttp.ClientSession() as client, client.request(method, url, **given) as answer:  # type: ignore[arg-type]
        return answer.status, answer.headers.get("Location", "")


@pytest.mark.parametrize("host", FAMILIES)
async def test_server_is_reached_by_both_families(serve: Serve, host: str) -> None:
    assert await ask(await serve(**BOTH), host, "GET", "/livez") == (200, "")


@pytest.mark.parametrize("host", FAMILIES)
async def test_doors_that_are_this_machines_know_it_by_both_families(serve: Serve, host: str) -> None:
    api = await serve(**BOTH)
    assert (await ask(api, host, "GET", "/api/v1/sessions"))[0] == 200
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert (await ask(api, host, "GET", "/api/v1/sessions", headers=forwarded))[0] == 403


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::ffff:127.0.0.1"])
async def test_trusted_proxy_that_comes_by_ipv4_is_believed(serve: Serve, proxy: str) -> None:
    api = await serve(**BOTH, trusted_proxies=[proxy])
    headers = SDP | {"X-Forwarded-For": "203.0.113.9"}
    status, location = await ask(api, "127.0.0.1", "POST", "/whip/table", data=PUBLISH_OFFER, headers=headers)
    session = api.gateway.port.session(location.rpartition("/")[2])
    assert session is not None
    assert (status, session.client) == (201, "203.0.113.9")


@pytest.mark.usefixtures("still_rates")
async def test_rates_of_an_address_hold_by_ipv4(serve: Serve) -> None:
    limits = {"requests_per_address_per_s": 2}
    api = await serve(**BOTH, limits=limits, trusted_proxies=["127.0.0.1"])
    given = [
        (await ask(api, "127.0.0.1", "POST", "/whep/table", headers={"X-Forwarded-For": address}))[0]
        for address in ("192.0.2.1", "::ffff:192.0.2.1") * 3
    ]
    assert given.count(429) == 2


@pytest.mark.parametrize(
    ("peer", "host", "client", "is_here"),
    [
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", False),
        ("::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1", True),
        ("::ffff:10.0.0.80", "203.0.113.9", "203.0.113.9", False),
        ("::1", "::1", "::", True),
        ("2001:db8:1:2:3::4", "2001:db8:1:2:3::4", "2001:db8:1:2::", False),
        ("fe80::1%eth0", "fe80::1%eth0", "fe80::", False),
    ],
)
def test_peer_of_a_socket_of_both_families_is_known(peer: str, host: str, client: str, is_here: bool) -> None:
    app = web.Application()
    app[SETTINGS] = Settings.model_validate({"trusted_proxies": ["10.0.0.80"]})
    forwarded = {"X-Forwarded-For": "::ffff:203.0.113.9"} if peer.endswith(".80") else {}
    request = make_mocked_request("GET", "/", forwarded, app=app).clone(remote=peer)
    assert (remote_host(request), is_this_machine(request)) == (host, is_here)
    assert client_key(remote_host(request)) == client


async def test_port_that_ipv4_has_taken_is_an_error(api: Api) -> None:
    gateway = Gateway(Settings.model_validate(BOTH | {"http": f"[::]:{api.port}", "udp": "127.0.0.1:0"}))
    with pytest.raises(OSError, match="in use"):
        await gateway.start()
    await gateway.stop()


async def test_server_is_reached_by_ipv4_where_there_is_no_ipv6(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_ipv6(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    with structlog.testing.capture_logs() as logs:
        api = await serve(**BOTH)
    assert "this machine has no ipv6" in [entry["event"] for entry in logs]
    assert (await api.request("GET", "/livez")).status == 200
