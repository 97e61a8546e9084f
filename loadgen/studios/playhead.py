"""Where a studio is in a looped track. Pure."""

from collections.abc import Sequence
from typing import Protocol


class Timed(Protocol):
    """A frame or an audio packet."""

    @property
    def pts_rtp_ticks(self) -> int:
        """From the clip's beginning."""


class Playhead:
    """The next unit, and when it is due. Times are in RTP ticks of the track's clock since the studio went on air: they
    go on where the clip begins again, and where a part of it is skipped."""

    __slots__ = ("_loop_rtp_ticks", "_units", "due_rtp_ticks", "number")

    def __init__(self, units: Sequence[Timed], loop_rtp_ticks: int) -> None:
        """`units` are at least one; the whole clip takes `loop_rtp_ticks`."""
        self._units = units
        self._loop_rtp_ticks = loop_rtp_ticks
        self.number = 0
        """Of the next unit."""
        self.due_rtp_ticks = units[0].pts_rtp_ticks

    def advance(self) -> None:
        """To the unit after the next one."""
        following = (self.number + 1) % len(self._units)
        self.due_rtp_ticks += self._distance(self.number, following)
        self.number = following

    def jump_to(self, number: int) -> int:
        """Unit `number` instead of the next one, at its time. Returns how many ticks of the clip are skipped."""
        skipped = self._distance(self.number, number) if number != self.number else 0
        self.number = number
        return skipped

    def skip(self, rtp_ticks: int) -> None:
        """Leave out so much of the clip, rounded up to whole units. What is due then stays in step with a track that
        has skipped exactly as much."""
        left = rtp_ticks
        while left > 0:
            following = (self.number + 1) % len(self._units)
            left -= self._distance(self.number, following)
            self.number = following
        self.due_rtp_ticks -= left

    def _distance(self, number: int, following: int) -> int:
        """Ticks from a unit to a later one, around the end if need be; a whole loop to itself."""
        ticks = self._units[following].pts_rtp_ticks - self._units[number].pts_rtp_ticks
        return ticks if ticks > 0 else ticks + self._loop_rtp_ticks
