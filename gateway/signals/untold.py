"""What players with a token may have missed: kept for a while, for when they connect again, in bounded memory. Pure."""

from collections import OrderedDict, deque

KEPT_S = 600.0
"""Who has not come back by then asks the casino."""
MAX_PLAYERS = 10_000
MAX_OF_PLAYER = 50
"""Undelivered bets of one player: a few rounds' worth. With MAX_PLAYERS some 100 MB at the very worst."""


class Untold:
    """Texts by player."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, deque[tuple[float, str]]] = OrderedDict()
        """player -> (since when, text), the oldest first; last the player of the newest text."""

    def __len__(self) -> int:
        """Players."""
        return len(self._texts)

    def keep(self, player: str, text: str, now_s: float) -> None:
        """For when the player connects again. Beyond the bounds the oldest go."""
        self._texts.setdefault(player, deque(maxlen=MAX_OF_PLAYER)).append((now_s, text))
        self._texts.move_to_end(player)
        while len(self._texts) > MAX_PLAYERS or not self.of_player(next(iter(self._texts)), now_s):
            self._texts.popitem(last=False)

    def of_player(self, player: str, now_s: float) -> list[str]:
        """What the player is to be told, the oldest first."""
        return [text for since_s, text in self._texts.get(player, ()) if now_s - since_s <= KEPT_S]
