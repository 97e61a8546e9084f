"""Rates over a sliding window, from counters that only grow."""

from collections import deque

WINDOW_S = 2.0


class Rate:
    """Bits and frames a second over the last WINDOW_S. `sample` several times a second."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()

    def sample(self, now_s: float, total_bytes: int, total_frames: int) -> None:
        """Note both counters."""
        self._samples.append((now_s, total_bytes, total_frames))
        while now_s - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()

    def bits(self) -> float:
        """Bits a second."""
        return self._per_second(1) * 8

    def frames(self) -> float:
        """Frames a second."""
        return self._per_second(2)

    def _per_second(self, column: int) -> float:
        if not self._samples:
            return 0.0
        first, last = self._samples[0], self._samples[-1]
        elapsed_s = last[0] - first[0]
        return float(last[column] - first[column]) / elapsed_s if elapsed_s > 0 else 0.0
