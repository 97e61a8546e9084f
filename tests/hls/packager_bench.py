"""A packager of a stream that a studio of the test's own clock feeds: real Opus and AAC, no network and no thread."""

import pytest

from gateway.config import HlsSettings
from gateway.hls.packager import Packager
from gateway.hls.rendition import Rendition
from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ
from gateway.stream.stream import Stream
from gateway.wire.formats import TrackFormat
from tests.hls.content import Studio, continuous, run_at_once
from tests.stream.doubles import H264, OPUS, RecordingSource, stream_of


class PackagerBench:
    """A stream, its studio, and a packager once `begin` was called."""

    def __init__(self, *formats: TrackFormat, **studio: float) -> None:
        self.stream, _ = stream_of(*formats)
        self.source = RecordingSource()
        self.stream.source = self.source
        self.studio = self.seat(self.stream, **studio)
        self.packager: Packager | None = None
        self.changes = 0

    def seat(self, stream: Stream, now_s: float = 100.0, **settings: float) -> Studio:
        studio = Studio(stream, now_s, **settings)  # type: ignore[arg-type]
        studio.has_audio = "audio" in stream.tracks
        studio.after_packet = self.pump
        return studio

    def take_over(self, *formats: TrackFormat, skew_s: float = -7200.0) -> Studio:
        """Another studio publishes from now on."""
        self.source = RecordingSource("second")
        self.stream.attach(self.source, list(formats or (H264, OPUS)), self.studio.now_s)
        self.studio = self.seat(self.stream, self.studio.now_s, skew_s=skew_s, number=2)
        return self.studio

    def begin(self, settings: HlsSettings | None = None) -> Packager:
        self.packager = Packager(self.stream, settings or HlsSettings(), run_at_once, self._on_change)
        self.packager.pump(self.studio.now_s)
        if not self.stream.tracks["video"].figures.packets:
            self.source.keyframe_requests_s.clear()  # it begins with one anyhow
        return self.packager

    def _on_change(self) -> None:
        self.changes += 1

    def pump(self, now_s: float) -> None:
        if self.packager is not None:
            self.packager.pump(now_s)
        if self.source.keyframe_requests_s:
            self.source.keyframe_requests_s.clear()
            self.studio.wants_keyframe = True


def payloads(rendition: Rendition) -> list[bytes]:
    return [part.payload for segment in rendition.segments for part in segment.parts]


def audio_of(packager: Packager) -> Rendition:
    assert packager.audio is not None
    return packager.audio


def check_in_step(packager: Packager, *, within_s: float = 0.25) -> None:
    """Both renditions break at the same segments, begin each within a part of one another, and never overlap.
    Where sound is switched off and on, it may be as late as silence takes to take its place."""
    video, audio = ({each.msn: each for each in rendition.segments} for rendition in packager.renditions)
    for msn in sorted(video.keys() & audio.keys()):
        assert video[msn].is_discontinuity == audio[msn].is_discontinuity, msn
        if video[msn].parts and audio[msn].parts:
            starts = [
                continuous([each.parts[0].payload])[0].base_time_ticks / hz
                for each, hz in ((video[msn], VIDEO_HZ), (audio[msn], AUDIO_HZ))
            ]
            assert starts[0] == pytest.approx(starts[1], abs=within_s), msn
            dates = (video[msn].unix_s or 0.0, audio[msn].unix_s or 0.0)
            assert dates[1] - dates[0] == pytest.approx(starts[1] - starts[0], abs=1e-4), msn
    continuous(payloads(packager.video))
