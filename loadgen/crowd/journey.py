"""One visit of a player, over as many sessions as it takes: where the next one opens, and when. Pure.

A player that is told to move leaves first and opens its session at the other edge then (break before make): a page may
do better and have both for a moment, so that what is measured is the longest that a player is held up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loadgen.crowd.lives import Visit
from loadgen.signals.bet_book import PlacedBet

REJOIN_S = 2.0
"""Until a player that was refused, or lost its session, tries again: what a player page does, and no storm. Who was
told to move goes at once, unless it came less than this before: a server could send it to and fro."""

MAX_REJOIN_S = 30.0
"""Each refusal in a row doubles it: what turns away all there can be is not asked by more than MAX_REQUESTS_PER_S."""

LEAST_STAY_S = 5.0
"""Of who was told to move, whatever is left of its stay: one that had to go before its first frame would be counted as
lost, which is not the server's doing."""

CLOSED_BY_SERVER = "closed_by_server"
MOVED = "moved"
INTERNAL_ERROR = "internal_error"
"""Ends of a session that no scenario asks for: the server's doing, its wish, and a bug of ours. Who fell over a bug
does not come again: it must not become a storm of joins."""

OWN_ENDS = ("hop", "tab_close", "goodbye")
"""How a visit ends when all is well."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a server says that the table goes on; it has been permitted."""

    edge: str | None
    """See `loadgen.target.edges`."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one session of a visit ended."""

    end: str
    """For a failed join its cause."""
    left_s: float | None = None
    """Its last frame, or its end where there was none, unix seconds; None for a failed join."""
    watched_s: float = 0.0
    """From the keys to the end."""
    elsewhere: Elsewhere | None = None
    was_told: bool = False
    """Over signals, to go on there."""
    bets: tuple[PlacedBet, ...] = ()
    """Without an answer, when it began to move on: one may have come since."""


class Journey:
    """Sessions one after another: `visit` is the next one's."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.left_s: float | None = None
        """Of the last session that watched, unix seconds; None before there was one."""
        self.was_told = False
        """Whether its player had been told to go on elsewhere."""
        self.bets: Sequence[PlacedBet] = ()
        """For the next session to send again."""
        self._rejoin_s = REJOIN_S
        self._was_sent_on = False
        """Refused, and sent from there to where it was refused again: no third time at once."""

    def after(self, ending: Ending) -> float | None:
        """Seconds until the next session; None when the visit is over."""
        if ending.end in OWN_ENDS or ending.end == INTERNAL_ERROR:
            return None
        if ending.left_s is None:
            return self._after_refusal(ending)
        self.left_s, self.was_told, self.bets = ending.left_s, ending.was_told, ending.bets
        self._rejoin_s, self._was_sent_on = REJOIN_S, False
        if ending.elsewhere is None:
            return self._later()
        stay_s = self.visit.stay_s
        if ending.was_told and stay_s is not None:
            stay_s = max(stay_s - ending.watched_s, LEAST_STAY_S)
        self.visit = replace(self.visit, edge=ending.elsewhere.edge, stay_s=stay_s)
        return max(REJOIN_S - ending.watched_s, 0.0)

    def _after_refusal(self, ending: Ending) -> float:
        """Where the server says; else by the address that everybody has."""
        elsewhere, was_sent_on = ending.elsewhere, self._was_sent_on
        self._was_sent_on = elsewhere is not None
        self.visit = replace(self.visit, edge=None if elsewhere is None else elsewhere.edge)
        return self._later() if elsewhere is None or was_sent_on else 0.0

    def _later(self) -> float:
        rejoin_s, self._rejoin_s = self._rejoin_s, min(2 * self._rejoin_s, MAX_REJOIN_S)
        return rejoin_s
