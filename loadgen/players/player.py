"""One player: a session from its POST to its end, and the record of it."""

import asyncio
import socket
from dataclasses import dataclass

from gateway.wire.header_extensions import ABS_CAPTURE_TIME
from loadgen.distribution import Distribution
from loadgen.errors import SignallingError
from loadgen.figures import Interval, MediaCounts, SessionFigures
from loadgen.peer.datagrams import kernel_drops
from loadgen.peer.peer import Peer
from loadgen.players.delay import frame_delay_s
from loadgen.players.impairment import Impairment
from loadgen.players.packet import Packet
from loadgen.players.receiver import Handlers, Receiver
from loadgen.players.reports import Reporter
from loadgen.players.track import Track
from loadgen.players.video import VideoTrack
from loadgen.players.wholeness import h264_is_whole

REPORTS_A_CHECK = 5
"""Receiver reports from one packet that is authenticated to the next, of players that do not check them all."""


@dataclass(slots=True)
class _Mean:
    """Of any number of values."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        self.total += value
        self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


class Player:
    """`run_began_s` is the run's beginning, unix seconds, which the record's instants count from."""

    def __init__(
        self,
        peer: Peer,
        figures: SessionFigures,
        run_began_s: float,
        late_after_s: float,
        impairment: Impairment | None = None,
    ) -> None:
        self.peer = peer
        self.figures = figures
        self.is_watching = False
        self.over = asyncio.Event()
        """Set when the server has ended the session."""
        self._run_began_s = run_began_s
        self._late_after_s = late_after_s
        self._impairment = impairment
        self._capture_time_id: int | None = None
        self._delays_s: list[float] = []
        self._all_delays_s = Distribution()
        self._rtt = _Mean()
        self._rtcp_rtt = _Mean()
        self._watched_until_s: float | None = None
        self._kernel_drops = 0
        self._reports = 0

    @property
    def socket(self) -> socket.socket:
        """What to read."""
        return self.peer.socket

    @property
    def last_frame_s(self) -> float | None:
        """When a frame could be shown for the last time, unix seconds; None before the first."""
        video = self.receiver.video if hasattr(self, "receiver") else None
        return video.freezes.last_s if video is not None else None

    async def join(self, now_s: float) -> None:
        """Connect. SignallingError with its cause, which the record has, too."""
        self.figures.started_s = now_s - self._run_began_s
        try:
            await self.peer.connect()
        except SignallingError as error:
            self.figures.end = error.cause
            raise

    def begin(self, now_s: float) -> None:
        """The keys are there: media is taken from now on."""
        self.figures.join_s = now_s - self._run_began_s - self.figures.started_s
        answer, srtp = self.peer.answer, self.peer.srtp
        self._socket = self.peer.socket
        video = next((media for media in answer.media if media.kind == "video"), None)
        self._capture_time_id = video.extensions.get(ABS_CAPTURE_TIME) if video is not None else None
        self._is_h264 = video is not None and video.mime == "video/h264"
        self.reporter = Reporter(srtp)
        handlers = Handlers(
            control=self.peer.on_control,
            rtcp=self.reporter.on_compound,
            on_frame=self._on_frame if self.figures.is_sampled else None,
        )
        self.receiver = Receiver(answer, srtp, handlers, self._late_after_s, self._impairment)
        self._can_ask_keyframes = video is not None and "nack pli" in video.feedback
        for arrival in self.peer.take_over():
            self.receiver.on_arrival(arrival)
        self.is_watching = True

    def _on_frame(self, packets: list[Packet], now_s: float) -> None:
        if self._is_h264 and not h264_is_whole(packet.payload for packet in packets if packet.payload is not None):
            self.receiver.counts.frames_broken += 1
        delay_s = frame_delay_s(packets, now_s, self._capture_time_id)
        # What was stamped before the POST is history, sent so that the picture begins at once: it is not behind.
        if delay_s is not None and now_s - delay_s >= self._run_began_s + self.figures.started_s:
            self._delays_s.append(delay_s)

    def on_new_socket(self) -> None:
        """ICE was restarted: what came on the new path meanwhile is taken."""
        self._socket = self.peer.socket
        self.figures.ice_restarts += 1
        self._kernel_drops = 0
        for arrival in self.peer.take_over():
            self.receiver.on_arrival(arrival)

    # In every round

    def read(self) -> bool:
        """Read the socket empty; whether `repair` is to be called in the rounds to come."""
        receiver = self.receiver
        receiver.read(self._socket)
        return receiver.is_troubled

    def repair(self, now_s: float) -> bool:
        """Ask for what is missing, give up what will not come; whether there is more to do."""
        receiver = self.receiver
        receiver.release_impaired(now_s)
        receiver.is_troubled = self._impairment is not None
        for ssrc, track in receiver.tracks.items():
            if track.holes:
                self._repair_track(ssrc, track, now_s)
            receiver.is_troubled |= len(track.holes) > 0
            if isinstance(track, VideoTrack) and track is receiver.video:
                self._ask_for_keyframe(ssrc, track, now_s)
        return receiver.is_troubled

    def _ask_for_keyframe(self, ssrc: int, video: VideoTrack, now_s: float) -> None:
        self.receiver.is_troubled |= video.awaits_keyframe
        if self._can_ask_keyframes and video.keyframe_is_due(now_s):
            self.receiver.counts.plis += 1
            self.peer.send(self.reporter.pli(ssrc))

    def _repair_track(self, ssrc: int, track: Track, now_s: float) -> None:
        rtt_s = self._rtt.value or 0.0
        due = track.holes.due(now_s, rtt_s)
        if due:
            self.receiver.counts.nacked += track.holes.first_asked(due)
            self.peer.send(self.reporter.nack(ssrc, due))
        hopeless = track.holes.hopeless(now_s, rtt_s)
        if hopeless is not None:
            track.give_up(hopeless, now_s)

    def check(self, now_s: float) -> None:
        """Ask for consent, and measure the round trip."""
        self.peer.check(now_s)
        if self.peer.is_closed_by_server or self.reporter.are_gone(self.receiver.tracks):
            self.over.set()

    # Every second

    def report(self, now_s: float) -> None:
        """Send the receiver report, and now and then have one more packet of each track checked."""
        self._reports += 1
        if self._reports % REPORTS_A_CHECK == 0:
            for track in self.receiver.tracks.values():
                track.check_next()
        self.peer.send(self.reporter.report(self.receiver.tracks, now_s))

    def take(self, interval: Interval, now_s: float) -> None:
        """Add what happened since the last call to `interval`."""
        if not self.is_watching:
            return
        receiver, video = self.receiver, self.receiver.video
        counts, received_packets = receiver.take_counts()
        if video is not None:
            self._take_video(interval, counts, now_s)
        interval.media.setdefault(self.figures.stream, MediaCounts()).add(counts)
        self.figures.media.add(counts)
        self._take_round_trips(interval)
        self._take_delays(interval)
        interval.generator.received_packets += received_packets
        dropped = kernel_drops(self.peer.socket)
        interval.generator.kernel_drops += max(dropped - self._kernel_drops, 0)
        self._kernel_drops = dropped

    def _take_video(self, interval: Interval, counts: MediaCounts, now_s: float) -> None:
        video = self.receiver.video
        if video is None or video.first_frame_s is None:
            return
        if self.figures.first_frame_s is None:
            self.figures.first_frame_s = video.first_frame_s - self._run_began_s - self.figures.started_s
            interval.first_frame_s.add(self.figures.first_frame_s)
            self.figures.on_picture(video.first_frame_s - self._run_began_s, interval)
            self._watched_until_s = video.first_frame_s
        watched_until_s = self._watched_until_s or now_s
        counts.watched_s += max(now_s - watched_until_s, 0.0)
        self._watched_until_s = now_s
        gap_s, video.freezes.longest_gap_s = video.freezes.longest_gap_s, 0.0
        interval.gap_s.add(gap_s)
        self.figures.longest_gap_s = max(self.figures.longest_gap_s, gap_s)
        interval.jitter_s.add(video.jitter_s)
        self.figures.jitter_s = video.jitter_s

    def _take_round_trips(self, interval: Interval) -> None:
        for rtt_s in self.peer.take_rtts_s():
            self._rtt.add(rtt_s)
            interval.rtt_s.add(rtt_s)
        for rtt_s in self.reporter.take_rtts_s():
            self._rtcp_rtt.add(rtt_s)

    def _take_delays(self, interval: Interval) -> None:
        delays_s, self._delays_s = self._delays_s, []
        for delay_s in delays_s:
            interval.delay_s.add(delay_s)
            self._all_delays_s.add(delay_s)

    async def switch_network(self) -> str | None:
        """Restart ICE; why it failed, None when it did not. On success the caller reads another socket, and calls
        `on_new_socket`."""
        return None if await self.peer.restart_ice() else self.peer.restart_failure or "unknown"

    # The end

    def finish(self, interval: Interval, end: str, now_s: float) -> SessionFigures:
        """Take the last figures; the record, complete. A freeze that goes on counts, up to now."""
        self.take(interval, now_s)
        figures = self.figures
        figures.end, figures.ended_s = end, now_s - self._run_began_s
        video = self.receiver.video if self.is_watching else None
        frozen_s = video.freezes.pending(now_s) if video is not None else 0.0
        if frozen_s:
            for counts in (figures.media, interval.media[figures.stream]):
                counts.freezes += 1
                counts.frozen_s += frozen_s
            figures.longest_gap_s = max(figures.longest_gap_s, frozen_s)
            interval.gap_s.add(frozen_s)
        figures.rtt_s, figures.rtcp_rtt_s = self._rtt.value, self._rtcp_rtt.value
        figures.delay_p50_s = self._all_delays_s.quantile(0.5)
        figures.delay_p99_s = self._all_delays_s.quantile(0.99)
        self.is_watching = False
        return figures

    async def leave(self, silently: bool) -> bool:
        """DELETE, unless `silently`; whether the server took it. What it sends until then can still be read."""
        return not silently and await self.peer.delete()

    async def abandon(self) -> None:
        """Leave before it has joined."""
        await self.peer.goodbye()

    def close(self) -> None:
        """Give the socket back, after `leave`."""
        self.peer.close()

    def vanish(self) -> None:
        """Give the socket back without a word."""
        self.peer.vanish()
