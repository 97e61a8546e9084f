import pytest

from loadgen.errors import SignallingError
from loadgen.peer.route import is_ipv6, local_host_towards, wildcard_of


async def test_route_to_a_literal_address() -> None:
    assert await local_host_towards("127.0.0.9") == "127.0.0.1"


async def test_route_to_a_name() -> None:
    assert await local_host_towards("localhost") in ("127.0.0.1", "::1")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "a" * 300, "bad..name"])
async def test_route_to_nowhere(host: str) -> None:
    with pytest.raises(SignallingError, match="no route") as raised:
        await local_host_towards(host)
    assert raised.value.cause == "route"


def test_wildcard_is_of_the_family() -> None:
    assert [wildcard_of(host) for host in ("192.0.2.1", "2001:db8::1")] == ["0.0.0.0", "::"]
    assert [is_ipv6(host) for host in ("192.0.2.1", "2001:db8::1")] == [False, True]
