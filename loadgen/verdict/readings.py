"""How each figure of a threshold is read from a run. None means that nothing was measured."""

import math
from collections.abc import Callable, Sequence

from loadgen.figures import GatewaySample, HlsCounts, MediaCounts, SignalCounts, StudioCounts
from loadgen.result import RunResult
from loadgen.target.comparison import PACKETS_TO_PLAYERS
from loadgen.verdict.growth import growth_per_s, steady_part

Reading = Callable[[RunResult], float | None]

MIN_RATED_S = 5.0
"""A session that was shorter has no bit rate worth a percentile: one keyframe makes it."""


def percentile(distribution: str, share: float) -> Reading:
    """Of one of the run's distributions."""
    return lambda result: result.totals.distributions[distribution].quantile(share)


def largest(distribution: str) -> Reading:
    """Exactly."""

    def read(result: RunResult) -> float | None:
        values = result.totals.distributions[distribution]
        return values.largest if values.count else None

    return read


def mean(distribution: str) -> Reading:
    """Exactly."""
    return lambda result: result.totals.distributions[distribution].mean


def media_share(share: Callable[[MediaCounts], float | None]) -> Reading:
    """Of all players together."""
    return lambda result: share(result.totals.all_media)


def media_count(count: Callable[[MediaCounts], float], basis: Callable[[MediaCounts], float]) -> Reading:
    """Of all players together; a 0 without `basis` is no measurement."""

    def read(result: RunResult) -> float | None:
        media = result.totals.all_media
        return count(media) if basis(media) else None

    return read


def hls_share(share: Callable[[HlsCounts], float | None]) -> Reading:
    """Of all LL-HLS players together."""
    return lambda result: share(result.totals.all_hls)


def hls_count(count: Callable[[HlsCounts], float], basis: Callable[[HlsCounts], float]) -> Reading:
    """Of all LL-HLS players together; a 0 without `basis` is no measurement."""

    def read(result: RunResult) -> float | None:
        hls = result.totals.all_hls
        return count(hls) if basis(hls) else None

    return read


def signals_share(share: Callable[[SignalCounts], float | None]) -> Reading:
    """Of all players with signals together."""
    return lambda result: share(result.totals.all_signals)


def signals_count(count: Callable[[SignalCounts], float], basis: Callable[[SignalCounts], float]) -> Reading:
    """Of all players with signals together; a 0 without `basis` is no measurement."""

    def read(result: RunResult) -> float | None:
        signals = result.totals.all_signals
        return count(signals) if basis(signals) else None

    return read


def signal_failures(result: RunResult) -> float | None:
    """Connections for signals that did not come up, or that the server ended."""
    failures, signals = result.totals.signal_failures.total(), result.totals.all_signals
    return failures + signals.connections_lost if failures or signals.connections else None


def rounds_count(count: Callable[[StudioCounts], float]) -> Reading:
    """Of the rounds that studios of the scenario drove; without any it is no measurement."""

    def read(result: RunResult) -> float | None:
        studios = result.totals.all_studios
        return count(studios) if studios.rounds_opened else None

    return read


def round_failures(result: RunResult) -> float | None:
    """Requests of studios about rounds."""
    failures = result.totals.round_failures.total()
    return failures if failures or result.totals.all_studios.rounds_opened else None


def attempts(result: RunResult) -> int:
    """Joins, failed ones included."""
    return result.totals.joins + result.totals.join_failures.total()


def join_failures(result: RunResult) -> float | None:
    """Share of attempts."""
    return result.totals.join_failures.total() / attempts(result) if attempts(result) else None


def no_picture(result: RunResult) -> float | None:
    """Share of the sessions that joined to see one."""
    totals = result.totals
    pictures = sum(totals.distributions[name].count for name in ("first_frame_s", "hls_first_frame_s"))
    joins = totals.joins - totals.distributions["signal_join_s"].count
    return 1 - pictures / joins if joins else None


def sessions_failed(result: RunResult) -> float | None:
    """Joins that failed, and sessions that the server ended."""
    if not attempts(result):
        return None
    return result.totals.join_failures.total() + result.totals.ended["closed_by_server"]


def closed_by_server(result: RunResult) -> float | None:
    """Sessions."""
    return result.totals.ended["closed_by_server"] if result.totals.joins else None


def moved(result: RunResult) -> float | None:
    """Players that were told to move, and did."""
    return result.totals.moved.total() if attempts(result) else None


def moves_lost(result: RunResult) -> float | None:
    """Of those: who saw nothing afterwards. Without any it is no measurement."""
    total = result.totals.moved.total()
    return total - result.totals.distributions["move_s"].count if total else None


def back_lost(result: RunResult) -> float | None:
    """Who was closed without a word, and saw nothing afterwards."""
    return result.totals.back_lost if attempts(result) else None


def moves_refused(result: RunResult) -> float | None:
    """Edges that players did not go to."""
    return result.totals.moves_refused.total() if attempts(result) else None


def viewers_peak(result: RunResult) -> float | None:
    """Players that watched at the same time."""
    return result.totals.peak_viewers if attempts(result) else None


def session_bitrate(share: float) -> Reading:
    """A percentile over the sessions that are known one by one and lasted."""

    def read(result: RunResult) -> float | None:
        rates = [
            session.bitrate_bps
            for session in result.sessions
            if session.join_s is not None and session.ended_s - session.started_s - session.join_s >= MIN_RATED_S
        ]
        return nearest_rank(rates, share)

    return read


def studio_failures(result: RunResult) -> float | None:
    """WHIP sessions that did not come up, or that the server ended."""
    studios = result.totals.studios.values()
    failures = sum(studio.failures for studio in studios)
    return failures if failures or any(studio.connects for studio in studios) else None


def packets_missing(result: RunResult) -> float | None:
    """Share of what the server counted as sent to players."""
    for counts in result.comparison:
        if counts.name == PACKETS_TO_PLAYERS and counts.server:
            return (counts.server - counts.client) / counts.server
    return None


def gateway(value: Callable[[GatewaySample], float | None], share: float) -> Reading:
    """A percentile over the samples of the gateway's process."""

    def read(result: RunResult) -> float | None:
        values = (value(interval.gateway) for interval in result.intervals)
        return nearest_rank([each for each in values if each is not None], share)

    return read


def gateway_rss_slope(result: RunResult) -> float | None:
    """Share of the first value, a second, over the steady part of the run."""
    steady = steady_part(result.intervals)
    return growth_per_s([(each.at_s, each.gateway.rss_bytes) for each in steady if each.gateway.rss_bytes is not None])


def nearest_rank(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all do not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1] if values else None
