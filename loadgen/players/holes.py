"""Packets that are missing, and when to ask for them again (RFC 4585 section 6.2.1), as libwebrtc's NackRequester."""

from dataclasses import dataclass

MAX_TRIES = 10
"""After so many NACKs without an answer a browser gives the packet up."""

MIN_RETRY_S = 0.02
"""A browser looks at what is missing every 20 ms, however short the path is."""

MAX_HOLES = 1_000
"""More at once are no loss that retransmissions can repair: libwebrtc drops its list and asks for a keyframe."""

MAX_ASKED = 250
"""Packets in one NACK, whose entries fit a datagram even if no two of them are neighbours."""

PATIENCE_S = 0.1
"""How long to wait for reordered packets where the server takes no NACK."""


@dataclass(slots=True)
class Hole:
    """One missing packet."""

    noticed_s: float
    asked_s: float = 0.0
    tries: int = 0


class Holes:
    """The missing packets of one track, by index."""

    __slots__ = ("_by_index", "_can_ask", "_given_up", "_repaired")

    def __init__(self, can_ask: bool) -> None:
        """`can_ask`: whether the server takes NACKs for this track."""
        self._by_index: dict[int, Hole] = {}
        self._given_up: dict[int, Hole] = {}
        """The latest MAX_HOLES of those that nobody waits for any more."""
        self._repaired: dict[int, None] = {}
        """The latest MAX_HOLES of those that a retransmission filled."""
        self._can_ask = can_ask

    def __len__(self) -> int:
        return len(self._by_index)

    def __contains__(self, index: int) -> bool:
        return index in self._by_index

    def open(self, first: int, end: int, now_s: float) -> None:
        """The packets from `first` up to, not including, `end` did not come."""
        for index in range(first, end):
            self._by_index[index] = Hole(now_s)

    def was_given_up(self, index: int) -> bool:
        """Whether the packet is missing still, and nobody waits for it any more."""
        return index in self._given_up

    def close(self, index: int) -> bool:
        """The packet came after all, in time or too late; whether it had been asked for."""
        hole = self._by_index.pop(index, None) or self._given_up.pop(index)
        return hole.tries > 0

    def note_repair(self, index: int) -> None:
        """A retransmission filled the hole: the packet itself may still be on its way."""
        self._repaired[index] = None
        if len(self._repaired) > MAX_HOLES:
            del self._repaired[next(iter(self._repaired))]

    def was_repaired(self, index: int) -> bool:
        """Whether a retransmission came before the packet itself; asked a second time, no longer."""
        return self._repaired.pop(index, index) is None

    def due(self, now_s: float, rtt_s: float) -> list[int]:
        """Which packets to ask for now, at most MAX_ASKED: the others are due still."""
        if not self._can_ask:
            return []
        retry_s = max(rtt_s, MIN_RETRY_S)
        due = []
        for index, hole in self._by_index.items():
            if hole.tries < MAX_TRIES and (not hole.tries or now_s - hole.asked_s >= retry_s):
                hole.asked_s = now_s
                hole.tries += 1
                due.append(index)
                if len(due) == MAX_ASKED:
                    break
        return due

    def first_asked(self, indices: list[int]) -> int:
        """How many of `indices` have just been asked for the first time."""
        return sum(self._by_index[index].tries == 1 for index in indices)

    def hopeless(self, now_s: float, rtt_s: float) -> int | None:
        """The newest packet to give up; None while there is hope for all."""
        last = None
        for index, hole in self._by_index.items():
            if self._can_ask:
                is_over = hole.tries >= MAX_TRIES and now_s - hole.asked_s >= max(rtt_s, MIN_RETRY_S)
            else:
                is_over = now_s - hole.noticed_s >= PATIENCE_S
            if is_over and (last is None or index > last):
                last = index
        return last

    def forget_until(self, index: int) -> None:
        """Give up everything up to and including `index`."""
        for each in [each for each in self._by_index if each <= index]:
            self._given_up[each] = self._by_index.pop(each)
        for oldest in list(self._given_up)[:-MAX_HOLES]:
            del self._given_up[oldest]

    def clear(self) -> None:
        """Forget everything: the numbers begin anew."""
        self._by_index.clear()
        self._given_up.clear()
        self._repaired.clear()
