"""Opus payloads to sound, by libavcodec's own decoder.

It takes half the time of libopus, gives planes of float32, which is what the AAC encoder wants, and turns mono into
stereo by itself. Unlike libopus it does not limit its output: garbage can come out 100 dB too loud, so it is refused.
"""

from __future__ import annotations

import sys
from typing import Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from gateway.hls.pcm import SAMPLE_BYTES, SAMPLE_RATE, Stereo

ENCODER_DELAY_SAMPLES: Final = 312
"""What libopus (so browsers and OBS) puts out lags behind what went in by 6.5 ms, and its RTP timestamps do not say so
(RFC 7845 section 5.1 calls it pre-skip). The low-delay mode has 2.5 ms: nothing in RTP tells which mode it is."""

_SILK_MS: Final = (10, 20, 40, 60)
_HYBRID_MS: Final = (10, 20)
_CELT_MS: Final = (2.5, 5, 10, 20)
_FRAME_MS: Final = (*_SILK_MS * 3, *_HYBRID_MS * 2, *_CELT_MS * 4)
"""By the configuration number in the first byte (RFC 6716 table 2)."""

_LONGEST_MS: Final = 120
_DEFAULT_MS: Final = 20

_EXPONENT_BYTE: Final = 3 if sys.byteorder == "little" else 0
_BELOW_TWO: Final = bytes(byte for byte in range(256) if byte & 0x7F < 0x40)
"""The highest byte of every float32 between -2 and 2. Real sound overshoots 1 a little; twice that, infinite or not a
number is garbage."""


def duration_samples(payload: bytes) -> int:
    """Return how long a payload lasts at 48 kHz (RFC 6716 section 3.1); 20 ms when it does not say."""
    if not payload:
        return _samples(_DEFAULT_MS)
    count = (1, 2, 2, payload[1] & 0x3F if len(payload) > 1 else 0)[payload[0] & 3]
    duration_ms = _FRAME_MS[payload[0] >> 3] * count
    return _samples(duration_ms if 0 < duration_ms <= _LONGEST_MS else _DEFAULT_MS)


class OpusDecoder:
    """Decodes the payloads of one RTP stream, in order. Not to be called on the event loop."""

    def __init__(self) -> None:
        self._context = _opened_decoder()

    def decode(self, payload: bytes) -> Stereo | None:
        """Return the payload's sound at 48 kHz, or None when it is malformed or decodes to noise beyond all bounds."""
        if not payload:
            return None  # libavcodec would take it for the end of the stream
        try:
            frames = self._context.decode(av.Packet(payload))
        except av.FFmpegError:
            return None
        sound = Stereo(*(b"".join(_plane(frame, channel) for frame in frames) for channel in range(2)))
        return sound if sound.samples and all(map(_is_sane, sound)) else None


def _opened_decoder() -> AudioCodecContext:
    context = av.CodecContext.create("opus", "r")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = SAMPLE_RATE
    context.layout = "stereo"
    context.open()
    return context


def _plane(frame: AudioFrame, channel: int) -> bytes:
    return bytes(frame.planes[channel])[: frame.samples * SAMPLE_BYTES]


def _is_sane(plane: bytes) -> bool:
    return not plane[_EXPONENT_BYTE::SAMPLE_BYTES].translate(None, _BELOW_TWO)


def _samples(duration_ms: float) -> int:
    return int(duration_ms * SAMPLE_RATE / 1000)
