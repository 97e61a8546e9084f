"""What is remembered of bets, and for how long."""

import tracemalloc

from gateway.bets.answers import MAX_ANSWERS, Answers
from gateway.bets.bet import BetState
from gateway.rounds.states import RoundState
from tests.bets.table import bet, moved, opened, rounds

MAX_BYTES_AN_ANSWER = 300
"""betId and player of the sizes that pages make, and their places in the dictionary."""


def test_answer_is_found_by_round_and_bet_id() -> None:
    known = rounds()
    first, second = opened(known, "r1"), opened(known, "r2")
    answers = Answers(known)
    answers.remember(first, bet("b1", "ada"), BetState.ACCEPTED)
    assert answers.find(first, "b1") == ("ada", BetState.ACCEPTED)
    assert answers.find(first, "b2") is None
    assert answers.find(second, "b1") is None
    assert (answers.count(first, BetState.ACCEPTED), answers.count(first, BetState.LATE)) == (1, 0)


def test_answers_go_with_their_round() -> None:
    known = rounds(history=1)
    answers = Answers(known)
    for number in range(5):
        answers.remember(opened(known, f"r{number}"), bet("b1"), BetState.ACCEPTED)
        moved(known, RoundState.ABORTED, f"r{number}")
    # The last round, the one before it, and none of those that left the history.
    assert len(answers) == 2


def test_answers_go_with_their_stream() -> None:
    known = rounds()
    answers = Answers(known)
    answers.remember(opened(known, "r1"), bet("b1"), BetState.ACCEPTED)
    known.forget("table")
    again = opened(known, "r1")
    assert answers.find(again, "b1") is None
    answers.remember(again, bet("b2"), BetState.ACCEPTED)
    assert len(answers) == 1


def test_room_is_made_by_the_oldest_round_that_is_over() -> None:
    known = rounds()
    answers = Answers(known, max_answers=3)
    played, oldest, newest = opened(known, "played"), opened(known, "oldest"), opened(known, "newest")
    for each in (played, oldest, newest):
        answers.remember(each, bet("b1"), BetState.ACCEPTED)
        each.bets += 1
    assert not answers.make_room(newest)
    moved(known, RoundState.ABORTED, "newest")
    moved(known, RoundState.ABORTED, "oldest")
    assert answers.make_room(played)
    assert [answers.are_forgotten(each) for each in (played, oldest, newest)] == [False, True, False]
    assert len(answers) == 2


def test_round_makes_no_room_for_itself() -> None:
    known = rounds()
    answers = Answers(known, max_answers=1)
    over = opened(known)
    answers.remember(over, bet("b1"), BetState.ACCEPTED)
    moved(known, RoundState.ABORTED)
    assert not answers.make_room(over)
    assert answers.find(over, "b1") == ("ada", BetState.ACCEPTED)


def test_round_without_bets_has_nothing_to_forget() -> None:
    known = rounds()
    assert not Answers(known).are_forgotten(opened(known))


def test_memory_of_a_full_desk_is_bounded() -> None:
    known = rounds()
    tracemalloc.start()
    try:
        answers = Answers(known)
        for number in range(MAX_ANSWERS // 100 + 1_000):
            round_id = f"r{number // 1_000}"
            placed = known.find("table", round_id) or opened(known, round_id)
            # What comes from the network is a string of its own each time.
            answers.remember(placed, bet(f"{number:036d}", f"player-{number:029d}"), BetState.ACCEPTED)
            if number % 1_000 == 999:
                moved(known, RoundState.ABORTED, round_id)
        held_bytes, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes / len(answers) < MAX_BYTES_AN_ANSWER
