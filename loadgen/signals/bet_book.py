"""The bets of one player: sent, answered, and whether each got exactly one answer. Pure.

A bet is sent again where messages may get lost, and each message is answered: one by what became of the bet, those
after it as `duplicate` with that as `first`. Which of the answers arrive, and in which order, is chance.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from loadgen.counts import BET_STATES, SignalCounts
from loadgen.signals.messages import Ack, DeliveryNews

REMEMBERED = frozenset({"accepted", "late"})
"""Answers that are final: the server remembers them. After another one a bet that is sent again may still be taken."""

MAX_BETS_KEPT = 2048
"""Of a player. Answered ones are forgotten first: by then their delivery was told long ago."""


@dataclass(slots=True)
class PlacedBet:
    """One bet."""

    bet_id: str
    round_id: str
    sent_s: float
    is_late: bool
    """Sent when its player knew that bets were closed."""
    messages: int = 1
    answers: int = 0
    final: str | None = None
    """What became of it, as far as an answer said."""
    told: list[str] = field(default_factory=list)
    """States of the answers that were no duplicates: one a message at the most."""
    outcome: str | None = None


class BetBook:
    """See the module. Times are on the caller's clock, in seconds."""

    def __init__(self, counts: SignalCounts, broken_rules: Counter[str]) -> None:
        """Both grow."""
        self._counts = counts
        self._broken_rules = broken_rules
        self._bets: OrderedDict[str, PlacedBet] = OrderedDict()
        self._open: dict[str, PlacedBet] = {}
        self._handed_over: dict[str, PlacedBet] = {}
        """Those of another book; what this edge still says to them is counted here."""

    @property
    def open(self) -> Iterator[PlacedBet]:
        """Those without an answer, the oldest first."""
        return iter(tuple(self._open.values()))

    @property
    def has_open(self) -> bool:
        """Whether a bet has no answer yet."""
        return bool(self._open)

    def place(self, bet_id: str, round_id: str, now_s: float, is_late: bool = False) -> PlacedBet:
        """A new bet is being sent."""
        placed = PlacedBet(bet_id, round_id, now_s, is_late)
        self._bets[bet_id] = self._open[bet_id] = placed
        self._counts.bets += 1
        if len(self._bets) > MAX_BETS_KEPT:
            self._bets.popitem(last=False)
        return placed

    def adopt(self, placed: PlacedBet) -> None:
        """A bet that another edge was sent, and did not answer: it is counted as a bet already."""
        self._bets[placed.bet_id] = self._open[placed.bet_id] = placed

    def hand_over(self) -> tuple[PlacedBet, ...]:
        """Those without an answer, which are another book's from now on: it adopts who has none by then."""
        self._handed_over |= self._open
        self._open.clear()
        return tuple(self._handed_over.values())

    def is_open(self, bet_id: str) -> bool:
        """Whether it has no answer yet."""
        return bet_id in self._open

    def resend(self, placed: PlacedBet) -> None:
        """The bet is being sent once more."""
        placed.messages += 1
        self._counts.resends += 1

    def on_ack(self, ack: Ack, arrival_s: float) -> float | None:
        """The round trip in seconds when this is the bet's first answer."""
        placed = self._bets.get(ack.bet_id)
        if placed is None:
            self._break("answer_to_nothing")
            return None
        placed.answers += 1
        self._check(placed, ack)
        is_first = self._is_first(ack.bet_id)
        if is_first:
            self._counts.bets_answered += 1
            placed.final = (ack.first or ack.state) if ack.state == "duplicate" else ack.state
            self._count(placed.final if placed.final in BET_STATES else "other_answers")
        if ack.state != "duplicate" and len(placed.told) < placed.messages:
            placed.told.append(ack.state)
        return arrival_s - placed.sent_s if is_first else None

    def _is_first(self, bet_id: str) -> bool:
        """An answer, while the player is still there."""
        return any(bets.pop(bet_id, None) is not None for bets in (self._open, self._handed_over))

    def _check(self, placed: PlacedBet, ack: Ack) -> None:
        if ack.round_id != placed.round_id:
            self._break("answer_of_another_round")
        if placed.answers > placed.messages:
            self._break("too_many_answers")
        if ack.state != "duplicate":
            self._check_told(placed, ack.state)
        elif placed.messages == 1:
            self._break("duplicate_of_nothing")
        final = ack.first if ack.state == "duplicate" else ack.state
        before = REMEMBERED.intersection([*placed.told, placed.final or ""])
        if final in REMEMBERED and before - {final}:
            self._break("answers_differ")
        if placed.is_late and final == "accepted":
            self._break("late_bet_accepted")

    def _check_told(self, placed: PlacedBet, state: str) -> None:
        """One answer a bet, and one more for each time that it was sent again and had not been accepted before: who is
        late is late again."""
        is_second = placed.messages == 1 and bool(placed.told)
        if is_second or (state == "accepted" and "accepted" in placed.told):
            self._break("two_answers")

    def on_delivery(self, news: DeliveryNews, is_reliable: bool = True) -> None:
        """What became of an accepted bet. Unless it `is_reliable`, it may overtake the answer, and comes again;
        `undelivered` may always, after connecting anew.

        A bet that is not known here may be of another connection of the same player."""
        placed = self._bets.get(news.bet_id)
        if placed is None:
            return
        if placed.final not in (None, "accepted"):
            self._break("delivery_of_nothing")
        elif placed.outcome is None:
            placed.outcome = news.outcome
            self._count(news.outcome)
        elif placed.outcome != news.outcome or (is_reliable and news.outcome == "delivered"):
            self._break("two_deliveries")

    def close(self, is_own_doing: bool) -> None:
        """No answer can come any more: whoever has none never will. `is_own_doing`: the player vanished by itself."""
        if is_own_doing:
            self._counts.bets_abandoned += len(self._open)
        else:
            self._counts.bets_unanswered += len(self._open)
        self._open.clear()

    def _count(self, name: str) -> None:
        setattr(self._counts, name, getattr(self._counts, name) + 1)

    def _break(self, rule: str) -> None:
        self._counts.rules_broken += 1
        self._broken_rules[rule] += 1
