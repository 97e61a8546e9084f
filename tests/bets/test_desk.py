"""The one answer to each bet."""

from collections import Counter

import pytest
from structlog.testing import capture_logs

from gateway.bets.bet import Answer, Bet, BetState
from gateway.bets.desk import MAX_GONE_ANSWERS, REFUSALS_LOGGED_PER_S, BettingDesk
from gateway.config import BetSettings
from gateway.metrics import FAMILIES
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import RoundState
from tests.bets.table import CLIENT, bet, moved, opened, rounds

ACCEPTED, LATE = Answer(BetState.ACCEPTED), Answer(BetState.LATE)


class Room:
    """An upstream with so much of it."""

    def __init__(self, places: int) -> None:
        self.bets: list[Bet] = []
        self.places = places

    def offer(self, bet: Bet) -> bool:
        if len(self.bets) >= self.places:
            return False
        self.bets.append(bet)
        return True


def desk(known: Rounds, upstream: Room | None = None, **settings: float) -> BettingDesk:
    defaults = {"per_player_per_s": 1000.0, "per_address_per_s": 1000.0}
    return BettingDesk(BetSettings.model_validate(defaults | settings), known, upstream)


def test_bet_in_time_is_accepted_and_handed_on() -> None:
    known, upstream = rounds(), Room(10)
    placed = opened(known)
    answer = desk(known, upstream).place(bet(), CLIENT, 0.0)
    assert answer == ACCEPTED
    assert upstream.bets == [bet()]
    assert placed.bets == 1


def test_bet_without_an_upstream_is_accepted() -> None:
    known = rounds()
    opened(known)
    assert desk(known).place(bet(), CLIENT, 0.0) == ACCEPTED


@pytest.mark.parametrize(
    "road",
    [
        [RoundState.BETTING_CLOSED],
        [RoundState.BETTING_CLOSED, RoundState.RESULT],
        [RoundState.BETTING_CLOSED, RoundState.RESULT, RoundState.SETTLED],
        [RoundState.ABORTED],
    ],
    ids=lambda road: road[-1].value,
)
def test_bet_is_late_in_every_state_after_the_window(road: list[RoundState]) -> None:
    known, upstream = rounds(), Room(10)
    opened(known)
    for state in road:
        moved(known, state)
    judging = desk(known, upstream)
    assert judging.place(bet(), CLIENT, 0.0) == LATE
    assert judging.place(bet(), CLIENT, 0.0) == Answer(BetState.DUPLICATE, BetState.LATE)
    assert upstream.bets == []


def test_bet_is_late_from_the_very_moment_that_the_window_closes() -> None:
    known = rounds()
    opened(known, closes_in_s=10.0)
    judging = desk(known)
    assert judging.place(bet("b1"), CLIENT, 9.999) == ACCEPTED
    assert judging.place(bet("b2"), CLIENT, 10.0) == LATE


def test_bet_before_the_window_is_late_but_may_come_again() -> None:
    known = rounds()
    known.command("table", Command(RoundState.SCHEDULED, "r1"), 0.0)
    judging = desk(known)
    assert [judging.place(bet(), CLIENT, 0.0) for _ in range(2)] == [LATE, LATE]
    moved(known, RoundState.BETTING_OPEN)
    assert judging.place(bet(), CLIENT, 1.0) == ACCEPTED


def test_bet_again_is_told_its_first_answer_and_not_handed_on_again() -> None:
    known, upstream = rounds(), Room(10)
    placed = opened(known)
    judging = desk(known, upstream)
    judging.place(bet(), CLIENT, 0.0)
    moved(known, RoundState.BETTING_CLOSED)
    assert judging.place(bet(), CLIENT, 1.0) == Answer(BetState.DUPLICATE, BetState.ACCEPTED)
    assert len(upstream.bets) == placed.bets == 1


def test_bet_again_is_told_its_first_answer_beyond_any_rate_and_after_the_token() -> None:
    known = rounds()
    opened(known)
    judging = desk(known, per_player_per_s=1.0)
    judging.place(bet("b1"), CLIENT, 0.0)
    judging.place(bet("b2"), CLIENT, 0.0)
    assert judging.place(bet("b3"), CLIENT, 0.0) == Answer(BetState.RATE_LIMITED)
    assert judging.place(bet("b1"), CLIENT, 0.0) == Answer(BetState.DUPLICATE, BetState.ACCEPTED)
    assert judging.place(bet("b1"), CLIENT, 0.0, may_bet=False) == Answer(BetState.DUPLICATE, BetState.ACCEPTED)


