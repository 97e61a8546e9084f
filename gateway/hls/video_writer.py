"""Access units become parts and segments of the video rendition.

A sample lasts until the next one: each access unit waits for its successor, and the last one before a break lasts as
long as the one before it did.
"""

from collections.abc import Callable

from gateway.errors import WireError
from gateway.hls.access_units import AccessUnit
from gateway.hls.cut import Cut
from gateway.hls.fragment import Sample, avcc, fragment
from gateway.hls.init_section import VideoFormat, video_init_section
from gateway.hls.rendition import Part, Rendition
from gateway.hls.segmenter import Durations, PartClock
from gateway.hls.timeline import VIDEO_HZ, Timeline
from gateway.stream.track import Track
from gateway.wire.h264_depacketizer import AUD, FILLER, PPS, SPS, nal_type

MAX_HELD_S = 2.0
"""A picture stays for a hole up to this long. A longer one breaks the timeline: sound goes on with the picture."""

_NOMINAL_TICKS = VIDEO_HZ // 30
"""How long a picture lasts whose successor never came, where none before it tells."""

_NOT_IN_SAMPLES = frozenset((SPS, PPS, AUD, FILLER))
"""Parameter sets stand in the init section (ISO/IEC 14496-15: sample entry avc1); the others say nothing there."""


