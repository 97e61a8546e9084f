"""What a player tells the server of its picture, every few seconds, as a page does of its browser's statistics."""

import time
from dataclasses import replace

from loadgen.counts import MediaCounts
from loadgen.figures import SessionFigures
from loadgen.signals import messages

PROTOCOLS = {"whep": "webrtc", "hls": "hls"}
"""Protocol of a player -> what its reports call it. Others have no picture."""


class Reporter:
    """Of one player, whose record it reads."""

    def __init__(self, figures: SessionFigures) -> None:
        self._figures = figures
        self._told = MediaCounts()
        self._told_s = time.time()

    @property
    def has_picture(self) -> bool:
        """Whether there is anything to report."""
        return self._figures.protocol in PROTOCOLS

    def begin(self) -> None:
        """What was before is nothing to report."""
        self._told, self._told_s = replace(self._figures.media), time.time()

    def report(self) -> str:
        """What was seen since `begin`, or the last call."""
        now, now_s = replace(self._figures.media), time.time()
        seen = MediaCounts()
        for name in MediaCounts.__slots__:
            setattr(seen, name, max(getattr(now, name) - getattr(self._told, name), 0))
        interval_s = now_s - self._told_s
        self._told, self._told_s = now, now_s
        return messages.report(PROTOCOLS[self._figures.protocol], interval_s, seen)
