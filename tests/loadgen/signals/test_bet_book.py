"""Exactly one answer a bet: what is right, and each way to be wrong."""

from collections import Counter
from collections.abc import Callable

import pytest

from loadgen.counts import BET_STATES, SignalCounts
from loadgen.signals import bet_book
from loadgen.signals.bet_book import BetBook
from loadgen.signals.messages import Ack, DeliveryNews


class Books:
    """A book, and what it amounts to."""

    def __init__(self) -> None:
        self.counts = SignalCounts()
        self.broken: Counter[str] = Counter()
        self.book = BetBook(self.counts, self.broken)

    def bet(self, bet_id: str = "b1", messages: int = 1, is_late: bool = False) -> None:
        """A bet of round r1 at second 10, sent so often."""
        placed = self.book.place(bet_id, "r1", 10.0, is_late)
        for _ in range(messages - 1):
            self.book.resend(placed)

    def ack(self, state: str, first: str | None = None, bet_id: str = "b1", at_s: float = 10.25) -> float | None:
        """The server answers."""
        return self.book.on_ack(Ack(bet_id, "r1", state, first), at_s)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.mark.parametrize("state", [state for state in BET_STATES if state != "duplicate"])
def test_answer_is_counted_by_its_state_and_measured(books: Books, state: str) -> None:
    books.bet()
    assert books.ack(state) == 0.25
    assert (books.counts.bets, books.counts.bets_answered, getattr(books.counts, state)) == (1, 1, 1)
    assert not books.book.has_open
    assert books.broken == {}


def test_answers_to_a_bet_that_was_sent_twice_are_one_and_a_duplicate(books: Books) -> None:
    books.bet(messages=2)
    assert books.ack("accepted") == 0.25
    assert books.ack("duplicate", "accepted", at_s=11.3) is None
    assert (books.counts.accepted, books.counts.duplicate, books.counts.resends) == (1, 0, 1)
    assert books.broken == {}


def test_duplicate_that_overtakes_or_outlives_the_first_answer_counts_as_that(books: Books) -> None:
    books.bet(messages=2)
    assert books.ack("duplicate", "late") == 0.25
    assert (books.counts.late, books.counts.duplicate) == (1, 0)
    assert books.ack("late") is None
    assert books.broken == {}


def test_bet_that_was_not_taken_may_be_taken_when_it_is_sent_again(books: Books) -> None:
    books.bet(messages=3)
    for state, first in (("rate_limited", None), ("accepted", None), ("duplicate", "accepted")):
        books.ack(state, first)
    assert books.broken == {}


def test_late_bet_that_is_sent_again_may_be_late_again(books: Books) -> None:
    books.bet(messages=2, is_late=True)
    books.ack("late")
    books.ack("late")
    assert (books.counts.late, books.broken) == (1, {})


def test_answer_of_a_later_version_is_a_refusal(books: Books) -> None:
    books.bet()
    assert books.ack("too_high") == 0.25
    assert (books.counts.bets_answered, books.counts.other_answers, books.broken) == (1, 1, {})


def _twice(books: Books) -> None:
    books.bet()
    books.ack("accepted")
    books.ack("accepted")


def _twice_to_two_messages(books: Books) -> None:
    books.bet(messages=2)
    books.ack("accepted")
    books.ack("accepted")


def _nothing(books: Books) -> None:
    books.ack("accepted")


def _duplicate(books: Books) -> None:
    books.bet()
    books.ack("duplicate", "accepted")


def _differently(books: Books) -> None:
    books.bet(messages=2)
    books.ack("accepted")
    books.ack("duplicate", "late")


def _of_another_round(books: Books) -> None:
    books.bet()
    books.book.on_ack(Ack("b1", "r2", "accepted", None), 10.1)


def _too_often(books: Books) -> None:
    books.bet(messages=2)
    for state, first in (("accepted", None), ("duplicate", "accepted"), ("duplicate", "accepted")):
        books.ack(state, first)


def _late_bet(books: Books) -> None:
    books.bet(is_late=True)
    books.ack("accepted")


def _delivery_of_a_late_bet(books: Books) -> None:
    books.bet()
    books.ack("late")
    books.book.on_delivery(DeliveryNews("b1", "delivered"), True)


def _two_deliveries(books: Books) -> None:
    books.bet()
    books.ack("accepted")
    for outcome in ("delivered", "delivered"):
        books.book.on_delivery(DeliveryNews("b1", outcome), True)


def _two_outcomes(books: Books) -> None:
    books.bet()
    books.ack("accepted")
    for outcome in ("delivered", "undelivered"):
        books.book.on_delivery(DeliveryNews("b1", outcome), False)


