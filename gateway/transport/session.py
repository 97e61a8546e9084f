"""One peer on the media port: its ICE, its DTLS, its SRTP, and whom to tell.

What arrives is refused as early as can be: unknown, then replayed, then not authentic. Every refusal is counted by its
cause.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterable
from typing import Protocol

import structlog

from gateway.clock import monotonic_s
from gateway.errors import WireError
from gateway.rates import Rates
from gateway.transport.address import Address
from gateway.transport.certificate import Certificate
from gateway.transport.data_channel import Channel, DataChannels, Receiver
from gateway.transport.dtls import DtlsSession
from gateway.transport.ice import IceLite
from gateway.transport.marking import Ancillary
from gateway.transport.peer import Peer, PeerDescription
from gateway.transport.socket import MediaSocket, Sent
from gateway.transport.srtp import AuthenticationError, ReplayError, SrtpSession
from gateway.wire import rtcp
from gateway.wire.rtp import parse_header

log = structlog.get_logger()

MAX_EARLY_DATAGRAMS = 16
"""SRTP can overtake the last flight of the handshake; this many wait for the keys, the newest ones."""

MAX_RTCP_SSRCS = 16
"""RTCP sender SSRCs of one peer: a browser uses one a media section. Each costs a replay window."""

MAX_SCTP_PER_S = 128.0
"""SCTP packets that one peer may send, on average: twenty messages of four packets each, and what it acknowledges. Each
costs up to a millisecond, if it is as bad as can be; a tenth as players send them."""

MAX_DTLS_PER_S = 1024.0
"""Datagrams of DTLS from a connected peer's address, authentic or not. So many more, as others may forge the address:
they are not to silence the peer."""

CLIENT_HELLO_DELAY_S = 0.075
"""FFmpeg, which waits as DTLS server, loses a ClientHello that comes before it is ready."""


class Tables(Protocol):
    """The port's tables of who is who, as a session sees them."""

    def drop(self, cause: str) -> None:
        """Count a datagram that was refused."""

    def connected(self, session: "Session") -> None:
        """`session` has its keys."""

    def forget(self, session: "Session") -> None:
        """`session` has ended."""


