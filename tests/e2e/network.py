"""What this machine's network allows: ICE agents leave loopback addresses out of their candidates."""

from __future__ import annotations

import ipaddress
from functools import cache

import ifaddr
import pytest


@cache
def gathered_families() -> frozenset[int]:
    """IP versions of which this machine has an address that an ICE agent gathers: 4, 6, both or none."""
    hosts = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    addresses = map(ipaddress.ip_address, hosts)
    return frozenset(each.version for each in addresses if not each.is_loopback and not each.is_link_local)


def skip_without_gathered_addresses() -> None:
    """Skip the test where aiortc would have no candidate."""
    if not gathered_families():
        pytest.skip("this machine has loopback addresses only, which aiortc never uses")
