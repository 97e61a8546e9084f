"""When a part ends and when a segment does (draft-pantos-hls-rfc8216bis, sections 4.4.3.7, 4.4.4.9 and B.1).

A sample's duration is known when the next one is here. A part then is closed as soon as the next sample would make it
longer than the part target: so no part exceeds it, and one of steady frames comes as near to it as whole frames can.
"""

import math
from dataclasses import dataclass

PART_TARGET_SLACK = 1.05
"""The announced part target against the nominal duration: timestamps of a steady studio jitter by a millisecond or two,
and six frames of 33 ms must still be one part."""

PART_LEAST_SHARE = 0.85
"""Of the announced part target: what a part lasts at least, but for the exceptions of section 4.4.4.9."""
SEGMENT_LEAST_SHARE = 0.75
"""Of the nominal duration: with a keyframe a second, segments are of two, and never of one now and then."""
ROUNDS_DOWN_S = 0.45
"""How much longer than the target duration a segment may be: EXTINF is rounded before it is compared (4.4.3.1)."""


@dataclass(frozen=True, slots=True)
class Durations:
    """In ticks of the track: what parts and segments of it are held to."""

    part_least: int
    part_target: int
    segment_least: int
    """A keyframe that comes earlier in its segment begins none."""
    segment_most: int
    """A segment ends here, keyframe or not: its duration, rounded, must not exceed the announced target duration."""

    @classmethod
    def of(cls, timescale_hz: int, part_target_s: float, segment_s: float, target_duration_s: int) -> "Durations":
        """From seconds."""
        return cls(
            part_least=math.ceil(PART_LEAST_SHARE * part_target_s * timescale_hz),
            part_target=int(part_target_s * timescale_hz),
            segment_least=int(SEGMENT_LEAST_SHARE * segment_s * timescale_hz),
            segment_most=int((target_duration_s + ROUNDS_DOWN_S) * timescale_hz),
        )


class PartClock:
    """Says of each sample whether the open part has to be closed before or after it."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations
        self._part_ticks = 0
        self._segment_ticks = 0

    @property
    def segment_ticks(self) -> int:
        """How long the open segment is by now."""
        return self._segment_ticks

    def must_close_before(self, duration_ticks: int) -> bool:
        """Whether a sample of that duration would make the open part too long."""
        return self._part_ticks > 0 and self._part_ticks + duration_ticks > self._durations.part_target

    def add(self, duration_ticks: int) -> bool:
        """Count a sample; True when another one like it would not fit in the part. While the part is too short, the
        next one's own duration has to say it: timestamps jitter."""
        self._part_ticks += duration_ticks
        self._segment_ticks += duration_ticks
        is_long_enough = self._part_ticks >= self._durations.part_least
        return is_long_enough and self._part_ticks + duration_ticks > self._durations.part_target

    def may_end_segment(self, keyframe_ticks: int) -> bool:
        """Whether a keyframe that comes now begins a segment; `keyframe_ticks` is what came between the last two, so
        that the next one may come too late."""
        least = self._durations.segment_least
        if self._segment_ticks + keyframe_ticks > self._durations.segment_most:
            least //= 2
        return self._segment_ticks >= least

    def must_end_segment(self, next_ticks: int) -> bool:
        """Whether a sample of that duration would make the segment too long, so that it ends though no keyframe
        comes."""
        return self._segment_ticks > 0 and self._segment_ticks + next_ticks > self._durations.segment_most

    def on_part(self) -> None:
        """The open part was closed."""
        self._part_ticks = 0

    def on_segment(self) -> None:
        """The open segment was closed."""
        self._part_ticks = self._segment_ticks = 0
