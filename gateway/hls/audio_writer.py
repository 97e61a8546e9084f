"""AAC frames become parts and segments of the audio rendition, cut where video was cut."""

from collections import deque

from gateway.hls.audio import FRAME_SAMPLES, AacFrame
from gateway.hls.cut import Cut
from gateway.hls.fragment import Sample, fragment
from gateway.hls.init_section import AudioFormat, audio_init_section
from gateway.hls.rendition import Part, Rendition
from gateway.hls.segmenter import Durations, PartClock
from gateway.hls.timeline import AUDIO_HZ

MAX_CUTS = 64
"""Segments that video may be ahead: two minutes, when no sound can be made at all."""


class AudioWriter:
    """Segment n of audio begins at the first frame behind the beginning of video's, or a part later where that came
    too late. Each segment has at least one frame, so that both renditions count alike."""

    def __init__(self, rendition: Rendition, durations: Durations) -> None:
        self.end_samples = 0
        """Where the sound ends that was written."""
        self._rendition = rendition
        self._clock = PartClock(durations)
        self._cuts: deque[Cut] = deque(maxlen=MAX_CUTS)
        self._epoch = -1
        self._next_position = 0
        """Where the epoch's next frame belongs."""
        self._samples: list[Sample] = []
        self._part_position = 0
        self._format: AudioFormat | None = None
        self._init_section: bytes | None = None

    def begin(self, audio_format: AudioFormat) -> None:
        """What the frames to come need; before the first of them."""
        if audio_format != self._format:
            self._format, self._init_section = audio_format, audio_init_section(audio_format)

    def cut(self, cut: Cut) -> None:
        """Video begins a segment there."""
        self._cuts.append(cut)

    def write(self, frames: list[AacFrame], epoch: int, now_s: float) -> None:
        """Take the next frames of that epoch of the timeline."""
        for frame in frames:
            if self._follow_cuts(frame, epoch, now_s):
                self._add(frame, now_s)

    def finish(self, now_s: float) -> None:
        """Write what waits for more: none will come."""
        self._close_part(now_s)

    def _follow_cuts(self, frame: AacFrame, epoch: int, now_s: float) -> bool:
        """Begin the segment that the frame belongs to; False when it belongs to none: it is from before the first, or
        runs past the end of its epoch."""
        position = frame.position
        while self._cuts:
            cut = self._cuts[0]
            is_behind = cut.epoch < epoch or (cut.epoch == epoch and position >= cut.position_samples)
            if not is_behind:
                return self._epoch == epoch and not (cut.epoch > epoch and position >= cut.position_samples)
            if self._is_segment_empty():
                if self._epoch == epoch:
                    return True
                # The epoch ended before this segment had any sound. A frame stands in, where the sound before it ended.
                self._add(AacFrame(frame.payload, self._next_position), now_s)
            self._begin_segment(self._cuts.popleft(), position if cut.epoch == epoch else None, now_s)
        return self._epoch == epoch

    def _is_segment_empty(self) -> bool:
        segments = self._rendition.segments
        return bool(segments) and not segments[-1].parts and not self._samples

    def _begin_segment(self, cut: Cut, position: int | None, now_s: float) -> None:
        """Of a segment that will have no frame of its own the position is not known: a frame will stand in."""
        if self._rendition.segments:
            self._close_part(now_s)
            self._rendition.end_segment()
            self._clock.on_segment()
        if cut.epoch != self._epoch:
            self._epoch, self._next_position = cut.epoch, cut.position_samples
        position = self._next_position if position is None else position
        # Counted from video's date: the timeline may be an epoch further by now, and both dates must agree.
        unix_s = None if cut.unix_s is None else cut.unix_s + (position - cut.position_samples) / AUDIO_HZ
        self._rendition.begin_segment(unix_s, cut.is_discontinuity, self._init_section)
        self._init_section = None

    def _add(self, frame: AacFrame, now_s: float) -> None:
        if not self._samples:
            self._part_position = frame.position
        self._samples.append(Sample(frame.payload, FRAME_SAMPLES, True))
        self.end_samples = self._next_position = frame.position + FRAME_SAMPLES
        if self._clock.add(FRAME_SAMPLES):
            self._close_part(now_s)

    def _close_part(self, now_s: float) -> None:
        if not self._samples:
            return
        payload = fragment(self._rendition.parts_made + 1, self._part_position, self._samples)
        duration_s = len(self._samples) * FRAME_SAMPLES / AUDIO_HZ
        self._rendition.add_part(Part(payload, duration_s, True), now_s)
        self._samples = []
        self._clock.on_part()
