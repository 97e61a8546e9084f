"""From a publisher's sequence numbers and timestamps to the stream's own, across publishers.

The stream has one outgoing SSRC, one sequence space and one timestamp line a track. A publisher that takes over, or
that restarts its own numbers, begins a new epoch: its first packet follows the last one of the epoch before, and its
timestamps go on by the time that really passed.
"""

import random


class Rewriter:
    """Maps (extended sequence number, extended timestamp) of the current epoch to (index, 32-bit timestamp) going
    out."""

    __slots__ = (
        "_clock_rate_hz",
        "_floor",
        "_last_arrival_s",
        "_last_timestamp",
        "_offset",
        "_timestamp_offset",
        "next_index",
    )

    def __init__(self, clock_rate_hz: int, random_source: random.Random) -> None:
        self._clock_rate_hz = clock_rate_hz
        # RFC 3711 section 3.3.1 wants the first number below 2**15, so that an early loss is not taken for a rollover.
        self.next_index = random_source.randrange(1, 1 << 15)
        self._last_timestamp = random_source.getrandbits(32)
        self._last_arrival_s: float | None = None
        self._offset: int | None = None
        self._timestamp_offset = 0
        self._floor = self.next_index

    def begin_epoch(self) -> None:
        """The next packet is the first of other numbers."""
        self._offset = None

    def rewrite(self, sequence_number: int, timestamp: int, arrival_s: float) -> tuple[int, int] | None:
        """`sequence_number` extended, `timestamp` 32 bits. None for a packet from before the epoch's first: its place
        is taken."""
        if self._offset is None:
            self._begin(sequence_number, timestamp, arrival_s)
        assert self._offset is not None
        index = sequence_number + self._offset
        if index < self._floor:
            return None
        out = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if index >= self.next_index:
            self.next_index = index + 1
            self._last_timestamp, self._last_arrival_s = out, arrival_s
        return index, out

    def outgoing_timestamp(self, timestamp: int) -> int:
        """The outgoing timestamp of the publisher's `timestamp` in the current epoch."""
        return (timestamp + self._timestamp_offset) & 0xFFFFFFFF

    def index_of(self, sequence_number: int) -> int | None:
        """Where a packet of the current epoch goes, or would have gone."""
        return None if self._offset is None else sequence_number + self._offset

    @property
    def is_mapped(self) -> bool:
        """Whether the current epoch has had a packet."""
        return self._offset is not None

    def _begin(self, sequence_number: int, timestamp: int, arrival_s: float) -> None:
        self._offset = self.next_index - sequence_number
        self._floor = self.next_index
        passed_s = 0.0 if self._last_arrival_s is None else max(arrival_s - self._last_arrival_s, 0.0)
        # At least one tick, so that two frames of two publishers never look like one.
        expected = self._last_timestamp + max(round(passed_s * self._clock_rate_hz), 1)
        self._timestamp_offset = (expected - timestamp) & 0xFFFFFFFF
