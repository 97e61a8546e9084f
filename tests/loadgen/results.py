"""A run that never was, with figures as they might have been: for whatever reads a `RunResult`."""

import random
from collections import Counter
from dataclasses import dataclass

from loadgen.distribution import Distribution
from loadgen.figures import (
    DISTRIBUTIONS,
    GatewaySample,
    Generator,
    HlsCounts,
    Interval,
    MediaCounts,
    SessionFigures,
    SignalCounts,
    StudioCounts,
)
from loadgen.result import Group, Outcome, RunResult, ServerCounts, ThresholdResult, Totals

STREAMS = ("table-1", "table-2")
STARTED_UNIX_S = 1_790_000_000.25
PACKETS_A_VIEWER = 170
PACKET_BYTES = 1_110
FRAMES_A_SECOND = 30
REQUESTS_A_SECOND = 20

MET = ThresholdResult("join_p95 < 500ms", 0.0382, "38.2 ms", True)
MISSED = ThresholdResult("residual_loss < 0.01%", 0.0007, "0.07 %", False)
UNMEASURED = ThresholdResult("gateway_rss_slope < 1%/h", None, "not measured", False)

OUTCOMES = {
    Outcome.PASSED: [MET, ThresholdResult("freeze_ratio < 0.1%", 0.0004, "0.04 %", True)],
    Outcome.MISSED: [MET, MISSED, UNMEASURED],
    Outcome.OVERLOADED: [MET],
    Outcome.FAILED: [],
    Outcome.INTERRUPTED: [MET],
}


