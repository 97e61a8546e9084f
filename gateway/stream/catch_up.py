"""Viewers that are not live in video: joining at the last keyframe, or recovering from an overload.

They get the packets since the keyframe paced, in the live sequence space, until they meet the live end. One that does
not make it in time loses video up to the next keyframe, keeps audio, and the frames it lost are counted.
"""

from dataclasses import dataclass

from gateway.stream.contract import Outlet, VideoState
from gateway.stream.fanout import Batch, Fanout, FanoutFigures
from gateway.stream.packet import MediaPacket
from gateway.stream.track import Track
from gateway.transport.socket import Sent

MAX_PACKETS_PER_TURN = 2_000
"""Packets sent to catching-up viewers in one turn of the event loop: about 5 ms of work, so that live ones do not
wait."""

BURST_BYTES = 16 * 1200
"""What is sent at once: the initial window of a TCP connection, doubled, is what every path takes."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast the cache is played out to one viewer."""

    floor_bps: float = 8_000_000
    live_multiple: float = 4.0
    join_deadline_s: float = 5.0
    """A join that has not met the live end by then starts again at the next keyframe."""
    skip_behind_s: float = 2.5
    """Who is still this late in the pictures before a new keyframe skips to it, at the price of a jump."""
    stall_deadline_s: float = 0.5
    """A live viewer that the socket had no room for: how late its picture may become before video is dropped."""

    def rate_bps(self, live_bps: float) -> float:
        """Bits a second for one viewer of a stream of `live_bps`."""
        return max(self.floor_bps, self.live_multiple * live_bps)


