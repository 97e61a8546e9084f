"""Each figure as it is read from a run; `test_metrics` goes through the whole table."""

import pytest

from loadgen.distribution import Distribution
from loadgen.figures import (
    GatewaySample,
    HlsCounts,
    Interval,
    MediaCounts,
    SessionFigures,
    SignalCounts,
    StudioCounts,
)
from loadgen.result import RunResult, ServerCounts
from loadgen.target.comparison import PACKETS_TO_PLAYERS
from loadgen.verdict import readings
from loadgen.verdict.metrics import METRICS
from tests.loadgen.verdict.runs import a_result


def session(seconds: float, rate_bps: float, join_s: float | None = 1.0) -> SessionFigures:
    watched = MediaCounts(bytes=round(rate_bps * seconds / 8))
    return SessionFigures("a", "g", 2.0, ended_s=2.0 + (join_s or 0.0) + seconds, join_s=join_s, media=watched)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("loss", 0.05),
        ("residual_loss", 0.02),
        ("freeze_ratio", 0.1),
        ("frames_incomplete", 0.02),
        ("frames_undecodable", 0.08),
        ("frames_dropped", 0.1),
        ("frames_late", 0.05),
    ],
)
def test_share_of_media_is_over_all_streams(name: str, share: float) -> None:
    result = a_result()
    result.totals.media["a"] = MediaCounts(
        packets=98, lost=5, recovered=3, frames_complete=90, frames_incomplete=2, frames_late=10, watched_s=100.0
    )
    result.totals.media["b"] = MediaCounts(
        packets=98, lost=5, recovered=3, frames_complete=90, frames_incomplete=2, frames_undecodable=16, frozen_s=10.0
    )
    assert METRICS[name].read(result) == pytest.approx(share)


def test_counts_are_zero_once_there_was_something_to_count() -> None:
    result = a_result()
    assert METRICS["freezes"].read(result) is None
    result.totals.media["a"] = MediaCounts(watched_s=1.0)
    assert METRICS["freezes"].read(result) == 0


def test_authentication_failures_count_when_no_packet_passed() -> None:
    result = a_result()
    result.totals.media["a"] = MediaCounts(authentication_failures=4)
    assert METRICS["authentication_failures"].read(result) == 4


def test_no_picture_is_of_all_who_joined() -> None:
    result = a_result()
    assert readings.no_picture(result) is None
    result.totals.joins = 8
    for _ in range(6):
        result.totals.distributions["first_frame_s"].add(0.2)
    assert readings.no_picture(result) == 0.25


def test_failures_are_of_all_attempts() -> None:
    result = a_result()
    result.totals.joins = 8
    result.totals.join_failures.update(http_503=1, ice_timeout=1)
    result.totals.ended.update(hop=3, closed_by_server=4)
    assert readings.join_failures(result) == 0.2
    assert readings.sessions_failed(result) == 6
    assert readings.closed_by_server(result) == 4


def test_peak_of_viewers_is_zero_when_all_were_refused() -> None:
    result = a_result()
    result.totals.join_failures["http_503"] = 1
    assert readings.viewers_peak(result) == 0


def test_bitrate_is_of_sessions_that_lasted() -> None:
    result = a_result()
    result.sessions = [session(10.0, 1e6 + each) for each in range(100)]
    result.sessions += [session(4.9, 9e6), session(60.0, 0.0, join_s=None)]
    assert readings.session_bitrate(0.05)(result) == pytest.approx(1e6 + 4)


def test_bitrate_of_short_sessions_only_is_not_known() -> None:
    result = a_result()
    result.sessions = [session(4.9, 1e6)]
    assert readings.session_bitrate(0.05)(result) is None


@pytest.mark.parametrize(
    ("studio", "failures"), [(StudioCounts(connects=1), 0), (StudioCounts(failures=2), 2), (StudioCounts(), None)]
)
def test_studio_failures_need_a_studio(studio: StudioCounts, failures: int | None) -> None:
    result = a_result()
    result.totals.studios["a"] = studio
    assert readings.studio_failures(result) == failures


def test_packets_missing_are_a_share_of_the_servers() -> None:
    result = a_result()
    result.comparison = [ServerCounts("else", "", 7, 7), ServerCounts(PACKETS_TO_PLAYERS, "", 200, 190)]
    assert readings.packets_missing(result) == 0.05


def test_packets_missing_of_none_sent_are_not_known() -> None:
    result = a_result()
    result.comparison = [ServerCounts(PACKETS_TO_PLAYERS, "", 0, 0)]
    assert readings.packets_missing(result) is None


def test_gateway_percentile_leaves_out_failed_samples() -> None:
    result = a_result()
    samples = [GatewaySample(cpu_share=each / 100) for each in range(1, 101)] + [GatewaySample()]
    result.intervals = [Interval(float(at_s), 1.0, gateway=sample) for at_s, sample in enumerate(samples)]
    assert METRICS["gateway_cpu_p95"].read(result) == 0.95
    assert METRICS["gateway_cpu_max"].read(result) == 1.0
    assert METRICS["gateway_rss_max"].read(result) is None


