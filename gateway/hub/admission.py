"""Who may come in: limits with clear answers."""

import ipaddress
from collections import Counter

from gateway.config import Limits
from gateway.errors import LeavingError, SignallingError
from gateway.transport.peer import Leg
from gateway.transport.port import MediaPort

_IPV6_PREFIX_BITS = 64
"""One IPv6 customer has a /64 at least: single addresses would be no limit."""


class Admission:
    """Asked before every new session."""

    def __init__(self, port: MediaPort, limits: Limits, retry_after_s: int = 5) -> None:
        """`retry_after_s` is what who is refused because we drain is told to wait."""
        self.is_draining = False
        self.refused: Counter[tuple[str, str]] = Counter()
        self._port = port
        self._limits = limits
        self._retry_after_s = retry_after_s

    def refuse_if_draining(self) -> None:
        """LeavingError when nobody new is taken."""
        if self.is_draining:
            raise LeavingError(self._retry_after_s)

    def admit(self, leg: Leg, client: str, is_awaited: bool = False) -> None:
        """SignallingError 503 with Retry-After when there is no room, for all or for this client, or we are leaving;
        who `is_awaited` by a round that is still open may come even then."""
        if self.is_draining and not is_awaited:
            self.refused[leg.value, "draining"] += 1
            self.refuse_if_draining()
        if len(self._port) >= self._limits.sessions:
            self._refuse(leg, "sessions", "This gateway is full.", 10)
        if self._port.half_open >= self._limits.half_open_sessions:
            self._refuse(leg, "half_open", "Too many sessions are being set up.", 2)
        if self._port.sessions_of(client) >= self._limits.sessions_per_address:
            self._refuse(leg, "address", "Too many sessions from this address.", 10)

    def _refuse(self, leg: Leg, cause: str, sentence: str, retry_after_s: int) -> None:
        self.refused[leg.value, cause] += 1
        raise SignallingError(503, sentence, {"Retry-After": str(retry_after_s)})


def client_key(host: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX_BITS), strict=False).network_address)
