"""Batches of sendmmsg(2), received on loopback."""

import socket
from collections.abc import Iterator

import pytest

from tests.bench.node.load import CALL_MESSAGES, DATAGRAM_BYTES, Batch, Way

_IP_PKTINFO = 8


@pytest.fixture
def reader() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(10)
        yield made


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("0.0.0.0", 0))
        yield made


def test_batch_sends_each_way_in_turn(reader: socket.socket, sender: socket.socket) -> None:
    port = reader.getsockname()[1]
    batch = Batch([Way("127.0.0.1", port, f"127.0.0.{host}") for host in (3, 4, 5)], b"\x80\x60")
    assert [batch.send(sender), batch.send(sender)] == [3, 3]
    received = [reader.recvfrom(2048) for _ in range(6)]
    assert [address for _, (address, _) in received] == ["127.0.0.3", "127.0.0.4", "127.0.0.5"] * 2
    assert {(len(datagram), datagram[:2]) for datagram, _ in received} == {(DATAGRAM_BYTES, b"\x80\x60")}


def test_batch_sends_no_more_than_a_call_takes(reader: socket.socket, sender: socket.socket) -> None:
    batch = Batch([Way("127.0.0.1", reader.getsockname()[1])] * (CALL_MESSAGES + 5), b"\x80")
    assert [batch.send(sender) for _ in range(3)] == [CALL_MESSAGES, 5, CALL_MESSAGES]


def test_batch_of_segments_is_cut_by_the_kernel(reader: socket.socket, sender: socket.socket) -> None:
    batch = Batch([Way("127.0.0.1", reader.getsockname()[1])] * 2, b"\x80\x60", segments=3)
    assert batch.send(sender) == 6
    datagram = b"\x80\x60".ljust(DATAGRAM_BYTES, b"\0")
    assert [reader.recv(65536) for _ in range(6)] == [datagram] * 6


def test_batch_that_cannot_be_sent_says_why(sender: socket.socket) -> None:
    sender.close()
    with pytest.raises(OSError, match="sendmmsg"):
        Batch([Way("127.0.0.1", 9)], b"").send(sender)
