"""One stream: what its source feeds in, and the outlets it goes out by.

Packets gather in a batch until the socket has been read empty. A stream with many viewers then waits a little for the
rest of the frame: longer runs cost less a packet. No clock and no event loop here: whoever calls says what time it is.
"""

import random
from dataclasses import dataclass, field

from gateway.stream.catch_up import CatchUp, Pacing
from gateway.stream.contract import Outlet, Sender, Source, VideoState
from gateway.stream.fanout import Batch, Fanout, FanoutFigures, begin_earlier, takes
from gateway.stream.figures import IngestFigures
from gateway.stream.packet import MediaPacket
from gateway.stream.timing import PublisherClock
from gateway.stream.track import Incoming, Track
from gateway.transport.socket import Sent
from gateway.wire.formats import TrackFormat

KEYFRAME_REQUEST_INTERVAL_S = 1.0
"""Least time between two PLI to a publisher, however many viewers ask: each costs every viewer a burst."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What an operator may choose for every stream."""

    pacing: Pacing = field(default_factory=Pacing)
    hold_s: float = 0.003
    """How long a batch may wait for the last packet of its frame."""
    hold_from_viewers: int = 16
    """Below this many live viewers nothing waits: there is nothing to save."""
    keyframe_age_s: float = 2.0
    """While somebody watches, a keyframe is asked for when the last is older than this."""


