"""Video of one player: frames, whether they could be decoded, when they could be shown.

A frame is what has one timestamp; it ends with the marker, or where the next timestamp begins. It can be shown when all
its packets came and every frame since the last keyframe did (H264 and VP8 as live encoders use them: each frame refers
to the one before). A player has no jitter buffer: a frame is shown when its last missing packet comes, which is what a
browser does with a playout delay of 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.wire.serial import delta32
from loadgen.figures import MediaCounts
from loadgen.players.freezes import FreezeRule
from loadgen.players.packet import Packet
from loadgen.players.track import PayloadOpener, Track

CLOCK_RATE_HZ = 90_000
PLI_INTERVAL_S = 0.2
"""How often a browser asks for a keyframe while it waits for one (libwebrtc: kMaxWaitForKeyFrame)."""

_DRIFT_S_PER_TICK = 1e-4 / CLOCK_RATE_HZ
"""How fast the earliest frame's time ages: clocks of different machines differ by less than 100 ppm."""

MAX_FRAME_PACKETS = 4_096
"""Kept of one frame: 5 MB, which no live encoder sends. A server can repeat one timestamp for ever."""

EPOCH_TICKS = 10 * CLOCK_RATE_HZ
"""A timestamp this far from the last one begins another timeline."""

OnFrame = Callable[[list[Packet], float], None]
"""Called with the packets of a frame that could be shown, and the time: of players that decrypt everything."""


@dataclass(frozen=True, slots=True)
class VideoRules:
    """What makes a frame."""

    is_keyframe: Callable[[bytes], bool]
    """Of an RTP payload, whether it begins a keyframe."""
    late_after_s: float


