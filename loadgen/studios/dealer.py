"""A studio's rounds: one after another, as its scenario says, until the run is nearly over."""

import asyncio
import time
from collections import Counter
from typing import Protocol

from loadgen.errors import SignallingError
from loadgen.figures import Interval, StudioCounts
from loadgen.scenario.schema import RoundsSpec

SETTLED_BEFORE_S = 1.0
"""The end of the run: players are to see how the last round ends."""

MAX_CAUSE_CHARS = 64
"""Of an abort: it becomes a label."""


class Rounds(Protocol):
    """As much of a `loadgen.signalling.rounds.RoundsApi` as a dealer uses."""

    async def open(self, betting_s: float) -> str: ...
    async def move(self, round_id: str, state: str, result: object = None) -> None: ...
    async def why_aborted(self, round_id: str) -> str | None: ...


class Dealer:
    """Opens no round that could not be settled before the run ends: players would be gone, and their answers lost."""

    def __init__(self, spec: RoundsSpec, rounds: Rounds, counts: StudioCounts, run_s: float) -> None:
        """`counts` are the studio's."""
        self._spec = spec
        self._rounds = rounds
        self._counts = counts
        round_s = spec.betting_s + spec.result_after_s + spec.settle_after_s
        self._last_opening_s = run_s - round_s - SETTLED_BEFORE_S
        self._aborts: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._open: str | None = None
        """The round that is not over."""

    async def run(self, run_began_s: float) -> None:
        """All rounds; times count from `run_began_s`, unix seconds."""
        spec = self._spec
        number = 0
        while (opens_s := spec.at_s + number * spec.every_s) <= self._last_opening_s:
            await asyncio.sleep(run_began_s + opens_s - time.time())
            number += 1
            try:
                await self._play(number)
            except SignallingError as error:
                await self._on_refusal(error)

    async def _play(self, number: int) -> None:
        spec = self._spec
        round_id = self._open = await self._rounds.open(spec.betting_s)
        self._counts.rounds_opened += 1
        await asyncio.sleep(spec.betting_s + spec.result_after_s)
        await self._rounds.move(round_id, "result", {"number": number})
        await asyncio.sleep(spec.settle_after_s)
        await self._rounds.move(round_id, "settled")
        self._open = None
        self._counts.rounds_settled += 1

    async def _on_refusal(self, error: SignallingError) -> None:
        """Of a round that the server has ended meanwhile, or of what should have been taken."""
        round_id, self._open = self._open, None
        cause = None
        if round_id is not None and error.cause == "http_409":
            try:
                cause = await self._rounds.why_aborted(round_id)
            except SignallingError as another:
                error = another
        if cause is None:
            self._failures[error.cause] += 1
        else:
            self._counts.rounds_aborted += 1
            self._aborts[cause[:MAX_CAUSE_CHARS]] += 1

    def take(self, interval: Interval) -> None:
        """Add what happened since the last call to `interval`; sums are in the studio's counts."""
        interval.round_aborts.update(self._aborts)
        interval.round_failures.update(self._failures)
        self._aborts.clear()
        self._failures.clear()

    async def close(self) -> None:
        """Abort a round that is not over, after `run` was cancelled: nobody would move it on."""
        round_id, self._open = self._open, None
        if round_id is not None:
            try:
                await self._rounds.move(round_id, "aborted")
            except SignallingError as error:
                self._failures[error.cause] += 1
