"""What the watchdog notes every 100 ms: the process once, and each stream whose picture matters. Plain numbers, pure.

Counters only grow, but for those of a stream that was forgotten and came again. Times are monotonic seconds.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

SAMPLE_INTERVAL_S = 0.1
"""A tenth of the shortest thing that is judged by default, and ten wake-ups a second."""

MORE_SAMPLES = 3
"""Than fit into a window: the one before it, the one that a round begins with, and a rounding."""


class Sampled(Protocol):
    """What was noted at some time."""

    @property
    def at_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """This process, and the media socket that all its streams share."""

    at_s: float
    loop_lag_s: float
    """How late a timer was called at worst since the last sample: the process stood still for so long."""
    queue_lateness_s: float
    """How long a datagram had waited in the kernel when it was read, at worst since the last sample."""
    kernel_drops: int
    """Datagrams that found the receive buffer full, since the process began."""


@dataclass(frozen=True, slots=True)
class StreamSample:
    """One stream, as its studio feeds it."""

    at_s: float
    read_until_s: float
    """What arrived before has been read; after a stall that is earlier than `at_s`."""
    picture_s: float | None
    """When the last packet of the newest whole picture arrived that was forwarded; None: there was never any."""
    sound_s: float | None
    """When the newest packet of sound arrived; None: there was never any, or this studio sends none."""
    media_s: float | None
    """When the newest packet of media arrived, whole picture or not."""
    studio_s: float | None
    """When anything authentic of the studio arrived, a path check included."""
    sends_video: bool
    """False while the studio that is here has offered none: nothing is to be judged then."""
    is_connected: bool
    ended_by: str | None
    """Why the studio's session ended; None while it is connected."""
    packets_expected: int = 0
    """Of video, as are all that follow."""
    packets_missed: int = 0
    packets_recovered: int = 0
    packets_unseen: int = 0
    """Told of by the studio's reports alone, as the newest says."""
    frames: int = 0
    """Those of which anything came."""
    frames_lost: int = 0
    """Of them, those that stayed incomplete."""
    frames_undecodable: int = 0
    """Whole or not, that came before a keyframe which a decoder could begin at."""


Sample = TypeVar("Sample", bound=Sampled)


class Window(Generic[Sample]):
    """The samples of the last `span_s`, and one before them, from which counters are counted."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        # Samples come no faster than every SAMPLE_INTERVAL_S; if they did, the window would be the shorter one.
        self._samples: deque[Sample] = deque(maxlen=math.ceil(span_s / SAMPLE_INTERVAL_S) + MORE_SAMPLES)

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        """Those of the window itself, without the one before them; the oldest first."""
        begins_s = self.newest.at_s - self._span_s
        return (each for each in self._samples if each.at_s > begins_s)

    def add(self, sample: Sample) -> None:
        """Note what is newest, and forget what is too old."""
        self._samples.append(sample)
        while len(self._samples) > 2 and self._samples[1].at_s <= sample.at_s - self._span_s:
            self._samples.popleft()

    @property
    def newest(self) -> Sample:
        """The last one that was added; there has to be one."""
        return self._samples[-1]

    @property
    def base(self) -> Sample:
        """What counters are counted from: the last sample before the window began, or the first that there is."""
        return self._samples[0]
