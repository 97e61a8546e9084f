"""A peer of the media port in the same process: its datagrams go straight in, what comes back is kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.clock import monotonic_s
from gateway.transport.address import Address
from gateway.transport.certificate import Certificate
from gateway.transport.data_channel import Channel, ChannelTerms, DataChannels, Receiver
from gateway.transport.dtls import DtlsSession
from gateway.transport.marking import Ancillary
from gateway.transport.peer import Leg, PeerDescription
from gateway.transport.port import MediaPort
from gateway.transport.socket import Buffers, MediaSocket, Sent
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp, stun
from gateway.wire.rtp import RtpHeader, pack_header
from tests.transport.association import TERMS
from tests.transport.certificates import fingerprints_of
from tests.transport.stun_requests import REMOTE_UFRAG, binding_request

HOME: Address = ("2001:db8::1", 1000, 0, 0)
SSRC = 0xCAFE
CHANGE_CIPHER_SPEC = b"\x14\xfe\xfd"
"""How a DTLS 1.2 record of that type begins: the last flight of a handshake has one."""


KERNEL_TRIES = 30
"""The kernel begins to stamp a moment after the first socket has asked for it; before, it stamps what is read."""


class Wiretap(MediaSocket):
    """A media socket without a network: each address that is listened to gets what is sent there."""

    def __init__(self) -> None:
        self.port = 8189
        self.buffers = Buffers(0, 0, 0, 0)
        self.segmentation = True
        self.failed_sends = 0
        self.listeners: dict[Address, Callable[[bytes], None]] = {}
        self.is_full = False
        self.marked: list[tuple[bytes, Ancillary]] = []
        """What was sent with a mark of its own."""

    def send(self, datagram: bytes, address: Address, mark: Ancillary = ()) -> Sent:
        if mark:
            self.marked.append((datagram, mark))
        if self.is_full:
            return Sent.FULL
        listener = self.listeners.get(address)
        if listener is not None:
            listener(datagram)
        return Sent.OK


@dataclass
class Owner:
    """A `Peer` that remembers what it was told."""

    connected: list[SrtpSession] = field(default_factory=list)
    moved: list[Address] = field(default_factory=list)
    rtp: list[tuple[int, bytes]] = field(default_factory=list)
    """(sequence number, payload)"""
    compounds: list[list[rtcp.RtcpPacket]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    receiver: Receiver | None = None
    wants: bool = True
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Connected, or closed."""

    def on_connected(self, srtp: SrtpSession, now_s: float) -> None:
        self.connected.append(srtp)
        self.settled.set()

    def on_moved(self, address: Address) -> None:
        self.moved.append(address)

    def wants_rtp(self, header: RtpHeader) -> bool:
        return self.wants

    def on_rtp(self, header: RtpHeader, payload: bytes, now_s: float) -> None:
        self.rtp.append((header.sequence_number, payload))

    def on_rtcp(self, packets: list[rtcp.RtcpPacket], now_s: float) -> None:
        self.compounds.append(packets)

    def on_channel(self, channel: Channel) -> Receiver | None:
        self.channels.append(channel)
        return self.receiver

    def on_closed(self, cause: str) -> None:
        self.closed.append(cause)
        self.settled.set()


