"""Who may be put under load: this machine, private networks, and what its owner names.

A thousand players are a flood to somebody who did not ask for them. So the host of the target is looked up before
anything is sent, every one of its addresses has to be permitted, and so has every address that an answer wants media
at: a server could point a thousand players at somebody else.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import ifaddr
from yarl import URL

from loadgen.errors import TargetError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

OWN_TARGET_FLAG = "--i-own-this-target"

PERMITTED_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",  # loopback
        "::1/128",
        "10.0.0.0/8",  # private: RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",  # unique local: RFC 4193
        "169.254.0.0/16",  # link-local: RFC 3927
        "fe80::/10",
    )
)
"""Nobody but those who share the network can be meant. `ipaddress.is_private` takes in more, such as 192.0.0.0/24."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a run may talk to. It is sent to the workers."""

    host: str
    """The target's, as `normal_host` has it."""
    addresses: frozenset[IpAddress]
    """All of the target's at the start of the run."""
    own_targets: frozenset[str]
    """Hosts that were named as one's own, as `normal_host` has them."""
    own_addresses: frozenset[IpAddress] = frozenset()
    """This machine's, whatever networks they are of."""

    @property
    def is_own(self) -> bool:
        """Whether the target was named, and may send us anywhere."""
        return self.host in self.own_targets

    def is_target(self, host: str) -> bool:
        """Whether `host` is the target's, however it is spelled."""
        return normal_host(host) == self.host

    def may_send_requests_to(self, host: str) -> bool:
        """Whether a redirect or a session's URL may lead to `host`. A name that was not given is not looked up."""
        if self.is_target(host) or normal_host(host) in self.own_targets:
            return True
        address = _parsed(normal_host(host))
        return address is not None and is_permitted(address)

    def may_send_media_to(self, ip: str, host: str | None = None) -> bool:
        """Whether a candidate of an answer of `host`, else of the target, may be checked, and sent to. False for what
        is no single host's address, or a name (mDNS)."""
        address = _parsed(ip)
        if address is None or address.is_multicast or address.is_unspecified or address == _BROADCAST:
            return False
        is_own = self.is_own if host is None else normal_host(host) in self.own_targets
        return is_own or is_permitted(address) or address in self.own_addresses


_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def require_permission(url: str, own_targets: Iterable[str]) -> Permission:
    """Look up the host of `url`, which blocks. TargetError unless every address of it is permitted, or the host is
    among `own_targets`."""
    host = _host_of(url)
    own = frozenset(map(normal_host, own_targets))
    addresses = _addresses_of(host)
    own_addresses = _own_addresses()
    foreign = sorted(str(each) for each in addresses if not is_permitted(each) and each not in own_addresses)
    if foreign and host not in own:
        raise TargetError(
            f"{host} is {' and '.join(foreign)}, not on this machine nor in a private network. Load is only for your "
            f"own servers: if this one is yours, say so with {OWN_TARGET_FLAG} {host}."
        )
    return Permission(host, addresses, own, own_addresses)


def is_permitted(address: IpAddress) -> bool:
    """Whether `address` may be loaded without being named."""
    return any(address.version == network.version and address in network for network in PERMITTED_NETWORKS)


def normal_host(host: str) -> str:
    """One spelling of a host: lower case, no brackets, no dot at the end."""
    return host.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")


def _host_of(url: str) -> str:
    # By the parser that aiohttp will use: two parsers that disagree on the host would be a way around this.
    try:
        parsed = URL(url)
    except ValueError as error:
        raise TargetError(f"{url!r} is no URL: {error}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise TargetError(f"{url!r} is no URL of a server: it begins with http:// or https:// and a host.")
    return normal_host(parsed.host)


def _addresses_of(host: str) -> frozenset[IpAddress]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TargetError(f"The host {host} cannot be looked up: {error}.") from error
    addresses = frozenset(address for entry in found if (address := _parsed(str(entry[4][0]))) is not None)
    if not addresses:
        raise TargetError(f"The host {host} has no address.")
    return addresses


def _own_addresses() -> frozenset[IpAddress]:
    found = (ip.ip if ip.is_IPv4 else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    return frozenset(address for each in found if (address := _parsed(str(each))) is not None)


def _parsed(text: str) -> IpAddress | None:
    """The address without its zone, and as IPv4 where it is one in IPv6's clothes; None for a name."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
