"""Any order of words, ticks and aborts, against the table and a model that is read off it."""

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import SignallingError
from gateway.rounds.causes import AbortCause
from gateway.rounds.description import describe_in_full
from gateway.rounds.rounds import MAX_OPEN_ROUNDS
from gateway.rounds.states import FIRST_STATES, TRANSITIONS, RoundState
from tests.rounds.stand import STREAM, Stand

IDS = st.sampled_from([f"r{number}" for number in range(12)])


class RoundsMachine(RuleBasedStateMachine):
    """The model is the state of each round, and when its window closes."""

    def __init__(self) -> None:
        super().__init__()
        self.stand = Stand()
        self.states: dict[str, RoundState] = {}
        self.opened_s: dict[str, float] = {}
        self.closes_s: dict[str, float] = {}
        self.changes = 0

    def _enter(self, round_id: str, state: RoundState) -> None:
        self.states[round_id] = state
        self.changes += 1

    def _close_if_due(self, round_id: str) -> None:
        is_due = self.closes_s.get(round_id, float("inf")) <= self.stand.now_s
        if is_due and self.states.get(round_id) is RoundState.BETTING_OPEN:
            self._enter(round_id, RoundState.BETTING_CLOSED)

    def _expected(self, round_id: str, state: RoundState, closes_in_s: float | None) -> int | None:
        """The status of the refusal; None where the word is taken."""
        before = self.states.get(round_id)
        if before is None:
            if state not in FIRST_STATES:
                return 404
            is_full = sum(bool(TRANSITIONS[each]) for each in self.states.values()) >= MAX_OPEN_ROUNDS
            return 503 if is_full else None
        if state is before and closes_in_s is not None:
            return None if self.opened_s[round_id] + closes_in_s == self.closes_s.get(round_id) else 409
        return None if state is before or state in TRANSITIONS[before] else 409

    @rule(round_id=IDS, state=st.sampled_from(RoundState), closes_in_s=st.none() | st.floats(0.1, 5.0))
    def command(self, round_id: str, state: RoundState, closes_in_s: float | None) -> None:
        self._close_if_due(round_id)
        closes_in_s = closes_in_s if state is RoundState.BETTING_OPEN else None
        expected = self._expected(round_id, state, closes_in_s)
        if expected is not None:
            with pytest.raises(SignallingError) as caught:
                self.stand.say(state.value, round_id, closes_in_s=closes_in_s)
            assert caught.value.status == expected
            return
        told = self.stand.say(state.value, round_id, closes_in_s=closes_in_s)
        assert told.state is state
        if self.states.get(round_id) is not state:
            self._enter(round_id, state)
            if state is RoundState.BETTING_OPEN:
                self.opened_s[round_id] = self.stand.now_s
            if closes_in_s is not None:
                self.closes_s[round_id] = self.stand.now_s + closes_in_s

    @rule(round_id=IDS, cause=st.sampled_from(AbortCause))
    def abort(self, round_id: str, cause: AbortCause) -> None:
        self._close_if_due(round_id)
        before = self.states.get(round_id)
        self.stand.rounds.abort(STREAM, round_id, cause, {"gapMs": 1}, self.stand.now_s)
        if before is not None and TRANSITIONS[before]:
            self._enter(round_id, RoundState.ABORTED)

    @rule(seconds=st.floats(0.0, 3.0))
    def wait(self, seconds: float) -> None:
        self.stand.wait(seconds)
        for round_id in self.states:
            self._close_if_due(round_id)

    @rule(seconds=st.floats(0.0, 1.0))
    def look_late(self, seconds: float) -> None:
        self.stand.now_s += seconds

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        rounds = {each.round_id: each for each in self.stand.rounds.of_stream(STREAM)}
        assert {round_id: each.state for round_id, each in rounds.items()} == self.states
        assert len(self.stand.heard) == self.changes

    @invariant()
    def every_round_kept_to_the_table_and_to_time(self) -> None:
        for each in self.stand.rounds.of_stream(STREAM):
            states, times = [step.state for step in each.steps], [step.at_s for step in each.steps]
            assert states[0] in FIRST_STATES
            assert all(after in TRANSITIONS[before] for before, after in pairwise(states))
            assert times == sorted(times)
            assert (each.cause is not None) == (each.state is RoundState.ABORTED)

    @invariant()
    def what_is_counted_is_what_there_is(self) -> None:
        rounds = list(self.stand.rounds.of_stream(STREAM))
        open_rounds = [each for each in rounds if not each.is_over]
        assert self.stand.rounds.open_rounds(STREAM) == open_rounds
        assert self.stand.rounds.outcomes.total() == len(rounds) - len(open_rounds)
        assert self.stand.rounds.aborts.total() == self.stand.rounds.outcomes[STREAM, "aborted"]
        windows = [each.closes_at_s for each in open_rounds if each.state is RoundState.BETTING_OPEN]
        assert self.stand.rounds.next_close_s == min((each for each in windows if each is not None), default=None)

    @invariant()
    def every_round_can_be_told(self) -> None:
        told: list[dict[str, Any]] = [describe_in_full(each) for each in self.stand.rounds.of_stream(STREAM)]
        assert [each["state"] for each in told] == [each["steps"][-1]["state"] for each in told]


TestRounds = RoundsMachine.TestCase
TestRounds.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
