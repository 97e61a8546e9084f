"""One stream: from counters that only grow to windows, scores and plots."""

from dataclasses import dataclass

from gateway.quality.counters import Counters
from gateway.quality.history import History, Value
from qos.measurement import LEGS, Measurement
from qos.score import Score, score
from qos.sketch import Sketch
from qos.windows import SPANS, Windows

COLUMNS = (
    "score",
    "rtt_p50_ms",
    "rtt_p95_ms",
    "dropped_ingest_per_s",
    "dropped_egress_per_s",
    "dropped_player_per_s",
    "viewers_webrtc",
    "viewers_hls",
    "bitrate_bps",
)
"""Of a stream's plots: the score of the last minute, and what the seconds since the last point measured."""


_EACH_SAMPLE = ("1m",)
_EACH_POINT = ("5m", "1h")
"""The longer windows move in steps of some seconds: adding a second to each of them would double the cost."""


@dataclass(frozen=True, slots=True)
class Watching:
    """Who watches a stream now, and what of."""

    webrtc: int
    hls: int
    is_packaged: bool
    has_video: bool
    bitrate_bps: float

    @property
    def viewers(self) -> int:
        """By whatever way."""
        return self.webrtc + self.hls


class StreamQuality:
    """See the module."""

    def __init__(self, counters: Counters, now_s: float) -> None:
        self.history = History(COLUMNS)
        self.rtt = Sketch()
        """Round trips since the last sample."""
        self.frames_due = dict.fromkeys(LEGS, 0)
        """Leg -> video frames that it had to pass on, since the stream was first sampled."""
        self._windows = Windows()
        self._scores: dict[str, Score] = {}
        """Window -> its score, once somebody has asked since it changed."""
        self._recent = Measurement()
        self._before = counters
        self._sampled_s = now_s

    def sample(self, counters: Counters, watching: Watching, now_s: float) -> None:
        """What has grown since the last sample goes into the windows."""
        measured = self._measured(counters, watching, now_s)
        self._windows.add(measured, now_s, _EACH_SAMPLE)
        for window in _EACH_SAMPLE:
            self._scores.pop(window, None)
        for leg, frames in measured.due_by_leg.items():
            self.frames_due[leg] += frames
        self._recent.add(measured)

    def _measured(self, counters: Counters, watching: Watching, now_s: float) -> Measurement:
        elapsed_ms = round((now_s - self._sampled_s) * 1000)
        self._sampled_s = now_s
        # The highest so far: what falls, as when one publisher's figures move to the next, must not be counted again.
        grown = {name: max(count - self._before.get(name, 0), 0) for name, count in counters.items()}
        self._before = {name: max(count, self._before.get(name, 0)) for name, count in counters.items()}
        rtt, self.rtt = self.rtt, Sketch()
        measured = Measurement(window_ms=elapsed_ms, rtt=rtt, **grown)
        measured.viewer_ms = elapsed_ms * watching.viewers
        measured.egress_frames = measured.ingest_frames * (watching.webrtc + watching.is_packaged)
        # Frames that were dropped were due, too: of a second in which the last viewer left they would be more than all.
        measured.egress_frames = max(measured.egress_frames, measured.egress_dropped)
        if watching.viewers and watching.has_video:
            measured.attended_ms = elapsed_ms
            measured.still_ms = elapsed_ms if not measured.ingest_frames else 0
        return measured

    def total(self, window: str) -> Measurement:
        """What a window measured."""
        return self._windows.total(window)

    def score(self, window: str) -> Score:
        """Of a window."""
        if window not in self._scores:
            self._scores[window] = score(self.total(window))
        return self._scores[window]

    def scores(self) -> dict[str, Score]:
        """Window -> its score."""
        return {span.name: self.score(span.name) for span in SPANS}

    def add_point(self, now_s: float, at_unix_s: float, watching: Watching) -> None:
        """What was measured since the last point goes into the longer windows, and into the plots."""
        recent, self._recent = self._recent, Measurement()
        self._windows.add(recent, now_s, _EACH_POINT)
        self._scores.clear()
        points = self.score("1m").points
        seconds = max(recent.window_ms / 1000, 0.001)
        p50_s, p95_s = recent.rtt.quantiles((0.5, 0.95))
        values: dict[str, Value] = {
            "score": round(points, 1) if points is not None else None,
            "rtt_p50_ms": milliseconds(p50_s),
            "rtt_p95_ms": milliseconds(p95_s),
            "dropped_ingest_per_s": round(recent.ingest_dropped / seconds, 2),
            "dropped_egress_per_s": round(recent.egress_dropped / seconds, 2),
            "dropped_player_per_s": round(recent.player_dropped / seconds, 2),
            "viewers_webrtc": watching.webrtc,
            "viewers_hls": watching.hls,
            "bitrate_bps": round(watching.bitrate_bps),
        }
        self.history.add(at_unix_s, values)


def milliseconds(seconds: float | None) -> float | None:
    """For reports."""
    return round(seconds * 1000, 2) if seconds is not None else None