class VideoWriter:
    """See the module."""

    def __init__(
        self, rendition: Rendition, durations: Durations, timeline: Timeline, on_cut: Callable[[Cut], None]
    ) -> None:
        self.format: VideoFormat | None = None
        self.frame_ticks = _NOMINAL_TICKS
        """How long the last picture lasted that did not stay for a hole: so long lasts one without a successor."""
        self.frames = 0
        self.reordered = 0
        """Pictures left out because their timestamp was not behind the one before: B-frames, which WebRTC has not."""
        self.unparsable = 0
        """Keyframes left out because their parameter sets did not parse, or there were none."""
        self.parts_over_target = 0
        """Parts of one picture that lasted longer than the announced part target."""
        self.segments_without_keyframe = 0
        self.undecodable = 0
        """Pictures left out behind a break or an unparsable keyframe, before the next keyframe."""
        self.wants_keyframe = False
        self.end_ticks = 0
        """Where the media end that parts have been made of."""
        self.floor_ticks = 0
        """No epoch begins before: sound of the one before may reach further than its pictures."""
        self._rendition = rendition
        self._durations = durations
        self._timeline = timeline
        self._on_cut = on_cut
        self._clock = PartClock(durations)
        self._epoch = 0
        self._pending: tuple[AccessUnit, int] | None = None
        self._samples: list[Sample] = []
        self._part_ticks = 0
        self._epoch_frames = self._epoch_ticks = 0
        self._keyframe_position = 0

    @property
    def open_segment_s(self) -> float:
        """How long the open segment is by now."""
        return self._clock.segment_ticks / VIDEO_HZ

    @property
    def segment_limit_ticks(self) -> int:
        """Where the open segment ends at the latest."""
        return self.end_ticks - self._clock.segment_ticks + self._durations.segment_most

    @property
    def frame_rate(self) -> float:
        """Pictures a second: the mean over what was written since the last break."""
        return self._epoch_frames * VIDEO_HZ / self._epoch_ticks if self._epoch_ticks else VIDEO_HZ / self.frame_ticks

    def write(self, unit: AccessUnit, track: Track, now_s: float) -> None:
        """Take the next access unit of `track`."""
        video_format = self._format_of(unit) if unit.is_idr else self.format
        if video_format is None or (self.wants_keyframe and not unit.is_idr):
            self._leave_out(unit)
            return
        has_new_format = video_format != self.format
        is_break = self._breaks(unit)
        if is_break and not unit.is_idr:
            # Players begin anew behind a break, and can do so with a keyframe only.
            self._leave_out(unit)
            return
        self.wants_keyframe = False
        if is_break or has_new_format:
            self._break(unit, track, video_format, has_new_format, now_s)
            return
        position = self._timeline.video_position(unit.timestamp)
        assert self._pending is not None
        if position <= self._pending[1]:
            self.reordered += 1
            return
        if position - self._pending[1] <= self._durations.part_target:
            self.frame_ticks = position - self._pending[1]
        self._complete_pending(position, now_s)
        if unit.is_idr:
            is_first = not self._rendition.has_whole_segment
            if is_first or self._clock.may_end_segment(position - self._keyframe_position):
                self._end_segment(now_s)
                self._begin_segment(position, False, None)
            self._keyframe_position = position
        self._pending = unit, position

    def finish(self, now_s: float) -> None:
        """Write what waits for a successor: none will come."""
        if self._pending is not None:
            self._complete_pending(self._pending[1] + self.frame_ticks, now_s)
            self._close_part(now_s)

    def _breaks(self, unit: AccessUnit) -> bool:
        if self._pending is None or unit.begins_epoch:
            return True
        held_ticks = self._timeline.video_position(unit.timestamp) - self._pending[1]
        # A long way back is another line of numbers, and no B-frame.
        return abs(held_ticks) > min(MAX_HELD_S * VIDEO_HZ, self._durations.segment_most)

    def _leave_out(self, unit: AccessUnit) -> None:
        self.unparsable += unit.is_idr
        self.undecodable += not unit.is_idr
        self.wants_keyframe = True

    def _break(
        self, unit: AccessUnit, track: Track, video_format: VideoFormat, has_new_format: bool, now_s: float
    ) -> None:
        is_first = self._pending is None
        if not is_first:
            assert self._pending is not None
            # The last picture stays for the sound that reaches further: no gap, in either rendition.
            self._complete_pending(max(self._pending[1] + self.frame_ticks, self.floor_ticks), now_s)
            self._close_part(now_s)
            self._rendition.end_segment()
            self._clock.on_segment()
            self._epoch += 1
        position = max(self.end_ticks, self.floor_ticks)
        self._timeline.begin_epoch(track, unit.timestamp, position)
        self.format = video_format
        self.end_ticks = self._keyframe_position = position
        self._epoch_frames = self._epoch_ticks = 0
        self._begin_segment(position, not is_first, video_init_section(video_format) if has_new_format else None)
        self._pending = unit, position

    def _format_of(self, unit: AccessUnit) -> VideoFormat | None:
        """The parameter sets that came with the keyframe, those before it standing in for what did not come."""
        sps = tuple(nal for nal in unit.nal_units if nal_type(nal) == SPS)
        pps = tuple(nal for nal in unit.nal_units if nal_type(nal) == PPS)
        if self.format is not None:
            sps, pps = sps or self.format.sps, pps or self.format.pps
            if (sps, pps) == (self.format.sps, self.format.pps):
                return self.format
        try:
            return VideoFormat(sps, pps)
        except WireError:
            return None

    # Parts and segments

    def _complete_pending(self, until_ticks: int, now_s: float) -> None:
        """Put the waiting picture into a part; it lasts `until_ticks`."""
        assert self._pending is not None
        unit, position = self._pending
        duration = until_ticks - position
        if self._clock.must_end_segment(duration):
            self._end_segment(now_s)
            self._begin_segment(position, False, None)
            self.segments_without_keyframe += not unit.is_idr
        elif self._clock.must_close_before(duration):
            self._close_part(now_s)
        if not self._samples:
            self._part_ticks = position
        payload = avcc(nal for nal in unit.nal_units if nal_type(nal) not in _NOT_IN_SAMPLES)
        self._samples.append(Sample(payload, duration, unit.is_idr))
        self.frames += 1
        self._epoch_frames += 1
        self._epoch_ticks += duration
        self.end_ticks = until_ticks
        if self._clock.add(duration):
            self._close_part(now_s)

    def _close_part(self, now_s: float) -> None:
        if not self._samples:
            return
        payload = fragment(self._rendition.parts_made + 1, self._part_ticks, self._samples)
        ticks = self.end_ticks - self._part_ticks
        self.parts_over_target += ticks > self._durations.part_target
        is_independent = any(sample.is_sync for sample in self._samples)
        self._rendition.add_part(Part(payload, ticks / VIDEO_HZ, is_independent), now_s)
        self._samples = []
        self._clock.on_part()

    def _begin_segment(self, position: int, is_discontinuity: bool, init_section: bytes | None) -> None:
        unix_s = self._timeline.unix_s(position)
        self._rendition.begin_segment(unix_s, is_discontinuity, init_section)
        self._on_cut(Cut(position, self._epoch, is_discontinuity, unix_s))

    def _end_segment(self, now_s: float) -> None:
        self._close_part(now_s)
        self._rendition.end_segment()
        self._clock.on_segment()
