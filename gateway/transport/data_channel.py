"""The data channel `signals` beside the media: one text channel on a session's association (RFC 8831, RFC 8832).

The peer opens it in-band, in whatever order and reliability it likes; `DataChannels.open` is for who plays the peer.
All else that a peer may do with data channels (other labels, a second one, binary messages) is refused and counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.errors import WireError
from gateway.transport.dtls import DtlsSession
from gateway.transport.sctp import Association
from gateway.wire.dcep import ACK, DataChannelOpen, PayloadProtocol, parse_open, serialize_open

LABEL = "signals"
SIGNALS = DataChannelOpen(LABEL, ordered=False, max_retransmits=0)
"""How a player opens it: a message that comes late is worth nothing."""


class Receiver(Protocol):
    """Who gets what a channel brings. Of the same shape as `gateway.signals.carrier.Receiver`, which is above."""

    def on_text(self, text: str, arrival_s: float) -> None:
        """A message that reached the kernel at that monotonic time. Never raises."""

    def on_closed(self) -> None:
        """The peer's end is gone. Called once at most; not for `Channel.close`."""


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """What both sides said in SDP (RFC 8841)."""

    remote_port: int
    """a=sctp-port of the peer."""
    remote_max_message_bytes: int
    """a=max-message-size of the peer; 0: any."""
    max_message_bytes: int
    """Ours: what is longer is dropped."""


class Channel:
    """An open channel: structurally a `gateway.signals.carrier.Carrier`."""

    kind: Literal["data_channel"] = "data_channel"

    def __init__(self, channels: "DataChannels", stream_id: int, opening: DataChannelOpen) -> None:
        self.stream_id = stream_id
        self.opening = opening
        self.is_open = False
        self._channels = channels

    def send(self, text: str) -> bool:
        """Send a message at once; False when it was dropped: the channel is not open, or too much waits already, or
        it is longer than the peer takes. Never blocks, never raises."""
        return self._channels.send(self, text)

    def close(self) -> None:
        """Reset the stream, which closes the channel at the peer; `on_closed` is not called. Again: nothing."""
        self._channels.close_channel(self)


Accept = Callable[[Channel], Receiver | None]
"""Called with the peer's channel, which is open already; None refuses it."""


class DataChannels:
    """One session's channels: at most one, and the association below."""

    def __init__(self, dtls: DtlsSession, terms: ChannelTerms, accept: Accept, drop: Callable[[str], None]) -> None:
        """`drop` counts what was refused, by cause. Nothing is sent before the peer's first packet, or `open`."""
        self._terms = terms
        self._accept = accept
        self._drop = drop
        self._is_dtls_client = dtls._role == "client"
        self._association = Association(dtls, terms.remote_port, self, drop)
        self._channel: Channel | None = None
        self._receiver: Receiver | None = None
        self._on_open: Callable[[], None] = lambda: None
        self._arrival_s = 0.0

    def on_packet(self, packet: bytes, arrival_s: float) -> None:
        """What DTLS decrypted of a datagram that came at `arrival_s`."""
        self._arrival_s = arrival_s
        self._association.on_packet(packet)

    def open(
        self, receiver: Receiver, on_open: Callable[[], None] = lambda: None, opening: DataChannelOpen = SIGNALS
    ) -> Channel:
        """Connect and open a channel, as a player's page does; `on_open` is called when the peer has taken it."""
        # RFC 8832 section 6: the DTLS client's streams are even.
        channel = Channel(self, 0 if self._is_dtls_client else 1, opening)
        self._channel, self._receiver, self._on_open = channel, receiver, on_open
        if self._association.is_up:
            self._say_open(channel)
        else:
            self._association.connect()
        return channel

    def _say_open(self, channel: Channel) -> None:
        self._association.send(channel.stream_id, PayloadProtocol.DCEP, serialize_open(channel.opening))

    def send(self, channel: Channel, text: str) -> bool:
        """See `Channel.send`."""
        payload = text.encode(errors="replace")
        limit_bytes = self._terms.remote_max_message_bytes
        if not channel.is_open or (limit_bytes and len(payload) > limit_bytes):
            return False
        opening = channel.opening
        return self._association.send(
            channel.stream_id,
            PayloadProtocol.STRING if payload else PayloadProtocol.STRING_EMPTY,
            payload or b"\0",
            ordered=opening.ordered,
            max_retransmits=opening.max_retransmits,
            lifetime_ms=opening.lifetime_ms,
        )

    def close_channel(self, channel: Channel) -> None:
        """See `Channel.close`."""
        if channel is self._channel:
            self._channel = self._receiver = None
            channel.is_open = False
            self._association.reset(channel.stream_id)

    def close(self) -> None:
        """The session ends: so does the channel, as if the peer had closed it. Again: nothing."""
        self._association.close()
        self.on_down()

    # Upper

    def on_up(self) -> None:
        """See `Upper`."""
        if self._channel is not None and not self._channel.is_open:
            self._say_open(self._channel)

    def on_message(self, stream_id: int, protocol: int, payload: bytes) -> None:
        """See `Upper`."""
        channel = self._channel
        if protocol == PayloadProtocol.DCEP:
            self._on_dcep(stream_id, payload)
        elif channel is None or channel.stream_id != stream_id:
            self._drop("unexpected_signal")
        elif protocol == PayloadProtocol.STRING_EMPTY:
            self._on_text("")
        elif protocol != PayloadProtocol.STRING:
            self._drop("signal_not_text")
        elif len(payload) > self._terms.max_message_bytes:
            self._drop("oversized_signal")
        else:
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                self._drop("signal_not_text")
                return
            self._on_text(text)

    def _on_text(self, text: str) -> None:
        if self._receiver is not None:
            self._receiver.on_text(text, self._arrival_s)

    def _on_dcep(self, stream_id: int, message: bytes) -> None:
        try:
            opening = parse_open(message)
        except WireError:
            self._drop("malformed_sctp")
            return
        if opening is not None:
            self._on_opened(stream_id, opening)
        elif self._channel is not None and self._channel.stream_id == stream_id and not self._channel.is_open:
            self._channel.is_open = True
            self._on_open()

    def _on_opened(self, stream_id: int, opening: DataChannelOpen) -> None:
        if self._channel is not None and self._channel.stream_id == stream_id:
            self._drop("data_channel_refused")  # it is open: nothing to close but what is in use
            return
        if self._channel is not None or opening.label != LABEL:
            self._refuse(stream_id)
            return
        channel = self._channel = Channel(self, stream_id, opening)
        channel.is_open = True
        self._association.send(stream_id, PayloadProtocol.DCEP, ACK)
        receiver = self._accept(channel)
        if channel is not self._channel:
            return  # closed while it was being accepted
        self._receiver = receiver
        if receiver is None:
            self._drop("data_channel_refused")
            channel.close()

    def _refuse(self, stream_id: int) -> None:
        self._drop("data_channel_refused")
        self._association.reset(stream_id)

    def on_reset(self, stream_id: int) -> None:
        """See `Upper`."""
        if self._channel is not None and self._channel.stream_id == stream_id:
            self._end_channel()
            self._association.reset(stream_id)  # RFC 8831 section 6.7: the other direction as well

    def on_down(self) -> None:
        """See `Upper`."""
        self._end_channel()

    def _end_channel(self) -> None:
        channel, receiver = self._channel, self._receiver
        self._channel = self._receiver = None
        if channel is not None:
            channel.is_open = False
        if receiver is not None:
            receiver.on_closed()
