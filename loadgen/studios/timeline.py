"""What happens to a studio, and when. Pure."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from loadgen.scenario.schema import PauseEvent, ReconnectEvent

Event = PauseEvent | ReconnectEvent


class Happening(NamedTuple):
    """One occurrence of an event."""

    at_s: float
    """Since the run began."""
    event: Event


def next_happening(events: Sequence[Event], after_s: float) -> Happening | None:
    """The first one later than `after_s`; None when nothing happens any more. Of two at one instant it is the one that
    the scenario names first, and the other does not happen."""
    happenings = (_first_after(event, after_s) for event in events)
    return min((each for each in happenings if each is not None), key=lambda each: each.at_s, default=None)


def _first_after(event: Event, after_s: float) -> Happening | None:
    if event.at_s > after_s:
        return Happening(event.at_s, event)
    if event.every_s is None:
        return None
    # The quotient may be rounded down: the occurrence that it names can be the one at `after_s`, or the one before.
    first = math.floor((after_s - event.at_s) / event.every_s)
    at_s = next(at_s for n in itertools.count(first) if (at_s := event.at_s + n * event.every_s) > after_s)
    return Happening(at_s, event)