class Session:
    """See the module."""

    def __init__(
        self, description: PeerDescription, certificate: Certificate, media_socket: MediaSocket, tables: Tables
    ) -> None:
        self.session_id = secrets.token_urlsafe(16)
        self.leg = description.leg
        self.stream = description.stream
        self.client = description.client
        self.mid = description.mid
        self.ice = IceLite(description.ufrag)
        self.created_s = self.last_seen_s = monotonic_s()
        self.srtp: SrtpSession | None = None
        self.peer: Peer | None = None
        self.closed = False
        self.log = log.bind(session=self.session_id, stream=self.stream, leg=self.leg.value)
        self.fingerprint = certificate.fingerprint
        self._dtls = DtlsSession(certificate, description.dtls_role, self._send_dtls)
        self._dtls.on_data = self._on_data
        self._fingerprints = description.fingerprints
        self._socket = media_socket
        self._tables = tables
        self._handshake: asyncio.Task[None] | None = None
        self._channel_terms = description.channel
        self._channels: DataChannels | None = None
        self._dtls_rate, self._sctp_rate = Rates(MAX_DTLS_PER_S), Rates(MAX_SCTP_PER_S)
        self._early: deque[bytes] = deque(maxlen=MAX_EARLY_DATAGRAMS)
        self._rtcp_ssrcs: set[bytes] = set()

    @property
    def address(self) -> Address | None:
        """Where media goes: the pair that ICE selected."""
        return self.ice.selected

    def start(self, peer: Peer) -> None:
        """Begin to wait for (or, as DTLS client, to begin) the handshake."""
        self.peer = peer
        if self._dtls._role == "server":
            self._handshake = asyncio.create_task(self._shake_hands())

    def on_path(self) -> None:
        """ICE has a pair, perhaps a new one. As DTLS client we begin the handshake at the first."""
        if self.peer is not None and self.ice.selected is not None:
            self.peer.on_moved(self.ice.selected)
        if self._handshake is None and not self.closed:
            self._handshake = asyncio.create_task(self._shake_hands(CLIENT_HELLO_DELAY_S))

    def on_dtls(self, datagram: bytes, now_s: float) -> None:
        """A datagram whose first byte says DTLS, which came at `now_s`."""
        if self.srtp is not None and not self._dtls_rate.allows("", now_s):
            self._tables.drop("dtls_flood")
        elif not self._dtls.feed(datagram, now_s):
            self._tables.drop("dtls_queue_full")

    def _on_data(self, packet: bytes, arrival_s: float) -> None:
        """What DTLS decrypted: SCTP, if anything. The association is there from the first packet on."""
        self.last_seen_s = max(self.last_seen_s, arrival_s)
        if self._channel_terms is None:
            self._tables.drop("unexpected_sctp")
            return
        if not self._sctp_rate.allows("", arrival_s):
            self._tables.drop("sctp_flood")
            return
        if self._channels is None:
            self._channels = DataChannels(self._dtls, self._channel_terms, self._on_channel, self._tables.drop)
        try:
            self._channels.on_packet(packet, arrival_s)
        except Exception:
            # Our bug, not the peer's: it costs this message, not the session.
            self.log.exception("signal failed")
            self._tables.drop("internal_error")

    def _on_channel(self, channel: Channel) -> Receiver | None:
        return self.peer.on_channel(channel) if self.peer is not None else None

    def on_media(self, datagram: bytes, now_s: float) -> None:
        """A datagram whose first byte says RTP or RTCP (told apart by the second, RFC 5761 section 4)."""
        if self.srtp is None or self.peer is None:
            if len(self._early) == MAX_EARLY_DATAGRAMS:
                self._tables.drop("early_media")
            self._early.append(datagram)
            return
        try:
            if len(datagram) > 1 and 192 <= datagram[1] <= 223:
                self._on_rtcp(self.srtp, self.peer, datagram, now_s)
            else:
                self._on_rtp(self.srtp, self.peer, datagram, now_s)
        except ReplayError:
            self._tables.drop("replayed")
        except AuthenticationError:
            self._tables.drop("not_authentic")
        except WireError:
            self._tables.drop("malformed_media")

    def _on_rtp(self, srtp: SrtpSession, peer: Peer, datagram: bytes, now_s: float) -> None:
        header = parse_header(datagram)
        if not peer.wants_rtp(header):
            self._tables.drop("unexpected_rtp")
            return
        payload = srtp.opener.open_rtp(datagram, header)
        self.last_seen_s = now_s
        peer.on_rtp(header, payload, now_s)

    def _on_rtcp(self, srtp: SrtpSession, peer: Peer, datagram: bytes, now_s: float) -> None:
        ssrc = datagram[4:8]
        if ssrc not in self._rtcp_ssrcs and len(self._rtcp_ssrcs) >= MAX_RTCP_SSRCS:
            self._tables.drop("too_many_rtcp_ssrcs")
            return
        compound = srtp.opener.open_rtcp(datagram)
        self._rtcp_ssrcs.add(ssrc)
        self.last_seen_s = now_s
        peer.on_rtcp(rtcp.parse_compound(compound), now_s)

    def send_rtcp(self, packets: Iterable[rtcp.RtcpPacket]) -> None:
        """Protect and send one compound packet; nothing while there are no keys or no path."""
        if self.srtp is not None and self.address is not None:
            self._send_datagram(self.srtp.sealer.seal_rtcp(rtcp.serialize_compound(packets)))

    def _send_dtls(self, datagram: bytes) -> None:
        self._send_datagram(datagram, self._socket.marks.bet_signals)

    def _send_datagram(self, datagram: bytes, mark: Ancillary = ()) -> None:
        if self.ice.selected is not None and self._socket.send(datagram, self.ice.selected, mark) is Sent.FULL:
            self._tables.drop("send_buffer_full")

    async def _shake_hands(self, delay_s: float = 0.0) -> None:
        await asyncio.sleep(delay_s)
        srtp = await self._dtls.handshake(self._fingerprints)
        if self.closed or self.peer is None:
            return
        if srtp is None:
            self.close("dtls_failed")
            return
        self.srtp = srtp
        self._tables.connected(self)
        self._dtls.on("statechange", self._on_dtls_state)
        self.log.info("connected", profile=srtp.profile.openssl_name.decode())
        try:
            self.peer.on_connected(srtp, monotonic_s())
        except Exception:
            self.log.exception("session failed")
            self.close("internal_error")
        while self._early:
            self.on_media(self._early.popleft(), monotonic_s())

    def _on_dtls_state(self) -> None:
        if self._dtls.state == "closed":
            self.close("peer_left")

    def close(self, cause: str) -> None:
        """End the session: tell the peer by close_notify, tell the owner, leave the port's tables. Again: nothing."""
        if self.closed:
            return
        self.closed = True
        self._dtls.remove_all_listeners()
        self._close_channels()
        self._dtls.say_goodbye()
        self._tables.forget(self)
        self._early.clear()
        self.log.info("session ended", cause=cause, after_s=round(monotonic_s() - self.created_s, 3))
        if self.peer is not None:
            self.peer.on_closed(cause)
            self.peer = None

    def _close_channels(self) -> None:
        if self._channels is None:
            return
        try:
            self._channels.close()
        except Exception:
            self.log.exception("signals failed")
