"""When the packets of a frame leave: all at once, or in bursts as libwebrtc's pacer sends them. Pure."""

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

BURST_INTERVAL_S = 0.005
PACING_FACTOR = 2.5
"""Of the bitrate, as libwebrtc has it: a keyframe is not to take until the next one."""


class Outgoing(NamedTuple):
    """A packet of a frame that leaves."""

    payload: bytes
    rtp_ticks: int
    is_first: bool
    is_last: bool


class Stampable(Protocol):
    """A frame whose payloads are made when it begins to leave."""

    def payloads(self, stamp_nal: bytes) -> list[bytes]:
        """In the order of sending."""


class Pacer:
    """A queue of frames."""

    def __init__(self, bitrate_bps: float | None) -> None:
        """Bursts for that bitrate; None sends each frame at once."""
        self._burst_bytes = math.inf if bitrate_bps is None else PACING_FACTOR * bitrate_bps / 8 * BURST_INTERVAL_S
        self._waiting: deque[tuple[Stampable, int]] = deque()
        self._leaving: deque[Outgoing] = deque()
        self._next_burst_s = 0.0

    @property
    def due_s(self) -> float:
        """When the next burst is due; infinity when nothing waits."""
        return self._next_burst_s if self._leaving or self._waiting else math.inf

    def put(self, frame: Stampable, rtp_ticks: int, now_s: float) -> None:
        """A frame to send after all that wait."""
        if not self._leaving and not self._waiting:
            self._next_burst_s = max(self._next_burst_s, now_s)
        self._waiting.append((frame, rtp_ticks))

    def burst(self, stamp: Callable[[], bytes]) -> list[Outgoing]:
        """The packets that leave now. `stamp` makes the stamp of a frame that begins to leave."""
        packets: list[Outgoing] = []
        left_bytes = self._burst_bytes
        while left_bytes > 0 and (self._leaving or self._waiting):
            if not self._leaving:
                self._begin(stamp())
            packets.append(self._leaving.popleft())
            left_bytes -= len(packets[-1].payload)
        self._next_burst_s += BURST_INTERVAL_S if self._burst_bytes < math.inf else 0.0
        return packets

    def _begin(self, stamp_nal: bytes) -> None:
        frame, rtp_ticks = self._waiting.popleft()
        payloads = frame.payloads(stamp_nal)
        last = len(payloads) - 1
        self._leaving.extend(
            Outgoing(payload, rtp_ticks, order == 0, order == last) for order, payload in enumerate(payloads)
        )
