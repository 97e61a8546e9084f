"""Marks as the kernel delivers them, on the real loopback interface."""

import errno
import socket
from collections.abc import Iterator
from dataclasses import fields

import pytest
import structlog

from gateway.transport.address import Address
from gateway.transport.marking import UNMARKED, Codepoints, Marks, mark_socket, told
from gateway.transport.socket import MediaSocket, Sent

BUFFER_BYTES = 1 << 18
SEGMENT_BYTES = 500
CODEPOINTS = Codepoints(bet_signals=18, audio=46, video=34, retransmission=36)


class Peer:
    """A peer's socket on loopback, which is told the mark of what it receives."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(1)
        is_ipv4 = family == socket.AF_INET
        self.socket.bind(("127.0.0.1" if is_ipv4 else "::1", 0))
        wants = (socket.IPPROTO_IP, socket.IP_RECVTOS) if is_ipv4 else (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS)
        self.socket.setsockopt(*wants, 1)

    @property
    def address(self) -> Address:
        """As a dual-stack socket addresses it."""
        host, port = self.socket.getsockname()[:2]
        return (f"::ffff:{host}" if "." in host else host, port, 0, 0)

    def tos(self, count: int = 1) -> list[int]:
        """The bytes of the IP headers of that many datagrams: DSCP and ECN."""
        return [self.socket.recvmsg(2048, 100)[1][0][2][0] for _ in range(count)]


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    made = Peer(request.param)
    yield made
    made.socket.close()


@pytest.fixture
def media() -> Iterator[MediaSocket]:
    made = MediaSocket("::", 0, BUFFER_BYTES, BUFFER_BYTES, CODEPOINTS)
    yield made
    made.close()


def test_own_mark_is_that_of_video_without_ecn(media: MediaSocket, peer: Peer) -> None:
    media.send(b"stun", peer.address)
    media.sendto(b"single", peer.address)
    media.send_run([bytes(SEGMENT_BYTES)] * 2, SEGMENT_BYTES, 2, peer.address)
    assert peer.tos(4) == [34 << 2] * 4


@pytest.mark.parametrize("name", [field.name for field in fields(Marks)])
def test_each_other_class_has_its_own(media: MediaSocket, peer: Peer, name: str) -> None:
    mark, dscp = getattr(media.marks, name), getattr(CODEPOINTS, name)
    media.send(b"single", peer.address, mark)
    media.send_run([bytes(SEGMENT_BYTES)] * 3, SEGMENT_BYTES, 3, peer.address, mark)
    media.sendmsg([b"single"], media.ancillary(6, 1, mark), 0, peer.address)
    assert peer.tos(5) == [dscp << 2] * 5
    assert media.segmentation


@pytest.mark.parametrize("refusal", [errno.EIO, errno.EINVAL])
def test_mark_outlives_segmentation(media: MediaSocket, peer: Peer, refusal: int) -> None:
    real = media._socket
    media._socket = _Segmentless(real, refusal)  # type: ignore[assignment]
    with structlog.testing.capture_logs():
        for _ in range(2):
            media.send_run([bytes(SEGMENT_BYTES)] * 3, SEGMENT_BYTES, 3, peer.address, media.marks.audio)
    assert peer.tos(6) == [46 << 2] * 6
    assert media.segmentation is (refusal == errno.EINVAL)
    media._socket = real


class _Segmentless:
    """A socket that refuses what is to be cut."""

    def __init__(self, real: socket.socket, refusal: int) -> None:
        self._real = real
        self._refusal = refusal

    def sendmsg(self, buffers: list[bytes], ancillary: list[tuple[int, int, bytes]], *rest: object) -> int:
        if any(level == socket.IPPROTO_UDP for level, _, _ in ancillary):
            raise OSError(self._refusal, "refused by the test")
        return self._real.sendmsg(buffers, ancillary, *rest)  # type: ignore[arg-type]


def test_socket_of_ipv4_alone_marks_as_well() -> None:
    peer, media = Peer(socket.AF_INET), MediaSocket("127.0.0.1", 0, BUFFER_BYTES, BUFFER_BYTES, CODEPOINTS)
    address = peer.socket.getsockname()
    media.send(b"video", address)
    media.send(b"audio", address, media.marks.audio)
    media.send_run([bytes(SEGMENT_BYTES)] * 2, SEGMENT_BYTES, 2, address, media.marks.bet_signals)
    assert peer.tos(4) == [34 << 2, 46 << 2, 18 << 2, 18 << 2]
    media.close()
    peer.socket.close()


def test_nothing_is_marked_and_nothing_said_without_codepoints(peer: Peer) -> None:
    media = MediaSocket("::", 0, BUFFER_BYTES, BUFFER_BYTES)
    assert (media.codepoints, media.marks) == (None, UNMARKED)
    assert media.ancillary(SEGMENT_BYTES, 1, media.marks.audio) == ()
    media.send(b"datagram", peer.address, media.marks.bet_signals)
    assert peer.tos() == [0]
    media.close()


def test_class_with_the_mark_of_video_says_nothing_beside_its_sends() -> None:
    marks = Marks.beside(Codepoints(bet_signals=34, audio=34, video=34, retransmission=0))
    assert (marks.bet_signals, marks.audio) == ((), ())
    assert marks.retransmission


def test_kernel_that_refuses_leaves_packets_unmarked_and_the_log_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.transport.socket.mark_socket", _refuse)
    with structlog.testing.capture_logs() as logs:
        media = MediaSocket("::", 0, BUFFER_BYTES, BUFFER_BYTES, CODEPOINTS)
    assert (media.codepoints, media.marks) == (None, UNMARKED)
    assert "dscp refused" in [entry["event"] for entry in logs]
    assert media.send(b"datagram", ("::1", 9, 0, 0)) is Sent.OK
    media.close()


def _refuse(_marked: object, _dscp: int) -> None:
    raise PermissionError(errno.EPERM, "refused by the test")


@pytest.mark.parametrize(
    ("family", "level", "option"),
    [
        (socket.AF_INET, socket.IPPROTO_IP, socket.IP_TOS),
        (socket.AF_INET6, socket.IPPROTO_IP, socket.IP_TOS),
        (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
def test_connection_is_marked_for_every_family_that_it_may_carry(
    family: socket.AddressFamily, level: int, option: int
) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        mark_socket(connection, 18)
        assert connection.getsockopt(level, option) == 18 << 2


def test_socket_of_no_address_family_is_left_alone() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        mark_socket(connection, 18)


def test_told_names_every_class() -> None:
    assert told(CODEPOINTS) == "bet_signals 18, audio 46, video 34, retransmission 36"
