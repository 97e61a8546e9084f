"""Timers of the event loop, in real but short time."""

import asyncio
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from gateway.clock import monotonic_s
from gateway.clockwork import Alarm, Clockwork, Look, isolated

PERIOD_S = 0.01


class Recorder:
    """Remembers when it was called, and says when that was often enough."""

    def __init__(self, enough: int = 1) -> None:
        self.calls_s: list[float] = []
        self.called_enough = asyncio.Event()
        self._enough = enough

    def call(self, now_s: float) -> None:
        self.calls_s.append(now_s)
        if len(self.calls_s) == self._enough:
            self.called_enough.set()


def fail(now_s: float) -> None:
    raise RuntimeError("a bug")


async def passes(periods: float) -> None:
    """Long enough for what is due in so many periods."""
    await asyncio.sleep(periods * PERIOD_S)


# Calls in isolation


def test_isolated_call_gets_the_time() -> None:
    calls_s: list[float] = []
    isolated(calls_s.append, 7.0)
    assert calls_s == [7.0]


def test_isolated_bug_is_logged_with_its_context() -> None:
    with capture_logs() as logs:
        isolated(fail, 7.0, stream="table")
    assert [(each["event"], each["call"], each["stream"], each["log_level"]) for each in logs] == [
        ("call failed", "fail", "table", "error")
    ]


# The clockwork


async def test_clockwork_calls_at_once_and_then_every_period() -> None:
    lags_s: list[float] = []
    clockwork, recorder = Clockwork(lags_s.append), Recorder(enough=4)
    clockwork.every(PERIOD_S, recorder.call)
    assert len(recorder.calls_s) == 1
    async with asyncio.timeout(5):
        await recorder.called_enough.wait()
    clockwork.stop()
    spans_s = [later - earlier for earlier, later in zip(recorder.calls_s, recorder.calls_s[1:], strict=False)]
    assert min(spans_s) >= PERIOD_S * 0.9


async def test_clockwork_calls_what_has_just_been_done_a_period_later_and_then_every_period() -> None:
    clockwork, recorder = Clockwork(lambda lag_s: None), Recorder(enough=3)
    began_s = monotonic_s()
    clockwork.again_every(PERIOD_S, recorder.call)
    assert recorder.calls_s == []
    async with asyncio.timeout(5):
        await recorder.called_enough.wait()
    clockwork.stop()
    calls_s = [began_s, *recorder.calls_s]
    assert min(later - earlier for earlier, later in pairwise(calls_s)) >= PERIOD_S * 0.9


async def test_clockwork_tells_how_late_each_call_is() -> None:
    lags_s: list[float] = []
    clockwork, recorder = Clockwork(lags_s.append), Recorder(enough=2)
    clockwork.every(PERIOD_S, recorder.call)
    late_s = monotonic_s() + 5 * PERIOD_S
    while monotonic_s() < late_s:
        pass  # the event loop is busy, and cannot call
    await recorder.called_enough.wait()
    clockwork.stop()
    assert len(lags_s) == 2
    assert lags_s[0] < PERIOD_S
    assert lags_s[1] > 3 * PERIOD_S
    assert clockwork.worst_lag_s == lags_s[1]


async def test_worst_lag_that_was_taken_is_told_no_more() -> None:
    clockwork, recorder = Clockwork(lambda _lag_s: None), Recorder(enough=3)
    clockwork.every(PERIOD_S, recorder.call)
    clockwork.worst_lag_s = 60.0
    await passes(2)
    assert clockwork.worst_lag_s == 60.0
    clockwork.worst_lag_s = 0.0
    await recorder.called_enough.wait()
    clockwork.stop()
    assert clockwork.worst_lag_s < 60.0


async def test_clockwork_goes_on_after_a_bug() -> None:
    clockwork, recorder = Clockwork(lambda _lag_s: None), Recorder(enough=3)
    with capture_logs() as logs:
        clockwork.every(PERIOD_S, fail)
        clockwork.every(PERIOD_S, recorder.call)
        async with asyncio.timeout(5):
            await recorder.called_enough.wait()
    clockwork.stop()
    assert [each["call"] for each in logs[:2]] == ["fail", "fail"]


