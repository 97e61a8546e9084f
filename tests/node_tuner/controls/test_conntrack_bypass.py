"""What connection tracking has seen, as /proc/net/nf_conntrack lists it, with and without the bypass."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.marking import digest_of
from tests.node_tuner.namespaces import LIMIT_S, End, Namespace, Pair, pair
from tests.node_tuner.pods import pod
from tests.node_tuner.wire import family_of, socket_in

pytestmark = [pytest.mark.netns, pytest.mark.nft]

MEDIA_PORT, MEDIA_PORT_OF_RANGE, OTHER_PORT, NOBODYS_PORT = 8189, 9005, 7000, 9
SPEC = {"ports": "8189,9000-9010"}
LOOPBACK = {"ipv4": "127.0.0.1", "ipv6": "::1"}
ANY = {"ipv4": "0.0.0.0", "ipv6": "::"}
FAMILIES = ["ipv4", "ipv6"]
BIG = bytes(4000)
"""Three fragments."""

SOMEBODY_ELSES = """
table inet firewall {
    chain input {
        type filter hook input priority filter; policy accept;
        ct state established,related accept
    }
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "media0" ip saddr 10.199.1.0/24 masquerade
        oifname "media0" ip6 saddr fd00:199:1::/64 masquerade
    }
}
"""


@pytest.fixture
def joined() -> Iterator[Pair]:
    """Its near end tracks, because somebody else's rules ask for it."""
    with pair() as made:
        made.near.namespace.run("nft", "-f", "-", stdin=SOMEBODY_ELSES)
        yield made


def bypass(end: End) -> None:
    """As the engine does it."""
    end.namespace.call(lambda: ConntrackBypass().write({"digest": digest_of(SPEC), "spec": SPEC}))


def tracked_ports(end: End) -> set[int]:
    """All ports of all flows that are in the table."""
    table = end.namespace.call(lambda: Path("/proc/net/nf_conntrack").read_text())
    return {int(port) for port in re.findall(r"port=(\d+)", table)}


def bound(namespace: Namespace, host: str, port: int = 0) -> socket.socket:
    """A socket of UDP."""
    made = socket_in(namespace, family_of(host), socket.SOCK_DGRAM)
    made.settimeout(LIMIT_S)
    made.bind((host, port))
    return made


def exchange(asker: socket.socket, answerer: socket.socket, to: str, payload: bytes = b"question") -> None:
    """There and back; TimeoutError where either gets lost."""
    asker.sendto(payload, (to, answerer.getsockname()[1]))
    question, address = answerer.recvfrom(len(BIG))
    answerer.sendto(question, address)
    assert asker.recv(len(BIG)) == payload


def outside_asks(joined: Pair, family: str, port: int, payload: bytes = b"question") -> None:
    """A viewer's way: the first datagram comes in."""
    with bound(joined.near.namespace, ANY[family], port) as ours, bound(joined.far.namespace, ANY[family]) as viewer:
        exchange(viewer, ours, getattr(joined.near, family), payload)


def node_asks(joined: Pair, family: str, port: int) -> None:
    """The first datagram goes out."""
    near, far = joined.near.namespace, joined.far.namespace
    with bound(near, ANY[family], port) as ours, bound(far, ANY[family]) as peer:
        exchange(ours, peer, getattr(joined.far, family))


def node_asks_itself(joined: Pair, family: str, port: int) -> None:
    """By loopback, to 127.0.0.1 and to the own address."""
    near = joined.near.namespace
    for to in (LOOPBACK[family], getattr(joined.near, family)):
        with bound(near, ANY[family], port) as ours, bound(near, ANY[family]) as asker:
            exchange(asker, ours, to)


def outside_asks_in_fragments(joined: Pair, family: str, port: int) -> None:
    """Each way, more than a packet holds."""
    outside_asks(joined, family, port, BIG)


Way = Callable[[Pair, str, int], None]
WAYS: list[Way] = [outside_asks, node_asks, node_asks_itself, outside_asks_in_fragments]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("way", WAYS)
def test_media_is_tracked_in_neither_direction_and_others_are(joined: Pair, way: Way, family: str) -> None:
    bypass(joined.near)
    for port in (MEDIA_PORT, MEDIA_PORT_OF_RANGE, OTHER_PORT):
        way(joined, family, port)
    assert tracked_ports(joined.near) & {MEDIA_PORT, MEDIA_PORT_OF_RANGE, OTHER_PORT} == {OTHER_PORT}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("way", WAYS)
def test_media_after_removal_is_tracked_as_before(joined: Pair, way: Way, family: str) -> None:
    bypass(joined.near)
    joined.near.namespace.call(lambda: ConntrackBypass().write(None))
    way(joined, family, MEDIA_PORT)
    assert MEDIA_PORT in tracked_ports(joined.near)


@pytest.mark.parametrize("family", FAMILIES)
def test_pods_traffic_to_media_ports_elsewhere_is_still_tracked_and_masqueraded(joined: Pair, family: str) -> None:
    bypass(joined.near)
    with (
        pod(joined.near) as inside,
        bound(inside.namespace, ANY[family]) as asker,
        bound(joined.far.namespace, ANY[family], MEDIA_PORT) as studio,
    ):
        asker.sendto(b"question", (getattr(joined.far, family), MEDIA_PORT))
        question, address = studio.recvfrom(len(BIG))
        assert address[0] == getattr(joined.near, family)
        studio.sendto(question, address)
        assert asker.recv(len(BIG)) == b"question"
    assert MEDIA_PORT in tracked_ports(joined.near)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("port", [MEDIA_PORT, MEDIA_PORT_OF_RANGE])
def test_error_about_media_passes_a_firewall_that_drops_what_is_invalid(joined: Pair, family: str, port: int) -> None:
    joined.near.namespace.run("nft", "add", "rule", "inet", "firewall", "input", "ct", "state", "invalid", "drop")
    bypass(joined.near)
    with bound(joined.near.namespace, ANY[family], port) as ours:
        ours.connect((getattr(joined.far, family), NOBODYS_PORT))
        ours.send(b"question")
        with pytest.raises(ConnectionRefusedError):
            ours.recv(1)


@pytest.mark.parametrize("family", FAMILIES)
def test_bypass_does_not_begin_to_track_what_nobody_tracked(family: str) -> None:
    with pair() as joined:
        bypass(joined.near)
        for port in (MEDIA_PORT, OTHER_PORT):
            outside_asks(joined, family, port)
        assert tracked_ports(joined.near) == set()
