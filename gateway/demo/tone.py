"""The sound of the demo studio: a soft 440 Hz tone at each whole second, so that picture and sound can be compared."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 48_000
CHANNELS: Final = 2
BLOCK_SAMPLES: Final = 960
"""20 ms, one Opus packet."""

_TONE_HZ: Final = 440
TONE_S: Final = 0.18
"""From the whole second on. It swells and fades softly: its onset is where its middle is, less half of this."""
_LOUDNESS: Final = 0.12
"""Of full scale: soft enough for a demo left running in an office."""


class Tone:
    """Yields the sound block by block; it repeats each second, so one second is made beforehand."""

    def __init__(self) -> None:
        second = np.zeros((SAMPLE_RATE, CHANNELS), dtype=np.int16)
        second[: _beep().size] = _beep()[:, None]
        # A block may begin anywhere within the second: with one block more at the end none ever wraps.
        self._samples = np.concatenate([second, second[:BLOCK_SAMPLES]])

    def block(self, position: int) -> NDArray[np.int16]:
        """Return int16 of shape (1, 960 * 2), interleaved; `position` counts samples from any whole second."""
        start = position % SAMPLE_RATE
        return self._samples[start : start + BLOCK_SAMPLES].reshape(1, -1)


def _beep() -> NDArray[np.int16]:
    at_s = np.arange(int(TONE_S * SAMPLE_RATE)) / SAMPLE_RATE
    swell = np.sin(np.pi * at_s / TONE_S) ** 2
    wave = np.sin(2 * np.pi * _TONE_HZ * at_s) * swell * _LOUDNESS * np.iinfo(np.int16).max
    beep: NDArray[np.int16] = wave.astype(np.int16)
    return beep
