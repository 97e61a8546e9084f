"""Where a visit goes on, and when."""

from loadgen.crowd.journey import (
    CLOSED_BY_SERVER,
    INTERNAL_ERROR,
    LEAST_STAY_S,
    MAX_REJOIN_S,
    MOVED,
    OWN_ENDS,
    REJOIN_S,
    Elsewhere,
    Ending,
    Journey,
)
from loadgen.signals.bet_book import PlacedBet
from tests.loadgen.crowd.fakes import visit

B, C = Elsewhere("https://b.example"), Elsewhere("https://c.example")
LEFT_S = 1_790_000_000.0
BET = PlacedBet("b-1", "r-1", LEFT_S, False)


def told(elsewhere: Elsewhere = B, watched_s: float = 60.0, end: str = MOVED) -> Ending:
    """A session that was left for elsewhere, as its player was told."""
    return Ending(end, LEFT_S, watched_s, elsewhere, was_told=True, bets=(BET,))


def refused(elsewhere: Elsewhere | None = None) -> Ending:
    """A join."""
    return Ending("http_503", elsewhere=elsewhere)


def test_visit_is_over_when_its_player_says_so_or_we_fail() -> None:
    for end in (*OWN_ENDS, INTERNAL_ERROR):
        assert Journey(visit()).after(Ending(end, LEFT_S, 1.0)) is None, end


def test_player_that_is_told_goes_at_once_with_its_bets_and_the_rest_of_its_stay() -> None:
    journey = Journey(visit(stay_s=100.0))
    assert journey.after(told()) == 0.0
    assert (journey.visit.edge, journey.visit.stay_s) == (B.edge, 40.0)
    assert (journey.left_s, journey.was_told, journey.bets) == (LEFT_S, True, (BET,))


def test_player_that_is_told_stays_long_enough_to_see_a_picture() -> None:
    for watched_s in (59.9, 61.0):
        journey = Journey(visit(stay_s=60.0))
        journey.after(told(watched_s=watched_s))
        assert journey.visit.stay_s == LEAST_STAY_S >= 2.0


def test_player_that_is_told_stays_to_the_end_of_the_run_where_it_would_have() -> None:
    journey = Journey(visit())
    journey.after(told())
    assert journey.visit.stay_s is None


def test_player_that_is_closed_before_its_time_goes_where_it_was_told() -> None:
    journey = Journey(visit(stay_s=100.0))
    assert journey.after(told(end=CLOSED_BY_SERVER)) == 0.0
    assert (journey.visit.edge, journey.visit.stay_s, journey.was_told) == (B.edge, 40.0, True)


def test_player_that_is_sent_to_and_fro_is_no_storm() -> None:
    journey = Journey(visit())
    assert journey.after(told(watched_s=0.5)) == REJOIN_S - 0.5


def test_player_that_is_told_to_come_again_comes_by_the_address_of_all() -> None:
    journey = Journey(visit())
    journey.after(told())
    journey.after(told(Elsewhere(None)))
    assert journey.visit.edge is None


def test_player_that_is_closed_without_a_word_comes_again_where_it_was() -> None:
    journey = Journey(visit(stay_s=100.0))
    journey.after(told())
    assert journey.after(Ending(CLOSED_BY_SERVER, LEFT_S + 9, 5.0)) == REJOIN_S
    assert (journey.visit.edge, journey.was_told, journey.left_s, journey.bets) == (B.edge, False, LEFT_S + 9, ())


def test_refusals_in_a_row_are_waited_for_longer_and_longer() -> None:
    journey = Journey(visit())
    waits_s = [journey.after(refused()) for _ in range(6)]
    assert waits_s == [REJOIN_S, 2 * REJOIN_S, 4 * REJOIN_S, 8 * REJOIN_S, MAX_REJOIN_S, MAX_REJOIN_S]
    journey.after(Ending(CLOSED_BY_SERVER, LEFT_S, 5.0))
    assert journey.after(refused()) == 2 * REJOIN_S


def test_refusal_that_names_another_edge_leads_there_at_once() -> None:
    journey = Journey(visit())
    assert journey.after(refused(B)) == 0.0
    assert journey.visit.edge == B.edge


def test_edges_that_refuse_in_turns_are_no_storm() -> None:
    journey = Journey(visit())
    assert [journey.after(refused(each)) for each in (B, C, B, C)] == [0.0, REJOIN_S, 2 * REJOIN_S, 4 * REJOIN_S]


def test_refused_elsewhere_without_a_word_a_player_tries_the_address_of_all() -> None:
    journey = Journey(visit())
    journey.after(told())
    assert journey.after(refused()) == REJOIN_S
    assert (journey.visit.edge, journey.left_s, journey.was_told, journey.bets) == (None, LEFT_S, True, (BET,))
