"""What browsers say that they saw: bounded, never oftener than asked for, summed a stream and protocol."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.config import SignalSettings
from gateway.metrics import Histograms, Sample
from gateway.signals.messages import Report

MAX_FRAME_RATE = 250.0
"""Frames a second of a report: more than any browser shows."""

MAX_FREEZE_RATE = 10.0
"""Freezes a second of a report: each lasts 150 ms at least, as browsers count them (webrtc-stats, freezeCount)."""


@dataclass(slots=True)
class PlayerFigures:
    """What the players of one stream by one protocol reported together, since the stream began."""

    reports: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    freezes: int = 0
    frozen_s: float = 0.0
    watched_s: float = 0.0
    packets_received: int = 0
    packets_lost: int = 0


class Reporter:
    """One connection's reports: when the next may come, and how much time it may claim."""

    __slots__ = ("_freezable_s", "_last_s")

    def __init__(self, now_s: float) -> None:
        self._last_s = now_s
        self._freezable_s = 0.0
        """Of the time before the last report: what a freeze that was not over then may have taken."""

    def refusal(self, report: Report, now_s: float, report_s: float) -> str | None:
        """Why the report is not taken, as the label of `railbird_player_reports_total`; None: it is."""
        elapsed_s = now_s - self._last_s
        if elapsed_s < report_s / 2:
            return "too_often"
        freezable_s = self._freezable_s + elapsed_s
        if _is_implausible(report, elapsed_s, freezable_s, 2 * report_s):
            return "implausible"
        # Nobody's picture stands still for longer than there was time, nor while it moves.
        left_s = freezable_s - report.frozen_s
        self._last_s, self._freezable_s = now_s, min(left_s, report.interval_s) if report.frames_decoded else left_s
        return None


def _is_implausible(report: Report, elapsed_s: float, freezable_s: float, slack_s: float) -> bool:
    """`slack_s`: a page may have measured for a while before this connection. Nobody counts for more than there is."""
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
        refusal = reporter.refusal(report, now_s, self._settings.report_s)
        self.states[stream, refusal or "taken"] += 1
        if refusal is None:
            by_protocol = self._figures.setdefault(stream, {})
            _add(by_protocol.setdefault(report.protocol, PlayerFigures()), report)
            self._observe(stream, report)

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
    figures.packets_received += report.packets_received or 0
    figures.packets_lost += report.packets_lost or 0
