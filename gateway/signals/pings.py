"""Round trips: one connection's pings, and when whose are due. Pure: time is passed in."""

import secrets
from collections.abc import Iterator
from typing import Generic, TypeVar

from gateway.signals.messages import MAX_PING_ID

PONG_TIMEOUT_S = 5.0
"""Longer than any round trip that a player could bet with; shorter than the path's own timeouts."""
MAX_OUTSTANDING = 64
"""Pings without an answer: PONG_TIMEOUT_S of the shortest interval."""


class Pings:
    """The pings of one connection. Ids are random: nobody can answer one that has not reached him."""

    __slots__ = ("_outstanding", "rtt_s")

    def __init__(self) -> None:
        self.rtt_s: float | None = None
        """What the last answered ping measured."""
        self._outstanding: dict[int, float] = {}
        """id -> when it was sent, the oldest first."""

    def begin(self, sent_s: float) -> int:
        """The id of a ping that is sent now."""
        ping_id = secrets.randbelow(MAX_PING_ID + 1)
        self._outstanding.pop(ping_id, None)
        self._outstanding[ping_id] = sent_s
        return ping_id

    def expire(self, now_s: float) -> int:
        """Give up the pings whose answer is overdue; how many."""
        expired = 0
        for ping_id, sent_s in tuple(self._outstanding.items()):
            if now_s - sent_s <= PONG_TIMEOUT_S and len(self._outstanding) < MAX_OUTSTANDING:
                break
            del self._outstanding[ping_id]
            expired += 1
        return expired

    def end(self, ping_id: int, arrival_s: float) -> float | None:
        """The round trip in seconds; None for a pong that nobody waits for (any more)."""
        sent_s = self._outstanding.pop(ping_id, None)
        if sent_s is None:
            return None
        # The kernel's time of arrival and ours differ by some microseconds.
        self.rtt_s = max(arrival_s - sent_s, 0.0)
        return self.rtt_s


Member = TypeVar("Member")


class Wheel(Generic[Member]):
    """Spreads what is due once a turn evenly over the turn's slots; each tick has the members of one slot."""

    def __init__(self, slots: int) -> None:
        self._slots: list[dict[Member, None]] = [{} for _ in range(max(slots, 1))]
        self._slot_of: dict[Member, dict[Member, None]] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def add(self, member: Member) -> None:
        """Into the emptiest slot."""
        slot = min(self._slots, key=len)
        slot[member] = None
        self._slot_of[member] = slot

    def remove(self, member: Member) -> None:
        """Out of its slot; nothing if it has none."""
        slot = self._slot_of.pop(member, None)
        if slot is not None:
            del slot[member]

    def turn(self) -> Iterator[Member]:
        """Whose turn it is at this tick."""
        due = self._slots[self._next]
        self._next = (self._next + 1) % len(self._slots)
        return iter(tuple(due))
