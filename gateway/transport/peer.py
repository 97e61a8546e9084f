"""What a session asks of whoever owns it, and is told of its peer."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.transport.address import Address
from gateway.transport.data_channel import Channel, ChannelTerms, Receiver
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp
from gateway.wire.rtp import RtpHeader


class Leg(Enum):
    """Which side of the gateway a session is on; the label of metrics."""

    INGEST = "ingest"
    EGRESS = "egress"


class Peer(Protocol):
    """Who owns a session: a publisher or a viewer."""

    def on_connected(self, srtp: SrtpSession, now_s: float) -> None:
        """The keys are there."""

    def on_moved(self, address: Address) -> None:
        """ICE selected `address`; media goes there from now on."""

    def wants_rtp(self, header: RtpHeader) -> bool:
        """Whether a packet with this header is expected at all; asked before any cryptography."""

    def on_rtp(self, header: RtpHeader, payload: bytes, now_s: float) -> None:
        """An authentic RTP packet; padding still on the payload."""

    def on_rtcp(self, packets: list[rtcp.RtcpPacket], now_s: float) -> None:
        """An authentic compound packet."""

    def on_channel(self, channel: Channel) -> Receiver | None:
        """The peer has opened the data channel `signals`: who gets its messages, None to refuse it. Only asked where
        `PeerDescription.channel` was given; again when the peer has closed it and opens another one."""

    def on_closed(self, cause: str) -> None:
        """The session is over. Called once."""


@dataclass(frozen=True, slots=True)
class PeerDescription:
    """What signalling knows of a peer."""

    leg: Leg
    stream: str
    client: str
    """What limits count by."""
    mid: str
    """Names the bundle's first section."""
    ufrag: str
    fingerprints: list[tuple[str, str]]
    dtls_role: str
    """Ours: `server` or `client`."""
    channel: ChannelTerms | None = None
    """None: the peer has offered no data channel, or was refused it."""
