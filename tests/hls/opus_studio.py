"""A studio's sound as Opus payloads, made by libopus as browsers do, and what a player hears of its AAC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from av import AudioFrame, CodecContext, Packet
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from gateway.demo.tone import BLOCK_SAMPLES, Tone
from gateway.hls.audio import FRAME_SAMPLES, AacFrame, OpusPacket

Sound = NDArray[np.float32]

SECOND: Final = 48_000


def demo_sound(seconds: int) -> Sound:
    """One channel of the demo studio's sound: a soft 440 Hz tone at each whole second."""
    tone = Tone()
    blocks = [tone.block(position)[0, ::2] for position in range(0, seconds * SECOND, BLOCK_SAMPLES)]
    return (np.concatenate(blocks) / 32768).astype(np.float32)


def opus_payloads(
    sound: Sound, frame_ms: float = 20, layout: str = "stereo", bit_rate_bps: int = 64_000, application: str = "audio"
) -> list[bytes]:
    """One payload for each `frame_ms` of one channel's sound (both channels play it)."""
    context = CodecContext.create("libopus", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format = SECOND, layout, "flt"
    context.bit_rate = bit_rate_bps
    context.options = {"application": application, "frame_duration": str(frame_ms)}
    samples = round(frame_ms * SECOND / 1000)
    payloads: list[bytes] = []
    for start in range(0, len(sound) - samples + 1, samples):
        channels = np.repeat(sound[start : start + samples], context.channels).reshape(1, -1)
        frame = AudioFrame.from_ndarray(channels, format="flt", layout=layout)
        frame.sample_rate, frame.pts = SECOND, start
        payloads += [bytes(packet) for packet in context.encode(frame)]
    return payloads


def packets_of(payloads: Sequence[bytes], first: int = 0, samples: int = BLOCK_SAMPLES) -> list[OpusPacket]:
    """The payloads one after another, as a clock without fault puts them."""
    return [OpusPacket(payload, first + number * samples) for number, payload in enumerate(payloads)]


def is_contiguous(frames: Sequence[AacFrame]) -> bool:
    """Whether each frame begins where the one before it ends."""
    return all(frame.position == frames[0].position + number * FRAME_SAMPLES for number, frame in enumerate(frames))


def played(specific_config: bytes, frames: Sequence[AacFrame]) -> Sound:
    """The left channel as a player decodes it; its sample 0 is at the position of the first frame."""
    context = CodecContext.create("aac", "r")
    assert isinstance(context, AudioCodecContext)
    context.extradata = specific_config
    decoded = [frame for aac in frames for frame in context.decode(Packet(aac.payload))]
    return np.concatenate([frame.to_ndarray()[0] for frame in decoded])


def shift_of(sound: Sound, pattern: Sound, expected: int, search: int = 1200) -> int:
    """By how many samples `pattern` is found later in `sound` than at `expected`."""
    window = sound[expected - search : expected + len(pattern) + search]
    return int(np.argmax(np.correlate(window, pattern, "valid"))) - search
