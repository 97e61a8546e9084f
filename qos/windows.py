"""Sliding windows of a stream's measurements, in bounded memory: buckets, which are taken out when they are too old."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from qos.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Span:
    """How long a window is, and in what steps it slides."""

    name: str
    """The label `window` of the score's metrics."""
    seconds: float
    bucket_s: float


SPANS = (Span("1m", 60, 5), Span("5m", 300, 5), Span("1h", 3600, 60))
"""132 buckets a stream: of integers, and of the few keys that round trips fall on."""


NAMES = tuple(span.name for span in SPANS)


class Window:
    """See the module. Covers its span less one bucket at least, and its span at most."""

    def __init__(self, span: Span) -> None:
        self.total = Measurement()
        """Of the whole window; read it only."""
        self._span = span
        self._buckets: deque[tuple[float, Measurement]] = deque()
        """(when it began, what it holds)."""

    def __len__(self) -> int:
        return len(self._buckets)

    def add(self, measured: Measurement, now_s: float) -> None:
        """Take in what was measured up to `now_s`, and forget what is too old."""
        if not self._buckets or now_s - self._buckets[-1][0] >= self._span.bucket_s:
            if self._buckets:
                self._buckets[-1][1].rtt.pack()
            self._buckets.append((now_s, Measurement()))
        self._buckets[-1][1].add(measured)
        self.total.add(measured)
        while now_s - self._buckets[0][0] >= self._span.seconds:
            self.total.subtract(self._buckets.popleft()[1])


class Windows:
    """The windows of one stream, of all spans."""

    def __init__(self) -> None:
        self.windows = {span.name: Window(span) for span in SPANS}

    def add(self, measured: Measurement, now_s: float, names: Iterable[str] = NAMES) -> None:
        """See `Window.add`: into the windows of these names."""
        for name in names:
            self.windows[name].add(measured, now_s)

    def total(self, name: str) -> Measurement:
        """What the window of that name measured."""
        return self.windows[name].total
