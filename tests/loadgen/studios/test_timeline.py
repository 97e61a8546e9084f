import itertools

from loadgen.scenario.schema import PauseEvent, ReconnectEvent
from loadgen.studios.timeline import Event, next_happening


def pause(at_s: float, every_s: float | None = None) -> PauseEvent:
    return PauseEvent(at_s=at_s, pause_s=0.5, every_s=every_s)


def reconnect(at_s: float, every_s: float | None = None) -> ReconnectEvent:
    return ReconnectEvent(at_s=at_s, reconnect_after_s=1.0, every_s=every_s)


def times(events: tuple[Event, ...], after_s: float = -1.0) -> list[float]:
    """The first six."""
    found: list[float] = []
    for _ in itertools.repeat(None, 6):
        happening = next_happening(events, after_s)
        if happening is None:
            break
        found.append(happening.at_s)
        after_s = happening.at_s
    return found


def test_happenings_of_several_events_in_order() -> None:
    events = (reconnect(5.0, every_s=4.0), pause(2.0), pause(6.0))
    assert times(events) == [2.0, 5.0, 6.0, 9.0, 13.0, 17.0]


def test_happening_that_has_passed_does_not_come_late() -> None:
    assert times((pause(2.0),), after_s=2.0) == []
    assert times((pause(2.0, every_s=10.0),), after_s=25.0)[0] == 32.0


def test_happenings_of_uneven_intervals_come_each_once() -> None:
    event = pause(0.1, every_s=1.1)
    found = []
    after_s = 0.0
    for _ in range(10_000):
        happening = next_happening((event,), after_s)
        assert happening is not None
        assert happening.at_s > after_s
        after_s = happening.at_s
        found.append(after_s)
    assert all(0.9 < later - earlier < 1.3 for earlier, later in itertools.pairwise(found))
    assert abs(found[-1] - (0.1 + 9_999 * 1.1)) < 1e-6


def test_of_two_at_one_instant_the_first_named_happens() -> None:
    first, second = pause(3.0), reconnect(3.0)
    happening = next_happening((first, second), 0.0)
    assert happening is not None
    assert happening.event is first
    assert next_happening((first, second), 3.0) is None


def test_no_events_no_happening() -> None:
    assert next_happening((), 0.0) is None
