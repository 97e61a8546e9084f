"""When a picture counts as frozen: by the rule of browsers, so that the figures compare with those of their getStats.

Source: libwebrtc, video/video_quality_observer2.cc, `VideoQualityObserver::OnRenderedFrame`, which fills `freezeCount`
and `totalFreezesDuration` of the W3C's Identifiers for WebRTC's Statistics API (RTCInboundRtpStreamStats). The delay
from a frame to the next is a freeze, in its whole length, when it is at least three times the average delay and at
least 150 ms above it. The average is of the latest 30 delays, of which this one is already one; before there are five,
nothing is a freeze.

Two things differ. libwebrtc counts a stream that sent nothing for 5 s as paused and not as frozen; for who watches it
is the same still picture, so a freeze does not vanish here by lasting longer. As there, such a delay stays out of the
average. And delays are not rounded to milliseconds.
"""

from typing import Final

WINDOW_DELAYS: Final = 30
MIN_DELAYS: Final = 5
MIN_INCREASE_S: Final = 0.150
FACTOR: Final = 3
PAUSE_S: Final = 5.0
"""A longer delay is a pause (`pauseCount` in the same document)."""


class FreezeRule:
    """The frames of one player, one call each."""

    __slots__ = ("_delays_s", "_next", "_sum_s", "freezes", "frozen_s", "last_s", "longest_gap_s")

    def __init__(self) -> None:
        self.freezes = 0
        self.frozen_s = 0.0
        """All freezes together, each from the frame before it to the frame that ended it."""
        self.longest_gap_s = 0.0
        """Between two frames in a row, frozen or not."""
        self.last_s: float | None = None
        """When the latest could be shown."""
        self._delays_s: list[float] = []
        """A ring of the latest, of which `_next` is the oldest once it is full."""
        self._next = 0
        self._sum_s = 0.0

    def on_frame(self, render_s: float) -> float:
        """A frame that could be shown, at that instant; the duration of the freeze that it ended, or 0."""
        last_s, self.last_s = self.last_s, render_s
        if last_s is None:
            return 0.0
        delay_s = render_s - last_s
        if delay_s > self.longest_gap_s:
            self.longest_gap_s = delay_s
        if delay_s <= PAUSE_S:
            self._remember(max(delay_s, 0.0))
        # No average makes less a freeze: most frames end here.
        if delay_s < MIN_INCREASE_S or not _is_freeze(delay_s, self._sum_s, len(self._delays_s)):
            return 0.0
        self.freezes += 1
        self.frozen_s += delay_s
        return delay_s

    def _remember(self, delay_s: float) -> None:
        delays_s = self._delays_s
        self._sum_s += delay_s
        if len(delays_s) < WINDOW_DELAYS:
            delays_s.append(delay_s)
            return
        oldest = self._next
        self._sum_s -= delays_s[oldest]
        delays_s[oldest] = delay_s
        self._next = oldest + 1 if oldest + 1 < WINDOW_DELAYS else 0

    def pending(self, now_s: float) -> float:
        """How long the picture has been frozen when no frame comes before the session ends; 0 when it is not frozen.

        It is in none of the sums.
        """
        if self.last_s is None:
            return 0.0
        delay_s = now_s - self.last_s
        count = len(self._delays_s)
        oldest_s = self._delays_s[self._next] if count == WINDOW_DELAYS else 0.0
        return delay_s if _is_freeze(delay_s, self._sum_s + delay_s - oldest_s, min(count + 1, WINDOW_DELAYS)) else 0.0


def _is_freeze(delay_s: float, sum_s: float, count: int) -> bool:
    """Whether `delay_s` is one, given the sum and the number of the delays in the window, itself included."""
    if delay_s > PAUSE_S:
        return True
    if count < MIN_DELAYS:
        return False
    average_s = sum_s / count
    return delay_s >= max(FACTOR * average_s, average_s + MIN_INCREASE_S)
