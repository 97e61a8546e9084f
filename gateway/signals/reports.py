"""What browsers say that they saw: bounded, never oftener than asked for, summed a stream and protocol."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.config import SignalSettings
from gateway.metrics import Histograms, Sample
from gateway.signals.messages import Report

MAX_FRAME_RATE = 240.0
"""Frames a second of a report: more than any browser shows."""

MAX_FREEZE_RATE = 10.0
"""Freezes a second of a report: each lasts 150 ms at least, as browsers count them (webrtc-stats, freezeCount)."""

COUNTED_FRAME_RATE = 60.0
"""Frames a second that count, as more than studios send: of more, so many in the same proportion."""

COUNTED_FREEZE_RATE = 1.0
"""Freezes a second that count: a picture that stutters more often is as bad."""


@dataclass(slots=True)
class PlayerFigures:
    """What the players of one stream by one protocol reported together, since the stream began."""

    reports: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    freezes: int = 0
    frozen_s: float = 0.0
    watched_s: float = 0.0
    dropped_s: float = 0.0
    """Of `watched_s`, in proportion to the frames that were dropped: a report weighs by its time, not by its frames."""
    packets_received: int = 0
    packets_lost: int = 0


class Reporter:
    """One connection's reports: when the next may come, and how much of it counts."""

    __slots__ = ("_freezable_s", "_last_s", "_owed_s")

    def __init__(self, now_s: float) -> None:
        self._last_s = now_s
        self._freezable_s = 0.0
        """Of the time before the last report: what a freeze that was not over then may have taken."""
        self._owed_s = 0.0
        """Of freezes that were reported: what is still to be counted."""

    def believed(self, report: Report, now_s: float, report_s: float) -> Report | str:
        """The report as it counts; or why it is not taken, as the label of `railbird_player_reports_total`."""
        elapsed_s = now_s - self._last_s
        if elapsed_s < report_s / 2:
            return "too_often"
        freezable_s = self._freezable_s + elapsed_s
        if _is_implausible(report, elapsed_s, freezable_s, 2 * report_s):
            return "implausible"
        # Nobody's picture stands still for longer than there was time, nor while it moves.
        left_s = freezable_s - report.frozen_s
        self._last_s, self._freezable_s = now_s, min(left_s, report.interval_s) if report.frames_decoded else left_s
        return self._counted(report, elapsed_s)

    def _counted(self, report: Report, elapsed_s: float) -> Report:
        """Nobody weighs more than the time that passed here, whatever it says: one who lies is one of many."""
        watched_s = min(report.interval_s, elapsed_s)
        owed_s = self._owed_s + report.frozen_s
        frozen_s = min(owed_s, watched_s)
        self._owed_s = owed_s - frozen_s
        freezes = min(report.freezes, math.ceil(watched_s * COUNTED_FREEZE_RATE))
        frames = report.frames_decoded + report.frames_dropped
        part = min(1.0, COUNTED_FRAME_RATE * watched_s / frames) if frames else 0.0
        decoded, dropped = round(report.frames_decoded * part), round(report.frames_dropped * part)
        return replace(
            report,
            interval_s=watched_s,
            frames_decoded=decoded,
            frames_dropped=dropped,
            freezes=freezes,
            frozen_s=frozen_s,
        )


def _is_implausible(report: Report, elapsed_s: float, freezable_s: float, slack_s: float) -> bool:
    """`slack_s`: a page may have measured for a while before this connection."""
    return (
        report.interval_s > elapsed_s + slack_s
        or report.frozen_s > freezable_s + slack_s
        or report.freezes > MAX_FREEZE_RATE * report.interval_s
        or report.frames_decoded + report.frames_dropped > MAX_FRAME_RATE * report.interval_s
    )


class Reports:
    """See the module."""

    def __init__(self, settings: SignalSettings, histograms: Histograms) -> None:
        self.states: Counter[tuple[str, str]] = Counter()
        """(stream, state) -> reports."""
        self._settings = settings
        self._histograms = histograms
        self._figures: dict[str, dict[str, PlayerFigures]] = {}

    def take(self, stream: str, report: Report, reporter: Reporter, now_s: float) -> None:
        """Add a report to its stream's figures, or count why not."""
        believed = reporter.believed(report, now_s, self._settings.report_s)
        if isinstance(believed, str):
            self.states[stream, believed] += 1
            return
        self.states[stream, "taken"] += 1
        by_protocol = self._figures.setdefault(stream, {})
        _add(by_protocol.setdefault(report.protocol, PlayerFigures()), believed)
        self._observe(stream, believed)

    def figures(self, stream: str) -> dict[str, PlayerFigures]:
        """By protocol."""
        return self._figures.get(stream, {})

    def forget(self, stream: str) -> None:
        """The stream is gone."""
        self._figures.pop(stream, None)
        for labels in [labels for labels in self.states if labels[0] == stream]:
            del self.states[labels]

    def frames_dropped(self, stream: str) -> int:
        """By all its players' browsers together."""
        return sum(figures.frames_dropped for figures in self.figures(stream).values())

    def dropped_s(self, stream: str) -> float:
        """Of all its players' watched time together, in proportion to the frames that their browsers dropped."""
        return sum(figures.dropped_s for figures in self.figures(stream).values())

    def samples(self, streams: Iterable[str] = ()) -> Iterator[Sample]:
        """For a scrape. `streams`: those that there are, reported of or not yet."""
        for labels, count in self.states.items():
            yield "railbird_player_reports_total", labels, count
        for stream in {*streams, *self._figures}:
            yield "railbird_frames_dropped_total", (stream, "player", "browser"), self.frames_dropped(stream)
        for stream, by_protocol in self._figures.items():
            for protocol, figures in by_protocol.items():
                yield "railbird_player_frames_total", (stream, protocol), figures.frames_decoded
                yield "railbird_player_freezes_total", (stream, protocol), figures.freezes
                yield "railbird_player_frozen_seconds_total", (stream, protocol), figures.frozen_s
                yield "railbird_player_watched_seconds_total", (stream, protocol), figures.watched_s

    def _observe(self, stream: str, report: Report) -> None:
        if report.rtt_s is not None:
            self._histograms.player_rtt_seconds.labels(stream, report.protocol).observe(report.rtt_s)
        if report.delay_s is not None:
            self._histograms.player_delay_seconds.labels(stream, report.protocol).observe(report.delay_s)
        if report.jitter_buffer_s is not None:
            self._histograms.player_jitter_buffer_seconds.labels(stream).observe(report.jitter_buffer_s)


def _add(figures: PlayerFigures, report: Report) -> None:
    figures.reports += 1
    figures.frames_decoded += report.frames_decoded
    figures.frames_dropped += report.frames_dropped
    figures.freezes += report.freezes
    figures.frozen_s += report.frozen_s
    figures.watched_s += report.interval_s
    if frames := report.frames_decoded + report.frames_dropped:
        figures.dropped_s += report.interval_s * report.frames_dropped / frames
    figures.packets_received += report.packets_received or 0
    figures.packets_lost += report.packets_lost or 0
