"""The rounds of all streams: takes what the studio says, keeps the clock of betting windows, tells who listens."""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from gateway.clock import WallClock
from gateway.config import RoundSettings
from gateway.errors import SignallingError
from gateway.metrics import Sample
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Evidence, Round, Step
from gateway.rounds.states import FIRST_STATES, TRANSITIONS, RoundState

log = structlog.get_logger()

MAX_OPEN_ROUNDS = 8
"""Of a stream: one is played, the next ones may be announced."""
MAX_FORGOTTEN = 256
"""Streams that are gone, whose counters are kept, so that a scrape sees what their end aborted."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a studio or an operator wants of a round (`request.parse_command` makes one of a body)."""

    state: RoundState
    round_id: str | None = None
    """None for a new round: the gateway names it."""
    closes_in_s: float | None = None
    """With betting_open: bets close by themselves after so long."""
    result: Any = None
    """With result."""
    cause: AbortCause = AbortCause.STUDIO_REQUEST
    """With aborted."""


_OUTCOMES = (RoundState.SETTLED, RoundState.ABORTED)

Listener = Callable[[Round, float], None]
"""Called with the round, which has entered its newest state, and the time now: the step's own may be earlier."""

RtpTimestampAt = Callable[[str, float], int | None]
"""(stream, monotonic time) -> the RTP timestamp of its video as players receive it, at that time; None without one."""


