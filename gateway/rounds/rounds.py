"""The rounds of all streams: takes what the studio says, keeps the clock of betting windows, tells who listens."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.clock import WallClock
from gateway.config import RoundSettings
from gateway.errors import SignallingError
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Round, Step
from gateway.rounds.states import FIRST_STATES, TRANSITIONS, RoundState

MAX_OPEN_ROUNDS = 8
"""Of a stream: one is played, the next ones may be announced."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a studio or an operator wants of a round."""

    state: RoundState
    round_id: str | None = None
    """None for a new round: the gateway names it."""
    closes_in_s: float | None = None
    """With betting_open: bets close by themselves after so long."""
    result: Any = None


Listener = Callable[[Round, float], None]
"""Called with the round, which has entered its newest state, and the time."""


class Rounds:
    """See the module."""

    def __init__(self, settings: RoundSettings, clock: WallClock) -> None:
        self.listeners: list[Listener] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """(stream, outcome) -> rounds that ended."""
        self.aborts: Counter[tuple[str, str]] = Counter()
        """(stream, cause) -> aborted rounds."""
        self._settings = settings
        self._clock = clock
        self._rounds: dict[str, dict[str, Round]] = {}

    # What there is

    def of_stream(self, stream: str) -> Iterator[Round]:
        """The rounds of a stream that are remembered, the oldest first."""
        return iter(tuple(self._rounds.get(stream, {}).values()))

    def open_rounds(self, stream: str) -> list[Round]:
        """Those that are not over."""
        return [each for each in self.of_stream(stream) if not each.is_over]

    def find(self, stream: str, round_id: str) -> Round | None:
        """The round of that id."""
        return self._rounds.get(stream, {}).get(round_id)

    def streams(self) -> tuple[str, ...]:
        """The streams that have, or had, rounds."""
        return tuple(self._rounds)

    # What happens

    def command(self, stream: str, command: Command, now_s: float) -> Round:
        """Open a round, or move one on. The same again changes nothing.

        SignallingError 404 for a round that is not there, 409 for a state that cannot follow, 503 for too many rounds.
        """
        known = self.find(stream, command.round_id) if command.round_id is not None else None
        if known is None:
            return self._open(stream, command, now_s)
        if command.state is known.state:
            return known
        if command.state not in TRANSITIONS[known.state]:
            raise SignallingError(
                409,
                f"The round is {known.state.value}: {command.state.value} cannot follow.",
                {"X-Round": known.round_id},
            )
        if command.state is RoundState.ABORTED:
            known.cause = AbortCause.STUDIO_REQUEST
        if command.result is not None:
            known.result = command.result
        self._enter(known, command, now_s)
        return known

    def abort(
        self,
        stream: str,
        round_id: str,
        cause: AbortCause,
        evidence: Mapping[str, float | int | str | None],
        now_s: float,
    ) -> None:
        """End a round that is not over; of one that is, nothing."""
        found = self.find(stream, round_id)
        if found is not None and not found.is_over:
            found.cause, found.evidence = cause, dict(evidence)
            self._enter(found, Command(RoundState.ABORTED), now_s)

    def tick(self, now_s: float) -> None:
        """Close the windows that are due; several times a second."""
        for rounds in self._rounds.values():
            for each in tuple(rounds.values()):
                is_due = each.closes_at_s is not None and each.closes_at_s <= now_s
                if is_due and each.state is RoundState.BETTING_OPEN:
                    self._enter(each, Command(RoundState.BETTING_CLOSED), each.closes_at_s or now_s)

    def forget(self, stream: str) -> None:
        """The stream is gone, and its history with it."""
        self._rounds.pop(stream, None)

    def _open(self, stream: str, command: Command, now_s: float) -> Round:
        if command.state not in FIRST_STATES:
            raise SignallingError(404, "There is no such round; one begins scheduled or betting_open.")
        if len(self.open_rounds(stream)) >= MAX_OPEN_ROUNDS:
            raise SignallingError(503, f"The stream has {MAX_OPEN_ROUNDS} open rounds.", {"Retry-After": "1"})
        opened = Round(stream, command.round_id or secrets.token_urlsafe(9), [])
        rounds = self._rounds.setdefault(stream, {})
        rounds[opened.round_id] = opened
        self._enter(opened, command, now_s)
        for round_id in [each.round_id for each in rounds.values() if each.is_over][: -self._settings.history]:
            del rounds[round_id]
        return opened

    def _enter(self, entering: Round, command: Command, now_s: float) -> None:
        entering.steps.append(Step(command.state, now_s, self._clock.unix_s(now_s)))
        if command.state is RoundState.BETTING_OPEN and command.closes_in_s is not None:
            entering.closes_at_s = now_s + command.closes_in_s
            entering.closes_at_unix_s = self._clock.unix_s(entering.closes_at_s)
        if entering.is_over:
            self.outcomes[entering.stream, entering.state.value] += 1
        if entering.cause is not None:
            self.aborts[entering.stream, entering.cause.value] += 1
        for listener in self.listeners:
            listener(entering, now_s)
