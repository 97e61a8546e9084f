import pytest

from loadgen.signalling.candidate import Candidate, host_candidate, parse_candidate

HOST_PRIORITY = 126 << 24 | 65535 << 8 | 255
"""RFC 8445 section 5.1.2.1."""


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_our_own_candidate_parses(host: str) -> None:
    assert parse_candidate(host_candidate(host, 5000)) == Candidate(host, 5000, HOST_PRIORITY)


def test_candidate_with_extensions_has_a_canonical_address() -> None:
    value = "842163049 1 UDP 1677729535 2001:DB8:0::1 46154 typ srflx raddr 10.0.0.1 rport 5 generation 0"
    assert parse_candidate(value) == Candidate("2001:db8::1", 46154, 1677729535)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1 1 udp",
        "1 2 udp 1 192.0.2.1 5000 typ host",
        "1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
        "1 1 udp 1 8fd1b3a2.local 5000 typ host",
        "1 1 udp one 192.0.2.1 5000 typ host",
        "1 1 udp 1 192.0.2.1 0 typ host",
        "1 1 udp 1 192.0.2.1 65536 typ host",
        "1 1 udp 1 192.0.2.1 -5 typ host",
    ],
    ids=["empty", "short", "RTCP", "TCP", "mDNS", "priority", "port 0", "port too large", "port negative"],
)
def test_candidate_that_is_not_for_us(value: str) -> None:
    assert parse_candidate(value) is None
