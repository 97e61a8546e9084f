"""A bad network on one player's way in, made in the client: burst loss, jitter, reordering; the same for the same seed.

Loss is a Gilbert chain (Gilbert-Elliott with a good state that loses nothing and a bad one that loses everything), as
`tc netem loss gemodel` has it: its two rates follow from the share that gets lost and the mean length of a burst.
"""

import random
from heapq import heappop, heappush
from typing import Final, Protocol

MAX_HELD: Final = 10_000
"""Datagrams that wait: more than a second of 30 Mb/s. An owner that stops asking what is due loses the rest."""


class ImpairmentRates(Protocol):
    """What goes wrong, as a scenario says it."""

    @property
    def loss(self) -> float:
        """Share of the datagrams that get lost, 0 to 1."""

    @property
    def burst(self) -> float:
        """How many are lost in a row, on average. Fewer than independent losses would make are taken as those."""

    @property
    def jitter_s(self) -> float:
        """Each is late by 0 to that much, evenly, and then waits for those before it."""

    @property
    def reorder(self) -> float:
        """Share of the datagrams that are late by up to `jitter_s` more, and that those after them do not wait for."""


class Impairment:
    """One player's. Pure: datagrams and instants in, datagrams and instants out."""

    __slots__ = (
        "_burst_begins",
        "_burst_ends",
        "_draw",
        "_held",
        "_is_losing",
        "_latest_s",
        "_number",
        "_rates",
        "dropped",
    )

    def __init__(self, rates: ImpairmentRates, seed: int) -> None:
        self.dropped = 0
        """Datagrams lost here."""
        self._rates = rates
        self._draw = random.Random(seed).random
        loss = rates.loss
        self._burst_ends = min(1 / max(rates.burst, 1.0), 1 - loss)
        self._burst_begins = self._burst_ends * loss / (1 - loss) if loss < 1 else 1.0
        # As if the chain had always been running: a short session loses the same share as a long one.
        self._is_losing = self._draw() < loss
        self._held: list[tuple[float, int, bytes]] = []
        """A heap: when it is due, its place among those due together, the datagram."""
        self._number = 0
        self._latest_s = float("-inf")
        """When the last one is due, or would be in order."""

    def pass_through(self, datagram: bytes, arrival_s: float) -> None:
        """A datagram that came; it is kept as it is, so it must not be in a buffer that is used again."""
        if self._is_lost() or len(self._held) >= MAX_HELD:
            self.dropped += 1
            return
        self._number += 1
        heappush(self._held, (self._due_s(arrival_s), self._number, datagram))

    def due(self, now_s: float) -> list[tuple[bytes, float]]:
        """What the player gets now: (datagram, when it arrived after the delay), the earliest first."""
        held = self._held
        ready = []
        while held and held[0][0] <= now_s:
            due_s, _number, datagram = heappop(held)
            ready.append((datagram, due_s))
        return ready

    def _is_lost(self) -> bool:
        is_lost = self._is_losing
        leaves = self._burst_ends if is_lost else self._burst_begins
        if self._draw() < leaves:
            self._is_losing = not is_lost
        return is_lost

    def _due_s(self, arrival_s: float) -> float:
        rates, draw = self._rates, self._draw
        if not rates.jitter_s:
            return arrival_s
        self._latest_s = max(self._latest_s, arrival_s + draw() * rates.jitter_s)
        is_overtaken = rates.reorder and draw() < rates.reorder
        return self._latest_s + draw() * rates.jitter_s if is_overtaken else self._latest_s
