"""Beats of several workers become intervals."""

from loadgen.figures import Interval, SessionFigures
from loadgen.run.beats import Beats
from loadgen.workers.messages import Beat


def _beat(number: int, joins: int, seconds: float = 1.0, lateness_s: float = 0.002) -> Beat:
    at_s = number + seconds + lateness_s
    session = SessionFigures(stream=f"of {joins}", group="viewers", started_s=0.0)
    return Beat(number, Interval(at_s=at_s, seconds=seconds, joins=joins), [session])


def test_interval_is_complete_with_the_last_workers_beat() -> None:
    beats = Beats(3)
    assert beats.add(_beat(0, 1)) is None
    assert beats.add(_beat(0, 2, seconds=1.2)) is None
    complete = beats.add(_beat(0, 4))
    assert complete is not None
    interval, ended = complete
    assert (interval.joins, interval.at_s, interval.seconds) == (7, 1.0, 1.2)
    assert [session.stream for session in ended] == ["of 1", "of 2", "of 4"]
    assert beats.rest() == []


def test_beats_of_different_seconds_wait_for_their_own() -> None:
    beats = Beats(2)
    assert beats.add(_beat(0, 1)) is None
    assert beats.add(_beat(1, 10)) is None
    assert beats.add(_beat(2, 100)) is None
    later = beats.add(_beat(1, 20))
    assert later is not None
    assert (later[0].joins, later[0].at_s) == (30, 2.0)
    first = beats.add(_beat(0, 2))
    assert first is not None
    assert (first[0].joins, first[0].at_s) == (3, 1.0)
    assert [interval.joins for interval, _ended in beats.rest()] == [100]


def test_interval_of_late_beats_is_of_its_own_second() -> None:
    beats = Beats(1)
    complete = beats.add(_beat(4, 1, lateness_s=3.0))
    assert complete is not None
    assert complete[0].at_s == 5.0


def test_last_beat_ends_when_its_worker_did() -> None:
    beats = Beats(1)
    complete = beats.add(_beat(4, 1, seconds=0.25, lateness_s=0.0))
    assert complete is not None
    assert (complete[0].at_s, complete[0].seconds) == (4.25, 0.25)


def test_rest_of_a_worker_that_ends_earlier_is_in_order() -> None:
    beats = Beats(2)
    for number in (2, 1, 3):
        assert beats.add(_beat(number, number, seconds=0.5 if number == 3 else 1.0, lateness_s=0.0)) is None
    rest = beats.rest()
    assert [(interval.joins, interval.at_s) for interval, _ended in rest] == [(1, 2.0), (2, 3.0), (3, 3.5)]
    assert [len(ended) for _interval, ended in rest] == [1, 1, 1]
    assert beats.rest() == [], "they are told once"
