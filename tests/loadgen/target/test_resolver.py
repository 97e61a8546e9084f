"""Where aiohttp connects to: what was permitted, whatever a name server says later."""

import ipaddress
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from loadgen.target.resolver import PermittedResolver
from loadgen.target.safety import Permission
from tests.loadgen.target.server import serving

BOTH = frozenset(map(ipaddress.ip_address, ("127.0.0.1", "::1")))


@pytest.fixture
async def resolver() -> AsyncIterator[PermittedResolver]:
    resolver = PermittedResolver(Permission("edge.internal", BOTH, frozenset({"localhost"})))
    yield resolver
    await resolver.close()


async def test_request_for_the_target_goes_to_its_permitted_address(resolver: PermittedResolver) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.host)

    async with serving(handler) as url:
        connector = aiohttp.TCPConnector(resolver=resolver)
        async with aiohttp.ClientSession(connector=connector) as http:
            response = await http.get(url.replace("127.0.0.1", "edge.internal"))
            assert (await response.text()).startswith("edge.internal:")


@pytest.mark.parametrize(
    ("family", "addresses"),
    [(socket.AF_UNSPEC, ["127.0.0.1", "::1"]), (socket.AF_INET, ["127.0.0.1"]), (socket.AF_INET6, ["::1"])],
)
async def test_target_has_the_addresses_of_the_family(
    resolver: PermittedResolver, family: socket.AddressFamily, addresses: list[str]
) -> None:
    assert [each["host"] for each in await resolver.resolve("Edge.Internal.", 80, family)] == addresses


async def test_target_without_an_address_of_the_family_is_an_os_error() -> None:
    only_ipv4 = PermittedResolver(
        Permission("edge.internal", frozenset({ipaddress.ip_address("127.0.0.1")}), frozenset())
    )
    with pytest.raises(OSError, match="no such address"):
        await only_ipv4.resolve("edge.internal", 80, socket.AF_INET6)


async def test_own_host_is_looked_up(resolver: PermittedResolver) -> None:
    assert [each["host"] for each in await resolver.resolve("localhost", 80)] == ["127.0.0.1"]


async def test_other_host_is_refused_unasked(resolver: PermittedResolver) -> None:
    with pytest.raises(OSError, match=r"evil\.example is not the target"):
        await resolver.resolve("evil.example", 80)
