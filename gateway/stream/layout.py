"""How a track's packets look to a group of viewers: payload type and extension ids differ by browser, nothing else
does."""

import itertools
from dataclasses import dataclass, field

from gateway.stream.packet import MediaPacket
from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    COLOR_SPACE,
    MID,
    PLAYOUT_DELAY,
    VIDEO_ORIENTATION,
    pack_playout_delay,
    serialize_extensions,
)
from gateway.wire.rtp import pack_header, pack_rtx_payload

CARRIED = {ABS_CAPTURE_TIME: (8, 16), VIDEO_ORIENTATION: (1,), COLOR_SPACE: (4, 28)}
"""Extensions whose values come from the studio, packet by packet, and how many bytes those may have."""

OFFERABLE = (MID, PLAYOUT_DELAY, *CARRIED)
"""Extensions that we send to viewers, where they offer them."""

MAX_REMEMBERED_HEADERS = 16
"""Layouts whose headers are kept with a packet: the browsers of an audience. Those of odder viewers are made again."""

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class PlayoutDelay:
    """Bounds for the player's jitter buffer, in milliseconds; sent with every video packet."""

    min_ms: int
    max_ms: int


@dataclass(frozen=True, slots=True)
class LayoutKey:
    """All that makes two viewers' headers of one track differ. `ids` are (URI, id) pairs that the viewer accepted."""

    ssrc: int
    rtx_ssrc: int
    payload_type: int
    rtx_payload_type: int | None
    mid: str
    ids: tuple[tuple[str, int], ...]
    playout_delay: PlayoutDelay | None
    allows_mixed: bool = True


@dataclass(slots=True)
class Layout:
    """Serializes headers for the viewers of one key. `number` indexes `MediaPacket.headers`."""

    key: LayoutKey
    number: int = field(default_factory=_numbers.__next__)
    _constant: tuple[tuple[int, bytes], ...] = ()
    _constant_block: bytes = b""
    _ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = dict(self.key.ids)
        constant = []
        if MID in self._ids:
            constant.append((self._ids[MID], self.key.mid.encode()))
        if PLAYOUT_DELAY in self._ids and self.key.playout_delay is not None:
            delay = self.key.playout_delay
            constant.append((self._ids[PLAYOUT_DELAY], pack_playout_delay(delay.min_ms, delay.max_ms)))
        self._constant = tuple(constant)
        self._constant_block = serialize_extensions(constant)

    def header(self, packet: MediaPacket) -> bytes:
        """The RTP header of `packet` for this layout, extensions included: the same bytes whenever it is asked for."""
        header = packet.headers.get(self.number)
        if header is None:
            header = _pack(self.key.payload_type, packet, packet.index, self.key.ssrc, self._block(packet))
            if len(packet.headers) < MAX_REMEMBERED_HEADERS:
                packet.headers[self.number] = header
        return header

    def rtx(self, packet: MediaPacket, rtx_index: int) -> tuple[bytes, bytes]:
        """Header and payload of a retransmission by RFC 4588 with sequence number `rtx_index` & 0xffff."""
        assert self.key.rtx_payload_type is not None
        header = _pack(self.key.rtx_payload_type, packet, rtx_index, self.key.rtx_ssrc, self._block(packet))
        return header, pack_rtx_payload(packet.index & 0xFFFF, packet.payload)

    def _block(self, packet: MediaPacket) -> bytes:
        if not packet.elements:
            return self._constant_block
        carried = [(self._ids[uri], value) for uri, value in packet.elements if self._may_carry(uri, value)]
        return serialize_extensions([*self._constant, *carried])

    def _may_carry(self, uri: str, value: bytes) -> bool:
        # HDR colour metadata is longer than 16 bytes, which only the two-byte form holds: not every peer
        # takes a mix of forms.
        return uri in self._ids and (self.key.allows_mixed or len(value) <= 16)


def _pack(payload_type: int, packet: MediaPacket, index: int, ssrc: int, block: bytes) -> bytes:
    return pack_header(payload_type, packet.marker, index & 0xFFFF, packet.timestamp, ssrc, block, packet.has_padding)
