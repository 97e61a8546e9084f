"""The lanes to the upstream: so many requests at a time, and of a player one bet at a time, in order, each until its
end.

A bet occupies a lane only while it is asked about, not while it pauses before it is tried again. Whose bets fail, by
chance or because a page makes them so, wait for one another: they share half the lanes, so that the others get through.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import structlog

from gateway.bets.handover import Handover
from gateway.bets.webhook import Fate, Verdict
from gateway.clock import monotonic_s

log = structlog.get_logger()

OUT_OF_TIME = Verdict(Fate.TRY_AGAIN, "no attempt: its turn did not come in time")
FAILED_HERE = Verdict(Fate.REFUSED, "the gateway failed")


@dataclass(frozen=True, slots=True)
class Road:
    """What is done with each bet."""

    around: Callable[[Handover], AbstractContextManager[Any]]
    """Entered before the first attempt, left after the end."""
    attempt: Callable[[Handover], Awaitable[Verdict]]
    ended: Callable[[Handover, Verdict, int], None]
    """Called once, with the last attempt's verdict and how many were made after the first."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Between two attempts: random, below a bound that doubles each time (full jitter), so that bets that failed
    together do not come back together."""

    first_s: float = 0.2
    longest_s: float = 5.0
    after_failure_s: float = 0.05
    """A lane of those in trouble rests so long after it failed again: an upstream that is down is not asked by
    thousands of players as fast as it answers. Once it takes bets again, nothing rests."""


PAUSES = Pauses()


class Lanes:
    """See the module. A task, of some 4 kB, for each player who has a bet waiting: no more than bets may wait."""

    def __init__(self, lanes: int, road: Road, hurry: asyncio.Event, pauses: Pauses) -> None:
        """`hurry` is set when the gateway stops: who pauses then tries again at once."""
        self._road = road
        self._hurry = hurry
        self._pauses = pauses
        self._free = asyncio.Semaphore(lanes)
        self._free_for_troubled = asyncio.Semaphore(max(lanes // 2, 1))
        self._waiting: dict[str, deque[Handover]] = {}
        """player -> bets, the one that is being tried first. Nobody without a bet is in it."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_running = False

    def put(self, handed: Handover) -> None:
        """Behind all bets of that player."""
        player = handed.bet.player
        waiting = self._waiting.get(player)
        if waiting is not None:
            waiting.append(handed)
            return
        self._waiting[player] = deque((handed,))
        if self._is_running:
            self._begin(player)

    def start(self) -> None:
        """Begin to hand on; what was put before has waited."""
        self._is_running = True
        for player in self._waiting:
            self._begin(player)

    async def stop(self) -> list[Handover]:
        """End at once; what was not handed on, of each player in order."""
        self._is_running = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = [handed for waiting in self._waiting.values() for handed in waiting]
        self._waiting.clear()
        return left

    def _begin(self, player: str) -> None:
        task = asyncio.create_task(self._hand_on(player))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_on(self, player: str) -> None:
        """All bets of a player, until none waits."""
        waiting, is_in_trouble = self._waiting[player], False
        while waiting:
            handed = waiting[0]
            with self._road.around(handed):
                verdict, retries = await self._until_its_end(handed, is_in_trouble)
                waiting.popleft()
                self._road.ended(handed, verdict, retries)
            is_in_trouble = verdict.fate is Fate.TRY_AGAIN
        del self._waiting[player]

    async def _until_its_end(self, handed: Handover, is_in_trouble: bool) -> tuple[Verdict, int]:
        """The last verdict, and how many attempts were made after the first."""
        if monotonic_s() >= handed.deadline_s:
            return OUT_OF_TIME, 0
        retries = 0
        try:
            first = await (self._attempt_in_trouble(handed) if is_in_trouble else self._attempt(handed))
            verdict = first or OUT_OF_TIME
            while verdict.fate is Fate.TRY_AGAIN and monotonic_s() < handed.deadline_s:
                await self._pause(self._pause_s(verdict, retries, handed))
                again = await self._attempt_in_trouble(handed)
                if again is None:
                    break
                verdict, retries = again, retries + 1
        except Exception:
            # A bug: this bet's outcome is told all the same, and the bets behind it go on.
            log.exception("handing on a bet failed", stream=handed.bet.stream, bet_id=handed.bet.bet_id)
            return FAILED_HERE, retries
        return verdict, retries

    async def _attempt(self, handed: Handover) -> Verdict | None:
        """None where no lane was free until the deadline."""
        if not await _is_acquired(self._free, handed.deadline_s):
            return None
        try:
            return await self._road.attempt(handed)
        finally:
            self._free.release()

    async def _attempt_in_trouble(self, handed: Handover) -> Verdict | None:
        """As `_attempt`, in one of those lanes that they share whose bets fail."""
        if not await _is_acquired(self._free_for_troubled, handed.deadline_s):
            return None
        try:
            verdict = await self._attempt(handed)
            if verdict is not None and verdict.fate is Fate.TRY_AGAIN:
                await asyncio.sleep(self._pauses.after_failure_s)
            return verdict
        finally:
            self._free_for_troubled.release()

    def _pause_s(self, verdict: Verdict, retries: int, handed: Handover) -> float:
        """As long as the upstream asks for; else the backoff. Not beyond the deadline, at which a last try is made."""
        asked_s = verdict.retry_after_s
        if asked_s is None:
            # Of a doubling that goes on and on its beginning says enough.
            bound_s = min(self._pauses.first_s * 2 ** min(retries, 30), self._pauses.longest_s)
            asked_s = random.uniform(0.0, bound_s)
        return min(asked_s, max(handed.deadline_s - monotonic_s(), 0.0))

    async def _pause(self, pause_s: float) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(pause_s)
            return
        try:
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()
        except TimeoutError:
            return


async def _is_acquired(lanes: asyncio.Semaphore, deadline_s: float) -> bool:
    """Whether one came free in time; one that is free at the deadline is."""
    if not lanes.locked():
        return await lanes.acquire()
    try:
        async with asyncio.timeout(max(deadline_s - monotonic_s(), 0.0)):
            return await lanes.acquire()
    except TimeoutError:
        return False
