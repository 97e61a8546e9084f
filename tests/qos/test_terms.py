"""The rows that the score is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qos.terms import TERMS, Term

ALL = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)


@ALL
def test_term_costs_nothing_up_to_its_beginning_and_all_from_its_end_on(term: Term) -> None:
    assert term.lost(term.begins_at) == 0
    assert term.lost(term.all_at) == pytest.approx(term.points)
    assert term.lost(term.all_at * 100) == term.points
    assert term.lost((term.begins_at + term.all_at) / 2) == pytest.approx(term.points / 2)


@ALL
def test_term_without_data_costs_nothing(term: Term) -> None:
    assert term.lost(None) == 0


@ALL
def test_term_says_what_it_is_and_where_its_thresholds_are_from(term: Term) -> None:
    assert 0 <= term.begins_at < term.all_at
    assert term.meaning
    assert "our" in term.source, "a number that is our own judgement says so"


def test_terms_have_names_of_their_own() -> None:
    assert len({term.name for term in TERMS}) == len(TERMS)


def test_objective_for_bets_is_where_round_trips_begin_to_cost() -> None:
    assert next(term for term in TERMS if term.name == "signal_rtt").begins_at == 0.120


@given(st.sampled_from(TERMS), st.floats(0, 10), st.floats(0, 10))
def test_more_never_costs_less(term: Term, one: float, other: float) -> None:
    small, great = sorted((one, other))
    assert term.lost(small) <= term.lost(great)
