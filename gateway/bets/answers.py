"""What was answered to which bet, so that a bet that comes again is told the same. In bounded memory. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from gateway.bets.bet import Bet, BetState
from gateway.rounds.round import Round
from gateway.rounds.rounds import Rounds

MAX_ANSWERS = 200_000
"""Of the process, some 50 MB: ten full rounds, or a quarter of an hour at 200 bets a second."""


@dataclass(slots=True)
class RoundAnswers:
    """The answers to the bets of one round."""

    round: Round
    by_bet_id: dict[str, tuple[str, BetState]] = field(default_factory=dict)
    """betId -> (player, answer)."""
    counts: Counter[BetState] = field(default_factory=Counter)


class Answers:
    """Answers by round. They are forgotten with the round, or earlier if it is over and room is needed."""

    def __init__(self, rounds: Rounds, max_answers: int = MAX_ANSWERS) -> None:
        self._rounds = rounds
        self._max_answers = max_answers
        self._by_round: dict[tuple[str, str], RoundAnswers] = {}
        """(stream, roundId) -> answers, the oldest round first."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, placed: Round, bet_id: str) -> tuple[str, BetState] | None:
        """(player, answer) of an earlier bet of that id."""
        answers = self._of(placed)
        return answers.by_bet_id.get(bet_id) if answers is not None else None

    def count(self, placed: Round, state: BetState) -> int:
        """How many bets of the round are remembered with that answer."""
        answers = self._of(placed)
        return answers.counts[state] if answers is not None else 0

    def are_forgotten(self, placed: Round) -> bool:
        """Whether bets of the round were taken, but nobody can say any more which."""
        return placed.bets > 0 and self._of(placed) is None

    def make_room(self, placed: Round) -> bool:
        """Forget the oldest other rounds that are over until one more answer fits; False where all are played."""
        while self._count >= self._max_answers:
            oldest = next((each for each in self._by_round.values() if _may_go(each.round, placed)), None)
            if oldest is None:
                return False
            self._drop(oldest)
        return True

    def remember(self, placed: Round, bet: Bet, state: BetState) -> None:
        """This is the answer to that bet from now on."""
        answers = self._of(placed) or self._begin(placed)
        answers.by_bet_id[bet.bet_id] = (bet.player, state)
        answers.counts[state] += 1
        self._count += 1

    def _of(self, placed: Round) -> RoundAnswers | None:
        answers = self._by_round.get((placed.stream, placed.round_id))
        # A studio may use a name again when the round that had it is forgotten.
        return answers if answers is not None and answers.round is placed else None

    def _begin(self, placed: Round) -> RoundAnswers:
        """A round's first answer: the time to forget those of rounds that nobody knows any more."""
        for each in tuple(self._by_round.values()):
            if self._rounds.find(each.round.stream, each.round.round_id) is not each.round:
                self._drop(each)
        answers = self._by_round[placed.stream, placed.round_id] = RoundAnswers(placed)
        return answers

    def _drop(self, dropped: RoundAnswers) -> None:
        del self._by_round[dropped.round.stream, dropped.round.round_id]
        self._count -= len(dropped.by_bet_id)


def _may_go(forgotten: Round, placed: Round) -> bool:
    # Half of a round's answers would be worse than none: those that are gone would look as if they never were.
    return forgotten.is_over and forgotten is not placed
