"""The synthetic stream: frames of H264-looking packets of real sizes, and Opus-looking audio. Pure.

1.5 Mb/s at 30 frames a second with a keyframe a second of four times a normal frame, sizes scattered as an encoder
scatters them. The last STAMP_BYTES of every payload are left for the time it is sent.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from loadgen.studios.packetizer import fragment_sizes

FRAME_RATE = 30
VIDEO_BPS = 1_500_000
KEYFRAME_FACTOR = 4
SCATTER = 0.35
"""Frame sizes lie within this part of their mean."""

AUDIO_PACKET_RATE = 50
AUDIO_PAYLOAD_BYTES = 160
"""Opus at 64 kb/s in 20 ms packets."""

STAMP_BYTES = 8
MAX_PAYLOAD_BYTES = 1160
"""With header and extensions the 1200 bytes that libwebrtc and FFmpeg fill."""

_FU_A_HEADER_BYTES = 2
_FU_INDICATOR = 0x7C
_FU_START, _FU_END = 0x80, 0x40
_IDR, _SLICE = 5, 1
_SPS = bytes.fromhex("6742c01fd900b0091b010000030001000003003c0f1832a0")
_PPS = bytes.fromhex("68cb83cb20")


class Studio(Enum):
    """How a studio cuts and sends its frames."""

    FFMPEG = "ffmpeg"
    """Full packets and a short rest, each frame in one burst. OBS cuts alike."""
    BROWSER = "browser"
    """Packets that differ by one byte at most, each frame paced: a burst every 5 ms at 2.5 times the bitrate."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The payloads of one frame, without stamps, in order."""

    payloads: list[bytes]
    is_keyframe: bool


class Encoder:
    """Makes frames, the same ones for the same seed."""

    def __init__(self, studio: Studio, seed: int = 1) -> None:
        self._studio = studio
        self._random = random.Random(seed)
        self._noise = self._random.randbytes(1 << 16)
        self._normal_bytes = VIDEO_BPS / 8 / (FRAME_RATE - 1 + KEYFRAME_FACTOR)

    def frames(self) -> Iterator[Frame]:
        """Frames without end, the first a keyframe."""
        while True:
            yield self._frame(KEYFRAME_FACTOR, is_keyframe=True)
            for _ in range(FRAME_RATE - 1):
                yield self._frame(1, is_keyframe=False)

    def _frame(self, factor: int, is_keyframe: bool) -> Frame:
        size = int(self._normal_bytes * factor * self._random.uniform(1 - SCATTER, 1 + SCATTER))
        fragments = self._fragments(size, _IDR if is_keyframe else _SLICE)
        return Frame([_parameter_sets(), *fragments] if is_keyframe else fragments, is_keyframe)

    def _fragments(self, size_bytes: int, nal_type: int) -> list[bytes]:
        max_bytes = MAX_PAYLOAD_BYTES - _FU_A_HEADER_BYTES - STAMP_BYTES
        sizes = fragment_sizes(size_bytes, max_bytes, is_even=self._studio is Studio.BROWSER)
        fragments = []
        for order, size in enumerate(sizes):
            flags = (_FU_START if order == 0 else 0) | (_FU_END if order == len(sizes) - 1 else 0)
            start = self._random.randrange(len(self._noise) - size)
            fragments.append(bytes((_FU_INDICATOR, flags | nal_type)) + self._noise[start : start + size])
        return fragments

    def audio(self) -> bytes:
        """One audio payload, without its stamp."""
        start = self._random.randrange(len(self._noise) - AUDIO_PAYLOAD_BYTES)
        return b"\x78" + self._noise[start : start + AUDIO_PAYLOAD_BYTES - 1 - STAMP_BYTES]


def _parameter_sets() -> bytes:
    """A STAP-A of SPS and PPS; the stamp becomes the end of the PPS (RFC 6184 section 5.7.1)."""
    pps_bytes = len(_PPS) + STAMP_BYTES
    return b"\x78" + len(_SPS).to_bytes(2, "big") + _SPS + pps_bytes.to_bytes(2, "big") + _PPS