class Rounds:
    """See the module."""

    def __init__(
        self, settings: RoundSettings, clock: WallClock, rtp_timestamp_at: RtpTimestampAt = lambda stream, at_s: None
    ) -> None:
        self.listeners: list[Listener] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """(stream, outcome) -> rounds that ended."""
        self.aborts: Counter[tuple[str, str]] = Counter()
        """(stream, cause) -> aborted rounds."""
        self._settings = settings
        self._clock = clock
        self._rtp_timestamp_at = rtp_timestamp_at
        self._rounds: dict[str, dict[str, Round]] = {}
        self._open_rounds: dict[str, dict[str, Round]] = {}
        """Of the above those that are not over: what is looked at again and again."""
        self._forgotten: OrderedDict[str, None] = OrderedDict()

    # What there is

    def of_stream(self, stream: str) -> Iterator[Round]:
        """The rounds of a stream that are remembered, the oldest first."""
        return iter(tuple(self._rounds.get(stream, {}).values()))

    def open_rounds(self, stream: str) -> list[Round]:
        """Those that are not over, the oldest first."""
        return list(self._open_rounds.get(stream, {}).values())

    def find(self, stream: str, round_id: str) -> Round | None:
        """The round of that id."""
        return self._rounds.get(stream, {}).get(round_id)

    def streams(self) -> tuple[str, ...]:
        """The streams that have, or had, rounds."""
        return tuple(self._rounds)

    @property
    def next_close_s(self) -> float | None:
        """When the next window closes by itself, monotonic: `tick` is due then."""
        windows = (each.closes_at_s for each in self._all_open() if each.state is RoundState.BETTING_OPEN)
        return min((closes_at_s for closes_at_s in windows if closes_at_s is not None), default=None)

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        for stream in self._rounds:
            yield "railbird_rounds_open", (stream,), len(self.open_rounds(stream))
        # From the beginning, as 0: for Prometheus a counter that appears with 1 has not grown.
        outcomes = {(stream, state.value): 0 for stream in self._rounds for state in _OUTCOMES}
        for labels, count in (outcomes | self.outcomes).items():
            yield "railbird_rounds_total", labels, count
        aborts = {(stream, cause.value): 0 for stream in self._rounds for cause in AbortCause}
        for labels, count in (aborts | self.aborts).items():
            yield "railbird_round_aborts_total", labels, count

    # What happens

    def command(self, stream: str, command: Command, now_s: float) -> Round:
        """Open a round, or move one on. The same again changes nothing.

        SignallingError 404 for a round that is not there, 409 for a state that cannot follow, 503 for too many rounds.
        """
        known = self.find(stream, command.round_id) if command.round_id is not None else None
        if known is None:
            return self._open(stream, command, now_s)
        self._close_if_due(known, now_s)
        if command.state is known.state:
            _check_repeats(known, command)
            return known
        if command.state not in TRANSITIONS[known.state]:
            raise SignallingError(409, f"The round is {known.state.value}: {command.state.value} cannot follow.")
        if command.state is RoundState.ABORTED:
            known.cause = command.cause
        if command.result is not None:
            known.result = command.result
        self._enter(known, command, now_s, now_s)
        return known

    def abort(self, stream: str, round_id: str, cause: AbortCause, evidence: Evidence, now_s: float) -> None:
        """End a round that is not over; of one that is, nothing."""
        found = self.find(stream, round_id)
        if found is not None and not found.is_over:
            self._close_if_due(found, now_s)
            found.cause, found.evidence = cause, dict(evidence)
            self._enter(found, Command(RoundState.ABORTED), now_s, now_s)

    def tick(self, now_s: float) -> None:
        """Close the windows that are due; at `next_close_s`, or several times a second."""
        for each in self._all_open():
            self._close_if_due(each, now_s)

    def forget(self, stream: str) -> None:
        """The stream is gone, and its history with it. Who forgets aborts what is open before."""
        if self._rounds.pop(stream, None) is None:
            return
        self._open_rounds.pop(stream, None)
        self._forgotten[stream] = None
        while len(self._forgotten) > MAX_FORGOTTEN:
            oldest, _ = self._forgotten.popitem(last=False)
            for counter in (self.outcomes, self.aborts):
                for labels in [labels for labels in counter if labels[0] == oldest]:
                    del counter[labels]

    def _all_open(self) -> list[Round]:
        return [each for rounds in self._open_rounds.values() for each in rounds.values()]

    def _open(self, stream: str, command: Command, now_s: float) -> Round:
        if command.state not in FIRST_STATES:
            raise SignallingError(404, "There is no such round; one begins scheduled or betting_open.")
        open_rounds = self._open_rounds.setdefault(stream, {})
        if len(open_rounds) >= MAX_OPEN_ROUNDS:
            raise SignallingError(503, f"The stream has {MAX_OPEN_ROUNDS} open rounds.", {"Retry-After": "1"})
        opened = Round(stream, command.round_id or secrets.token_urlsafe(9), [])
        self._forgotten.pop(stream, None)
        rounds = self._rounds.setdefault(stream, {})
        rounds[opened.round_id] = open_rounds[opened.round_id] = opened
        while len(rounds) - len(open_rounds) > self._settings.history:
            del rounds[next(each.round_id for each in rounds.values() if each.is_over)]
        self._enter(opened, command, now_s, now_s)
        return opened

    def _close_if_due(self, each: Round, now_s: float) -> None:
        """A window that closes by itself does so at its own time, however late somebody looks."""
        is_due = each.closes_at_s is not None and each.closes_at_s <= now_s
        if is_due and each.state is RoundState.BETTING_OPEN:
            self._enter(each, Command(RoundState.BETTING_CLOSED), each.closes_at_s or now_s, now_s)

    def _enter(self, entering: Round, command: Command, at_s: float, now_s: float) -> None:
        if entering.steps:
            at_s = max(at_s, entering.steps[-1].at_s)
        rtp_timestamp = self._rtp_timestamp_at(entering.stream, at_s)
        entering.steps.append(Step(command.state, at_s, self._clock.unix_s(at_s), rtp_timestamp))
        if command.state is RoundState.BETTING_OPEN and command.closes_in_s is not None:
            entering.closes_at_s = at_s + command.closes_in_s
            entering.closes_at_unix_s = self._clock.unix_s(entering.closes_at_s)
        if entering.is_over:
            self._open_rounds[entering.stream].pop(entering.round_id, None)
            self.outcomes[entering.stream, entering.state.value] += 1
        if entering.cause is not None:
            self.aborts[entering.stream, entering.cause.value] += 1
        for listener in self.listeners:
            try:
                listener(entering, now_s)
            except Exception:
                # A bug of one that listens must not keep the others, nor the studio, from the round.
                log.exception("round listener failed", stream=entering.stream, round_id=entering.round_id)


def _check_repeats(known: Round, command: Command) -> None:
    """SignallingError 409 where a repeated command says something else: it would be lost without a word."""
    if command.result is not None and command.result != known.result:
        raise SignallingError(409, "The round has another result.")
    if command.closes_in_s is not None and known.steps[-1].at_s + command.closes_in_s != known.closes_at_s:
        raise SignallingError(409, "The window is open already, and closes at another time.")
