"""Which packets of a publisher are missing, and when to ask for them (again) (RFC 4585 section 6.2.1)."""

from dataclasses import dataclass

MAX_MISSING = 1000
"""More missing than this is an outage: a keyframe mends it faster than a thousand retransmissions."""

MAX_ASKS = 10
MAX_AGE_S = 1.0
"""A packet older than this comes too late for viewers."""

MIN_RETRY_S = 0.03
DEFAULT_ROUND_TRIP_S = 0.05
"""Until it has been measured."""


@dataclass(slots=True)
class _Missing:
    since_s: float
    next_ask_s: float
    asks: int = 0


class NackTracker:
    """Extended sequence numbers in, extended sequence numbers to ask for out."""

    def __init__(self) -> None:
        self.expected = 0
        """Packets that the highest number so far says were sent, from the first on."""
        self.missed = 0
        """Of them, those that were not there when a later one was: lost, or still to come."""
        self.recovered = 0
        """Of those, the ones that came after all."""
        self.abandoned = 0
        self._missing: dict[int, _Missing] = {}
        self._highest: int | None = None

    def __len__(self) -> int:
        return len(self._missing)

    def restart(self) -> None:
        """The numbers begin anew: nothing is missing."""
        self._missing.clear()
        self._highest = None

    def on_packet(self, sequence_number: int, now_s: float) -> bool:
        """Note a packet that arrived, by whichever way. False when so much is missing that only a keyframe helps."""
        if self._missing.pop(sequence_number, None) is not None:
            self.recovered += 1
        if self._highest is None:
            self._highest = sequence_number
            self.expected += 1
            return True
        if sequence_number <= self._highest:
            return True
        gap = range(self._highest + 1, sequence_number)
        self._highest = sequence_number
        self.expected += len(gap) + 1
        self.missed += len(gap)
        if len(gap) + len(self._missing) > MAX_MISSING:
            self.abandoned += len(gap) + len(self._missing)
            self._missing.clear()
            return False
        for missing in gap:
            self._missing[missing] = _Missing(now_s, now_s)
        return True

    def due(self, now_s: float, round_trip_s: float | None) -> tuple[list[int], list[int]]:
        """(to ask for now, given up now), in order. Asks again after a round trip, each time a little later."""
        asked: list[int] = []
        given_up: list[int] = []
        retry_s = max(round_trip_s if round_trip_s is not None else DEFAULT_ROUND_TRIP_S, MIN_RETRY_S)
        for sequence_number, missing in self._missing.items():
            if missing.asks >= MAX_ASKS or now_s - missing.since_s > MAX_AGE_S:
                given_up.append(sequence_number)
            elif now_s >= missing.next_ask_s:
                missing.asks += 1
                missing.next_ask_s = now_s + retry_s * (1 + missing.asks / 4)
                asked.append(sequence_number)
        for sequence_number in given_up:
            del self._missing[sequence_number]
        self.abandoned += len(given_up)
        return asked, given_up
