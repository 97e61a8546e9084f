"""One track as a studio sends it: its numbers, its headers, what it has sent for whoever misses it. Pure."""

import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from gateway.transport.srtp import Sealer
from gateway.wire import rtcp
from gateway.wire.rtp import pack_header, pack_rtx_payload
from loadgen.studios.extension_block import ExtensionBlock

HISTORY_PACKETS = 1024
"""Kept to be sent again: a second at 9 Mb/s, later a packet is of no use. A power of two, as sequence numbers wrap."""

_FIRST_INDICES = 1 << 15
"""Both sides guess the first rollover counter to be 0 (RFC 3711 section 3.3.1): it must not end before they met."""


class AcceptedMedia(Protocol):
    """What the server answered for one track."""

    @property
    def mid(self) -> str: ...
    @property
    def payload_type(self) -> int: ...
    @property
    def rtx_payload_type(self) -> int | None: ...
    @property
    def extensions(self) -> Mapping[str, int]:
        """URI -> id."""


class Ssrcs(NamedTuple):
    """Of one track."""

    media: int
    rtx: int | None
    """None: what is asked for again is sent again as it was."""


class _Sent(NamedTuple):
    packet_index: int
    timestamp: int
    marker: bool
    header: bytes
    payload: bytes


class OutgoingTrack:
    """Seals packets for one session. An `index` is rollovers << 16 | sequence number."""

    def __init__(self, media: AcceptedMedia, ssrcs: Ssrcs, sealer: Sealer, transport_numbers: Iterator[int]) -> None:
        """`transport_numbers` are the session's transport-wide sequence numbers, shared by its tracks."""
        self.ssrc = ssrcs.media
        self.packets = 0
        self.octets = 0
        self._media = media
        self._rtx_ssrc = ssrcs.rtx if media.rtx_payload_type is not None else None
        self._sealer = sealer
        self._transport_numbers = transport_numbers
        self._index = random.randrange(_FIRST_INDICES)
        self._rtx_index = random.randrange(_FIRST_INDICES)
        self._first_timestamp = random.randrange(1 << 32)
        self._extensions = ExtensionBlock(media.extensions, media.mid)
        self._sent: list[_Sent | None] = [None] * HISTORY_PACKETS
        sealer.start_at(self.ssrc, self._index)
        if self._rtx_ssrc is not None:
            sealer.start_at(self._rtx_ssrc, self._rtx_index)

    def seal(self, payload: bytes, rtp_ticks: int, marker: bool, captured_ntp: int | None = None) -> bytes:
        """The next packet, `rtp_ticks` after the studio went on air; with abs-capture-time, where it was agreed on."""
        index, timestamp = self._index, self._timestamp(rtp_ticks)
        block = self._extensions.serialize(next(self._transport_numbers) & 0xFFFF, captured_ntp)
        header = pack_header(self._media.payload_type, marker, index & 0xFFFF, timestamp, self.ssrc, block)
        self._sent[index % HISTORY_PACKETS] = _Sent(index, timestamp, marker, header, payload)
        self._index += 1
        self.packets += 1
        self.octets += len(payload)
        return self._sealed(header, payload, self.ssrc, index)

    def seal_again(self, sequence_number: int) -> bytes | None:
        """The packet of that number once more: by RTX (RFC 4588) where it was agreed on, else the identical bytes. None
        when it is no longer known, or not yet."""
        sent = self._sent[sequence_number % HISTORY_PACKETS]
        if sent is None or sent.packet_index & 0xFFFF != sequence_number:
            return None
        if self._rtx_ssrc is None:
            return self._sealed(sent.header, sent.payload, self.ssrc, sent.packet_index)
        return self._seal_rtx(sent, self._rtx_ssrc)

    def _seal_rtx(self, sent: _Sent, rtx_ssrc: int) -> bytes:
        index, self._rtx_index = self._rtx_index, self._rtx_index + 1
        payload_type = self._media.rtx_payload_type
        assert payload_type is not None
        block = self._extensions.serialize(next(self._transport_numbers) & 0xFFFF)
        header = pack_header(payload_type, sent.marker, index & 0xFFFF, sent.timestamp, rtx_ssrc, block)
        return self._sealed(header, pack_rtx_payload(sent.packet_index & 0xFFFF, sent.payload), rtx_ssrc, index)

    def sender_report(self, rtp_ticks: int, ntp_timestamp: int) -> rtcp.SenderReport:
        """What was sent so far, and which wall clock time `rtp_ticks` is."""
        return rtcp.SenderReport(
            self.ssrc, ntp_timestamp, self._timestamp(rtp_ticks), self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF
        )

    def _timestamp(self, rtp_ticks: int) -> int:
        return (self._first_timestamp + rtp_ticks) & 0xFFFFFFFF

    def _sealed(self, header: bytes, payload: bytes, ssrc: int, index: int) -> bytes:
        return b"".join(self._sealer.seal([(header, payload, ssrc, ssrc << 48 | index)]))