class Stream:
    """See the module."""

    def __init__(self, name: str, sender: Sender, settings: StreamSettings, random_source: random.Random) -> None:
        self.name = name
        self.source: Source | None = None
        self.source_lost_s: float | None = None
        self.source_lost_by: str | None = None
        """Why the last source's session ended; None before, and while there is one."""
        self.live_since_s: float | None = None
        self.tracks: dict[str, Track] = {}
        self.figures = FanoutFigures()
        self.keyframe_requests = 0
        """PLI that viewers asked for, or that the stream itself had reason to."""
        self.keyframe_requests_sent = 0
        self.ingest_before = IngestFigures()
        """What the publishers that have gone had counted."""
        self.fanout = Fanout(sender, self.figures)
        self.catch_up = CatchUp(self.fanout, self.figures, settings.pacing)
        self._settings = settings
        self._random = random_source
        self._batch: Batch = []
        self._batch_since_s = 0.0
        self._keyframe_requested_s = float("-inf")

    # The source's side

    def attach(self, source: Source, formats: list[TrackFormat], now_s: float) -> list[Track]:
        """`source` feeds the stream from now on; the one before is closed.

        Returns tracks that were replaced: their format changed, and who watches them has to negotiate anew.
        """
        previous, self.source = self.source, source
        self.live_since_s, self.source_lost_s, self.source_lost_by = now_s, None, None
        self._keyframe_requested_s = float("-inf")
        if previous is not None:
            previous.close("taken_over")
        replaced = []
        for track_format in formats:
            track = self.tracks.get(track_format.kind)
            if track is not None and track.format == track_format:
                track.begin_epoch()
                continue
            if track is not None:
                replaced.append(track)
            figures = track.figures if track is not None else None
            self.tracks[track_format.kind] = Track(track_format, self._random, figures)
        self._batch = [(track, packet) for track, packet in self._batch if track not in replaced]
        return replaced

    def detach(self, source: Source, now_s: float, cause: str | None = None) -> bool:
        """`source` has ended, by `cause`; False when it was no longer this stream's."""
        if self.source is not source:
            return False
        self.source, self.source_lost_s, self.live_since_s = None, now_s, None
        self.source_lost_by = cause
        return True

    def is_stale(self, now_s: float, after_s: float) -> bool:
        """Whether the source has been silent for `after_s`, so that anybody may take over."""
        return self.source is None or now_s - self.source.last_media_s > after_s

    def feed(self, track: Track, incoming: Incoming, gateway_ntp: int) -> None:
        """A packet of the source."""
        packet = track.accept(incoming)
        if packet is None:
            if track.awaits_keyframe:
                self.request_keyframe(incoming.arrival_s)
            return
        track.clock.on_packet(packet.timestamp, gateway_ntp)
        if packet.index < track.forwarded:
            track.figures.late += 1
            self._send_late(track, packet)
            if packet.is_keyframe:
                self.catch_up.on_keyframe(track, incoming.arrival_s)
            return
        if not self._batch:
            self._batch_since_s = incoming.arrival_s
        self._batch.append((track, packet))

    def on_sender_report(self, track: Track, publisher_ntp: int, rtp_timestamp: int, clock: PublisherClock) -> None:
        """The publisher tied its own `rtp_timestamp` to `publisher_ntp`."""
        if track.rewriter.is_mapped:
            track.clock.on_sender_report(publisher_ntp, track.rewriter.outgoing_timestamp(rtp_timestamp), clock)

    # The batch

    def wait_s(self, now_s: float) -> float | None:
        """How long the batch should still wait; 0 to flush now, None when there is nothing to send."""
        if not self._batch:
            return None
        if self.fanout.live_count < self._settings.hold_from_viewers or self._is_frame_complete():
            return 0.0
        return max(self._batch_since_s + self._settings.hold_s - now_s, 0.0)

    def _is_frame_complete(self) -> bool:
        last_video = next((packet for track, packet in reversed(self._batch) if track.is_video), None)
        return last_video is None or last_video.marker

    def flush(self, now_s: float) -> None:
        """Send the batch to everybody."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        video = self.tracks.get("video")
        stalled = self.fanout.send(batch)
        audio = [(track, packet) for track, packet in batch if not track.is_video]
        if audio:
            for outlet in self.catch_up.outlets:
                if self.fanout.send_to(outlet, audio) is Sent.FULL:
                    self.figures.audio_dropped += len(audio)
        video_start = self._mark_forwarded(batch)
        for outlet in stalled:
            self.figures.audio_dropped += len(audio)
            self._stall(outlet, video, video_start, now_s)
        if video is not None and any(track is video and packet.is_keyframe for track, packet in batch):
            self.catch_up.on_keyframe(video, now_s)

    def _mark_forwarded(self, batch: Batch) -> int | None:
        """Advance every track's `forwarded`; the lowest video index of the batch."""
        video_start: int | None = None
        for track, packet in batch:
            if track.is_video:
                video_start = packet.index if video_start is None else min(video_start, packet.index)
            track.forwarded = max(track.forwarded, packet.index + 1)
            track.sent_packets += 1
            track.sent_bytes += len(packet.payload)
        return video_start

    def _stall(self, outlet: Outlet, video: Track | None, position: int | None, now_s: float) -> None:
        if video is None or outlet.video is VideoState.NONE:
            self.fanout.add(outlet)
            return
        self.catch_up.stall(outlet, video, video.forwarded if position is None else position, now_s)

    def _send_late(self, track: Track, packet: MediaPacket) -> None:
        for outlet in (*self.fanout.live(), *self.catch_up.outlets):
            begin_earlier(outlet, track, packet)
            if takes(outlet, track, packet):
                self.fanout.send_to(outlet, [(track, packet)])

    # The viewers' side

    def join(self, outlet: Outlet, now_s: float) -> None:
        """`outlet` watches from now on: audio at once, video from the newest keyframe."""
        audio, video = self.tracks.get("audio"), self.tracks.get("video")
        if audio is not None and "audio" in outlet.layouts:
            outlet.first["audio"] = audio.forwarded
            outlet.sealer.start_at(audio.ssrc, audio.forwarded)
        if video is None or "video" not in outlet.layouts:
            self.fanout.add(outlet)
            return
        self.catch_up.join(outlet, video, now_s)
        if outlet.video is VideoState.WAITING:
            self.request_keyframe(now_s)
        self.pace(now_s)

    def leave(self, outlet: Outlet) -> None:
        """`outlet` watches no more."""
        if not self.fanout.discard(outlet):
            self.catch_up.discard(outlet, self.tracks.get("video"))

    def pace(self, now_s: float) -> None:
        """Let those who are catching up go on; call every few milliseconds while `catch_up.is_pacing`."""
        video = self.tracks.get("video")
        if video is None:
            return
        for outlet in self.catch_up.pace(video, self.bitrate_bps, now_s):
            self.fanout.add(outlet)

    def shed_video(self, now_s: float) -> None:
        """Take video from all who are live, up to the next keyframe, and leave them sound: the process cannot keep up,
        and a late picture would look live."""
        video = self.tracks.get("video")
        for outlet in tuple(self.fanout.live()):
            if video is not None and outlet.video is VideoState.LIVE:
                self.fanout.discard(outlet)
                self.catch_up.shed(outlet, video, now_s)

    def request_keyframe(self, now_s: float) -> None:
        """Ask the source for a keyframe, at most once an interval."""
        self.keyframe_requests += 1
        if self.source is None or now_s - self._keyframe_requested_s < KEYFRAME_REQUEST_INTERVAL_S:
            return
        self._keyframe_requested_s = now_s
        self.keyframe_requests_sent += 1
        self.source.request_keyframe(now_s)

    # Upkeep

    def refresh_keyframe(self, now_s: float) -> None:
        """While somebody watches, see to it that the cache never holds a long way to the live end. Once a second or
        so."""
        video = self.tracks.get("video")
        if video is None or not self.viewers:
            return
        if video.keyframe_arrival_s is None or now_s - video.keyframe_arrival_s > self._settings.keyframe_age_s:
            self.request_keyframe(now_s)

    def sample_rate(self, now_s: float) -> None:
        """Note what came in so far. Several times a second."""
        for track in self.tracks.values():
            track.rate.sample(now_s, track.figures.bytes, track.figures.frames)

    @property
    def bitrate_bps(self) -> float:
        """Payload bits a second that come in."""
        return sum(track.rate.bits() for track in self.tracks.values())

    @property
    def viewers(self) -> int:
        """Outlets that watch, live or not yet."""
        return self.fanout.live_count + len(self.catch_up.outlets)
