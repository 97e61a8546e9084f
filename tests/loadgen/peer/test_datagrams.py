"""Load sockets on the loopback interface: what the kernel tells with a read."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from loadgen.peer.datagrams import Arrival, arrival_of, drain, kernel_drops, load_socket, receive
from tests.transport.remote import KERNEL_TRIES

_UDP_SEGMENT = 103
_SETTLES_S = 0.05
"""What was sent on loopback, or an error for it, is there."""


@pytest.fixture(params=["127.0.0.1", "::1"])
def load(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    try:
        load = load_socket(request.param)
    except OSError:
        pytest.skip("no IPv6")
    with load:
        yield load


@pytest.fixture
def sender(load: socket.socket) -> Iterator[socket.socket]:
    with socket.socket(load.family, socket.SOCK_DGRAM) as sender:
        sender.connect(load.getsockname())
        yield sender


def test_socket_without_a_datagram(load: socket.socket) -> None:
    assert receive(load) is None
    assert list(drain(load, bytearray(10))) == []


def test_arrival_has_source_and_time(load: socket.socket, sender: socket.socket) -> None:
    for _ in range(KERNEL_TRIES):
        before_ns = time.time_ns()
        sender.send(b"datagram")
        time.sleep(_SETTLES_S)
        read_ns = time.time_ns()
        arrival = receive(load)
        if arrival is not None and arrival.arrival_ns < read_ns - _SETTLES_S * 0.5e9:
            break
    assert arrival is not None
    assert (arrival.run, list(arrival.datagrams())) == (b"datagram", [b"datagram"])
    assert arrival.source[:2] == sender.getsockname()[:2]
    assert before_ns <= arrival.arrival_ns < read_ns - _SETTLES_S * 0.5e9, "the stamp is of the read, not of the send"


def test_segmented_send_arrives_as_one_run(load: socket.socket, sender: socket.socket) -> None:
    segment = (100).to_bytes(2, "little")
    try:
        sender.sendmsg([bytes(250)], [(socket.IPPROTO_UDP, _UDP_SEGMENT, segment)])
    except OSError:
        pytest.skip("no UDP_SEGMENT")
    arrival = receive(load)
    assert arrival is not None
    assert (len(arrival.run), arrival.segment_bytes) == (250, 100)
    assert [len(datagram) for datagram in arrival.datagrams()] == [100, 100, 50]


def test_empty_datagram_is_a_run_of_none(load: socket.socket, sender: socket.socket) -> None:
    sender.send(b"")
    arrival = receive(load)
    assert arrival is not None
    assert list(arrival.datagrams()) == []


def test_read_without_a_stamp_is_of_now() -> None:
    before_ns = time.time_ns()
    segment_bytes, arrival_ns = arrival_of([], 7)
    assert (segment_bytes, Arrival(b"datagram"[:7], 7, 0, ("", 0)).run) == (7, b"datagra")
    assert before_ns <= arrival_ns <= time.time_ns()


def test_drain_tells_whole_sizes(load: socket.socket, sender: socket.socket) -> None:
    for size in (5, 50):
        sender.send(bytes(size))
    assert list(drain(load, bytearray(10))) == [5, 50]


def test_icmp_error_is_skipped(load: socket.socket, sender: socket.socket) -> None:
    with socket.socket(load.family, socket.SOCK_DGRAM) as gone:
        gone.bind((load.getsockname()[0], 0))
        nobody = gone.getsockname()
    load.connect(nobody)
    for read in (lambda: receive(load), lambda: next(drain(load, bytearray(10)), None)):
        load.send(b"nobody is there")
        time.sleep(_SETTLES_S)
        assert read() is None
    with contextlib.suppress(OSError):
        sender.send(b"")


def test_other_errors_are_not_skipped(load: socket.socket) -> None:
    load.close()
    with pytest.raises(OSError, match="descriptor"):
        receive(load)
    with pytest.raises(OSError, match="descriptor"):
        next(drain(load, bytearray(10)))


def test_datagrams_that_find_the_buffer_full_are_counted(load: socket.socket, sender: socket.socket) -> None:
    load.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    assert kernel_drops(load) == 0
    for _ in range(100):
        sender.send(bytes(1000))
    assert 50 < kernel_drops(load) < 100
    received = sum(1 for _ in drain(load, bytearray(10)))
    assert received + kernel_drops(load) == 100


def test_host_that_is_not_ours_leaves_no_socket_open() -> None:
    with pytest.raises(OSError, match="assign"):
        load_socket("192.0.2.254")