class CatchUp:
    """All outlets of one stream that are not live."""

    def __init__(self, fanout: Fanout, figures: FanoutFigures, pacing: Pacing) -> None:
        self.outlets: dict[Outlet, None] = {}
        self._fanout = fanout
        self._figures = figures
        self._pacing = pacing
        self._paced_s: float | None = None

    def join(self, outlet: Outlet, video: Track, now_s: float) -> None:
        """`outlet` begins at the newest keyframe, or waits for the next."""
        self.outlets[outlet] = None
        outlet.video = VideoState.WAITING
        self.begin_at_keyframe(outlet, video, now_s)

    def stall(self, outlet: Outlet, video: Track, position: int, now_s: float) -> None:
        """The socket had no room for `outlet`, which has everything before `position`."""
        self.outlets[outlet] = None
        outlet.video, outlet.position = VideoState.CATCHING_UP, position
        outlet.deadline_s = now_s + self._pacing.stall_deadline_s
        outlet.allowance_bytes = 0.0

    def shed(self, outlet: Outlet, video: Track, now_s: float) -> None:
        """The whole gateway is late: `outlet`, live until now, waits for the next keyframe."""
        self.outlets[outlet] = None
        outlet.position = video.forwarded
        self._drop_to_keyframe(outlet, video, now_s)

    def discard(self, outlet: Outlet, video: Track | None) -> None:
        """`outlet` has left. What it was not sent until then is dropped, as for those who stay."""
        self.outlets.pop(outlet, None)
        if outlet.dropped_from_frame is not None and video is not None:
            self._figures.drop_frames("overload", max(video.figures.frames + 1 - outlet.dropped_from_frame, 0))
            outlet.dropped_from_frame = None

    @property
    def is_pacing(self) -> bool:
        """Whether anybody is under way to the live end, so that the pacer has to be called again soon."""
        return any(outlet.video is VideoState.CATCHING_UP for outlet in self.outlets)

    def on_keyframe(self, video: Track, now_s: float) -> None:
        """The cache has a new keyframe: who waited begins at it, and who was far behind goes on there."""
        for outlet in self.outlets:
            if outlet.video is VideoState.WAITING:
                self.begin_at_keyframe(outlet, video, now_s)
                continue
            following = _following(outlet, video)
            if following is not None and now_s - following.arrival_s > self._pacing.skip_behind_s:
                outlet.dropped_from_frame = following.frame
                self.begin_at_keyframe(outlet, video, now_s, "skipped")

    def begin_at_keyframe(self, outlet: Outlet, video: Track, now_s: float, reason: str = "overload") -> None:
        """Put `outlet` at the newest keyframe, if the cache has one. `reason` is why it lost the frames before."""
        start = video.cache.gop_start
        if start is None:
            return
        if "video" not in outlet.first:
            outlet.sealer.start_at(video.ssrc, start)
        outlet.video, outlet.position, outlet.first["video"] = VideoState.CATCHING_UP, start, start
        outlet.deadline_s = now_s + self._pacing.join_deadline_s
        outlet.allowance_bytes = BURST_BYTES
        first = video.cache.packet(start)
        if outlet.dropped_from_frame is not None and first is not None:
            self._figures.drop_frames(reason, max(first.frame - outlet.dropped_from_frame, 0))
            outlet.dropped_from_frame = None

    def pace(self, video: Track, live_bps: float, now_s: float) -> list[Outlet]:
        """Send what the pace allows since the last call. Returns those that have met the live end, and belong to the
        fan-out."""
        elapsed_s = min(now_s - self._paced_s, 0.1) if self._paced_s is not None else 0.0
        self._paced_s = now_s
        refill_bytes = self._pacing.rate_bps(live_bps) / 8 * elapsed_s
        arrived, budget_packets = [], MAX_PACKETS_PER_TURN
        for outlet in tuple(self.outlets):
            if outlet.video is not VideoState.CATCHING_UP:
                continue
            outlet.allowance_bytes = min(outlet.allowance_bytes + refill_bytes, max(BURST_BYTES, 2 * refill_bytes))
            if budget_packets > 0:
                # To the end of the queue: when the budget is short, the others come first next time.
                del self.outlets[outlet]
                self.outlets[outlet] = None
                budget_packets -= self._advance(outlet, video, budget_packets, now_s)
            if outlet.position >= video.forwarded:
                # Nobody is live before its first keyframe is whole: the rest of it is still coming in.
                if not outlet.first_keyframe_pending:
                    arrived.append(outlet)
            elif now_s > outlet.deadline_s or outlet.position < video.cache.oldest:
                self._drop_to_keyframe(outlet, video, now_s)
        for outlet in arrived:
            del self.outlets[outlet]
            outlet.video = VideoState.LIVE
        if not self.is_pacing:
            self._paced_s = None
        return arrived

    def _advance(self, outlet: Outlet, video: Track, budget_packets: int, now_s: float) -> int:
        """Send the next packets that the allowance covers; how many."""
        batch: Batch = []
        position = outlet.position
        while position < video.forwarded and outlet.allowance_bytes > 0 and len(batch) < budget_packets:
            packet = video.cache.packet(position)
            position += 1
            if packet is not None:
                batch.append((video, packet))
                outlet.allowance_bytes -= len(packet.payload)
        if self._fanout.send_to(outlet, batch) is Sent.FULL:
            # Sent in part perhaps: what went twice is the identical packet, which the peer's replay window drops.
            outlet.allowance_bytes = 0.0
            return len(batch)
        outlet.position = position
        if outlet.first_keyframe_pending:
            self._note_first_keyframe(outlet, video, batch[-1][1] if batch else None, now_s)
        return len(batch)

    def _note_first_keyframe(self, outlet: Outlet, video: Track, last: MediaPacket | None, now_s: float) -> None:
        if last is None:
            return
        first = video.cache.packet(outlet.first["video"])
        if first is None or last.timestamp != first.timestamp or last.marker:
            outlet.first_keyframe_pending = False
            outlet.on_video_started(now_s)

    def _drop_to_keyframe(self, outlet: Outlet, video: Track, now_s: float) -> None:
        """Too late: wait for the next keyframe. (A keyframe newer than the position is taken at once.)"""
        if outlet.dropped_from_frame is None:
            following = _following(outlet, video)
            outlet.dropped_from_frame = following.frame if following is not None else video.figures.frames + 1
        outlet.video = VideoState.WAITING
        if video.cache.gop_start is not None and video.cache.gop_start > outlet.position:
            self.begin_at_keyframe(outlet, video, now_s)


def _following(outlet: Outlet, video: Track) -> MediaPacket | None:
    """The next packet that `outlet` is to be sent, of those that are here."""
    ahead = map(video.cache.packet, range(max(outlet.position, video.cache.oldest), video.forwarded))
    return next((packet for packet in ahead if packet is not None), None)
