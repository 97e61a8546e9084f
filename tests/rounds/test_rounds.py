"""Rounds: what a studio may say when, windows that close by themselves, what is remembered and counted."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from gateway.errors import SignallingError
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Round
from gateway.rounds.rounds import MAX_FORGOTTEN, MAX_OPEN_ROUNDS
from tests.rounds.stand import STREAM, UNIX_MINUS_MONOTONIC_S, Stand


@pytest.fixture
def stand() -> Stand:
    return Stand()


def _refused(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(SignallingError) as caught:
        call()
    return caught.value.status, caught.value.sentence


# What a studio says


def test_round_goes_its_way_and_everybody_hears_each_step(stand: Stand) -> None:
    for state in ("scheduled", "betting_open", "betting_closed", "result", "settled"):
        stand.say(state)
        stand.wait(1.0)
    assert stand.heard == [
        ("r", "scheduled", 1000.0),
        ("r", "betting_open", 1001.0),
        ("r", "betting_closed", 1002.0),
        ("r", "result", 1003.0),
        ("r", "settled", 1004.0),
    ]
    found = stand.rounds.find(STREAM, "r")
    assert found is not None
    assert found.is_over
    assert [step.at_s for step in found.steps] == [1000.0, 1001.0, 1002.0, 1003.0, 1004.0]
    assert found.steps[1].at_unix_s == 1001.0 + UNIX_MINUS_MONOTONIC_S
    assert found.steps[1].rtp_timestamp == 1001 * 90_000


def test_round_without_a_name_gets_one_of_its_own(stand: Stand) -> None:
    names = {stand.say("betting_open", None).round_id for _ in range(5)}
    assert len(names) == 5
    assert all(stand.rounds.find(STREAM, name) for name in names)


@pytest.mark.parametrize("state", ["scheduled", "betting_open", "betting_closed", "result", "settled"])
def test_same_state_again_changes_nothing(stand: Stand, state: str) -> None:
    for each in ("scheduled", "betting_open", "betting_closed", "result", "settled"):
        stand.say(each)
        if each == state:
            break
    heard = list(stand.heard)
    stand.wait(1.0)
    again = stand.say(state)
    assert again.state.value == state
    assert stand.heard == heard
    assert stand.rounds.outcomes.total() == (state == "settled")


def test_window_that_is_open_cannot_be_given_another_end_without_a_word(stand: Stand) -> None:
    stand.say("betting_open", closes_in_s=4.0)
    stand.wait(1.0)
    assert stand.say("betting_open", closes_in_s=4.0).closes_at_s == 1004.0
    assert stand.say("betting_open").closes_at_s == 1004.0
    assert _refused(lambda: stand.say("betting_open", closes_in_s=8.0))[0] == 409
    assert stand.rounds.next_close_s == 1004.0
    stand.say("betting_open", "without an end")
    assert _refused(lambda: stand.say("betting_open", "without an end", closes_in_s=8.0))[0] == 409


def test_abort_again_changes_nothing(stand: Stand) -> None:
    stand.say("betting_open")
    stand.say("aborted")
    assert stand.say("aborted").cause is AbortCause.STUDIO_REQUEST
    stand.rounds.abort(STREAM, "r", AbortCause.INGEST_LOSS, {"x": 1}, stand.now_s)
    assert stand.say("aborted").cause is AbortCause.STUDIO_REQUEST
    assert stand.rounds.aborts == {(STREAM, "studio_request"): 1}


def test_state_that_cannot_follow_is_a_conflict(stand: Stand) -> None:
    stand.say("betting_open")
    assert _refused(lambda: stand.say("settled")) == (409, "The round is betting_open: settled cannot follow.")
    stand.say("betting_closed")
    assert _refused(lambda: stand.say("betting_open"))[0] == 409
    assert len(stand.heard) == 2


def test_round_that_is_over_is_not_opened_again(stand: Stand) -> None:
    stand.play("r")
    assert _refused(lambda: stand.say("betting_open")) == (409, "The round is settled: betting_open cannot follow.")
    assert _refused(lambda: stand.say("aborted"))[0] == 409


@pytest.mark.parametrize("state", ["betting_closed", "result", "settled", "aborted"])
def test_round_that_nobody_opened_is_not_found(stand: Stand, state: str) -> None:
    assert _refused(lambda: stand.say(state, "unknown"))[0] == 404
    assert list(stand.rounds.of_stream(STREAM)) == []


def test_rounds_of_two_streams_do_not_meet(stand: Stand) -> None:
    stand.say("betting_open", "r", stream="one")
    stand.say("betting_open", "r", stream="other")
    stand.say("aborted", "r", stream="one")
    assert [each.stream for each in (*stand.rounds.open_rounds("one"), *stand.rounds.open_rounds("other"))] == ["other"]
    assert stand.rounds.streams() == ("one", "other")


def test_result_is_kept_and_cannot_be_replaced_without_a_word(stand: Stand) -> None:
    stand.say("betting_open")
    stand.say("betting_closed")
    stand.say("result", result={"winner": "tie"})
    assert stand.say("result", result={"winner": "tie"}).result == {"winner": "tie"}
    assert stand.say("result").result == {"winner": "tie"}
    assert _refused(lambda: stand.say("result", result={"winner": "banker"})) == (409, "The round has another result.")


def test_too_many_open_rounds_are_refused_until_one_is_over(stand: Stand) -> None:
    for number in range(MAX_OPEN_ROUNDS):
        stand.say("scheduled", str(number))
    assert _refused(lambda: stand.say("scheduled", "more")) == (503, f"The stream has {MAX_OPEN_ROUNDS} open rounds.")
    stand.say("aborted", "3")
    assert stand.say("scheduled", "more").round_id == "more"


# Windows


def test_window_closes_at_its_own_time_however_late_somebody_looks(stand: Stand) -> None:
    opened = stand.say("betting_open", closes_in_s=10.0)
    assert opened.closes_at_unix_s == 1010.0 + UNIX_MINUS_MONOTONIC_S
    assert stand.rounds.next_close_s == 1010.0
    stand.wait(9.75)
    assert opened.state.value == "betting_open"
    stand.wait(1.0)
    assert (opened.state.value, opened.steps[-1].at_s) == ("betting_closed", 1010.0)
    assert opened.steps[-1].rtp_timestamp == 1010 * 90_000
    assert stand.heard[-1] == ("r", "betting_closed", 1010.75), "they hear it when it is told"
    assert stand.rounds.next_close_s is None


def test_studio_may_close_a_window_before_its_time(stand: Stand) -> None:
    opened = stand.say("betting_open", closes_in_s=10.0)
    stand.now_s += 2.0
    stand.say("betting_closed")
    stand.wait(20.0)
    assert [step.at_s for step in opened.steps] == [1000.0, 1002.0]


def test_command_after_the_window_finds_it_closed(stand: Stand) -> None:
    """Whatever was faster, the studio's word or the gateway's own look at the clock."""
    stand.say("betting_open", closes_in_s=1.0)
    stand.now_s += 1.5
    played = stand.say("result")
    assert [(step.state.value, step.at_s) for step in played.steps] == [
        ("betting_open", 1000.0),
        ("betting_closed", 1001.0),
        ("result", 1001.5),
    ]


def test_abort_after_the_window_finds_it_closed(stand: Stand) -> None:
    stand.say("betting_open", closes_in_s=1.0)
    stand.now_s += 1.5
    stand.rounds.abort(STREAM, "r", AbortCause.INGEST_FREEZE, {}, stand.now_s)
    assert [state for _, state, _ in stand.heard] == ["betting_open", "betting_closed", "aborted"]


def test_window_of_a_scheduled_round_counts_from_its_opening(stand: Stand) -> None:
    stand.say("scheduled")
    stand.wait(100.0)
    assert stand.say("betting_open", closes_in_s=5.0).closes_at_s == 1105.0


def test_next_close_is_the_earliest_of_all_streams(stand: Stand) -> None:
    stand.say("betting_open", closes_in_s=9.0, stream="one")
    stand.say("betting_open", closes_in_s=5.0, stream="other")
    stand.say("betting_open", stream="open end")
    assert stand.rounds.next_close_s == 1005.0
    stand.say("aborted", stream="other")
    assert stand.rounds.next_close_s == 1009.0


def test_times_of_a_round_never_run_backwards(stand: Stand) -> None:
    """A datagram's time is the kernel's: what came in first may be looked at last."""
    stand.say("betting_open", closes_in_s=1.0)
    stand.wait(1.0)
    stand.now_s -= 0.5
    assert [step.at_s for step in stand.say("result").steps] == [1000.0, 1001.0, 1001.0]


# Aborts


def test_abort_by_the_gateway_has_its_cause_and_its_evidence(stand: Stand) -> None:
    stand.say("betting_open")
    evidence = {"packetsLost": 31}
    stand.rounds.abort(STREAM, "r", AbortCause.INGEST_LOSS, evidence, stand.now_s)
    evidence["packetsLost"] = 0
    found = stand.rounds.find(STREAM, "r")
    assert found is not None
    assert (found.state.value, found.cause, found.evidence) == ("aborted", AbortCause.INGEST_LOSS, {"packetsLost": 31})
    assert stand.rounds.aborts == {(STREAM, "ingest_loss"): 1}
    assert stand.rounds.outcomes == {(STREAM, "aborted"): 1}


def test_abort_of_what_is_not_there_or_is_over_is_nothing(stand: Stand) -> None:
    stand.play("r")
    heard = len(stand.heard)
    for round_id in ("r", "unknown"):
        stand.rounds.abort(STREAM, round_id, AbortCause.UNKNOWN, {}, stand.now_s)
    stand.rounds.abort("no stream", "r", AbortCause.UNKNOWN, {}, stand.now_s)
    assert len(stand.heard) == heard
    assert stand.rounds.aborts == {}


# Who listens


def test_listener_that_fails_keeps_nobody_from_the_round() -> None:
    stand = Stand()
    heard: list[str] = []

    def fails(_told: Round, _now_s: float) -> None:
        raise RuntimeError("a bug")

    stand.rounds.listeners[:] = [fails, lambda told, _now_s: heard.append(told.state.value)]
    with capture_logs() as logs:
        stand.say("betting_open")
    assert heard == ["betting_open"]
    assert [(line["event"], line["stream"], line["round_id"]) for line in logs] == [
        ("round listener failed", STREAM, "r")
    ]


# What is remembered


def test_history_forgets_the_oldest_that_are_over_and_none_that_is_open() -> None:
    stand = Stand(history=3)
    stand.say("scheduled", "kept")
    for number in range(6):
        stand.play(str(number))
    stand.say("betting_open", "newest")
    assert [each.round_id for each in stand.rounds.of_stream(STREAM)] == ["kept", "3", "4", "5", "newest"]
    assert [each.round_id for each in stand.rounds.open_rounds(STREAM)] == ["kept", "newest"]
    assert stand.rounds.outcomes[STREAM, "settled"] == 6


def test_stream_that_is_gone_is_forgotten_but_still_counted(stand: Stand) -> None:
    stand.play("r")
    stand.say("scheduled", "other")
    stand.rounds.forget(STREAM)
    assert stand.rounds.streams() == ()
    assert stand.rounds.open_rounds(STREAM) == []
    assert stand.rounds.next_close_s is None
    assert stand.rounds.outcomes == {(STREAM, "settled"): 1}


def test_counters_of_streams_that_are_gone_are_bounded(stand: Stand) -> None:
    for number in range(MAX_FORGOTTEN + 10):
        stand.say("betting_open", stream=str(number))
        stand.say("aborted", stream=str(number))
        stand.rounds.forget(str(number))
    assert len(stand.rounds.outcomes) == len(stand.rounds.aborts) == MAX_FORGOTTEN
    assert ("0", "aborted") not in stand.rounds.outcomes


def test_stream_that_comes_back_counts_on(stand: Stand) -> None:
    stand.play("1")
    stand.rounds.forget(STREAM)
    stand.play("2")
    for number in range(MAX_FORGOTTEN + 10):
        stand.say("betting_open", stream=str(number))
        stand.rounds.forget(str(number))
    assert stand.rounds.outcomes[STREAM, "settled"] == 2


def test_samples_are_what_was_counted(stand: Stand) -> None:
    stand.play("1")
    stand.play("2", last="aborted")
    stand.say("scheduled", "3")
    stand.say("betting_open", "4")
    assert {(name, labels): value for name, labels, value in stand.rounds.samples() if value} == {
        ("railbird_rounds_open", (STREAM,)): 2,
        ("railbird_rounds_total", (STREAM, "settled")): 1,
        ("railbird_rounds_total", (STREAM, "aborted")): 1,
        ("railbird_round_aborts_total", (STREAM, "studio_request")): 1,
    }
