"""From a video track's packet cache to H.264 access units, in decoding order and whole.

A reader holds a position in the shared cache, as viewers do. What a retransmission may still bring is waited for; what
never comes costs all pictures up to the next keyframe, since nobody could decode them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import WireError
from gateway.stream.packet import MediaPacket
from gateway.stream.track import Track
from gateway.wire.h264_depacketizer import IDR, SPS, nal_type, nal_units

REPAIR_WAIT_S = 0.5
"""How long a hole holds up what is behind it: several NACKs to a studio far away. A player that has less in its buffer
stands still for a moment, which costs it less than all pictures up to the next keyframe."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture: `timestamp` is the outgoing RTP timestamp (90 kHz, 32 bits)."""

    timestamp: int
    nal_units: list[bytes]
    is_idr: bool
    begins_epoch: bool
    """Whether another publisher, or another line of numbers, begins with it."""


class AccessUnitReader:
    """See the module. `read` after each batch."""

    def __init__(self, track: Track, start: int | None) -> None:
        """From index `start`, where a keyframe begins; None: from the next keyframe that comes."""
        self.track = track
        self.incomplete = 0
        """Pictures of which a packet never came, or did not parse."""
        self.undecodable = 0
        """Whole pictures left out because they refer to one that was lost."""
        self._position = track.cache.next_index if start is None else start
        self._epoch_start = track.epoch_start
        self._awaits_idr = True
        self._begins_epoch = False
        self._spoilt_timestamp: int | None = None
        """Of a picture that cannot become whole: what else comes of it is left out."""

    @property
    def awaits_keyframe(self) -> bool:
        """Whether no picture is of use before the next keyframe."""
        return self._awaits_idr

    def read(self, now_s: float) -> Iterator[AccessUnit]:
        """The access units that have become whole, or can be judged, since the last call."""
        while self._position < self.track.cache.next_index:
            frame = self._frame()
            if frame is not None:
                self._position = frame[-1].index + 1
                unit = self._access_unit(frame)
                if unit is not None:
                    yield unit
            elif not self._give_up(now_s):
                return

    def break_at_next_keyframe(self) -> None:
        """Whatever comes: the timeline does not go on as it did."""
        self._awaits_idr = self._begins_epoch = True

    def _frame(self) -> list[MediaPacket] | None:
        """The packets of the picture at the position; None while one of them, or the picture's end, is missing."""
        packets: list[MediaPacket] = []
        index = self._position
        while (packet := self.track.cache.packet(index)) is not None:
            if packets and packet.timestamp != packets[0].timestamp:
                return packets
            packets.append(packet)
            if packet.marker:
                return packets
            index += 1
        return None

    def _give_up(self, now_s: float) -> bool:
        """Leave out the picture at the position, when its missing packet has been waited for. False to wait on."""
        behind = self._behind_hole()
        if behind is None or now_s - behind.arrival_s < REPAIR_WAIT_S:
            return False
        self.incomplete += behind.timestamp != self._spoilt_timestamp
        self._awaits_idr = True
        first = self.track.cache.packet(self._position)
        begun = first.timestamp if first is not None else None
        self._position = behind.index
        # What is left of a picture is of no use; but a keyframe may begin right behind the hole.
        if behind.timestamp == begun or not _begins_keyframe(behind):
            self._spoilt_timestamp = behind.timestamp
        return True

    def _behind_hole(self) -> MediaPacket | None:
        """The first packet behind the first one that is missing, from the position on."""
        cache = self.track.cache
        hole = self._position
        while hole in cache:
            hole += 1
        packets = (cache.packet(index) for index in range(max(hole, cache.oldest), cache.next_index))
        return next((packet for packet in packets if packet is not None), None)

    def _access_unit(self, frame: list[MediaPacket]) -> AccessUnit | None:
        if frame[0].timestamp == self._spoilt_timestamp:
            return None
        try:
            self._check_end(frame[-1])
            nals = nal_units(packet.payload for packet in frame if not packet.has_padding)
        except WireError:
            self.incomplete += 1
            self._awaits_idr = True
            return None
        if not nals:
            return None
        is_idr = any(nal_type(nal) == IDR for nal in nals)
        if frame[0].index >= self.track.epoch_start > self._epoch_start:
            self._epoch_start = self.track.epoch_start
            self._awaits_idr = self._begins_epoch = True
        if self._awaits_idr and not is_idr:
            self.undecodable += 1
            return None
        unit = AccessUnit(frame[0].timestamp, nals, is_idr, self._begins_epoch)
        self._awaits_idr = self._begins_epoch = False
        return unit

    def _check_end(self, last: MediaPacket) -> None:
        """WireError when a publisher went in the middle of a picture: the next one's packets follow without a hole."""
        if not last.marker and not last.has_padding and last.index + 1 == self.track.epoch_start:
            raise WireError("the last picture of a publisher has no end")


def _begins_keyframe(packet: MediaPacket) -> bool:
    """Whether it holds a keyframe's parameter sets, which come before its first slice."""
    try:
        return packet.is_keyframe and any(nal_type(nal) == SPS for nal in nal_units([packet.payload]))
    except WireError:
        return False
