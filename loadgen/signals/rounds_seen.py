"""The rounds of a stream as one player is told of them: do they keep the order of states? Pure."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise

from loadgen.signals.messages import RoundNews

MAX_ROUNDS_KEPT = 64
"""Of a stream: more than a server has open; the oldest is forgotten."""

FOLLOWERS: dict[str, frozenset[str]] = {
    "scheduled": frozenset({"betting_open", "aborted"}),
    "betting_open": frozenset({"betting_closed", "aborted"}),
    "betting_closed": frozenset({"result", "aborted"}),
    "result": frozenset({"settled", "aborted"}),
    "settled": frozenset(),
    "aborted": frozenset(),
}
"""State -> those that may follow it (docs/signals.md)."""

FIRST = frozenset({"scheduled", "betting_open"})

Steps = tuple[tuple[str, int], ...]


class RoundsSeen:
    """See the module. A player may come in the middle of a round, and miss or get late what is sent unreliably: each
    message has all steps, so that its order can be judged by itself, too."""

    def __init__(self) -> None:
        self._steps: OrderedDict[str, Steps] = OrderedDict()

    def on_news(self, news: RoundNews, is_reliable: bool) -> tuple[list[str], tuple[str, ...]]:
        """(rules that were broken, states that the round entered since it was last told of, in order)."""
        known = self._steps.get(news.round_id, ())
        broken = [*_faults(news), *_contradictions(known, news.steps, is_reliable)]
        if len(news.steps) <= len(known):
            return broken, ()
        self._steps[news.round_id] = news.steps
        if len(self._steps) > MAX_ROUNDS_KEPT:
            self._steps.popitem(last=False)
        return broken, tuple(state for state, _at_ms in news.steps[len(known) :])


def _faults(news: RoundNews) -> Iterator[str]:
    states = [state for state, _at_ms in news.steps]
    pairs = list(pairwise(states))
    if states[0] not in FIRST or any(after not in FOLLOWERS.get(before, ()) for before, after in pairs):
        yield "round_order"
    if news.state != states[-1]:
        yield "round_state"
    at_ms = [at_ms for _state, at_ms in news.steps]
    if at_ms != sorted(at_ms):
        yield "round_time"


def _contradictions(known: Steps, told: Steps, is_reliable: bool) -> Iterator[str]:
    common = min(len(known), len(told))
    if known[:common] != told[:common]:
        yield "round_rewritten"
    elif is_reliable and len(told) < len(known):
        yield "round_went_back"
