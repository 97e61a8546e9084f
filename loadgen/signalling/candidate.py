"""`a=candidate` values (RFC 8839 section 5.1): theirs as far as we use them, ours as we tell them."""

import ipaddress
from typing import NamedTuple

from gateway.transport.ice import candidate_lines


class Candidate(NamedTuple):
    """A candidate for UDP."""

    host: str
    """A literal address in its canonical form."""
    port: int
    priority: int


def parse_candidate(value: str) -> Candidate | None:
    """What stands after `a=candidate:`; None for what is not for us: TCP, other components, names (mDNS), or a line
    that is none."""
    fields = value.split()
    if len(fields) < 8 or fields[1] != "1" or fields[2].lower() != "udp":
        return None
    try:
        host = str(ipaddress.ip_address(fields[4]))
        priority, port = int(fields[3]), int(fields[5])
    except ValueError:
        return None
    return Candidate(host, port, priority) if 0 < port < 1 << 16 else None


def host_candidate(host: str, port: int) -> str:
    """What stands after `a=candidate:` for our only one."""
    return candidate_lines([host], port)[0]
