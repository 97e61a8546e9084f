"""A socket with its ICE agent, driven by the event loop until a pair is nominated."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable, Sequence

from gateway.clock import unix_s
from gateway.errors import WireError
from gateway.transport.ice import Credentials
from loadgen.errors import SignallingError
from loadgen.peer.datagrams import Arrival, load_socket, receive
from loadgen.peer.ice import IceAgent, Outgoing, RemoteIce
from loadgen.peer.route import is_ipv6, local_host_on_route, wildcard_of
from loadgen.signalling.candidate import Candidate, host_candidate

ICE_TIMEOUT_S = 10.0
"""A server that has answered the offer is there; libwebrtc gives up after 15 s."""

_STUN_BELOW = 4
"""First bytes of STUN (RFC 7983 section 7)."""


class IcePath:
    """One way to the server. It reads its socket from `begin` until `stop_reading`."""

    def __init__(self, host: str, may_send_to: Callable[[str], bool]) -> None:
        """`host` is our literal address on the route to the server."""
        self.local = Credentials.generate()
        try:
            self.socket: socket.socket = load_socket(wildcard_of(host))
        except OSError as error:
            raise SignallingError("socket", f"No socket for another session: {error}.") from error
        self.failed_sends = 0
        self.malformed = 0
        self._host = host
        self._may_send_to = may_send_to
        self._agent: IceAgent | None = None
        self._is_connected = False
        self._has_news = asyncio.Event()
        self._on_other: Callable[[Arrival], None] = lambda _arrival: None

    def another(self) -> "IcePath":
        """A fresh one to the same server, for an ICE restart."""
        return IcePath(self._host, self._may_send_to)

    def suited_to(self, candidates: Sequence[Candidate]) -> "IcePath":
        """This one; or, where the server has candidates of the other family only, one of that family in its place.

        A host name can lead to either. The server learns the new socket's address from our checks: they have the
        credentials that it was told.
        """
        if not candidates or any(is_ipv6(each.host) == is_ipv6(self._host) for each in candidates):
            return self
        self.close()
        other = IcePath(local_host_on_route(candidates[0].host), self._may_send_to)
        other.local = self.local
        return other

    @property
    def agent(self) -> IceAgent:
        """Once begun."""
        assert self._agent is not None, "begin() makes it"
        return self._agent

    @property
    def candidate(self) -> str:
        """Our only one, as it stands in an offer."""
        return host_candidate(self._host, self.socket.getsockname()[1])

    def begin(self, remote: RemoteIce, candidates: Iterable[Candidate], on_other: Callable[[Arrival], None]) -> None:
        """Read the socket from now on; what is no STUN goes to `on_other`.

        SignallingError("answer") when none of `candidates` is of our family and may be sent to.
        """
        agent = IceAgent(self.local, remote, self._may_send_to)
        usable = [each for each in candidates if is_ipv6(each.host) == is_ipv6(self._host)]
        if not sum(agent.add_candidate(*each) for each in usable):
            family = "IPv6" if is_ipv6(self._host) else "IPv4"
            reason = "that may be sent to" if usable else f"for UDP over {family}"
            raise SignallingError("answer", f"The answer has no candidate {reason}.")
        self._agent = agent
        self._on_other = on_other
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self.read_all)

    async def establish(self) -> None:
        """Check until a pair is nominated, and connect the socket to it. SignallingError("ice_timeout")."""
        agent = self.agent
        try:
            async with asyncio.timeout(ICE_TIMEOUT_S):
                while agent.selected is None:
                    self._has_news.clear()
                    self._send_all(agent.due(unix_s()))
                    await self._wait(agent.next_due_s - unix_s())
        except TimeoutError:
            told = f"; it refused some with {agent.refusal}" if agent.refusal else ""
            raise SignallingError("ice_timeout", f"The server answered no ICE check that nominates{told}.") from None
        self._connect(agent.selected)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._has_news.wait()

    def _connect(self, address: tuple[str, int]) -> None:
        """Take nothing from strangers: another program may have had this port a moment ago. And it sends faster."""
        try:
            self.socket.connect(address)
        except OSError as error:
            raise SignallingError("ice_timeout", f"There is no route to {address[0]}: {error}.") from error
        self._is_connected = True

    # The socket

    def send(self, datagram: bytes) -> None:
        """To the nominated pair's end. Never raises: counts what the kernel refuses."""
        if self._is_connected:
            try:
                self.socket.send(datagram)
            except OSError:
                self.failed_sends += 1
        elif self._agent is not None and self._agent.selected is not None:
            self._send_all([(datagram, self._agent.selected)])

    def _send_all(self, outgoing: list[Outgoing]) -> None:
        for datagram, endpoint in outgoing:
            try:
                self.socket.sendto(datagram, endpoint)
            except OSError:
                self.failed_sends += 1

    def read_all(self) -> None:
        """Read the socket empty."""
        while (arrival := receive(self.socket)) is not None:
            if not arrival.run:
                continue
            if arrival.run[0] < _STUN_BELOW:
                for datagram in arrival.datagrams():
                    self.on_stun(datagram, arrival.source, arrival.arrival_ns / 1e9)
            elif self.agent.knows(arrival.source):
                self._on_other(arrival)

    def on_stun(self, datagram: bytes, source: tuple[str, int] | tuple[str, int, int, int], arrival_s: float) -> None:
        """A datagram whose first byte says STUN."""
        try:
            outgoing = self.agent.on_datagram(datagram, source, arrival_s)
        except WireError:
            self.malformed += 1
            return
        self._send_all(outgoing)
        self._has_news.set()

    def check(self, now_s: float) -> None:
        """Ask for consent."""
        outgoing = self.agent.consent(now_s)
        if outgoing is not None:
            self._send_all([outgoing])

    def stop_reading(self) -> None:
        """What comes waits in the kernel for whoever reads it next."""
        asyncio.get_running_loop().remove_reader(self.socket.fileno())

    def close(self) -> None:
        """Give the socket back."""
        if self.socket.fileno() >= 0:
            self.stop_reading()
            self.socket.close()