async def test_clockwork_that_is_stopped_calls_nothing() -> None:
    clockwork, recorder = Clockwork(lambda _lag_s: None), Recorder()
    clockwork.every(PERIOD_S, recorder.call)
    clockwork.stop()
    await passes(3)
    assert len(recorder.calls_s) == 1


async def test_clockwork_may_be_stopped_by_what_it_calls() -> None:
    clockwork, calls_s = Clockwork(lambda _lag_s: None), list[float]()

    def call(now_s: float) -> None:
        calls_s.append(now_s)
        clockwork.stop()

    clockwork.every(PERIOD_S, call)
    await passes(3)
    assert len(calls_s) == 1


# The alarm


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


async def test_alarm_rings_once(recorder: Recorder) -> None:
    alarm, set_s = Alarm(recorder.call), monotonic_s()
    alarm.set(PERIOD_S, set_s)
    await recorder.called_enough.wait()
    await passes(3)
    assert len(recorder.calls_s) == 1
    assert recorder.calls_s[0] >= set_s + PERIOD_S * 0.9


async def test_alarm_that_rang_may_be_set_again() -> None:
    recorder = Recorder(enough=3)

    def ring(now_s: float) -> None:
        recorder.call(now_s)
        alarm.set(PERIOD_S, now_s)

    alarm = Alarm(ring)
    alarm.set(PERIOD_S, monotonic_s())
    async with asyncio.timeout(5):
        await recorder.called_enough.wait()
    alarm.clear()


@pytest.mark.parametrize("delays_s", [(60.0, PERIOD_S), (PERIOD_S, 60.0)])
async def test_alarm_set_again_rings_at_the_earlier_time(recorder: Recorder, delays_s: tuple[float, ...]) -> None:
    alarm, now_s = Alarm(recorder.call), monotonic_s()
    for delay_s in delays_s:
        alarm.set(delay_s, now_s)
    async with asyncio.timeout(5):
        await recorder.called_enough.wait()
    alarm.clear()
    assert len(recorder.calls_s) == 1


async def test_alarm_that_is_cleared_does_not_ring(recorder: Recorder) -> None:
    alarm = Alarm(recorder.call)
    alarm.set(PERIOD_S, monotonic_s())
    alarm.clear()
    alarm.clear()
    await passes(3)
    assert recorder.calls_s == []


async def test_alarm_that_was_cleared_may_be_set_later_than_before(recorder: Recorder) -> None:
    alarm, now_s = Alarm(recorder.call), monotonic_s()
    alarm.set(0.0, now_s)
    alarm.clear()
    alarm.set(PERIOD_S, now_s)
    await recorder.called_enough.wait()
    assert recorder.calls_s[0] >= now_s + PERIOD_S * 0.9


class Looker:
    """Looks until it may end."""

    def __init__(self) -> None:
        self.looks = 0
        self.may_end = asyncio.Event()

    async def look(self) -> None:
        self.looks += 1
        await self.may_end.wait()


async def test_look_is_not_begun_while_one_is_under_way() -> None:
    looker = Looker()
    look = Look(looker.look)
    for _ in range(3):
        look.begin(monotonic_s())
        await asyncio.sleep(0)
    assert looker.looks == 1
    looker.may_end.set()
    await look.wait()
    look.begin(monotonic_s())
    await look.wait()
    assert looker.looks == 2


async def test_look_goes_on_when_who_waits_for_it_goes_away() -> None:
    looker = Looker()
    look = Look(looker.look)
    look.begin(monotonic_s())
    waiting = asyncio.create_task(look.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert look._task is not None
    assert not look._task.done()
    await look.stop()
    assert look._task.cancelled()


async def test_look_that_was_never_begun_can_be_stopped() -> None:
    await Look(Looker().look).stop()
