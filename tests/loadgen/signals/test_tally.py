"""What one player's signals amount to, taken piece by piece."""

import pytest

from loadgen.figures import Interval, SessionFigures
from loadgen.signals import tally as tally_module
from loadgen.signals.tally import Tally


def test_what_is_taken_is_told_once_and_adds_up_in_the_record() -> None:
    tally, figures = Tally(), SessionFigures("table", "players", 0.0)
    intervals = [Interval(0.0, 0.0), Interval(0.0, 0.0)]
    for number, interval in enumerate(intervals, 1):
        tally.counts.bets += number
        tally.counts.messages += 10
        tally.failures["http_401"] += 1
        tally.on_broken_rule("two_answers")
        tally.on_bet_rtt(0.01 * number)
        tally.on_ping_rtt(0.02)
        tally.take(interval, figures, is_stamped=False)
    assert [interval.signals["table"].bets for interval in intervals] == [1, 2]
    assert [interval.signal_failures for interval in intervals] == [{"http_401": 1}] * 2
    assert [interval.broken_signal_rules for interval in intervals] == [{"two_answers": 1}] * 2
    assert [interval.bet_rtt_s.count for interval in intervals] == [1, 1]
    assert [interval.signal_rtt_s.largest for interval in intervals] == [0.02, 0.02]
    assert [interval.generator.websocket_messages for interval in intervals] == [10, 10]
    assert figures.signals is not None
    assert (figures.signals.bets, figures.signals.rules_broken) == (3, 2)
    assert figures.bet_rtt_p50_s == pytest.approx(0.01, rel=0.02)


def test_messages_that_the_kernel_stamped_may_be_read_later() -> None:
    tally, interval = Tally(), Interval(0.0, 0.0)
    tally.counts.messages = 10
    tally.take(interval, SessionFigures("table", "players", 0.0), is_stamped=True)
    assert (interval.generator.websocket_messages, interval.signals["table"].messages) == (0, 10)


def test_round_trips_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "MAX_VALUES", 3)
    tally, interval = Tally(), Interval(0.0, 0.0)
    for _ in range(5):
        tally.on_bet_rtt(0.01)
        tally.on_ping_rtt(0.01)
    tally.take(interval, SessionFigures("table", "players", 0.0), is_stamped=True)
    assert (interval.bet_rtt_s.count, interval.signal_rtt_s.count) == (3, 3)
