"""Which addresses go into our ICE candidates: numbers, never names, which Chromium would not use."""

import ipaddress
from collections.abc import Sequence

import ifaddr

_WILDCARDS = {"0.0.0.0", "::"}


def candidate_hosts(public_addresses: Sequence[object], bound_host: str) -> list[str]:
    """The configured addresses; else the one that the port is bound to; else this machine's own, loopback last."""
    if public_addresses:
        return [str(address) for address in public_addresses]
    if bound_host not in _WILDCARDS:
        return [bound_host]
    own = [
        ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for a in ifaddr.get_adapters()
        for ip in a.ips
    ]
    usable = [address for address in own if not address.is_link_local and (address.version == 4 or bound_host == "::")]
    return [str(address) for address in sorted(usable, key=lambda address: (address.is_loopback, address.version))]