def test_bet_id_of_another_player_is_a_duplicate_without_their_answer() -> None:
    known, upstream = rounds(), Room(10)
    opened(known)
    judging = desk(known, upstream)
    judging.place(bet("b1", "ada"), CLIENT, 0.0)
    assert judging.place(bet("b1", "bob"), CLIENT, 0.0) == Answer(BetState.DUPLICATE, None)
    assert [each.player for each in upstream.bets] == ["ada"]


def test_guessing_bet_ids_of_others_is_bounded_by_the_rate() -> None:
    known = rounds()
    opened(known)
    judging = desk(known, per_player_per_s=1.0)
    judging.place(bet("b1", "ada"), CLIENT, 0.0)
    states = [judging.place(bet("b1", "bob"), CLIENT, 0.0).state for _ in range(3)]
    assert states == [BetState.DUPLICATE, BetState.DUPLICATE, BetState.RATE_LIMITED]


def test_same_bet_id_in_another_round_or_stream_is_another_bet() -> None:
    known = rounds()
    for stream, round_id in (("table", "r1"), ("table", "r2"), ("other", "r1")):
        known.command(stream, Command(RoundState.BETTING_OPEN, round_id), 0.0)
    judging = desk(known)
    assert judging.place(bet(), CLIENT, 0.0) == ACCEPTED
    assert judging.place(bet(round_id="r2"), CLIENT, 0.0) == ACCEPTED
    assert judging.place(bet(stream="other"), CLIENT, 0.0) == ACCEPTED


def test_bet_of_who_may_not_bet_is_forbidden_and_costs_nobody_their_rate() -> None:
    known = rounds()
    opened(known)
    judging = desk(known, per_player_per_s=1.0, per_address_per_s=1.0)
    for _ in range(5):
        assert judging.place(bet(), CLIENT, 0.0, may_bet=False) == Answer(BetState.FORBIDDEN)
    assert judging.place(bet(), CLIENT, 0.0) == ACCEPTED


def test_bet_on_an_unknown_round_may_come_again() -> None:
    known = rounds()
    judging = desk(known)
    assert judging.place(bet(), CLIENT, 0.0) == Answer(BetState.UNKNOWN_ROUND)
    opened(known)
    assert judging.place(bet(), CLIENT, 0.0) == ACCEPTED


def test_rate_is_of_the_player_and_comes_back() -> None:
    known = rounds()
    opened(known)
    judging = desk(known, per_player_per_s=5.0)
    burst = Counter(judging.place(bet(f"b{number}"), CLIENT, 0.0).state for number in range(20))
    assert burst == {BetState.ACCEPTED: 10, BetState.RATE_LIMITED: 10}
    assert judging.place(bet("b0-of-bob", "bob"), CLIENT, 0.0) == ACCEPTED
    assert judging.place(bet("b19"), CLIENT, 0.2) == ACCEPTED
    assert judging.over_rate == {"bet_player": 10}


def test_rate_is_of_the_address_too() -> None:
    known = rounds()
    opened(known)
    judging = desk(known, per_address_per_s=2.0)
    states = [judging.place(bet(f"b{each}", f"player{each}"), CLIENT, 0.0).state for each in range(5)]
    assert states == [BetState.ACCEPTED] * 4 + [BetState.RATE_LIMITED]
    assert judging.place(bet("b4", "player4"), "192.0.2.2", 0.0) == ACCEPTED
    assert judging.over_rate == {"bet_address": 1}


def test_round_takes_no_more_bets_than_are_remembered() -> None:
    known, upstream = rounds(), Room(10)
    opened(known, "r1")
    opened(known, "r2")
    judging = desk(known, upstream, per_round=3)
    states = [judging.place(bet(f"b{number}"), CLIENT, 0.0).state for number in range(4)]
    assert states == [BetState.ACCEPTED] * 3 + [BetState.RATE_LIMITED]
    assert len(upstream.bets) == 3
    assert judging.place(bet(round_id="r2"), CLIENT, 0.0) == ACCEPTED


def test_late_bets_beyond_the_memory_are_late_all_the_same() -> None:
    known = rounds()
    opened(known)
    moved(known, RoundState.BETTING_CLOSED)
    judging = desk(known, per_round=2)
    assert {judging.place(bet(f"b{number}"), CLIENT, 0.0).state for number in range(5)} == {BetState.LATE}
    assert judging.place(bet("b0"), CLIENT, 0.0) == Answer(BetState.DUPLICATE, BetState.LATE)
    assert judging.place(bet("b4"), CLIENT, 0.0) == LATE


