"""How far sound lies from where its publisher's clock wants it, and when one sample more or less corrects that."""

from __future__ import annotations

from typing import Final

from gateway.hls.pcm import SAMPLE_RATE

_SMOOTHING_SAMPLES: Final = SAMPLE_RATE * 640 // 1000
"""Positions jitter by +-5 ms: averaged over 640 ms, 0.4 ms of that are left."""

_DEAD_BAND_SAMPLES: Final = SAMPLE_RATE * 2 // 1000
"""Nobody hears 2 ms, and what jitter leaves of itself does not get that far."""

_SLEW_EVERY_SAMPLES: Final = 1024
"""One sample in 1024: 977 ppm, ten times what clocks drift, and a change of pitch that nobody hears."""


class Skew:
    """Takes the offset of each packet in samples: above 0 the sound is there too early, so the line is too short."""

    def __init__(self) -> None:
        self._smoothed = 0.0
        self._since_slew_samples = 0

    def observe(self, offset: int, samples: int) -> int:
        """Note a packet's offset and length; return by how many samples to slew it: -1, 0 or 1."""
        self._smoothed += (offset - self._smoothed) * samples / (samples + _SMOOTHING_SAMPLES)
        self._since_slew_samples += samples
        if abs(self._smoothed) <= _DEAD_BAND_SAMPLES or self._since_slew_samples < _SLEW_EVERY_SAMPLES:
            return 0
        self._since_slew_samples = 0
        by = 1 if self._smoothed > 0 else -1
        self._smoothed -= by
        return by

    def forget(self) -> None:
        """Begin anew after a step: what was averaged before it is no longer true."""
        self._smoothed = 0.0
