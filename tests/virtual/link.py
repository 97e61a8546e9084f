"""One direction of a path that loses, reorders and duplicates datagrams, the same ones for the same seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.virtual.scheduler import Scheduler

OVERTAKEN_BY_S = (0.002, 0.025)
"""How much longer a reordered datagram takes than the others."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Probabilities, and the way's time."""

    loss: float = 0.0
    reordering: float = 0.0
    duplication: float = 0.0
    delay_s: float = 0.02


class Link:
    """Takes datagrams by `send`, hands them to `deliver`."""

    def __init__(
        self, scheduler: Scheduler, conditions: Conditions, seed: int, deliver: Callable[[bytes], None]
    ) -> None:
        self.conditions = conditions
        self.is_cut = False
        self.sent = self.lost = self.reordered = self.duplicated = 0
        self._scheduler = scheduler
        self._random = random.Random(seed)
        self._deliver = deliver

    def send(self, datagram: bytes) -> None:
        """Put a datagram on the way."""
        self.sent += 1
        # Three draws for each datagram, so that one condition does not move the fate of others.
        is_lost, is_reordered, is_duplicated = (
            self._random.random() < chance
            for chance in (self.conditions.loss, self.conditions.reordering, self.conditions.duplication)
        )
        if is_lost or self.is_cut:
            self.lost += 1
            return
        delay_s = self.conditions.delay_s
        if is_reordered:
            self.reordered += 1
            delay_s += self._random.uniform(*OVERTAKEN_BY_S)
        self._scheduler.after(delay_s, partial(self._deliver, datagram))
        if is_duplicated:
            self.duplicated += 1
            self._scheduler.after(delay_s + self._random.uniform(*OVERTAKEN_BY_S), partial(self._deliver, datagram))