class VideoTrack(Track):
    """See the module."""

    __slots__ = (
        "_asked_keyframe_s",
        "_earliest_s",
        "_frame_packets",
        "_frame_ticks",
        "_has_gap",
        "_is_broken",
        "_is_keyframe",
        "_is_open",
        "_media_ticks",
        "_on_frame",
        "_rules",
        "_transit_s",
        "awaits_keyframe",
        "first_frame_s",
        "freezes",
        "jitter_s",
    )

    def __init__(
        self,
        counts: MediaCounts,
        open_payload: PayloadOpener,
        can_nack: bool,
        rules: VideoRules,
        on_frame: OnFrame | None = None,
        has_rtx: bool = False,
    ) -> None:
        super().__init__(counts, open_payload, can_nack, checks_all=on_frame is not None, has_rtx=has_rtx)
        self.awaits_keyframe = True
        self.first_frame_s: float | None = None
        """When the first complete keyframe was there."""
        self.freezes = FreezeRule()
        self.jitter_s = 0.0
        self._rules = rules
        self._on_frame = on_frame
        self._frame_packets: list[Packet] = []
        self._is_open = self._is_broken = self._is_keyframe = self._has_gap = False
        self._frame_ticks = 0
        """From one frame to the next, where nothing was missing between them."""
        self._asked_keyframe_s = 0.0
        self._transit_s = 0.0
        self._media_ticks = 0
        self._earliest_s = 0.0

    def wants_payload(self) -> bool:
        """See `Track`. Behind what is missing, too: a keyframe there would end the wait."""
        is_behind_gap = self.awaits_keyframe or self._is_broken or len(self.holes) > 0
        return is_behind_gap or self._checks_all or self._checks_next

    def take_over(self, previous: "VideoTrack") -> None:
        """Go on where another SSRC ended: it is the same picture for who watches."""
        self.freezes, self.first_frame_s = previous.freezes, previous.first_frame_s

    def keyframe_is_due(self, now_s: float) -> bool:
        """Whether to ask for a keyframe now."""
        if not self.awaits_keyframe or now_s - self._asked_keyframe_s < PLI_INTERVAL_S:
            return False
        is_first = not self._asked_keyframe_s
        self._asked_keyframe_s = now_s
        return not is_first

    # Packets in order

    def on_edge(self, marker: bool, timestamp: int, arrival_s: float) -> None:
        """See `Track`."""
        if timestamp != self.timestamp:
            if self._is_open:
                self._end_frame(arrival_s)
            self._begin_frame(timestamp, arrival_s)
        if marker and self._is_open:
            self._end_frame(arrival_s)

    def deliver(self, packet: Packet, now_s: float) -> None:
        """See `Track`."""
        if packet.timestamp != self.timestamp:
            if self._is_open:
                self._end_frame(now_s)
            incomplete = self.counts.frames_incomplete
            self._begin_frame(packet.timestamp, packet.arrival_s, not packet.fills_hole)
            if self._is_broken and self._begins_keyframe(packet):
                # What is missing belonged to the frame before, if it was not whole frames.
                if self.counts.frames_incomplete == incomplete and self.first_frame_s is not None:
                    self.counts.frames_incomplete += 1
                self._is_broken, self.awaits_keyframe = False, True
        if self.awaits_keyframe and not self._is_keyframe:
            self._is_keyframe = self._begins_keyframe(packet)
        if self._on_frame is not None and self._is_open and len(self._frame_packets) < MAX_FRAME_PACKETS:
            self._frame_packets.append(packet)
        if packet.marker and self._is_open:
            self._end_frame(now_s)

    def on_gap(self) -> None:
        """See `Track`."""
        self._is_broken = self._has_gap = True

    def _begins_keyframe(self, packet: Packet) -> bool:
        return packet.payload is not None and self._rules.is_keyframe(packet.payload)

    # Frames

    def _begin_frame(self, timestamp: int, arrival_s: float, is_in_order: bool = True) -> None:
        ticks = delta32(timestamp, self.timestamp) if self.timestamp >= 0 else EPOCH_TICKS
        self.timestamp = timestamp
        self._is_open = True
        if abs(ticks) >= EPOCH_TICKS:
            self._earliest_s, self._media_ticks = arrival_s, 0
            self._transit_s = arrival_s
            return
        self._media_ticks += ticks
        self._earliest_s += ticks * _DRIFT_S_PER_TICK
        if self._has_gap:
            self._count_lost_whole(ticks)
        else:
            self._frame_ticks = ticks
        if is_in_order:
            # RFC 3550 section 6.4.1, at the first packet of each frame that was not retransmitted, as libwebrtc does.
            transit_s = arrival_s - self._media_ticks / CLOCK_RATE_HZ
            self.jitter_s += (abs(transit_s - self._transit_s) - self.jitter_s) / 16
            self._transit_s = transit_s

    def _count_lost_whole(self, ticks: int) -> None:
        """Frames of which nothing came have no timestamp of their own: the ones around them tell how many fit between
        them."""
        if self._frame_ticks > 0 and self.first_frame_s is not None:
            self.counts.frames_incomplete += max(round(ticks / self._frame_ticks) - 1, 0)
        self._has_gap = False

    def _end_frame(self, now_s: float) -> None:
        self._is_open = False
        if self._is_broken or (self.awaits_keyframe and not self._is_keyframe):
            self._drop_frame()
        else:
            self._show_frame(now_s)
        if self._on_frame is not None:
            self._frame_packets.clear()
        self._is_keyframe = False

    def _drop_frame(self) -> None:
        if self.first_frame_s is not None:
            self.counts.frames_incomplete += self._is_broken
            self.counts.frames_undecodable += not self._is_broken
        self._is_broken, self.awaits_keyframe = False, True

    def _show_frame(self, now_s: float) -> None:
        if self.awaits_keyframe:
            self.awaits_keyframe, self._asked_keyframe_s = False, 0.0
            self.first_frame_s = self.first_frame_s or now_s
        counts = self.counts
        counts.frames_complete += 1
        since_s = now_s - self._media_ticks / CLOCK_RATE_HZ
        if since_s < self._earliest_s:
            self._earliest_s = since_s
        elif since_s - self._earliest_s > self._rules.late_after_s:
            counts.frames_late += 1
        frozen_s = self.freezes.on_frame(now_s)
        if frozen_s:
            counts.freezes += 1
            counts.frozen_s += frozen_s
        if self._on_frame is not None:
            self._on_frame(self._frame_packets, now_s)

    # Behind a hole

    def skip_to_keyframe(self, packet: Packet, now_s: float) -> None:
        """`packet` ends a frame that came while an earlier one is missing: if it is a whole keyframe, go on with it."""
        first = packet.index
        held = self._held
        is_keyframe = False
        while (each := held.get(first)) is not None and each.timestamp == packet.timestamp:
            is_keyframe = is_keyframe or self._begins_keyframe(each)
            first -= 1
        # What precedes it must be there, or it might have begun earlier, unless it is seen to begin.
        if is_keyframe and (each is not None or self._begins_keyframe(held[first + 1])):
            self.give_up(first, now_s)
