"""A lane to the upstream: one bet at a time, in order, each until its end."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, wait_random_exponential

from gateway.bets.handover import Handover
from gateway.bets.webhook import Fate, Verdict
from gateway.clock import monotonic_s
from gateway.errors import MisuseError

log = structlog.get_logger()

OUT_OF_TIME = Verdict(Fate.TRY_AGAIN, "no attempt: the bets before it waited too long")
FAILED_HERE = Verdict(Fate.REFUSED, "the gateway failed")


@dataclass(frozen=True, slots=True)
class Road:
    """What a lane does with each of its bets."""

    around: Callable[[Handover], AbstractContextManager[Any]]
    """Entered before the first attempt, left after the end."""
    attempt: Callable[[Handover], Awaitable[Verdict]]
    ended: Callable[[Handover, Verdict, int], None]
    """Called once, with the last attempt's verdict and how many were made after the first."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Between two attempts: random, below a bound that doubles each time (full jitter), so that lanes that failed
    together do not come back together."""

    first_s: float = 0.2
    longest_s: float = 5.0


PAUSES = Pauses()


class Lane:
    """See the module. While its first bet is tried again, the others wait; each only until its own deadline."""

    def __init__(self, road: Road, hurry: asyncio.Event, pauses: Pauses) -> None:
        """`hurry` is set when the gateway stops: who pauses then tries again at once."""
        self._road = road
        self._hurry = hurry
        self._waiting: deque[Handover] = deque()
        self._arrived = asyncio.Event()
        self._first: Verdict | None = None
        """Of the bet's first attempt, until `_retrying` has been told of it."""
        self._backoff = wait_random_exponential(multiplier=pauses.first_s, max=pauses.longest_s)
        self._retrying = AsyncRetrying(
            retry=retry_if_result(lambda verdict: verdict.fate is Fate.TRY_AGAIN),
            wait=self._pause_s,
            stop=lambda _state: monotonic_s() >= self._waiting[0].deadline_s,
            sleep=self._pause,
            retry_error_callback=_verdict,
        )

    def put(self, handed: Handover) -> None:
        """To the end of the lane."""
        self._waiting.append(handed)
        self._arrived.set()

    def take_all(self) -> list[Handover]:
        """What waits, the one that is being tried first; none of it is left. For when `run` was cancelled."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    async def run(self) -> None:
        """Hand on what comes, until cancelled."""
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            handed = self._waiting[0]
            with self._road.around(handed):
                verdict, retries = await self._hand_over(handed)
                self._waiting.popleft()
                self._road.ended(handed, verdict, retries)

    async def _hand_over(self, handed: Handover) -> tuple[Verdict, int]:
        if monotonic_s() >= handed.deadline_s:
            return OUT_OF_TIME, 0
        try:
            self._first = await self._road.attempt(handed)
            # Nearly always; the machinery of retries costs as much as half an attempt.
            if self._first.fate is not Fate.TRY_AGAIN:
                return self._first, 0
            verdict: Verdict = await self._retrying(self._try, handed)
        except Exception:
            # A bug: this bet's outcome is told all the same, and the bets behind it go on.
            log.exception("handing on a bet failed", stream=handed.bet.stream, bet_id=handed.bet.bet_id)
            return FAILED_HERE, 0
        return verdict, self._retrying.statistics["attempt_number"] - 1

    async def _try(self, handed: Handover) -> Verdict:
        """The first attempt has been made already."""
        verdict, self._first = self._first, None
        return verdict if verdict is not None else await self._road.attempt(handed)

    def _pause_s(self, state: RetryCallState) -> float:
        """As long as the upstream asks for; else the backoff, but not beyond the deadline, at which a last try is
        made."""
        asked_s = _verdict(state).retry_after_s
        if asked_s is not None:
            return asked_s
        return min(self._backoff(state), max(self._waiting[0].deadline_s - monotonic_s(), 0.0))

    async def _pause(self, pause_s: float) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(pause_s)
            return
        try:
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()
        except TimeoutError:
            return


def _verdict(state: RetryCallState) -> Verdict:
    if state.outcome is None:
        raise MisuseError("a pause or a stop was asked for before the first attempt")
    verdict: Verdict = state.outcome.result()
    return verdict