def test_full_upstream_makes_bets_unavailable_until_there_is_room() -> None:
    known, upstream = rounds(), Room(1)
    placed = opened(known)
    judging = desk(known, upstream)
    judging.place(bet("b1"), CLIENT, 0.0)
    assert judging.place(bet("b2"), CLIENT, 0.0) == Answer(BetState.UNAVAILABLE)
    assert placed.bets == 1
    upstream.places = 2
    assert judging.place(bet("b2"), CLIENT, 0.0) == ACCEPTED


def test_bets_whose_answers_are_forgotten_are_of_an_unknown_round_and_never_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Late would tell somebody whose bet counts that it does not."""
    known = rounds()
    monkeypatch.setattr("gateway.bets.answers.Answers.__init__.__defaults__", (1,))
    judging = desk(known)
    opened(known, "r1")
    judging.place(bet("b1"), CLIENT, 0.0)
    moved(known, RoundState.ABORTED, "r1")
    opened(known, "r2")
    assert judging.place(bet("b1", round_id="r2"), CLIENT, 0.0) == ACCEPTED
    assert judging.place(bet("b1", round_id="r1"), CLIENT, 0.0) == Answer(BetState.UNKNOWN_ROUND)
    assert judging.place(bet("b2", round_id="r2"), CLIENT, 0.0) == Answer(BetState.RATE_LIMITED)


def test_late_bet_does_not_make_its_round_forget_what_was_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = rounds()
    monkeypatch.setattr("gateway.bets.answers.Answers.__init__.__defaults__", (1,))
    judging = desk(known)
    opened(known)
    judging.place(bet("b1"), CLIENT, 0.0)
    moved(known, RoundState.ABORTED)
    assert judging.place(bet("b2"), CLIENT, 0.0) == LATE
    assert judging.place(bet("b1"), CLIENT, 0.0) == Answer(BetState.DUPLICATE, BetState.ACCEPTED)


def test_every_bet_is_counted_by_its_answer() -> None:
    known = rounds()
    opened(known)
    judging = desk(known, per_address_per_s=1.0)
    for placed in (bet(), bet(), bet("b2"), bet("b3")):
        judging.place(placed, CLIENT, 0.0)
    samples = {(name, labels): count for name, labels, count in judging.samples()}
    assert {key: count for key, count in samples.items() if count} == {
        ("railbird_bets_total", ("table", "accepted")): 2,
        ("railbird_bets_total", ("table", "duplicate")): 1,
        ("railbird_bets_total", ("table", "rate_limited")): 1,
        ("railbird_rate_limited_total", ("bet_address",)): 1,
    }
    assert all(len(FAMILIES[name].labels) == len(labels) for name, labels in samples)


def test_answers_are_counted_from_nothing_at_streams_that_there_are() -> None:
    known = rounds()
    opened(known)
    judging = desk(known)
    judging.place(bet(), CLIENT, 0.0)
    counted = {labels: count for name, labels, count in judging.samples(["table", "quiet"])}
    assert counted == {(stream, state.value): 0 for stream in ("table", "quiet") for state in BetState} | {
        ("table", "accepted"): 1
    }


def test_names_of_streams_that_a_peer_made_up_are_no_labels() -> None:
    judging = desk(rounds())
    for number in range(50):
        judging.place(bet(stream=f"made-up-{number}"), CLIENT, 0.0)
    assert judging.answers == {("", "unknown_round"): 50}


def test_flood_of_refused_bets_is_counted_but_not_all_written_down() -> None:
    known = rounds()
    opened(known)
    moved(known, RoundState.BETTING_CLOSED)
    judging = desk(known)
    with capture_logs() as logs:
        for number in range(200):
            judging.place(bet(f"b{number}"), CLIENT, 0.0)
    at_info = [each for each in logs if each["log_level"] == "info"]
    assert len(at_info) == 2 * REFUSALS_LOGGED_PER_S
    assert {key: at_info[0][key] for key in ("stream", "round_id", "bet_id", "player", "state")} == {
        "stream": "table",
        "round_id": "r1",
        "bet_id": "b0",
        "player": "ada",
        "state": "late",
    }


def test_counters_of_streams_that_are_gone_are_bounded() -> None:
    known = rounds()
    judging = desk(known)
    most = 0
    for number in range(2 * MAX_GONE_ANSWERS):
        stream = f"table{number}"
        known.command(stream, Command(RoundState.BETTING_OPEN, "r1"), number)
        judging.place(bet(stream=stream, now_s=number), CLIENT, number)
        most = max(most, len(judging.answers))
        assert judging.answers[stream, "accepted"] == 1
        known.forget(stream)
    assert MAX_GONE_ANSWERS <= most <= MAX_GONE_ANSWERS + 2 * len(BetState)
