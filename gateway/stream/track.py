"""One track of a stream: its outgoing numbers, its cache, its clock and its figures."""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.stream.cache import PacketCache
from gateway.stream.lost_frames import lost_frames
from gateway.stream.packet import MediaPacket
from gateway.stream.rate import Rate
from gateway.stream.rewriter import Rewriter
from gateway.stream.timing import TrackClock
from gateway.wire.codecs import KEYFRAME_TESTS
from gateway.wire.formats import TrackFormat

_MAX_FRAMES_TOLD = 64
"""Frames that were told as lost, of which more packets may be given up: two seconds of pictures."""
_UNKNOWN_FRAME = -1


@dataclass(slots=True)
class TrackFigures:
    """Counters of one track since the stream began; bytes are RTP payload."""

    packets: int = 0
    bytes: int = 0
    frames: int = 0
    keyframes: int = 0
    late: int = 0
    """Packets that arrived after later ones had gone out: reordered, or recovered by retransmission."""
    duplicates: int = 0
    awaiting_keyframe_frames: int = 0
    """Frames of a new publisher that nobody could decode, before its first keyframe."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A packet as a publisher's track yields it: `sequence_number` extended, `timestamp` 32 bits, padding stripped."""

    sequence_number: int
    timestamp: int
    marker: bool
    payload: bytes
    arrival_s: float
    elements: tuple[tuple[str, bytes], ...] = ()


class Track:
    """See the module. Its SSRCs and numbers outlive publishers."""

    def __init__(
        self, track_format: TrackFormat, random_source: random.Random, figures: TrackFigures | None = None
    ) -> None:
        """`figures` are those of the track that this one replaces: a stream's counters only grow."""
        self.format = track_format
        self.ssrc = random_source.randrange(1, 1 << 32)
        self.rtx_ssrc = random_source.randrange(1, 1 << 32)
        self.clock = TrackClock(track_format.clock_rate_hz)
        self.rewriter = Rewriter(track_format.clock_rate_hz, random_source)
        self.cache = PacketCache(self.rewriter.next_index)
        self.figures = figures or TrackFigures()
        self.rate = Rate()
        self.forwarded = self.rewriter.next_index
        """One past the highest index that has been handed to the live viewers."""
        self.epoch_start = self.rewriter.next_index
        """Lowest index of the present epoch: what is older came from another publisher, or with other numbers."""
        self.sent_packets = 0
        self.sent_bytes = 0
        self.keyframe_arrival_s: float | None = None
        self._is_keyframe = KEYFRAME_TESTS.get(track_format.mime)
        self.awaits_keyframe = self.is_video
        """Whether what comes is of no use to anybody, until the next keyframe."""
        self._last_frame_timestamp: int | None = None
        self._last_keyframe_timestamp: int | None = None
        self._frame_ticks = 0
        """What timestamps rose by between the last two frames without a hole between them; 0: not known."""
        self._frames_told: deque[int] = deque(maxlen=_MAX_FRAMES_TOLD)

    @property
    def kind(self) -> str:
        """`audio` or `video`."""
        return self.format.kind

    @property
    def is_video(self) -> bool:
        """Whether a viewer can begin at keyframes only."""
        return self.format.kind == "video"

    def begin_epoch(self) -> None:
        """Another publisher, or other numbers of the same: video goes on at the next keyframe."""
        self.rewriter.begin_epoch()
        self.epoch_start = self.rewriter.next_index
        self.clock.begin_epoch()
        self.awaits_keyframe = self.is_video
        # What was live before is the picture of another time: who joins now waits for the first of this one.
        self.cache.gop_start = None

    def accept(self, incoming: Incoming) -> MediaPacket | None:
        """Number, judge and cache a packet; None when it goes no further (duplicate, too old, before the first
        keyframe)."""
        is_keyframe = self._is_keyframe is not None and self._is_keyframe(incoming.payload)
        if self.awaits_keyframe and not is_keyframe:
            self._count_undecodable(incoming)
            return None
        self.awaits_keyframe = False
        numbers = self.rewriter.rewrite(incoming.sequence_number, incoming.timestamp, incoming.arrival_s)
        if numbers is None:
            self.figures.late += 1
            return None
        packet = MediaPacket(
            index=numbers[0],
            timestamp=numbers[1],
            marker=incoming.marker,
            payload=incoming.payload or b"\x01",
            has_padding=not incoming.payload,
            arrival_s=incoming.arrival_s,
            elements=incoming.elements,
            is_keyframe=is_keyframe,
        )
        return packet if self._keep(packet) else None

    def frames_around(self, lost: Iterable[int]) -> int:
        """How many frames the `lost` sequence numbers of the publisher have cost. A frame is told once, even if its
        packets are given up one after the other."""
        if not self.rewriter.is_mapped:
            return 1  # Of an epoch that is over: nothing is known of its frames any more.
        return self._frames_around(self.rewriter.index_of(each) or 0 for each in lost)

    def frames_of_outage(self, last_index: int) -> int:
        """How many frames did not come between the packet of `last_index` and the newest."""
        return self._frames_around(range(last_index + 1, self.cache.next_index - 1))

    def _frames_around(self, indices: Iterable[int]) -> int:
        hurt, missing = lost_frames(self.cache, indices, self._frame_ticks)
        new = [frame for frame in hurt if frame not in self._frames_told]
        self._frames_told.extend(frame for frame in new if frame != _UNKNOWN_FRAME)
        return len(new) + missing

    def _keep(self, packet: MediaPacket) -> bool:
        if not self.cache.add(packet):
            self.figures.duplicates += 1
            return False
        self.figures.packets += 1
        self.figures.bytes += len(packet.payload)
        if packet.index + 1 == self.cache.next_index:
            self._count_frame(packet)
        else:
            packet.frame = self._frame_of_late(packet)
        if packet.is_keyframe and self._last_keyframe_timestamp != packet.timestamp == self.cache.gop_timestamp:
            self._last_keyframe_timestamp = packet.timestamp
            self.figures.keyframes += 1
            self.keyframe_arrival_s = packet.arrival_s
        return True

    def _count_frame(self, packet: MediaPacket) -> None:
        if packet.timestamp != self._last_frame_timestamp:
            self._note_rhythm(packet)
            self._last_frame_timestamp = packet.timestamp
            self.figures.frames += 1
        packet.frame = self.figures.frames

    def _note_rhythm(self, packet: MediaPacket) -> None:
        before = self.cache.packet(packet.index - 1)
        if before is not None and before.marker and packet.index > self.epoch_start:
            self._frame_ticks = (packet.timestamp - before.timestamp) & 0xFFFFFFFF

    def _frame_of_late(self, packet: MediaPacket) -> int:
        neighbours = (self.cache.packet(packet.index - 1), self.cache.packet(packet.index + 1))
        own = (each.frame for each in neighbours if each is not None and each.timestamp == packet.timestamp)
        return next(own, self.figures.frames)

    def _count_undecodable(self, incoming: Incoming) -> None:
        if incoming.timestamp != self._last_frame_timestamp:
            self._last_frame_timestamp = incoming.timestamp
            self.figures.awaiting_keyframe_frames += 1
