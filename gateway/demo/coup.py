"""A coup of baccarat on a timetable: which cards lie where, and which is in flight, at any second of it. Pure.

0 s              bets are open
10 s .. 15.4 s   up to six cards are dealt, one each 0.9 s, player and banker in turn
16 s             the outcome is shown
20.5 s           the cards are swept off
22 s             the next coup
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from gateway.demo.deck import RANKS, SUITS, Card

Hand = Literal["player", "banker"]

COUP_S: Final = 22.0
BETS_CLOSE_S: Final = 10.0
CARD_EVERY_S: Final = 0.9
FLIGHT_S: Final = 0.5
OUTCOME_S: Final = 16.0
SWEEP_S: Final = 20.5
SWEEP_TAKES_S: Final = 0.7

_DRAWS_UP_TO: Final = 5
"""A hand of at most this many points takes a third card (the banker's finer rules are left out)."""


class Dealt(NamedTuple):
    """A card on its way or on the table. `place` counts within its hand; the ways run from 0 to 1."""

    card: Card
    hand: Hand
    place: int
    way_in: float
    way_out: float


@dataclass(frozen=True, slots=True)
class Coup:
    """The cards of one coup, in the order of dealing."""

    order: tuple[tuple[Hand, Card], ...]

    @classmethod
    def shuffled(cls, number: int) -> Coup:
        """The coup of that number: the same number always deals the same cards."""
        shoe = random.Random(number)
        draws = iter(lambda: Card(shoe.randrange(len(RANKS)), shoe.choice(SUITS)), None)
        order: list[tuple[Hand, Card]] = [(hand, next(draws)) for hand in ("player", "banker") * 2]
        for hand in _third_cards(cls(tuple(order))):
            order.append((hand, next(draws)))
        return cls(tuple(order))

    def points(self, hand: Hand) -> int:
        return sum(card.points for of, card in self.order if of == hand) % 10

    @property
    def outcome(self) -> Literal["player", "banker", "tie"]:
        player, banker = self.points("player"), self.points("banker")
        if player == banker:
            return "tie"
        return "player" if player > banker else "banker"

    def dealt(self, at_s: float) -> Iterator[Dealt]:
        """Yield the cards that have left the shoe `at_s` seconds into the coup and are not swept off yet."""
        way_out = min(max((at_s - SWEEP_S) / SWEEP_TAKES_S, 0.0), 1.0)
        if way_out == 1.0:
            return
        places = {"player": 0, "banker": 0}
        for index, (hand, card) in enumerate(self.order):
            way_in = (at_s - BETS_CLOSE_S - index * CARD_EVERY_S) / FLIGHT_S
            if way_in <= 0:
                return
            yield Dealt(card, hand, places[hand], min(way_in, 1.0), way_out)
            places[hand] += 1


def _third_cards(coup: Coup) -> Iterator[Hand]:
    hands: tuple[Hand, ...] = ("player", "banker")
    if any(coup.points(hand) >= 8 for hand in hands):
        return
    for hand in hands:
        if coup.points(hand) <= _DRAWS_UP_TO:
            yield hand
