"""Playing cards as such: who only wants to know the outcome of a coup need not load what draws it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Suit = Literal["spade", "heart", "diamond", "club"]
SUITS: Final[tuple[Suit, ...]] = ("spade", "heart", "diamond", "club")
RANKS: Final = ("A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K")


class Card(NamedTuple):
    """`rank` is an index into RANKS."""

    rank: int
    suit: Suit

    @property
    def points(self) -> int:
        """What the card counts at baccarat: the ace 1, tens and court cards nothing."""
        return self.rank + 1 if self.rank < 9 else 0
