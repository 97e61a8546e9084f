"""What follows from the figures of signals, and what people are told."""

from dataclasses import replace

import pytest

from loadgen.distribution import Distribution
from tests.bench.signals.report import render
from tests.bench.signals.results import EchoFloor, Outage, RoundTrip, SignalResults, Signals

RTT = RoundTrip(0.5, 0.8, 1.0, 2.0, 500)
WEBSOCKETS = Signals(
    carrier="websocket",
    clients=1000,
    has_upstream=False,
    base_share=0.01,
    ping_seconds=10.0,
    ping_cpu_s=0.5,
    pings=5000,
    ping_rtt=RTT,
    bet_seconds=10.0,
    bet_cpu_s=0.9,
    bets=2000,
    bet_rtt=RTT,
    unanswered=0,
    refused=0,
    broken_rules={},
    lateness_s=0.01,
)
ECHO = EchoFloor(1000, 10.0, 0.25, 5000, RTT)
OUTAGE = Outage(
    down_s=30.0,
    clients=1000,
    bets=6000,
    accepted=6000,
    unanswered=0,
    waiting_most=6000,
    drained_s=4.0,
    delivered=6000,
    undelivered=0,
    upstream={"bets": 6000, "attempts": 6100, "repeated": 100, "forged": 0, "changed": 0, "out_of_order": 0},
    broken_rules={},
    resident_before_bytes=100_000_000,
    resident_down_bytes=112_000_000,
    resident_after_bytes=111_000_000,
    bet_rtt=RTT,
)


def results(signals: Signals = WEBSOCKETS, outage: Outage | None = OUTAGE) -> SignalResults:
    """Of one carrier."""
    return SignalResults({"processor": "EPYC"}, {"websockets": 1000}, [signals], ECHO, outage)


def test_cpu_is_what_comes_on_top() -> None:
    assert WEBSOCKETS.ping_us == pytest.approx((0.5 - 0.1) / 5000 * 1e6)
    assert WEBSOCKETS.bet_us == pytest.approx((0.9 - 0.5) / 2000 * 1e6)
    assert WEBSOCKETS.core_share == pytest.approx(0.08)
    assert ECHO.echo_us == pytest.approx(50.0)


def test_round_trip_is_told_in_milliseconds() -> None:
    told = RoundTrip.of(Distribution([0.001] * 98 + [0.01] * 2))
    assert told is not None
    assert told.p50_ms == pytest.approx(1.0, rel=0.02)
    assert told.p99_ms == pytest.approx(10.0, rel=0.02)
    assert RoundTrip.of(Distribution()) is None


def test_outage_without_a_fault_has_none() -> None:
    assert (OUTAGE.faults, OUTAGE.lost) == ({}, 0)
    assert OUTAGE.bytes_a_bet == 2000


@pytest.mark.parametrize(
    ("outage", "faults"),
    [
        (replace(OUTAGE, upstream=OUTAGE.upstream | {"bets": 5990}), {"lost": 10}),
        (replace(OUTAGE, delivered=5999), {"lost": 1}),
        (replace(OUTAGE, unanswered=3), {"unanswered": 3}),
        (replace(OUTAGE, upstream=OUTAGE.upstream | {"out_of_order": 1}), {"out_of_order": 1}),
        (replace(OUTAGE, broken_rules={"two_answers": 2}), {"two_answers": 2}),
    ],
)
def test_fault_of_an_outage_misses_the_target(outage: Outage, faults: dict[str, int]) -> None:
    assert outage.faults == faults
    assert "missed: nothing lost" in render(results(outage=outage))


def test_report_gives_the_ratio_and_the_verdicts() -> None:
    told = render(results())
    assert "| websocket | 1,000 | 500 | 80 µs | 50 µs | 1.60 |" in told
    assert "met: each bet answered once by websocket: all" in told
    assert "met: nothing lost, order kept with the upstream down for 30 s: 6,000 bets" in told
    assert "missed" not in told


def test_players_that_were_late_are_told_of() -> None:
    assert "late" not in render(results())
    assert "players were up to 200 ms late" in render(results(replace(WEBSOCKETS, lateness_s=0.2)))


def test_unanswered_bets_and_broken_rules_miss_the_target() -> None:
    for wrong in ({"unanswered": 1}, {"broken_rules": {"two_answers": 1}}):
        assert "missed: each bet answered once" in render(results(replace(WEBSOCKETS, **wrong)))


def test_record_has_what_follows() -> None:
    record = results().record()
    assert record["signals"][0]["ping_us"] == pytest.approx(80.0)
    assert record["echo"]["echo_us"] == pytest.approx(50.0)
    assert record["outage"]["lost"] == 0
