"""The signals of those who watch: opened when a player has joined, ended before it leaves."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from loadgen.crowd.lives import Visit
from loadgen.figures import Interval, SessionFigures
from loadgen.peer.peer import Peer
from loadgen.signals.client import SignalsClient

SignalsOf = Callable[[Visit, SessionFigures, Peer | None], SignalsClient]
"""Makes the client of a visit with signals; the peer is the player's, where it has one."""

Attendant = TypeVar("Attendant", bound=Hashable)


@dataclass(frozen=True, slots=True)
class _Kept:
    client: SignalsClient
    task: asyncio.Task[None]
    """Connects, and connects again."""


class Attendance(Generic[Attendant]):
    """By player."""

    def __init__(self) -> None:
        self._kept: dict[Attendant, _Kept] = {}

    def begin(self, player: Attendant, client: SignalsClient) -> None:
        """Connect, in the background: whether there are signals does not hold up the picture."""
        self._kept[player] = _Kept(client, asyncio.create_task(client.keep()))

    def take(self, interval: Interval) -> None:
        """Add what happened since the last call to `interval`."""
        for kept in self._kept.values():
            kept.client.take(interval)

    def client_of(self, player: Attendant) -> SignalsClient | None:
        """None where there is none."""
        kept = self._kept.get(player)
        return kept.client if kept is not None else None

    async def settle(self) -> None:
        """Have nobody bet any more, and wait a moment for the answers that are still to come."""
        await asyncio.gather(*(kept.client.finish() for kept in self._kept.values()))

    async def end(self, player: Attendant, silently: bool) -> None:
        """Give the player's connection back, with all its answers unless `silently`. Nothing where there is none."""
        kept = self._kept.get(player)
        if kept is None:
            return
        if silently:
            kept.client.vanish()
        else:
            await kept.client.finish()
        await _ended(kept.task)
        await kept.client.close()

    def drop(self, player: Attendant, interval: Interval) -> None:
        """Forget the player, whose last figures go to `interval`. What was not ended ends without a word."""
        kept = self._kept.pop(player, None)
        if kept is not None:
            kept.task.cancel()
            kept.client.vanish()
            kept.client.take(interval)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