class Remote:
    """A full ICE agent, DTLS and SRTP peer at one address, with its session on the port and that session's owner."""

    def __init__(
        self,
        port: MediaPort,
        address: Address = HOME,
        *,
        is_client: bool = True,
        certificate: Certificate | None = None,
        announced: Certificate | None = None,
        host: str = "client",
        channel: ChannelTerms | None = None,
    ) -> None:
        """`announced` is whose fingerprint the offer carries, where it is not that of `certificate`; `channel` is given
        where a data channel was negotiated."""
        self.port = port
        self.address = address
        self.owner = Owner()
        self.answers: list[stun.Message] = []
        self.media: list[bytes] = []
        self.holds_last_flight = False
        self.held: list[bytes] = []
        self.srtp: SrtpSession | None = None
        self.has_keys = asyncio.Event()
        certificate = certificate or Certificate.generateCertificate()
        role = "server" if is_client else "client"
        fingerprints = fingerprints_of(announced or certificate)
        self.session = port.open_session(
            PeerDescription(Leg.INGEST, "table", host, "0", REMOTE_UFRAG, fingerprints, role, channel)
        )
        self.session.start(self.owner)
        self._dtls = DtlsSession(certificate, "client" if is_client else "server", self._send_dtls)
        self._fingerprints = [("sha-256", self.session.fingerprint.partition(" ")[2])]
        assert isinstance(port.socket, Wiretap)
        port.socket.listeners[address] = self._receive

    def _receive(self, datagram: bytes) -> None:
        if datagram[0] < 4:
            self.answers.append(stun.parse_message(datagram))
        elif datagram[0] < 64:
            self._dtls.feed(datagram)
        elif datagram[0] >= 128:
            self.media.append(datagram)

    def _send_dtls(self, datagram: bytes) -> None:
        if self.holds_last_flight and CHANGE_CIPHER_SPEC in datagram:
            self.held.append(datagram)
        else:
            self.send(datagram)

    def release_last_flight(self) -> None:
        """Let go what was held."""
        for datagram in self.held:
            self.send(datagram)

    def send(self, datagram: bytes, now_s: float | None = None) -> None:
        """To the port, from this peer's address."""
        self.port.on_datagram(datagram, self.address, monotonic_s() if now_s is None else now_s)

    def check(self, *, nominates: bool = True, now_s: float | None = None) -> None:
        """A connectivity check with the session's present credentials."""
        ice = self.session.ice
        self.send(binding_request(ice.local, nominates=nominates, remote_ufrag=ice.remote_ufrag), now_s)

    async def connect(self) -> "Remote":
        """Open the way and shake hands; `srtp` and the session's own keys are there afterwards."""
        self.check()
        async with asyncio.timeout(5):
            self.srtp = await self._dtls.handshake(self._fingerprints)
            self.has_keys.set()
            await self.owner.settled.wait()
        return self

    def rtp(self, sequence_number: int, payload: bytes = b"payload", ssrc: int = SSRC) -> bytes:
        """A protected RTP packet."""
        assert self.srtp is not None
        header = pack_header(96, False, sequence_number, 0, ssrc)
        self.srtp.sealer.start_at(ssrc, 0)
        return b"".join(self.srtp.sealer.seal([(header, payload, ssrc, ssrc << 48 | sequence_number)]))

    def rtcp(self, ssrc: int = SSRC) -> bytes:
        """A protected receiver report."""
        assert self.srtp is not None
        return self.srtp.sealer.seal_rtcp(rtcp.serialize_compound([rtcp.ReceiverReport(ssrc, ())]))

    def open_channel(self, receiver: Receiver) -> Channel:
        """Open the channel `signals`."""
        self.channels = DataChannels(self._dtls, TERMS, lambda _channel: None, lambda _cause: None)
        self._dtls.on_data = self.channels.on_packet
        return self.channels.open(receiver)

    @property
    def dtls_state(self) -> str:
        """As aiortc names it."""
        return self._dtls.state

    def leave(self) -> None:
        """Say goodbye."""
        self._dtls.say_goodbye()


def tables_of(port: MediaPort) -> dict[str, int]:
    """How many entries each table of the port has."""
    tables = {name: getattr(port, name) for name in ("_sessions", "_by_ufrag", "_by_address", "_half_open")}
    tables |= {"_addresses": [a for owned in port._addresses.values() for a in owned], "_of_client": port._of_client}
    return {name: len(table) for name, table in tables.items()}


EMPTY = dict.fromkeys(("_sessions", "_by_ufrag", "_by_address", "_half_open", "_addresses", "_of_client"), 0)