@dataclass
class MadeUpRun:
    """A crowd that joins in the first fifth of the run; two thirds into it some packets are lost and pictures stand."""

    outcome: Outcome = Outcome.PASSED
    seconds: int = 60
    viewers: int = 400
    has_gateway: bool = True
    """Whether its CPU, its memory and its counters are known."""
    seated: int = 0
    """So many of the viewers are a group of their own."""
    hls_viewers: int = 0
    """Besides: a group by LL-HLS, there from the first second."""
    betting: int = 0
    """So many of the viewers bet once a second, the first ones; nine of ten are in time."""
    hole: range = range(0)
    """Seconds of which no interval came."""
    seed: int = 7

    def result(self) -> RunResult:
        """The whole run."""
        self._random = random.Random(self.seed)
        intervals = [self._interval(second) for second in range(1, self.seconds + 1) if second not in self.hole]
        sessions = [self._session(number) for number in range(self.viewers)]
        sessions += [self._hls_session(number) for number in range(self.hls_viewers)]
        return RunResult(
            scenario_name="storm",
            summary="Everybody comes at once: a round starts",
            target="http://127.0.0.1:8080",
            started_unix_s=STARTED_UNIX_S,
            seconds=float(self.seconds),
            settings={"seed": self.seed, "players": [{"name": "crowd", "count": self.viewers, "streams": "all"}]},
            machine={"processor": "AMD EPYC 7B13, 2 cores", "kernel": "Linux 6.1.0", "python": "3.11.2"},
            intervals=intervals,
            sessions=sessions,
            totals=totals_of(intervals, sessions),
            thresholds=list(OUTCOMES[self.outcome]),
            comparison=_comparison() if self.has_gateway else [],
            remarks=["UDP receive buffers are 208 kB: net.core.rmem_max was not raised."],
            outcome=self.outcome,
        )

    def _watching(self, second: int) -> int:
        return min(self.viewers, round(self.viewers * second / max(1, self.seconds // 5)))

    def _interval(self, second: int) -> Interval:
        watching = self._watching(second)
        joins = watching - self._watching(second - 1)
        is_bad = self.seconds * 2 // 3 <= second < self.seconds * 2 // 3 + 3
        interval = Interval(
            at_s=float(second),
            seconds=1.0,
            viewers=watching,
            joining=joins // 8,
            joins=joins,
            join_failures=Counter({"http_503": 2}) if second == 3 else Counter(),
            media={stream: self._media(watching // len(STREAMS), is_bad) for stream in STREAMS},
            studios={stream: _studio(second) for stream in STREAMS},
            join_s=self._around(0.024, joins),
            first_frame_s=self._around(0.19, joins),
            delay_s=self._around(0.085 if is_bad else 0.031, watching // 8),
            rtt_s=self._around(0.0011, watching // 4),
            jitter_s=self._around(0.0009, watching // 4),
            gap_s=self._around(0.62 if is_bad else 0.041, watching // 4),
            generator=self._generator(watching),
            gateway=self._gateway(second, watching) if self.has_gateway else GatewaySample(),
        )
        if self.hls_viewers:
            self._add_hls(interval, second)
        if self.betting:
            self._add_bets(interval, second)
        return interval

    def _add_bets(self, interval: Interval, second: int) -> None:
        interval.signals[STREAMS[0]] = _bets(self.betting, is_bad=second == 3)
        interval.bet_rtt_s = self._around(0.012, self.betting)
        interval.signal_rtt_s = self._around(0.011, self.betting)
        if second == 3:
            interval.signal_failures["http_503"] = interval.broken_signal_rules["two_answers"] = 1
            interval.round_aborts["ingest_loss"] = interval.round_failures["http_404"] = 1
        interval.studios[STREAMS[0]].rounds_opened = int(second % 20 == 1)
        interval.studios[STREAMS[0]].rounds_settled = int(second % 20 == 19)
        interval.studios[STREAMS[0]].rounds_aborted = int(second == 3)

    def _add_hls(self, interval: Interval, second: int) -> None:
        viewers = self.hls_viewers
        interval.hls[STREAMS[0]] = _hls(viewers, 1)
        interval.media[STREAMS[0]].frames_complete += viewers * FRAMES_A_SECOND
        interval.generator.hls_requests = viewers * REQUESTS_A_SECOND
        interval.hls_failures["http_503"] = int(second == 3)
        interval.broken_rules["part_too_long"] = int(second == 3)
        if second == 1:
            interval.hls_join_s = self._around(0.03, viewers)
            interval.hls_first_frame_s = self._around(0.3, viewers)
        interval.hls_request_s = self._around(0.004, viewers)
        interval.hls_lateness_s = self._around(0.05, viewers)
        interval.hls_latency_s = self._around(0.8, viewers)
        interval.hls_delay_s = self._around(0.85, viewers)

    def _around(self, middle: float, values: int) -> Distribution:
        return Distribution(middle * self._random.lognormvariate(0, 0.25) for _ in range(values))

    def _media(self, watching: int, is_bad: bool) -> MediaCounts:
        packets, frames = watching * PACKETS_A_VIEWER, watching * FRAMES_A_SECOND
        lost = round(packets * (0.011 if is_bad else 0.0004) * self._random.uniform(0.7, 1.3))
        recovered = round(lost * 0.9)
        return MediaCounts(
            packets=packets - lost + recovered,
            bytes=round(packets * PACKET_BYTES * self._random.uniform(0.97, 1.03)),
            retransmissions=recovered,
            lost=lost,
            recovered=recovered,
            nacked=lost,
            frames_complete=frames - lost // 10,
            frames_incomplete=lost // 10,
            frames_late=lost // 4,
            freezes=watching // 10 if is_bad else 0,
            frozen_s=watching / 10 * 0.4 if is_bad else 0.0,
            watched_s=float(watching),
        )

    def _generator(self, watching: int) -> Generator:
        packets = watching * PACKETS_A_VIEWER
        cpu_s = packets * 1.9e-6 * self._random.uniform(0.95, 1.1)
        return Generator(cpu_s, cpu_s * 1.05, packets, kernel_drops=0, lateness_s=self._random.uniform(0.001, 0.004))

    def _gateway(self, second: int, watching: int) -> GatewaySample:
        return GatewaySample(
            watching * 0.0016 * self._random.uniform(0.95, 1.05), 61_000_000 + 90_000 * watching + second
        )

    def _session(self, number: int) -> SessionFigures:
        group = "seated" if number < self.seated else "crowd"
        if number % 100 == 99:
            return SessionFigures(STREAMS[0], group, 2.5, 2.6, "http_503")
        slow = self._random.lognormvariate(0, 0.3)
        is_frozen = number % 10 == 0
        return SessionFigures(
            stream=STREAMS[number % len(STREAMS)],
            group=group,
            started_s=number * self.seconds / 5 / self.viewers,
            ended_s=float(self.seconds),
            end="run_end",
            join_s=0.024 * slow,
            first_frame_s=0.19 * slow,
            media=MediaCounts(
                packets=PACKETS_A_VIEWER * self.seconds,
                bytes=PACKETS_A_VIEWER * PACKET_BYTES * self.seconds,
                lost=number % 40,
                recovered=number % 40 * 9 // 10,
                frames_complete=FRAMES_A_SECOND * self.seconds,
                freezes=int(is_frozen),
                frozen_s=0.4 * slow if is_frozen else 0.0,
                watched_s=self.seconds - 0.2,
            ),
            jitter_s=0.0009 * slow,
            rtt_s=0.0011,
            longest_gap_s=0.6 * slow if is_frozen else 0.041,
            delay_p50_s=0.031 if number % 50 == 0 else None,
            delay_p99_s=0.088 if number % 50 == 0 else None,
            is_sampled=number % 50 == 0,
            signals=self._bets_of(number),
            bet_rtt_p50_s=0.012 if number < self.betting else None,
            bet_rtt_p95_s=0.02 if number < self.betting else None,
        )

    def _bets_of(self, number: int) -> SignalCounts | None:
        return _bets(self.seconds) if number < self.betting else None

    def _hls_session(self, number: int) -> SessionFigures:
        return SessionFigures(
            stream=STREAMS[0],
            group="tvs",
            started_s=number * 0.01,
            ended_s=float(self.seconds),
            end="run_end",
            join_s=0.03,
            first_frame_s=0.3,
            media=MediaCounts(frames_complete=FRAMES_A_SECOND * self.seconds, watched_s=float(self.seconds)),
            longest_gap_s=0.033,
            protocol="hls",
            hls=_hls(1, self.seconds),
            latency_p50_s=0.8,
            latency_p95_s=0.9,
        )


def _bets(bets: int, is_bad: bool = False) -> SignalCounts:
    return SignalCounts(
        connections=bets,
        messages=2 * bets,
        pings=bets,
        bets=bets,
        bets_answered=bets,
        accepted=bets * 9 // 10,
        late=bets - bets * 9 // 10,
        bets_unanswered=int(is_bad),
        rules_broken=int(is_bad),
        rounds=bets,
    )


def _hls(viewers: int, seconds: int) -> HlsCounts:
    return HlsCounts(
        requests=viewers * seconds * REQUESTS_A_SECOND,
        failures=viewers,
        parts=viewers * seconds * REQUESTS_A_SECOND // 2,
        stalls=viewers // 10,
        stalled_s=viewers / 100,
        watched_s=float(viewers * seconds),
    )


def totals_of(intervals: list[Interval], sessions: list[SessionFigures]) -> Totals:
    """The run's sums, as its intervals and sessions have them."""
    totals = Totals(peak_viewers=max((interval.viewers for interval in intervals), default=0))
    for interval in intervals:
        totals.joins += interval.joins
        totals.join_failures.update(interval.join_failures)
        totals.ice_restarts += interval.ice_restarts
        totals.generator.merge(interval.generator)
        for stream, counts in interval.media.items():
            totals.media.setdefault(stream, MediaCounts()).add(counts)
        for stream, hls in interval.hls.items():
            totals.hls.setdefault(stream, HlsCounts()).add(hls)
        totals.hls_failures.update(interval.hls_failures)
        totals.broken_rules.update(interval.broken_rules)
        for stream, signals in interval.signals.items():
            totals.signals.setdefault(stream, SignalCounts()).add(signals)
        totals.signal_failures.update(interval.signal_failures)
        totals.broken_signal_rules.update(interval.broken_signal_rules)
        totals.round_aborts.update(interval.round_aborts)
        totals.round_failures.update(interval.round_failures)
        for stream, studio in interval.studios.items():
            totals.studios.setdefault(stream, StudioCounts()).add(studio)
        for name in DISTRIBUTIONS:
            totals.distributions[name].merge(getattr(interval, name))
    totals.distributions["gap_s"] = Distribution(session.longest_gap_s for session in sessions)
    for session in sessions:
        totals.groups.setdefault(session.group, Group()).add(session)
    totals.ended = Counter(session.end for session in sessions)
    return totals


def _studio(second: int) -> StudioCounts:
    return StudioCounts(
        packets=180, bytes=198_000, frames=FRAMES_A_SECOND, keyframes=second % 2, connects=int(second == 1)
    )


def _comparison() -> list[ServerCounts]:
    return [
        ServerCounts("packets, studios to gateway", 'railbird_packets_received_total{leg="ingest"}', 21_600, 21_600),
        ServerCounts("packets, gateway to players", 'railbird_packets_sent_total{leg="egress"}', 3_672_410, 3_670_902),
        ServerCounts("frames dropped for slow players", "railbird_frames_dropped_total", 0, 512),
    ]
