"""Decoded sound as the AAC encoder wants it: float32 in one plane a channel, on a line without gap or overlap.

Plain bytes, as numpy is no dependency of the gateway. Only what lies at a seam or is slewed is read as numbers.
"""

from __future__ import annotations

from array import array
from typing import Final, NamedTuple

from gateway.wire.formats import CLOCK_RATES_HZ

SAMPLE_RATE: Final = CLOCK_RATES_HZ["audio"]
SAMPLE_BYTES: Final = 4

_SEAM_SAMPLES: Final = SAMPLE_RATE * 5 // 1000
"""How long a seam fades: 5 ms is too short to be heard as a fade and long enough not to click."""

_SLEW_SEARCH_SAMPLES: Final = SAMPLE_RATE * 5 // 1000
"""In 5 ms any voice or note passes a turning point, where a sample more or less is not heard."""


class Stereo(NamedTuple):
    """Two planes of float32 in the machine's byte order, of the same length."""

    left: bytes
    right: bytes

    @property
    def samples(self) -> int:
        """How many samples each channel has."""
        return len(self.left) // SAMPLE_BYTES

    def from_sample(self, first: int) -> Stereo:
        """Return what is left without the first samples."""
        return Stereo(self.left[first * SAMPLE_BYTES :], self.right[first * SAMPLE_BYTES :])

    def slewed(self, by: int) -> Stereo:
        """Return the same with one sample more (1) or less (-1), or as it is (0)."""
        if not by or self.samples < 2:
            return self
        before = _stillest(self) * SAMPLE_BYTES
        after = before - by * SAMPLE_BYTES
        return Stereo(*(plane[:before] + plane[after:] for plane in self))


def silence(samples: int) -> Stereo:
    """Return so many samples of nothing."""
    plane = bytes(samples * SAMPLE_BYTES)
    return Stereo(plane, plane)


class PcmLine:
    """Sound from `start` on, a position in samples: grows at `end`, is taken away from the other side."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self._left = bytearray()
        self._right = bytearray()
        self._newest = silence(_SEAM_SAMPLES)
        self._torn = True

    def append(self, sound: Stereo) -> None:
        """Go on with `sound`; after `tear`, over a seam."""
        if not sound.samples:
            return
        if self._torn:
            sound = Stereo(*map(_seamed, self._newest, sound))
        self._left += sound.left
        self._right += sound.right
        self.end += sound.samples
        self._newest = sound
        self._torn = False

    def tear(self) -> None:
        """Tell that what comes next does not belong to what came last."""
        self._torn = True

    def conceal(self, samples: int) -> None:
        """Go on with silence, faded at both of its edges."""
        self.tear()
        self.append(silence(samples))
        self.tear()

    def take(self, samples: int) -> Stereo | None:
        """Take the oldest samples away, or nothing while there are fewer; moves `start`."""
        if self.end - self.start < samples:
            return None
        size_bytes = samples * SAMPLE_BYTES
        taken = Stereo(bytes(self._left[:size_bytes]), bytes(self._right[:size_bytes]))
        del self._left[:size_bytes], self._right[:size_bytes]
        self.start += samples
        return taken


def _seamed(before: bytes, after: bytes) -> bytes:
    """Fade into `after` from `before` played backwards: it starts where `before` ended, which is gone already."""
    old = array("f", before[-_SEAM_SAMPLES * SAMPLE_BYTES :])
    new = array("f", after[: _SEAM_SAMPLES * SAMPLE_BYTES])
    old.reverse()
    length = min(len(old), len(new))
    for at in range(length):
        weight = (at + 0.5) / length
        new[at] = new[at] * weight + old[at] * (1 - weight)
    return new.tobytes() + after[_SEAM_SAMPLES * SAMPLE_BYTES :]


def _stillest(sound: Stereo) -> int:
    """Return which of the first samples differs least from the one before it."""
    left, right = (array("f", plane[: _SLEW_SEARCH_SAMPLES * SAMPLE_BYTES]) for plane in sound)
    return min(range(1, len(left)), key=lambda at: abs(left[at] - left[at - 1]) + abs(right[at] - right[at - 1]))
