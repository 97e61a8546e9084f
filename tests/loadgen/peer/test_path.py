"""Real sockets: the load's path against aioice, a full ICE agent that others wrote."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import aioice
import pytest

from gateway.transport.ice import Credentials
from loadgen.errors import SignallingError
from loadgen.peer import path as path_module
from loadgen.peer.datagrams import Arrival
from loadgen.peer.ice import RemoteIce
from loadgen.peer.path import IcePath
from loadgen.signalling.candidate import Candidate
from tests.e2e.waiting import until

HOST = "127.0.0.1"
SOMEBODY = RemoteIce(Credentials("ufrag", "p" * 24), is_lite=False)


def _ignore(_arrival: Arrival) -> None:
    pass


@pytest.fixture
async def path() -> AsyncIterator[IcePath]:
    with contextlib.closing(IcePath(HOST, lambda _host: True)) as made:
        yield made


class StockAgent:
    """aioice on the loopback address, which it leaves out by itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_controlling: bool) -> None:
        monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [HOST])
        self.connection = aioice.Connection(ice_controlling=is_controlling)

    async def connect(self, path: IcePath, candidates: list[str]) -> None:
        """Meet the load, whose path has begun to be established."""
        self.connection.remote_username, self.connection.remote_password = path.local.ufrag, path.local.pwd
        for candidate in candidates:
            await self.connection.add_remote_candidate(aioice.Candidate.from_sdp(candidate))
        if candidates:  # else it waits for more, as with trickle ICE
            await self.connection.add_remote_candidate(None)
        async with asyncio.timeout(10):
            await asyncio.gather(self.connection.connect(), path.establish())

    async def begin(self, path: IcePath, arrivals: list[Arrival]) -> None:
        """Let the load's path know this agent."""
        await self.connection.gather_candidates()
        credentials = Credentials(self.connection.local_username, self.connection.local_password)
        told = [Candidate(each.host, each.port, each.priority) for each in self.connection.local_candidates]
        path.begin(RemoteIce(credentials, is_lite=False), told, arrivals.append)


@pytest.mark.parametrize("is_controlling", [False, True], ids=["controlled", "role conflict"])
@pytest.mark.parametrize("is_told", [True, False], ids=["candidate told", "peer-reflexive"])
async def test_path_to_a_full_agent(
    monkeypatch: pytest.MonkeyPatch, path: IcePath, is_controlling: bool, is_told: bool
) -> None:
    stock, arrivals = StockAgent(monkeypatch, is_controlling=is_controlling), list[Arrival]()
    await stock.begin(path, arrivals)
    try:
        await stock.connect(path, [path.candidate] if is_told else [])
        assert path.socket.getpeername() == (HOST, stock.connection.local_candidates[0].port)
        path.send(b"\x80 to the server")
        assert await stock.connection.recv() == b"\x80 to the server"
        await stock.connection.send(b"\x80 to the player")
        await until(lambda: bool(arrivals))
        assert arrivals[0].run == b"\x80 to the player"
        assert all(0 < rtt_s < 1 for rtt_s in path.agent.take_rtts_s())
    finally:
        await stock.connection.close()


async def test_path_that_nobody_answers(path: IcePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_module, "ICE_TIMEOUT_S", 0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        silent.setblocking(False)
        path.begin(SOMEBODY, [Candidate(HOST, silent.getsockname()[1], 1)], _ignore)
        with pytest.raises(SignallingError, match="no ICE check") as raised:
            await path.establish()
        checks = 0
        with contextlib.suppress(BlockingIOError):
            while silent.recv(2000):
                checks += 1
    assert raised.value.cause == "ice_timeout"
    # At 0, 0.1 and 0.3 s.
    assert 2 <= checks <= 3


@pytest.mark.parametrize(
    ("candidates", "sentence"),
    [
        ([], "no candidate for UDP over IPv4"),
        ([Candidate("::1", 5000, 1)], "no candidate for UDP over IPv4"),
    ],
    ids=["none", "of another family"],
)
async def test_path_without_a_usable_candidate(path: IcePath, candidates: list[Candidate], sentence: str) -> None:
    with pytest.raises(SignallingError, match=sentence) as raised:
        path.begin(SOMEBODY, candidates, _ignore)
    assert raised.value.cause == "answer"


async def test_path_suited_to_its_own_family_stays(path: IcePath) -> None:
    assert path.suited_to([]) is path
    assert path.suited_to([Candidate("::1", 5000, 2), Candidate(HOST, 5000, 1)]) is path


async def test_path_suited_to_an_address_without_a_route(path: IcePath, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(host: str) -> str:
        raise SignallingError("route", f"There is no route to {host}.")

    monkeypatch.setattr(path_module, "local_host_on_route", unreachable)
    with pytest.raises(SignallingError, match="no route to 2001:db8::1"):
        path.suited_to([Candidate("2001:db8::1", 5000, 1)])
    assert path.socket.fileno() < 0


async def test_path_to_forbidden_addresses() -> None:
    with contextlib.closing(IcePath(HOST, lambda host: host == HOST)) as path:
        with pytest.raises(SignallingError, match="may be sent to"):
            path.begin(SOMEBODY, [Candidate("192.0.2.1", 5000, 1)], _ignore)
        path.begin(SOMEBODY, [Candidate("192.0.2.1", 5000, 2), Candidate(HOST, 5000, 1)], _ignore)
        assert path.agent.knows((HOST, 5000))
        assert not path.agent.knows(("192.0.2.1", 5000))


async def test_datagrams_of_strangers_are_dropped_and_what_is_no_stun_counted(path: IcePath) -> None:
    arrivals: list[Arrival] = []
    path.begin(SOMEBODY, [Candidate(HOST, 5000, 1)], arrivals.append)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        port = path.socket.getsockname()[1]
        for datagram in (b"", b"\x80 media", b"\x16 handshake", b"\x00\x01 no STUN"):
            stranger.sendto(datagram, (HOST, port))
        await until(lambda: path.malformed > 0)
    assert arrivals == []


async def test_send_that_the_kernel_refuses_is_counted(path: IcePath) -> None:
    path.send(b"nobody is selected yet")
    path.socket.connect((HOST, 9))
    path._is_connected = True
    path.send(bytes(70_000))
    assert path.failed_sends == 1


async def test_path_over_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    try:
        path = IcePath("::1", lambda _host: True)
    except SignallingError:
        pytest.skip("no IPv6")
    with contextlib.closing(path):
        assert path.candidate.split()[4] == "::1"
        path.begin(SOMEBODY, [Candidate("127.0.0.1", 5000, 2), Candidate("::1", 5000, 1)], _ignore)
        assert path.agent.knows(("::1", 5000, 0, 0))
        assert not path.agent.knows(("127.0.0.1", 5000))


async def test_path_without_a_file_descriptor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_host: str) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(path_module, "load_socket", refuse)
    with pytest.raises(SignallingError, match="Too many open files") as raised:
        IcePath(HOST, lambda _host: True)
    assert raised.value.cause == "socket"
