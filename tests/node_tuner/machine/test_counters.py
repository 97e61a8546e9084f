"""Counters of fixture trees, and of a namespace in which a socket overflows."""

import socket
from pathlib import Path

import pytest

from node_tuner.machine.counters import Conntrack, Softnet, conntrack, softnet, udp_receive_buffer_errors
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import namespace

SOFTNET = """\
00908d76 00000002 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
00956540 00000010 00000005 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001
"""
SNMP = """\
Tcp: RtoAlgorithm RtoMin
Tcp: 1 200
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
Udp: 9 8 7 6 5 4
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
UdpLite: 90 80 70 60 50 40
"""
SNMP6 = (
    "Ip6InReceives                   \t3\nUdp6RcvbufErrors                \t21\nUdpLite6RcvbufErrors            \t2\n"
)


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    (tmp_path / "net").mkdir()
    (tmp_path / "sys/net/netfilter").mkdir(parents=True)
    return Roots(proc=tmp_path)


def test_softnet_adds_up_all_cores(roots: Roots) -> None:
    (roots.proc / "net/softnet_stat").write_text(SOFTNET)
    assert softnet(roots) == Softnet(dropped=18, squeezed=15)


@pytest.mark.parametrize("text", [None, "", "00908d76\n", "x y z\n"])
def test_softnet_of_another_form_is_none(roots: Roots, text: str | None) -> None:
    if text is not None:
        (roots.proc / "net/softnet_stat").write_text(text)
    assert softnet(roots) is None


def test_udp_receive_buffer_errors_are_told_by_version(roots: Roots) -> None:
    (roots.proc / "net/snmp").write_text(SNMP)
    (roots.proc / "net/snmp6").write_text(SNMP6)
    assert udp_receive_buffer_errors(roots) == {"4": 5, "6": 21}


def test_udp_receive_buffer_errors_of_a_kernel_without_ipv6_are_those_of_ipv4(roots: Roots) -> None:
    (roots.proc / "net/snmp").write_text(SNMP)
    assert udp_receive_buffer_errors(roots) == {"4": 5}


def test_udp_receive_buffer_errors_that_nobody_counts_are_left_out(roots: Roots) -> None:
    (roots.proc / "net/snmp").write_text("Udp: InDatagrams\n")
    assert udp_receive_buffer_errors(roots) == {}


def test_conntrack_has_entries_and_a_limit(roots: Roots) -> None:
    (roots.proc / "sys/net/netfilter/nf_conntrack_count").write_text("17\n")
    (roots.proc / "sys/net/netfilter/nf_conntrack_max").write_text("262144\n")
    assert conntrack(roots) == Conntrack(17, 262144)


def test_conntrack_that_is_not_loaded_is_none(roots: Roots) -> None:
    assert conntrack(roots) is None


def _overflow() -> tuple[int, int]:
    """A namespace's own count before and after 400 datagrams came to a socket that nobody reads."""
    before = udp_receive_buffer_errors(Roots())["4"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(400):
                sender.sendto(bytes(1000), reader.getsockname())
    return before, udp_receive_buffer_errors(Roots())["4"]


@pytest.mark.netns
def test_udp_receive_buffer_errors_of_a_real_socket_are_counted() -> None:
    with namespace() as alone:
        before, after = alone.call(_overflow)
    assert before == 0
    assert after > 380