def test_rss_slope_is_of_the_steady_part() -> None:
    result = a_result()
    for second in range(200):
        viewers = min(second, 100)
        sample = GatewaySample(rss_bytes=50_000_000 + 300_000 * viewers)
        result.intervals.append(Interval(float(second), 1.0, viewers=viewers, gateway=sample))
    assert readings.gateway_rss_slope(result) == 0.0
    for interval in result.intervals:
        assert interval.gateway.rss_bytes is not None
        interval.gateway.rss_bytes += int(8_000 * interval.at_s)
    assert readings.gateway_rss_slope(result) == pytest.approx(0.0001, rel=0.02)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.25, 1.0), (0.26, 2.0), (0.5, 2.0), (1.0, 4.0)])
def test_nearest_rank_is_one_of_the_values(share: float, value: float) -> None:
    assert readings.nearest_rank([4.0, 1.0, 3.0, 2.0], share) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hls_stalls", 3),
        ("hls_stall_ratio", 0.05),
        ("hls_requests_failed", 0.02),
        ("hls_playlist_errors", 7),
        ("hls_media_errors", 1),
        ("hls_gaps", 4),
        ("hls_overlaps", 5),
        ("hls_restarts", 11),
    ],
)
def test_figures_of_hls_are_over_all_streams(name: str, value: float) -> None:
    result = a_result()
    result.totals.hls["a"] = HlsCounts(
        requests=100, failures=4, stalls=3, stalled_s=5.0, watched_s=60.0, overruns=9, restarts=2
    )
    result.totals.hls["b"] = HlsCounts(
        requests=100, parts=10, playlist_errors=7, media_errors=1, gaps=4, overlaps=5, watched_s=40.0
    )
    assert METRICS[name].read(result) == pytest.approx(value)


def test_session_by_hls_that_saw_a_picture_is_one_with_a_picture() -> None:
    result = a_result()
    result.totals.joins = 4
    result.totals.distributions["first_frame_s"] = Distribution([0.1])
    result.totals.distributions["hls_first_frame_s"] = Distribution([0.3, 0.4])
    assert METRICS["no_picture"].read(result) == 0.25


def with_signals(**counts: int) -> RunResult:
    result = a_result()
    result.totals.signals = {"a": SignalCounts(**counts), "b": SignalCounts(**counts)}
    return result


@pytest.mark.parametrize(
    ("name", "counts", "value"),
    [
        ("bets", {"connections": 1, "bets": 5}, 10),
        ("bets_unanswered", {"bets": 5, "bets_unanswered": 1}, 2),
        ("bets_accepted", {"bets": 5, "accepted": 4}, 0.8),
        ("bets_late", {"bets": 5, "late": 2}, 4),
        ("bets_refused", {"bets": 9, "late": 1, "accepted": 1, "duplicate": 1, "rate_limited": 1, "forbidden": 1}, 6),
        ("bets_undelivered", {"accepted": 5, "undelivered": 1}, 2),
        ("broken_signal_rules", {"messages": 5, "rules_broken": 1}, 2),
        ("signal_failures", {"connections": 5, "connections_lost": 1}, 2),
        ("signal_pings", {"connections": 5, "pings": 7}, 14),
        ("rounds_seen", {"connections": 5, "rounds": 7}, 14),
    ],
)
def test_figure_of_signals_is_over_all_streams(name: str, counts: dict[str, int], value: float) -> None:
    assert METRICS[name].read(a_result()) is None
    assert METRICS[name].read(with_signals(**counts)) == pytest.approx(value)


def test_signals_that_did_not_come_up_are_failures() -> None:
    result = a_result()
    result.totals.signal_failures["http_401"] = 3
    assert readings.signal_failures(result) == 3


def test_rounds_are_those_of_the_scenarios_studios() -> None:
    result = a_result()
    for name in ("rounds_settled", "rounds_aborted", "round_failures"):
        assert METRICS[name].read(result) is None
    result.totals.studios["a"] = StudioCounts(rounds_opened=5, rounds_settled=3, rounds_aborted=2)
    assert [METRICS[name].read(result) for name in ("rounds_settled", "rounds_aborted", "round_failures")] == [3, 2, 0]
    result.totals.round_failures["http_401"] = 4
    assert readings.round_failures(result) == 4


def test_players_by_signals_alone_see_no_picture_and_miss_none() -> None:
    result = a_result()
    result.totals.joins = 3
    result.totals.distributions["signal_join_s"].add(0.1)
    for _ in range(2):
        result.totals.distributions["first_frame_s"].add(0.2)
    assert readings.no_picture(result) == 0


def test_moves_are_of_those_that_were_told() -> None:
    result = a_result()
    assert [METRICS[name].read(result) for name in ("moved", "moves_lost", "moves_refused")] == [None, None, None]
    result.totals.joins = 3
    assert [METRICS[name].read(result) for name in ("moved", "moves_lost", "moves_refused")] == [0, None, 0]
    result.totals.moved.update({"a": 2, "b": 1})
    result.totals.moves_refused["not_permitted"] = 4
    result.totals.distributions["move_s"] = Distribution([0.25, 1.5])
    assert [METRICS[name].read(result) for name in ("moved", "moves_lost", "moves_refused")] == [3, 1, 4]
    assert METRICS["move_max"].read(result) == 1.5


def test_players_that_were_closed_without_a_word_are_lost_unless_they_saw_something_again() -> None:
    result = a_result()
    assert METRICS["back_lost"].read(result) is None
    result.totals.joins = 3
    assert METRICS["back_lost"].read(result) == 0
    result.totals.closed_untold = 50
    result.totals.distributions["back_s"] = Distribution([2.5])
    assert METRICS["back_lost"].read(result) == 49
    assert METRICS["back_max"].read(result) == 2.5