@pytest.mark.parametrize(
    ("do", "rule"),
    [
        (_twice, "two_answers"),
        (_twice_to_two_messages, "two_answers"),
        (_nothing, "answer_to_nothing"),
        (_duplicate, "duplicate_of_nothing"),
        (_differently, "answers_differ"),
        (_of_another_round, "answer_of_another_round"),
        (_too_often, "too_many_answers"),
        (_late_bet, "late_bet_accepted"),
        (_delivery_of_a_late_bet, "delivery_of_nothing"),
        (_two_deliveries, "two_deliveries"),
        (_two_outcomes, "two_deliveries"),
    ],
)
def test_rule_that_is_broken_is_named(books: Books, do: Callable[[Books], None], rule: str) -> None:
    do(books)
    assert books.broken[rule] == 1
    assert books.counts.rules_broken == books.broken.total()


def test_bet_without_an_answer_is_unanswered_when_none_can_come_any_more(books: Books) -> None:
    books.bet("b1")
    books.bet("b2")
    books.ack("accepted", bet_id="b1")
    assert [placed.bet_id for placed in books.book.open] == ["b2"]
    books.book.close(is_own_doing=False)
    assert (books.counts.bets_unanswered, books.counts.bets_abandoned, books.book.has_open) == (1, 0, False)


def test_bet_of_who_vanishes_is_nobodys_fault(books: Books) -> None:
    books.bet()
    books.book.close(is_own_doing=True)
    assert (books.counts.bets_unanswered, books.counts.bets_abandoned) == (0, 1)


def test_delivery_comes_before_the_answer_and_again_where_messages_have_no_order(books: Books) -> None:
    books.bet()
    for _ in range(3):
        books.book.on_delivery(DeliveryNews("b1", "delivered"), False)
    books.ack("accepted")
    assert (books.counts.delivered, books.broken) == (1, {})


def test_undelivered_bet_may_be_told_again_after_connecting_anew(books: Books) -> None:
    books.bet()
    books.ack("accepted")
    for _ in range(2):
        books.book.on_delivery(DeliveryNews("b1", "undelivered"), True)
    assert (books.counts.undelivered, books.broken) == (1, {})


def test_delivery_of_another_connections_bet_is_no_business_of_ours(books: Books) -> None:
    books.book.on_delivery(DeliveryNews("of-another", "delivered"), True)
    assert (books.counts.delivered, books.broken) == (0, {})


def test_bets_that_are_kept_are_bounded(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bet_book, "MAX_BETS_KEPT", 2)
    for number in range(4):
        books.bet(f"b{number}")
        books.ack("accepted", bet_id=f"b{number}")
    books.ack("duplicate", "accepted", bet_id="b0")
    assert books.broken == {"answer_to_nothing": 1}
    assert len(books.book._bets) == 2


def test_bet_that_goes_on_elsewhere_is_counted_once_and_answered_there() -> None:
    old, new = Books(), Books()
    old.bet()
    old.bet("b2")
    old.ack("accepted", bet_id="b2")
    (placed,) = old.book.hand_over()
    assert (placed.bet_id, old.book.has_open) == ("b1", False)
    old.book.close(is_own_doing=False)
    new.book.adopt(placed)
    new.book.resend(placed)
    assert new.ack("unknown_round", at_s=12.0) == 2.0
    assert (old.counts.bets, old.counts.bets_answered, old.counts.bets_unanswered) == (2, 1, 0)
    assert (new.counts.bets, new.counts.bets_answered, new.counts.unknown_round, new.counts.resends) == (0, 1, 1, 1)
    assert (old.broken, new.broken) == ({}, {})


def test_answer_that_comes_after_the_bet_was_handed_over_counts_here() -> None:
    old = Books()
    old.bet()
    (placed,) = old.book.hand_over()
    assert old.ack("accepted") == 0.25
    assert placed.final == "accepted"
    old.book.on_delivery(DeliveryNews("b1", "delivered"), True)
    old.book.close(is_own_doing=False)
    assert (old.counts.bets_answered, old.counts.accepted, old.counts.bets_unanswered) == (1, 1, 0)
    assert (old.counts.delivered, old.broken) == (1, {})


def test_second_answer_after_the_bet_was_handed_over_is_one_too_many() -> None:
    old = Books()
    old.bet()
    old.book.hand_over()
    for _ in range(2):
        old.ack("accepted")
    assert (old.counts.bets_answered, old.broken["two_answers"]) == (1, 1)


def test_answer_that_comes_after_the_book_was_closed_counts_no_more(books: Books) -> None:
    books.bet()
    books.book.close(is_own_doing=False)
    assert books.ack("accepted") is None
    assert (books.counts.bets_answered, books.counts.bets_unanswered) == (0, 1)


def test_two_answers_elsewhere_are_two() -> None:
    old, new = Books(), Books()
    old.bet()
    (placed,) = old.book.hand_over()
    new.book.adopt(placed)
    new.book.resend(placed)
    for _ in range(3):
        new.ack("unknown_round")
    assert new.broken == {"too_many_answers": 1}
