"""A player by signals alone: from its request for them to its end, and the record of it.

It has the shape of the WHEP player (`players.player.Player`), as far as a crowd uses it.
"""

import asyncio

from loadgen.errors import SignallingError
from loadgen.figures import Interval, SessionFigures, SignalCounts
from loadgen.signals.client import SignalsClient


class SignalsPlayer:
    """`run_began_s` is the run's beginning, unix seconds, which the record's instants count from."""

    def __init__(self, client: SignalsClient, figures: SessionFigures, run_began_s: float) -> None:
        self.figures = figures
        self.client = client
        self._run_began_s = run_began_s
        self._welcomed_s: float | None = None
        """Until it was told."""
        figures.signals = SignalCounts()

    @property
    def over(self) -> asyncio.Event:
        """Set when the server has ended the connection."""
        return self.client.closed

    async def join(self, now_s: float) -> None:
        """Connect. SignallingError with its cause, which the record has, too."""
        self.figures.started_s = now_s - self._run_began_s
        try:
            await self.client.connect()
        except SignallingError as error:
            self.figures.end = error.cause
            raise
        except BaseException:
            self.vanish()
            raise

    def begin(self, now_s: float) -> None:
        """The welcome is there."""
        self.figures.join_s = now_s - self._run_began_s - self.figures.started_s
        self._welcomed_s = now_s - self._run_began_s

    def take(self, interval: Interval, _now_s: float) -> None:
        """Add what happened since the last call to `interval`."""
        welcomed_s, self._welcomed_s = self._welcomed_s, None
        if welcomed_s is not None:
            self.figures.on_picture(welcomed_s, interval)
        self.client.take(interval)

    def finish(self, interval: Interval, end: str, now_s: float) -> SessionFigures:
        """Take the last figures; the record, complete."""
        self.take(interval, now_s)
        self.figures.end, self.figures.ended_s = end, now_s - self._run_began_s
        return self.figures

    async def settle(self) -> None:
        """Bet no more, and wait a moment for the answers that are still to come."""
        await self.client.finish()

    async def leave(self, silently: bool) -> bool:
        """Wait for answers unless `silently`, and close the connection: no server can refuse that."""
        if silently:
            self.client.vanish()
        else:
            await self.client.finish()
            await self.client.close()
        return not silently

    async def abandon(self) -> None:
        """Leave before it has joined."""
        await self.leave(True)

    def close(self) -> None:
        """Nothing is left after `leave`; without it, as `vanish`."""
        self.vanish()

    def vanish(self) -> None:
        """Leave, where nobody can wait for it."""
        self.client.vanish()
