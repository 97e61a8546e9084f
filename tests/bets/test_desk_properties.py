"""Whatever happens at a table: each bet has one answer, which does not change."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from gateway.bets.bet import BetState
from gateway.bets.desk import BettingDesk
from gateway.config import BetSettings
from gateway.errors import SignallingError
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from tests.bets.table import CLIENT, bet, rounds
from tests.bets.test_desk import Room

ROUND_IDS = st.sampled_from(["r1", "r2", "r3"])
BETS = st.tuples(
    st.just("bet"),
    st.sampled_from(["b1", "b2", "b3", "b4"]),
    st.sampled_from(["ada", "bob"]),
    ROUND_IDS,
    st.booleans(),
)
MOVES = st.tuples(st.just("move"), st.sampled_from(list(RoundState)), ROUND_IDS)
ROOMS = st.tuples(st.just("room"), st.integers(0, 5))

FINAL = {BetState.ACCEPTED, BetState.LATE}


@given(st.lists(st.one_of(BETS, MOVES, ROOMS), max_size=60))
def test_answers_are_final_and_agree_with_what_was_handed_on(events: list[tuple[object, ...]]) -> None:
    known, upstream = rounds(history=2), Room(0)
    judging = BettingDesk(BetSettings(per_round=4, per_player_per_s=4.0), known, upstream)
    first: dict[tuple[int, str], tuple[str, BetState]] = {}
    accepted: dict[int, int] = defaultdict(int)
    held = []  # so that no round's id() comes twice
    for number, event in enumerate(events):
        now_s = number * 0.1
        match event:
            case ("room", int(places)):
                upstream.places = len(upstream.bets) + places
            case ("move", RoundState() as state, str(round_id)):
                try:
                    held.append(known.command("table", Command(state, round_id), now_s))
                except SignallingError:
                    continue
            case ("bet", str(bet_id), str(player), str(round_id), bool(may_bet)):
                placed_on = known.find("table", round_id)
                was_handed_on = len(upstream.bets)
                answer = judging.place(bet(bet_id, player, round_id, now_s=now_s), CLIENT, now_s, may_bet)
                is_accepted = answer.state is BetState.ACCEPTED
                assert len(upstream.bets) - was_handed_on == is_accepted
                if placed_on is None:
                    assert answer.state in {BetState.UNKNOWN_ROUND, BetState.FORBIDDEN, BetState.RATE_LIMITED}
                    continue
                accepted[id(placed_on)] += is_accepted
                assert placed_on.bets == accepted[id(placed_on)] <= 4
                if is_accepted:
                    assert may_bet
                    assert placed_on.takes_bets(now_s)
                key = (id(placed_on), bet_id)
                if key in first and first[key][0] == player:
                    assert (answer.state, answer.first) == (BetState.DUPLICATE, first[key][1])
                elif key in first:
                    assert answer.first is None
                    assert answer.state not in FINAL
                elif answer.state in FINAL and placed_on.state is not RoundState.SCHEDULED:
                    first[key] = (player, answer.state)
    assert sum(judging.answers.values()) == sum(event[0] == "bet" for event in events)
