"""The timetable of a coup."""

import pytest

from gateway.demo.coup import (
    BETS_CLOSE_S,
    CARD_EVERY_S,
    COUP_S,
    FLIGHT_S,
    OUTCOME_S,
    SWEEP_S,
    SWEEP_TAKES_S,
    Coup,
    Hand,
)
from gateway.demo.deck import Card


def coup_of(*ranks: int) -> Coup:
    """Player, banker, player, banker ... with cards of these ranks (0 is the ace)."""
    hands: tuple[Hand, ...] = ("player", "banker") * 3
    return Coup(tuple((hand, Card(rank, "spade")) for hand, rank in zip(hands, ranks, strict=False)))


def test_coup_is_the_same_for_the_same_number() -> None:
    assert Coup.shuffled(7) == Coup.shuffled(7)
    assert len({Coup.shuffled(number) for number in range(20)}) > 15


@pytest.mark.parametrize(
    ("ranks", "outcome"),
    [((8, 0, 12, 1), "player"), ((3, 8, 3, 12), "banker"), ((4, 4, 9, 10), "tie")],
)
def test_coup_outcome_by_points(ranks: tuple[int, ...], outcome: str) -> None:
    assert coup_of(*ranks).outcome == outcome


def test_coup_draws_a_third_card_only_up_to_five_and_never_after_a_natural() -> None:
    for number in range(300):
        coup = Coup.shuffled(number)
        first = Coup(coup.order[:4])
        natural = max(first.points("player"), first.points("banker")) >= 8
        for hand in ("player", "banker"):
            cards = sum(1 for of, _card in coup.order if of == hand)
            assert cards == (3 if first.points(hand) <= 5 and not natural else 2)


def test_dealt_is_empty_while_bets_are_open_and_after_the_sweep() -> None:
    coup = Coup.shuffled(1)
    assert list(coup.dealt(BETS_CLOSE_S)) == []
    assert list(coup.dealt(SWEEP_S + SWEEP_TAKES_S + 0.01)) == []


def test_dealt_has_one_card_in_flight_after_the_other() -> None:
    coup = Coup.shuffled(1)
    cards = list(coup.dealt(BETS_CLOSE_S + CARD_EVERY_S + FLIGHT_S / 2))
    assert [(card.hand, card.place) for card in cards] == [("player", 0), ("banker", 0)]
    assert cards[0].way_in == 1.0
    assert cards[1].way_in == pytest.approx(0.5)


def test_dealt_is_complete_before_the_outcome_of_every_coup() -> None:
    for number in range(100):
        coup = Coup.shuffled(number)
        cards = list(coup.dealt(OUTCOME_S))
        assert len(cards) == len(coup.order)
        assert all(card.way_in == 1.0 and card.way_out == 0.0 for card in cards)


def test_timetable_fits_into_the_coup() -> None:
    assert BETS_CLOSE_S + 5 * CARD_EVERY_S + FLIGHT_S <= OUTCOME_S < SWEEP_S < SWEEP_S + SWEEP_TAKES_S < COUP_S
