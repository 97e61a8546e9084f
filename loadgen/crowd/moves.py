"""Who was told to move: where to, and when."""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from loadgen.crowd.journey import Elsewhere
from loadgen.errors import SignallingError
from loadgen.signals.messages import Move
from loadgen.target.edges import Edges

Attendant = TypeVar("Attendant", bound=Hashable)


class Moves(Generic[Attendant]):
    """By player."""

    def __init__(self, edges: Edges, on_due: Callable[[Attendant], None]) -> None:
        """`on_due` is told when it is time for a player to leave."""
        self.refused: Counter[str] = Counter()
        """By cause: what players were told and did not do. Whoever takes it empties it."""
        self._edges = edges
        self._on_due = on_due
        self._told: dict[Attendant, Elsewhere] = {}
        self._refused: dict[Attendant, str | None] = {}
        """What each was told last of what it did not do: it is said several times, and counted once."""
        self._timers: dict[Attendant, asyncio.TimerHandle] = {}
        self._due: set[Attendant] = set()

    def tell(self, player: Attendant, move: Move) -> None:
        """The server said so. The first word counts: by data channel it is said several times."""
        if player in self._told or (player in self._refused and self._refused[player] == move.to):
            return
        try:
            self._told[player] = Elsewhere(self._edges.moved_to(move.to))
        except SignallingError as error:
            self.refused[error.cause] += 1
            self._refused[player] = move.to
            return
        self._timers[player] = asyncio.get_running_loop().call_later(move.after_s, self._ring, player)

    def _ring(self, player: Attendant) -> None:
        del self._timers[player]
        self._due.add(player)
        self._on_due(player)

    def is_due(self, player: Attendant) -> bool:
        """Whether it is time for it to leave."""
        return player in self._due

    def told(self, player: Attendant) -> Elsewhere | None:
        """Where it was told to go, whether it is time or not."""
        return self._told.get(player)

    def sent_on(self, alternate: str | None, stream: str) -> Elsewhere | None:
        """Where a refusal says that `stream` is to be had; None where it says nothing, or nobody goes there."""
        if alternate is None:
            return None
        try:
            return Elsewhere(self._edges.sent_on_to(alternate, stream))
        except SignallingError as error:
            self.refused[error.cause] += 1
            return None

    def drop(self, player: Attendant) -> None:
        """It has left."""
        timer = self._timers.pop(player, None)
        if timer is not None:
            timer.cancel()
        self._told.pop(player, None)
        self._refused.pop(player, None)
        self._due.discard(player)
