import errno
import socket
from collections.abc import Iterator, Sequence

import pytest

from gateway.transport.socket import MAX_SEGMENTS
from loadgen.studios.run_sender import RunSender, runs


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        ([], []),
        ([5], [[5]]),
        ([60, 9, 9, 9, 4], [[60, 9], [9, 9, 4]]),
        ([3, 9, 9], [[3], [9, 9]]),
        ([9, 4, 4, 9], [[9, 4], [4], [9]]),
        ([8, 8, 9, 9], [[8, 8], [9, 9]]),
    ],
)
def test_runs_are_of_one_size_but_for_the_last(sizes: list[int], cut: list[list[int]]) -> None:
    assert [[len(each) for each in run] for run in runs([bytes(size) for size in sizes], 64)] == cut


def test_runs_are_bounded_in_count_and_size() -> None:
    assert [len(run) for run in runs([b"abc"] * 130, MAX_SEGMENTS)] == [64, 64, 2]
    assert [len(run) for run in runs([bytes(1200)] * 60, MAX_SEGMENTS)] == [54, 6]
    assert [len(run) for run in runs([b"abc"] * 3, 1)] == [1, 1, 1]


class Peer:
    """Sends by a socket that may refuse runs."""

    def __init__(self, connected: socket.socket) -> None:
        self.connected = connected
        self.refusal: OSError | None = None
        self.runs = 0
        self.singles = 0

    @property
    def socket(self) -> "Peer":
        return self

    def sendmsg(self, buffers: Sequence[bytes], ancillary: Sequence[tuple[int, int, bytes]]) -> int:
        self.runs += 1
        if self.refusal is not None:
            raise self.refusal
        return self.connected.sendmsg(buffers, ancillary)

    def send(self, datagram: bytes) -> None:
        self.singles += 1
        self.connected.send(datagram)


@pytest.fixture
def receiving() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(2)
        yield there


@pytest.fixture
def peer(receiving: socket.socket) -> Iterator[Peer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.connect(receiving.getsockname())
        yield Peer(here)


DATAGRAMS = [b"stamp", b"1" * 1200, b"2" * 1200, b"3" * 700]


@pytest.mark.parametrize("refusal", [None, OSError(errno.EINVAL, "no"), BlockingIOError(errno.EAGAIN, "full")])
def test_datagrams_arrive_one_by_one_in_order(peer: Peer, receiving: socket.socket, refusal: OSError | None) -> None:
    peer.refusal = refusal
    RunSender(peer).send(DATAGRAMS)  # type: ignore[arg-type]
    assert [receiving.recv(2000) for _ in DATAGRAMS] == DATAGRAMS
    assert peer.singles == (4 if refusal else 1)


@pytest.mark.parametrize(
    ("refusal", "attempts"), [(OSError(errno.EIO, "no"), 1), (BlockingIOError(errno.EAGAIN, "full"), 3)]
)
def test_path_that_takes_no_runs_is_not_asked_again(peer: Peer, refusal: OSError, attempts: int) -> None:
    peer.refusal = refusal
    sender = RunSender(peer)  # type: ignore[arg-type]
    for _ in range(3):
        sender.send(DATAGRAMS)
    assert peer.runs == attempts
