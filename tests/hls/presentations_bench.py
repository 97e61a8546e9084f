"""Streams by name, their studios on the test's own clock, and what is packaged of them."""

import pytest

from gateway.config import HlsSettings
from gateway.errors import SignallingError
from gateway.hls.presentation import Presentation
from gateway.hls.presentations import Presentations
from gateway.stream.registry import Registry
from gateway.stream.stream import Stream, StreamSettings
from gateway.wire.formats import TrackFormat
from tests.hls.content import Studio
from tests.stream.doubles import H264, FirstIndex, RecordingSender, RecordingSource

GRACE_S = 5.0


class PresentationsBench:
    """Streams by name, their studios, and what is packaged of them."""

    def __init__(self, settings: HlsSettings | None = None) -> None:
        self.registry = Registry(RecordingSender(), StreamSettings(), 100, FirstIndex(1000))
        self.presentations = Presentations(self.registry, settings or HlsSettings(), self._is_live)
        self.studios: dict[str, Studio] = {}
        self.now_s = 100.0

    def _is_live(self, stream: Stream, _now_s: float) -> bool:
        return stream.source is not None

    def publish(self, name: str, *formats: TrackFormat, skew_s: float = 3600.0) -> Studio:
        stream = self.registry.open(name)
        stream.attach(RecordingSource(), list(formats or (H264,)), self.now_s)
        studio = self.studios[name] = Studio(stream, self.now_s, skew_s=skew_s, number=1 + len(self.studios))
        studio.has_audio, studio.has_video = "audio" in stream.tracks, stream.tracks.get("video") is not None
        studio.after_packet = self.presentations.pump
        return studio

    def unpublish(self, name: str) -> None:
        stream = self.registry.stream(name)
        assert stream is not None
        assert stream.source is not None
        stream.detach(stream.source, self.now_s)
        del self.studios[name]

    def run(self, duration_s: float) -> None:
        """Let time pass, ticks included."""
        for _ in range(round(duration_s / 0.25)):
            for studio in self.studios.values():
                studio.run(0.25)
            self.now_s += 0.25
            self.registry.close_abandoned(self.now_s, GRACE_S)
            self.presentations.tick(self.now_s)

    def open(self, name: str = "table") -> Presentation:
        return self.presentations.open(name, self.now_s)

    def refused(self, name: str) -> SignallingError:
        with pytest.raises(SignallingError) as refusal:
            self.open(name)
        return refusal.value

    def answers(self, presentation: Presentation, name: str = "table") -> bool:
        try:
            return self.presentations.of_generation(name, presentation.generation, self.now_s) is presentation
        except SignallingError:
            return False
