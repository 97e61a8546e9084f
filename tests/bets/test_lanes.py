"""Lanes whose attempts end as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from structlog.testing import capture_logs

from gateway.bets.handover import Handover, handover
from gateway.bets.lanes import FAILED_HERE, OUT_OF_TIME, Lanes, Pauses, Road
from gateway.bets.webhook import Fate, Verdict
from gateway.clock import monotonic_s
from tests.bets.casino import until
from tests.bets.table import bet

TAKEN, REFUSED = Verdict(Fate.DELIVERED, "HTTP 204"), Verdict(Fate.REFUSED, "HTTP 422")
DOWN = Verdict(Fate.TRY_AGAIN, "HTTP 503")
SHORT = Pauses(0.01, 0.02)


@dataclass
class Attempts:
    """What is answered to each attempt, the last answer again and again; what was tried, and what ended."""

    answers: list[Verdict | Exception]
    tried: list[str] = field(default_factory=list)
    tried_s: list[float] = field(default_factory=list)
    ended: list[tuple[str, Verdict, int]] = field(default_factory=list)

    async def attempt(self, handed: Handover) -> Verdict:
        self.tried.append(handed.bet.bet_id)
        self.tried_s.append(monotonic_s())
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def on_ended(self, handed: Handover, verdict: Verdict, retries: int) -> None:
        self.ended.append((handed.bet.bet_id, verdict, retries))


@contextlib.asynccontextmanager
async def running(
    attempts: Attempts, hurry: asyncio.Event | None = None, pauses: Pauses = SHORT, count: int = 1
) -> AsyncIterator[Lanes]:
    """Lanes that are stopped when the block ends."""
    road = Road(lambda _handed: contextlib.nullcontext(), attempts.attempt, attempts.on_ended)
    lanes = Lanes(count, road, hurry or asyncio.Event(), pauses)
    lanes.start()
    try:
        yield lanes
    finally:
        await lanes.stop()


def handed(bet_id: str = "b1", left_s: float = 60.0) -> Handover:
    """One that may be tried for `left_s` from now on."""
    return replace(handover(bet(bet_id), 0.0), deadline_s=monotonic_s() + left_s)


async def test_bets_are_handed_on_one_by_one_in_order() -> None:
    attempts = Attempts([TAKEN])
    async with running(attempts) as lanes:
        for number in range(5):
            lanes.put(handed(f"b{number}"))
        await until(lambda: len(attempts.ended) == 5)
    assert attempts.tried == [f"b{number}" for number in range(5)]
    assert attempts.ended == [(f"b{number}", TAKEN, 0) for number in range(5)]


async def test_bet_is_tried_again_before_the_next_is_tried() -> None:
    attempts = Attempts([DOWN, DOWN, TAKEN])
    async with running(attempts) as lanes:
        lanes.put(handed("b1"))
        lanes.put(handed("b2"))
        await until(lambda: len(attempts.ended) == 2)
    assert attempts.tried == ["b1", "b1", "b1", "b2"]
    assert attempts.ended == [("b1", TAKEN, 2), ("b2", TAKEN, 0)]


async def test_refused_bet_is_not_tried_again() -> None:
    attempts = Attempts([REFUSED])
    async with running(attempts) as lanes:
        lanes.put(handed())
        await until(lambda: len(attempts.ended) == 1)
    assert attempts.ended == [("b1", REFUSED, 0)]


async def test_bet_is_given_up_at_its_deadline_after_a_last_try() -> None:
    attempts = Attempts([DOWN])
    given = handed(left_s=0.2)
    async with running(attempts, pauses=Pauses(60.0, 600.0)) as lanes:
        lanes.put(given)
        await until(lambda: len(attempts.ended) == 1)
    ((_bet_id, verdict, retries),) = attempts.ended
    assert verdict == DOWN
    assert retries == len(attempts.tried) - 1 >= 1
    assert attempts.tried_s[-1] >= given.deadline_s


async def test_bets_behind_one_that_was_given_up_do_not_begin_their_wait_there() -> None:
    attempts = Attempts([DOWN])
    async with running(attempts) as lanes:
        for number in range(20):
            lanes.put(handed(f"b{number}", left_s=1.0))
        begun_s = monotonic_s()
        await until(lambda: len(attempts.ended) == 20)
    # One after another they would take 20 s.
    assert monotonic_s() - begun_s < 10.0
    assert [bet_id for bet_id, _verdict, _retries in attempts.ended] == [f"b{number}" for number in range(20)]
    assert {verdict for _bet_id, verdict, _retries in attempts.ended[1:]} <= {OUT_OF_TIME, DOWN}


async def test_bet_whose_time_is_over_is_not_tried_any_more() -> None:
    """The upstream may be back, but the player waits no longer for this bet."""
    attempts = Attempts([TAKEN])
    async with running(attempts) as lanes:
        lanes.put(handed("b1", left_s=-0.001))
        lanes.put(handed("b2"))
        await until(lambda: len(attempts.ended) == 2)
    assert attempts.tried == ["b2"]
    assert attempts.ended == [("b1", OUT_OF_TIME, 0), ("b2", TAKEN, 0)]


async def test_pause_is_as_long_as_the_upstream_asks() -> None:
    attempts = Attempts([replace(DOWN, retry_after_s=0.3), TAKEN])
    async with running(attempts, pauses=Pauses(0.001, 0.001)) as lanes:
        lanes.put(handed())
        await until(lambda: len(attempts.ended) == 1)
    assert attempts.tried_s[1] - attempts.tried_s[0] >= 0.3


async def test_pause_that_the_upstream_asks_for_ends_at_the_deadline() -> None:
    attempts = Attempts([replace(DOWN, retry_after_s=30.0)])
    given = handed(left_s=0.2)
    async with running(attempts) as lanes:
        lanes.put(given)
        await until(lambda: len(attempts.ended) == 1)
    assert len(attempts.tried) == 2
    assert attempts.tried_s[1] - given.deadline_s < 20.0


async def test_pauses_grow_and_differ() -> None:
    attempts = Attempts([*[DOWN] * 40, TAKEN])
    async with running(attempts, pauses=Pauses(0.001, 0.02, 0.0)) as lanes:
        lanes.put(handed())
        await until(lambda: len(attempts.ended) == 1)
    pauses_s = [later - earlier for earlier, later in zip(attempts.tried_s, attempts.tried_s[1:], strict=False)]
    assert sum(pauses_s[10:]) / 30 > 0.005
    assert max(pauses_s[10:]) > 1.5 * min(pauses_s[10:])


async def test_pause_ends_when_the_gateway_stops() -> None:
    attempts, hurry = Attempts([DOWN, TAKEN]), asyncio.Event()
    async with running(attempts, hurry, Pauses(600.0, 600.0)) as lanes:
        lanes.put(handed(left_s=600.0))
        await until(lambda: len(attempts.tried) == 1)
        hurry.set()
        await until(lambda: len(attempts.ended) == 1)
    assert attempts.ended == [("b1", TAKEN, 1)]


async def test_pauses_after_that_are_pauses_again() -> None:
    attempts, hurry = Attempts([DOWN]), asyncio.Event()
    hurry.set()
    async with running(attempts, hurry, Pauses(600.0, 600.0)) as lanes:
        lanes.put(handed(left_s=600.0))
        await asyncio.sleep(0.05)
    assert len(attempts.tried) < 3  # a random pause of up to 600 s


async def test_bug_of_an_attempt_ends_its_bet_and_nothing_else() -> None:
    attempts = Attempts([RuntimeError("a bug"), TAKEN])
    with capture_logs() as logs:
        async with running(attempts) as lanes:
            lanes.put(handed("b1"))
            lanes.put(handed("b2"))
            await until(lambda: len(attempts.ended) == 2)
    assert attempts.ended == [("b1", FAILED_HERE, 0), ("b2", TAKEN, 0)]
    assert [each["event"] for each in logs] == ["handing on a bet failed"]


async def test_what_was_not_handed_on_is_left_when_the_lanes_are_stopped() -> None:
    attempts = Attempts([DOWN])
    async with running(attempts, pauses=Pauses(600.0, 600.0)) as lanes:
        lanes.put(handed("b1", left_s=600.0))
        lanes.put(handed("b2", left_s=600.0))
        await until(lambda: attempts.tried == ["b1"])
        assert [each.bet.bet_id for each in await lanes.stop()] == ["b1", "b2"]
        assert await lanes.stop() == []
    assert attempts.ended == []


async def test_what_was_put_before_the_start_is_handed_on_then() -> None:
    attempts = Attempts([TAKEN])
    road = Road(lambda _handed: contextlib.nullcontext(), attempts.attempt, attempts.on_ended)
    lanes = Lanes(1, road, asyncio.Event(), SHORT)
    for number in range(3):
        lanes.put(handed(f"b{number}"))
    await asyncio.sleep(0.01)
    assert attempts.tried == []
    lanes.start()
    await until(lambda: len(attempts.ended) == 3)
    assert attempts.tried == ["b0", "b1", "b2"]
    assert await lanes.stop() == []
