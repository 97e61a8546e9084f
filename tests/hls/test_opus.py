"""Opus payloads: how long they say they are, what they decode to, and what is refused."""

import numpy as np
import pytest
from av import CodecContext, Packet
from av.audio.codeccontext import AudioCodecContext
from hypothesis import given
from hypothesis import strategies as st

from gateway.hls.opus import OpusDecoder, duration_samples
from gateway.hls.pcm import SAMPLE_BYTES
from tests.hls.opus_studio import demo_sound, opus_payloads

TOO_LOUD = bytes.fromhex("fc7febbe")
"""Found by random search: libavcodec 62.28 decodes it to more than 2, where 1 is full scale."""


@pytest.mark.parametrize(
    ("payload", "duration_ms"),
    [
        (b"\x00", 10),  # SILK narrowband
        (b"\x18", 60),
        (b"\x58", 60),  # SILK wideband
        (b"\x60", 10),  # hybrid
        (b"\x78", 20),
        (b"\x80", 2.5),  # CELT
        (b"\xe8", 5),
        (b"\xfc", 20),  # stereo
        (b"\xfd", 40),  # two frames of one size
        (b"\xfe", 40),  # two frames of two sizes
        (b"\xff\x06", 120),  # so many frames
        (b"\xff\x83", 60),  # with a varying bit rate
        (b"\xff\x07", 20),  # 140 ms: not allowed
        (b"\xff\x00", 20),  # no frames: not allowed
        (b"\xff", 20),  # their number is missing
        (b"", 20),
    ],
)
def test_duration_is_read_from_the_first_bytes(payload: bytes, duration_ms: float) -> None:
    assert duration_samples(payload) == duration_ms * 48


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60, 120])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize(("bit_rate_bps", "application"), [(16_000, "voip"), (64_000, "audio")])
def test_decode_gives_stereo_of_the_announced_duration(
    frame_ms: float, layout: str, bit_rate_bps: int, application: str
) -> None:
    decoder = OpusDecoder()
    sound = demo_sound(1)[:12_000]
    payloads = opus_payloads(sound, frame_ms, layout, bit_rate_bps, application)
    assert len(payloads) >= 2
    loudest = 0.0
    for payload in payloads:
        decoded = decoder.decode(payload)
        assert decoded is not None
        assert decoded.samples == duration_samples(payload) == frame_ms * 48
        left, right = (np.frombuffer(plane, np.float32) for plane in decoded)
        assert np.abs(left - right).max() < 0.03
        loudest = max(loudest, float(np.abs(left).max()))
    assert loudest == pytest.approx(0.12, abs=0.04)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x0b\x41", b"\xff\xc1"])
def test_decode_refuses_what_is_malformed_and_goes_on(payload: bytes) -> None:
    decoder = OpusDecoder()
    assert decoder.decode(payload) is None
    assert decoder.decode(opus_payloads(demo_sound(1))[0]) is not None


def test_decode_refuses_what_is_far_too_loud() -> None:
    context = CodecContext.create("opus", "r")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout = 48_000, "stereo"
    loudest = max(float(np.abs(frame.to_ndarray()).max()) for frame in context.decode(Packet(TOO_LOUD)))
    assert loudest > 2
    assert OpusDecoder().decode(TOO_LOUD) is None


def test_decode_keeps_full_scale() -> None:
    at = np.arange(9600)
    square = np.sign(np.sin(2 * np.pi * 441 * at / 48_000)).astype(np.float32)  # overshoots after any lossy codec
    decoder = OpusDecoder()
    decoded = [decoder.decode(payload) for payload in opus_payloads(square, bit_rate_bps=32_000)]
    assert len(decoded) == 10
    assert None not in decoded


_decoder = OpusDecoder()


@given(st.binary(max_size=200))
def test_decode_takes_any_bytes(payload: bytes) -> None:
    sound = _decoder.decode(payload)
    if sound is not None:
        assert len(sound.left) == len(sound.right) == sound.samples * SAMPLE_BYTES
        assert np.abs(np.frombuffer(sound.left + sound.right, np.float32)).max() < 2
