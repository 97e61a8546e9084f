"""What players with a token were not there to be told: kept for them for a while, in bounded memory. Pure."""

from collections import OrderedDict

KEPT_S = 600.0
"""Who has not come back by then asks the casino."""
MAX_PLAYERS = 10_000
MAX_OF_PLAYER = 50
"""Undelivered bets of one player: a few rounds' worth. With MAX_PLAYERS some 100 MB at the very worst."""


class Untold:
    """Texts by player, the ones that wait the longest first."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()
        """player -> (since when the first one waits, texts)."""

    def keep(self, player: str, text: str, now_s: float) -> None:
        """For when the player comes back. Beyond the bounds the oldest go."""
        while self._texts and (len(self._texts) > MAX_PLAYERS or self._is_old(next(iter(self._texts)), now_s)):
            self._texts.popitem(last=False)
        _, texts = self._texts.setdefault(player, (now_s, []))
        texts.append(text)
        del texts[:-MAX_OF_PLAYER]

    def take(self, player: str, now_s: float) -> list[str]:
        """What waits for the player, who is here now."""
        if player not in self._texts or self._is_old(player, now_s):
            return []
        return self._texts.pop(player)[1]

    def _is_old(self, player: str, now_s: float) -> bool:
        return now_s - self._texts[player][0] > KEPT_S
