"""Whether parts fit one another: where the last one ended, the next has to begin (tfdt), to the tick."""

from dataclasses import dataclass

from loadgen.hls.fragments import Fragment, InitSection


@dataclass(frozen=True, slots=True)
class Seam:
    """How a part follows the one before it."""

    gap_s: float = 0.0
    """Time that is missing between them."""
    overlap_s: float = 0.0
    """Time that comes a second time."""
    missing_samples: int = 0
    """How many of the usual duration fit into the gap."""


_NONE = Seam()


class Continuity:
    """Of one rendition."""

    def __init__(self) -> None:
        self._discontinuities: int | None = None
        self._expected_ticks = 0
        self._timescale = 0

    def on_part(self, fragments: list[Fragment], init: InitSection, discontinuities: int) -> Seam:
        """All seams of a part, the one before it first. Behind a discontinuity, which is announced, nothing is
        expected; nor where the timescale changes."""
        is_first = self._discontinuities != discontinuities or self._timescale != init.timescale
        self._discontinuities, self._timescale = discontinuities, init.timescale
        gap_ticks = overlap_ticks = missing_samples = 0
        for fragment in fragments:
            ahead_ticks = 0 if is_first else fragment.decode_ticks - self._expected_ticks
            if ahead_ticks > 0:
                gap_ticks += ahead_ticks
                missing_samples += round(ahead_ticks / max(fragment.durations_ticks[0], 1))
            overlap_ticks += max(-ahead_ticks, 0)
            self._expected_ticks = fragment.decode_ticks + fragment.duration_ticks
            is_first = False
        if not gap_ticks and not overlap_ticks:
            return _NONE
        return Seam(gap_ticks / init.timescale, overlap_ticks / init.timescale, missing_samples)

    def forget(self) -> None:
        """What comes next was chosen anew: nothing is expected."""
        self._discontinuities = None
