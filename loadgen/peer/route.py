"""Which of this machine's addresses faces a target."""

import asyncio
import functools
import ipaddress
import socket

from loadgen.errors import SignallingError

_ANY_PORT = 9

MAX_REMEMBERED_TARGETS = 64
"""One run has one target, and perhaps what it redirects to and media servers elsewhere."""


async def local_host_towards(host: str) -> str:
    """Our address on the route to `host`, a name or a literal address. Looked up once for the life of the process.

    SignallingError("route") when there is no such host or no route.
    """
    if is_literal(host):
        return local_host_on_route(host)
    return await asyncio.to_thread(local_host_on_route, host)


def local_host_on_route(host: str) -> str:
    """The same, and waits for the name server where `host` is a name."""
    try:
        return _local_host_towards(host)
    except (OSError, UnicodeError) as error:
        raise SignallingError("route", f"There is no route to {host}: {error}.") from error


@functools.lru_cache(MAX_REMEMBERED_TARGETS)
def _local_host_towards(host: str) -> str:
    family, _type, _protocol, _name, address = socket.getaddrinfo(host, _ANY_PORT, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address)  # sends nothing
        return str(probe.getsockname()[0])


def is_literal(host: str) -> bool:
    """Whether `host` is an address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def wildcard_of(host: str) -> str:
    """The wildcard address of the family of a literal address."""
    return "::" if is_ipv6(host) else "0.0.0.0"


def is_ipv6(host: str) -> bool:
    """The family of a literal address."""
    return ":" in host
