"""One stream on its way to LL-HLS: from the tracks' packet caches to the windows of two renditions.

    video track -> access units -> video writer -> video rendition
                                        | cuts, breaks
    audio track -> audio pipeline -> audio writer -> audio rendition

`pump` after each batch of datagrams: it reads what has come since.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gateway.config import HlsSettings
from gateway.hls.access_units import AccessUnitReader
from gateway.hls.audio_pipeline import AudioPipeline, Runner
from gateway.hls.audio_writer import AudioWriter
from gateway.hls.cut import Cut
from gateway.hls.rendition import Rendition
from gateway.hls.segmenter import PART_TARGET_SLACK, Durations
from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ, Timeline
from gateway.hls.video_writer import VideoWriter
from gateway.stream.stream import Stream
from gateway.stream.track import Track

MAX_START_AGE_S = 4.0
"""The packager begins with a cached keyframe, unless that is older: packaging a minute at once would hold up all."""
KEYFRAME_LATE_S = 0.05
"""Beyond the nominal duration of a segment: then a keyframe is asked for. Studios with a period of their own come
before."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What both playlists announce, and what parts and segments are held to."""

    part_target_s: float
    segment_s: float
    target_duration_s: int

    @classmethod
    def of(cls, settings: HlsSettings) -> "Targets":
        """From the operator's nominal durations."""
        return cls(
            part_target_s=round(PART_TARGET_SLACK * settings.part_ms / 1000, 5),
            segment_s=settings.segment_s,
            target_duration_s=math.ceil(settings.segment_s),
        )

    def durations(self, timescale_hz: int) -> Durations:
        """In ticks of a track."""
        return Durations.of(timescale_hz, self.part_target_s, self.segment_s, self.target_duration_s)


def is_packageable(track: Track | None) -> bool:
    """Whether video of that track can be repackaged."""
    return track is not None and track.format.name.upper() == "H264"


class Packager:
    """See the module."""

    def __init__(self, stream: Stream, settings: HlsSettings, run: Runner, on_change: Callable[[], None]) -> None:
        targets = Targets.of(settings)
        self.stream = stream
        self.targets = targets
        self.audio_bps = settings.audio_bps
        self.timeline = Timeline()
        self.breaks = 0
        self.is_over = False
        """Whether the tracks are no longer those that were packaged: it takes a new packager."""
        self.video = Rendition("video", targets.part_target_s, targets.target_duration_s)
        self.video_writer = VideoWriter(self.video, targets.durations(VIDEO_HZ), self.timeline, self._on_cut)
        self.audio: Rendition | None = None
        self._on_change = on_change
        self._pumped = -1
        self._reader: AccessUnitReader | None = None
        self._audio_writer: AudioWriter | None = None
        self.audio_pipeline: AudioPipeline | None = None
        audio = _opus(stream)
        if audio is not None:
            self.audio = Rendition("audio", targets.part_target_s, targets.target_duration_s)
            self._audio_writer = AudioWriter(self.audio, targets.durations(AUDIO_HZ))
            self.audio_pipeline = AudioPipeline(
                audio, self.timeline, self._audio_writer, run, settings.audio_bps, on_change
            )

    @property
    def renditions(self) -> list[Rendition]:
        """Video, and audio where there is any."""
        return [self.video] if self.audio is None else [self.video, self.audio]

    @property
    def reader(self) -> AccessUnitReader | None:
        """What reads the video track; None before the first packet."""
        return self._reader

    def pump(self, now_s: float) -> None:
        """Package what has come; cheap when nothing has."""
        if self.is_over:
            return
        self._follow_tracks(now_s)
        if self.is_over or self._reader is None:
            return
        packets = sum(track.figures.packets for track in self.stream.tracks.values())
        if packets == self._pumped:
            return
        self._pumped = packets
        version = self.video.version
        for unit in self._reader.read(now_s):
            if self.audio_pipeline is not None and self._audio_writer is not None:
                self.video_writer.floor_ticks = math.ceil(self._audio_writer.end_samples * VIDEO_HZ / AUDIO_HZ)
            self.video_writer.write(unit, self._reader.track, now_s)
        self._keep_segments_short(now_s)
        if self.audio_pipeline is not None:
            if self.audio_pipeline.wants_break:
                self._reader.break_at_next_keyframe()
            end, limit = self.video_writer.end_ticks, self.video_writer.segment_limit_ticks
            self.audio_pipeline.pump(end * AUDIO_HZ // VIDEO_HZ, limit * AUDIO_HZ // VIDEO_HZ, now_s)
        if self.video.version != version:
            self._on_change()

    def finish(self, now_s: float) -> None:
        """Nothing more comes: write what waits, and end both renditions."""
        self.is_over = True
        self.video_writer.finish(now_s)
        if self.audio_pipeline is not None and self._audio_writer is not None:
            self.audio_pipeline.end()
            self._audio_writer.finish(now_s)
        for rendition in self.renditions:
            rendition.end()
        self._on_change()

    def _follow_tracks(self, now_s: float) -> None:
        """A publisher that took over may have brought other tracks."""
        video = self.stream.tracks.get("video")
        audio = self.audio_pipeline.track if self.audio_pipeline is not None else None
        if video is None or not is_packageable(video) or _opus(self.stream) is not audio:
            self.is_over = True
        elif self._reader is None:
            self._reader = AccessUnitReader(video, _start(video, now_s))
        elif self._reader.track is not video:
            self._reader = AccessUnitReader(video, video.cache.gop_start)
            self._reader.break_at_next_keyframe()

    def _keep_segments_short(self, now_s: float) -> None:
        """Ask the studio for the keyframe that the next segment begins with; the stream limits how often."""
        writer = self.video_writer
        is_late = writer.open_segment_s > self.targets.segment_s + KEYFRAME_LATE_S
        is_stuck = self._reader is not None and self._reader.awaits_keyframe
        # Players do not take a playlist for one before its first segment is whole, which a second keyframe makes it.
        is_beginning = not self.video.has_whole_segment
        if is_late or is_stuck or is_beginning or writer.wants_keyframe:
            self.stream.request_keyframe(now_s)

    def _on_cut(self, cut: Cut) -> None:
        self.breaks = cut.epoch
        if self._audio_writer is None or self.audio_pipeline is None:
            return
        self._audio_writer.cut(cut)
        if cut.epoch != self.audio_pipeline.epoch:
            self.audio_pipeline.begin_epoch(cut.epoch, cut.position_samples)


def _opus(stream: Stream) -> Track | None:
    """The audio track, where it can be transcoded; else the picture goes out without sound."""
    audio = stream.tracks.get("audio")
    return audio if audio is not None and audio.format.name.lower() == "opus" else None


def _start(video: Track, now_s: float) -> int | None:
    """Where to begin in the cache: a keyframe back from the newest, so that a segment is whole at once; else with the
    newest, else with the next that comes."""
    for start in (video.cache.previous_gop_start, video.cache.gop_start):
        first = video.cache.packet(start) if start is not None else None
        if first is not None and first.index >= video.epoch_start and now_s - first.arrival_s < MAX_START_AGE_S:
            return start
    return None
