"""What libavformat and libavcodec make of an init section and what follows it: samples, flashes, beeps.

The demo table's lamp and tone begin with each whole second of the studio's clock. A flash begins with the first bright
picture. The tone swells softly, so no threshold says when it begins: its onset here is the middle of its energy, which
noise hardly moves, less half of its length.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from gateway.demo.clock_strip import CELLS, read_strip
from gateway.demo.felt import HEIGHT_PX, WIDTH_PX
from gateway.demo.lamp import LAMP_PX
from gateway.demo.planar import Plane
from gateway.demo.table import LAMP_AT
from gateway.demo.tone import TONE_S
from tests.e2e.hls_reader import Segment

_BRIGHT = 150
_GLASS_PX = 8
"""Half the side of what is looked at: the glass without its edge."""
_BLOCK_S = 0.01
_LOUD = 0.02
"""RMS of a block within the tone, whose peak is 0.12."""
_TONE_REACH_S = 0.15
"""How far from a loud block its tone may begin or end."""
_APART_S = 0.5
_ROUNDING_S = 0.005
"""EXTINF is rounded; a picture lasts much longer."""


class Sample(NamedTuple):
    """One packet, in ticks of the track."""

    pts: int
    dts: int
    duration: int
    is_keyframe: bool


class Picture(NamedTuple):
    """A decoded picture that its strip was read of: where it lies, and when it was drawn."""

    at_s: float
    unix_s: float
    is_lit: bool


class Pair(NamedTuple):
    """A flash and its beep."""

    flash: Picture
    beep_s: float

    @property
    def apart_s(self) -> float:
        """Above 0: the beep comes late. As seen: the flash begins with the first picture that was drawn in its second,
        so up to one picture too late."""
        return self.beep_s - self.flash.at_s


class Placed(NamedTuple):
    """A picture, and when PROGRAM-DATE-TIME says that it was captured."""

    picture: Picture
    unix_s: float

    @property
    def error_s(self) -> float:
        """Above 0: it was drawn before the playlist says so."""
        return self.unix_s - self.picture.unix_s


def joined(segments: Sequence[Segment]) -> bytes:
    """All parts, one behind the other."""
    return b"".join(part.payload for segment in segments for part in segment.parts)


def demuxed(init: bytes, media: bytes) -> tuple[Fraction, list[Sample]]:
    """The time base and the packets, in the order of the file."""
    with av.open(io.BytesIO(init + media), "r") as container:
        (stream,) = container.streams
        assert stream.time_base is not None
        samples = [
            Sample(packet.pts or 0, packet.dts or 0, packet.duration or 0, packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size
        ]
        return stream.time_base, samples


def pictures(init: bytes, media: bytes, near_unix_s: float) -> Iterator[Picture]:
    """Decode all; `near_unix_s` is a time that is at most some days from when they were drawn."""
    with av.open(io.BytesIO(init + media), "r") as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            luma = _luma(frame)
            code = read_strip(luma)
            assert frame.time is not None
            if code is not None:
                left, top = (corner + LAMP_PX // 2 for corner in LAMP_AT)
                glass = luma[top - _GLASS_PX : top + _GLASS_PX, left - _GLASS_PX : left + _GLASS_PX]
                yield Picture(frame.time, _unix_s(code, near_unix_s), bool(glass.mean() > _BRIGHT))


def placed(shown: Sequence[Picture], segments: Sequence[Segment], start_s: float) -> list[Placed]:
    """Pictures of segments without a break, the first of which begins at `start_s`, by what their segment says."""
    starts_s = start_s + np.cumsum([0.0, *(segment.duration_s for segment in segments)])
    numbers = np.searchsorted(starts_s, [picture.at_s + _ROUNDING_S for picture in shown]) - 1
    return [
        Placed(picture, segments[number].unix_s + picture.at_s - float(starts_s[number]))
        for picture, number in zip(shown, numbers, strict=True)
    ]


def flashes(shown: Sequence[Picture]) -> list[Picture]:
    """The first bright picture of each flash."""
    return [now for before, now in itertools.pairwise(shown) if now.is_lit and not before.is_lit]


def beeps(init: bytes, media: bytes) -> list[float]:
    """Where each beep begins that lies wholly in the sound, in seconds. AssertionError where decoded frames do not
    follow one another."""
    start_s, rate_hz, sound = _sound(init, media)
    block = int(_BLOCK_S * rate_hz)
    blocks = sound[: sound.size // block * block].reshape(-1, block)
    loud = np.flatnonzero(np.sqrt((blocks**2).mean(axis=1)) > _LOUD) * block
    reach = int(_TONE_REACH_S * rate_hz)
    onsets = []
    for group in np.split(loud, np.flatnonzero(np.diff(loud) > reach) + 1):
        if group.size and group[0] > reach and group[-1] + reach < sound.size:
            around = np.arange(group[0] - reach // 2, group[-1] + reach // 2)
            energy = sound[around] ** 2
            onsets.append(start_s + float((energy * around).sum() / energy.sum()) / rate_hz - TONE_S / 2)
    return onsets


def paired(lit: Sequence[Picture], onsets: Sequence[float]) -> list[Pair]:
    """The flashes that have a beep within half a second, with the nearest."""
    nearest = [Pair(flash, min(onsets, key=partial(_distance_s, flash))) for flash in lit]
    return [pair for pair in nearest if abs(pair.apart_s) < _APART_S]


def _distance_s(flash: Picture, onset_s: float) -> float:
    return abs(onset_s - flash.at_s)


def skews_s(shown: Sequence[Picture], onsets: Sequence[float]) -> list[float]:
    """How late each beep is for its whole second, by the time codes of all pictures together: one by itself may have
    been drawn late by a studio that was held up."""
    behind_s = float(np.median([picture.at_s - picture.unix_s for picture in shown]))
    return [onset - behind_s - round(onset - behind_s) for onset in onsets]


def _luma(frame: av.VideoFrame) -> Plane:
    if (frame.width, frame.height) != (WIDTH_PX, HEIGHT_PX):
        frame = frame.reformat(WIDTH_PX, HEIGHT_PX)
    plane = frame.planes[0]
    luma: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return luma[:, :WIDTH_PX]


def _unix_s(code: int, near_unix_s: float) -> float:
    near_ms = int(near_unix_s * 1000)
    half = 1 << (CELLS - 1)
    return (near_ms + (code - near_ms + half) % (2 * half) - half) / 1000


def _sound(init: bytes, media: bytes) -> tuple[float, int, NDArray[np.float64]]:
    chunks: list[NDArray[np.float32]] = []
    start = following = None
    with av.open(io.BytesIO(init + media), "r") as container:
        rate_hz = container.streams.audio[0].rate
        for frame in container.decode(audio=0):
            assert following in (None, frame.pts), f"sound ends at {following} and goes on at {frame.pts}"
            assert frame.pts is not None
            start = frame.pts if start is None else start
            following = frame.pts + frame.samples
            chunks.append(frame.to_ndarray()[0])
    assert start is not None
    return start / rate_hz, rate_hz, np.concatenate(chunks).astype(np.float64)
