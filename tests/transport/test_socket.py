"""The media socket on the real loopback interface."""

import errno
import select
import socket
import time
from collections.abc import Iterator

import pytest
import structlog

from gateway.transport import socket as media_socket
from gateway.transport.address import Address
from gateway.transport.socket import MAX_DATAGRAM_BYTES, MAX_SEGMENTS, Buffers, MediaSocket, Sent
from tests.transport.remote import KERNEL_TRIES

BUFFER_BYTES = 1 << 20
SEGMENT_BYTES = 1000


@pytest.fixture
def media() -> Iterator[MediaSocket]:
    made = MediaSocket("::", 0, BUFFER_BYTES, BUFFER_BYTES)
    yield made
    made.close()


class Receiver:
    """A peer's socket on loopback, of either family."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self.socket.settimeout(1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)

    @property
    def address(self) -> Address:
        """As a dual-stack socket addresses it."""
        host, port = self.socket.getsockname()[:2]
        return (f"::ffff:{host}" if "." in host else host, port, 0, 0)

    def datagrams(self, count: int) -> list[bytes]:
        return [self.socket.recv(65535) for _ in range(count)]

    def is_empty(self) -> bool:
        return not select.select([self.socket], [], [], 0.02)[0]


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def peer(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = Receiver(request.param)
    yield made
    made.socket.close()


def _run(count: int, last_bytes: int = SEGMENT_BYTES) -> list[bytes]:
    """`count` datagrams, told apart by their bytes."""
    return [bytes([n]) * (SEGMENT_BYTES if n < count - 1 else last_bytes) for n in range(count)]


class Refusing:
    """A socket whose sends fail for a while: `errors` is what each of the next calls raises."""

    def __init__(self, real: socket.socket, errors: list[int], with_ancillary_only: bool = False) -> None:
        self._real = real
        self._errors = errors
        self._with_ancillary_only = with_ancillary_only
        self.ancillary_sends = 0

    def sendmsg(self, buffers: list[bytes], ancillary: list[object], flags: int, address: Address) -> int:
        self.ancillary_sends += bool(ancillary)
        if ancillary or not self._with_ancillary_only:
            self._fail()
        return self._real.sendmsg(buffers, ancillary, flags, address)  # type: ignore[arg-type]

    def sendto(self, datagram: bytes, address: Address) -> int:
        if not self._with_ancillary_only:
            self._fail()
        return self._real.sendto(datagram, address)

    def _fail(self) -> None:
        if self._errors:
            raise OSError(self._errors.pop(0), "refused by the test")

    def close(self) -> None:
        self._real.close()


def _refuse(media: MediaSocket, errors: list[int], with_ancillary_only: bool = False) -> Refusing:
    refusing = Refusing(media._socket, errors, with_ancillary_only)
    media._socket = refusing  # type: ignore[assignment]
    return refusing


# Sending


def test_send_reaches_the_peer_from_the_one_port(media: MediaSocket, peer: Receiver) -> None:
    assert media.send(b"datagram", peer.address) is Sent.OK
    datagram, source = peer.socket.recvfrom(100)
    assert datagram == b"datagram"
    assert source[1] == media.port


@pytest.mark.parametrize(
    ("count", "last_bytes"), [(2, SEGMENT_BYTES), (8, SEGMENT_BYTES), (8, 1), (MAX_SEGMENTS, 700), (1, 500)]
)
def test_send_run_arrives_as_separate_datagrams(
    media: MediaSocket, peer: Receiver, count: int, last_bytes: int
) -> None:
    run = _run(count, last_bytes)
    assert media.send_run(run, SEGMENT_BYTES if count > 1 else last_bytes, count, peer.address) is Sent.OK
    assert peer.datagrams(count) == run
    assert peer.is_empty()
    assert media.segmentation


def test_send_run_gathers_headers_and_payloads(media: MediaSocket, peer: Receiver) -> None:
    run = _run(3, 400)
    gathered = [part for datagram in run for part in (datagram[:12], datagram[12:])]
    assert media.send_run(gathered, SEGMENT_BYTES, 3, peer.address) is Sent.OK
    assert peer.datagrams(3) == run


@pytest.mark.parametrize("refusal", [errno.EIO, errno.EOPNOTSUPP, errno.ENOPROTOOPT])
def test_segmentation_when_refused_is_switched_off_and_everything_arrives(
    media: MediaSocket, peer: Receiver, refusal: int
) -> None:
    refusing, run = _refuse(media, [refusal] * 10, with_ancillary_only=True), _run(5, 300)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert media.send_run(run, SEGMENT_BYTES, 5, peer.address) is Sent.OK
    assert peer.datagrams(15) == run * 3
    assert not media.segmentation
    assert refusing.ancillary_sends == 1
    assert [entry["event"] for entry in logs] == ["gso switched off"]


@pytest.mark.parametrize("misfit", [errno.EINVAL, errno.EMSGSIZE])
def test_run_that_does_not_fit_one_path_is_sent_singly_and_segmentation_stays(
    media: MediaSocket, peer: Receiver, misfit: int
) -> None:
    refusing, run = _refuse(media, [misfit], with_ancillary_only=True), _run(5, 300)
    for _ in range(2):
        assert media.send_run(run, SEGMENT_BYTES, 5, peer.address) is Sent.OK
    assert peer.datagrams(10) == run * 2
    assert media.segmentation
    assert refusing.ancillary_sends == 2


def test_segmentation_is_off_where_the_kernel_does_not_know_it() -> None:
    class Ancient:
        def getsockopt(self, level: int, option: int) -> int:
            raise OSError(errno.ENOPROTOOPT, "unknown option")

    with structlog.testing.capture_logs() as logs:
        assert not media_socket._knows_segmentation(Ancient())  # type: ignore[arg-type]
    assert len(logs) == 1


@pytest.mark.parametrize("full", [errno.EAGAIN, errno.ENOBUFS])
def test_full_socket_is_told_and_does_not_end_segmentation(media: MediaSocket, peer: Receiver, full: int) -> None:
    _refuse(media, [full] * 3)
    assert media.send(b"datagram", peer.address) is Sent.FULL
    assert media.send_run(_run(1), SEGMENT_BYTES, 1, peer.address) is Sent.FULL
    assert media.send_run(_run(3), SEGMENT_BYTES, 3, peer.address) is Sent.FULL
    assert media.segmentation
    assert media.failed_sends == 0


def test_full_socket_without_segmentation_ends_the_run(media: MediaSocket, peer: Receiver) -> None:
    media.segmentation = False
    _refuse(media, [errno.EAGAIN])
    assert media.send_run(_run(3), SEGMENT_BYTES, 3, peer.address) is Sent.FULL
    assert peer.is_empty()


def test_unreachable_peer_is_counted_and_nothing_else(media: MediaSocket, peer: Receiver) -> None:
    _refuse(media, [errno.ENETUNREACH, errno.EPERM, errno.EHOSTUNREACH])
    assert media.send(b"datagram", peer.address) is Sent.FAILED
    assert media.send_run(_run(1), SEGMENT_BYTES, 1, peer.address) is Sent.FAILED
    assert media.send_run(_run(3), SEGMENT_BYTES, 3, peer.address) is Sent.FAILED
    assert media.failed_sends == 3
    assert media.segmentation
    assert media.send(b"datagram", peer.address) is Sent.OK


# Binding


def test_both_families_become_ipv4_where_there_is_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    real_socket = socket.socket

    def without_ipv6(family: int = -1, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real_socket(family, *rest)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    with structlog.testing.capture_logs() as logs:
        media = MediaSocket("::", 0, 1 << 16, 1 << 16)
    assert media.host == "0.0.0.0"
    media.close()
    assert [entry["event"] for entry in logs] == ["this machine has no ipv6"]


# Receiving


def test_receive_yields_datagrams_until_there_is_none(media: MediaSocket, peer: Receiver) -> None:
    assert media.receive() is None
    target = ("127.0.0.1" if peer.socket.family == socket.AF_INET else "::1", media.port)
    for datagram in (b"one", b"", b"three"):
        peer.socket.sendto(datagram, target)
    select.select([media], [], [], 1)
    received = [received for _ in range(3) if (received := media.receive()) is not None]
    assert [each[:2] for each in received] == [(each, peer.address) for each in (b"one", b"", b"three")]
    assert media.receive() is None


def test_receive_tells_when_the_kernel_got_it(media: MediaSocket, peer: Receiver) -> None:
    target = ("127.0.0.1" if peer.socket.family == socket.AF_INET else "::1", media.port)
    for _ in range(KERNEL_TRIES):
        before_s = time.time()
        peer.socket.sendto(b"waits", target)
        sent_s = time.time()
        select.select([media], [], [], 1)
        time.sleep(0.05)
        received = media.receive()
        assert received is not None
        stamped_s = received[2]
        if stamped_s <= sent_s + 0.02:
            break
    assert before_s <= stamped_s <= sent_s + 0.02


def test_receive_cuts_what_is_oversized(media: MediaSocket, peer: Receiver) -> None:
    target = ("127.0.0.1" if peer.socket.family == socket.AF_INET else "::1", media.port)
    peer.socket.sendto(bytes(9000), target)
    select.select([media], [], [], 1)
    received = media.receive()
    assert received is not None
    assert len(received[0]) == MAX_DATAGRAM_BYTES


def test_receive_after_a_network_error_yields_none(media: MediaSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Refusing):
        def recvmsg(self, size: int, ancillary_bytes: int) -> tuple[bytes, list[object], int, Address]:
            raise ConnectionRefusedError

    monkeypatch.setattr(media, "_socket", Broken(media._socket, []))
    assert media.receive() is None


# Buffers


def test_buffers_report_what_the_kernel_granted(media: MediaSocket) -> None:
    kernel = media._socket
    assert media.buffers.receive_asked_bytes == media.buffers.send_asked_bytes == BUFFER_BYTES
    assert media.buffers.receive_granted_bytes == kernel.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert media.buffers.send_granted_bytes == kernel.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


class _Clamping:
    """A kernel with rmem_max 4096 and a process without privileges."""

    granted = 0

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if option not in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            raise PermissionError
        self.granted = 2 * min(value, 4096)

    def getsockopt(self, level: int, option: int) -> int:
        return self.granted


def test_buffers_without_privileges_are_what_the_limit_allows() -> None:
    assert media_socket._grow(_Clamping(), socket.SO_RCVBUF, BUFFER_BYTES) == 8192  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("buffers", "said"),
    [
        (Buffers(4096, 8192, 4096, 8192), []),
        (Buffers(4096, 9000, 4096, 9000), []),
        (Buffers(4096, 8191, 4096, 8192), ["receive: 4095 of 4096 bytes, net.core.rmem_max allows no more"]),
        (Buffers(4096, 8192, 4096, 4608), ["send: 2304 of 4096 bytes, net.core.wmem_max allows no more"]),
    ],
)
def test_shortage_is_where_half_of_what_was_granted_is_less_than_asked(buffers: Buffers, said: list[str]) -> None:
    assert [str(each) for each in buffers.shortages] == said


@pytest.mark.parametrize(
    ("asked_bytes", "limits"), [(1 << 30, ["net.core.rmem_max", "net.core.wmem_max"]), (65_536, [])]
)
def test_log_names_the_limit_that_keeps_a_buffer_small(
    monkeypatch: pytest.MonkeyPatch, asked_bytes: int, limits: list[str]
) -> None:
    monkeypatch.setattr(media_socket, "_grow", _grow_as_anybody)
    with structlog.testing.capture_logs() as logs:
        MediaSocket("::", 0, asked_bytes, asked_bytes).close()
    told = [entry for entry in logs if entry["event"] == "socket buffer smaller than asked for"]
    assert [entry["limit"] for entry in told] == limits
    assert all(entry["usable_bytes"] < entry["asked_bytes"] == asked_bytes for entry in told)


def _grow_as_anybody(media: socket.socket, option: int, asked_bytes: int) -> int:
    """As a process without privileges: this one may have them."""
    media.setsockopt(socket.SOL_SOCKET, option, asked_bytes)
    return media.getsockopt(socket.SOL_SOCKET, option)


def test_kernel_receive_drops_grow_when_the_buffer_overflows(peer: Receiver) -> None:
    media = MediaSocket("::", 0, 4096, BUFFER_BYTES)
    try:
        assert media.kernel_receive_drops() == 0
        target = ("127.0.0.1" if peer.socket.family == socket.AF_INET else "::1", media.port)
        for _ in range(200):
            peer.socket.sendto(bytes(1000), target)
        received = 0
        while media.receive() is not None:
            received += 1
        assert 0 < media.kernel_receive_drops() == 200 - received
    finally:
        media.close()


# Binding


def test_port_that_is_taken_is_an_error(media: MediaSocket) -> None:
    with pytest.raises(OSError, match="in use"):
        MediaSocket("::", media.port, BUFFER_BYTES, BUFFER_BYTES)


def test_socket_on_ipv4_only_reaches_ipv4() -> None:
    media, peer = MediaSocket("127.0.0.1", 0, BUFFER_BYTES, BUFFER_BYTES), Receiver(socket.AF_INET)
    try:
        assert media.send(b"datagram", peer.socket.getsockname()) is Sent.OK
        assert peer.datagrams(1) == [b"datagram"]
    finally:
        media.close()
        peer.socket.close()
