"""Sound for the studios: something like a voice. What AAC costs depends on it: a pure tone, the same on both sides,
takes libavcodec's encoder three times as long as voices, music or noise do."""

import math
import random
from array import array
from collections.abc import Iterator
from itertools import cycle, islice

import av
from av import AudioFrame, CodecContext

from loadgen.studios.clip import AudioPacket
from loadgen.studios.generated_clip import AUDIO_BPS

SAMPLE_RATE_HZ = 48_000
PACKET_SAMPLES = SAMPLE_RATE_HZ // 50

_SYLLABLES_HZ = 4
_PITCH_HZ = 120
_VOWEL_SHARE, _CONSONANT_SHARE = 0.7, 0.9
"""Of a syllable: until there a vowel, then a consonant, then a pause."""
_FORMANTS = ((700, 0.97), (1200, 0.97), (2600, 0.96))
"""(Hz, how long it rings)."""


def voice_packets(duration_s: float) -> list[AudioPacket]:
    """Opus of 20 ms at a constant bitrate, stereo; the same second of sound again and again."""
    encoder = CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE_HZ, "stereo", "s16"
    encoder.bit_rate = AUDIO_BPS
    encoder.options = {"vbr": "off", "frame_duration": "20"}
    sound = cycle(list(_second(random.Random(1))))
    payloads: list[bytes] = []
    for _ in range(math.ceil(duration_s * SAMPLE_RATE_HZ / PACKET_SAMPLES)):
        frame = AudioFrame("s16", "stereo", PACKET_SAMPLES)
        frame.sample_rate = SAMPLE_RATE_HZ
        both = (side for left in islice(sound, PACKET_SAMPLES) for side in (left, left * 3 // 4))
        frame.planes[0].update(array("h", both).tobytes())
        payloads.extend(bytes(packet) for packet in encoder.encode(frame))
    return [AudioPacket(payload, number * PACKET_SAMPLES) for number, payload in enumerate(payloads)]


def _second(noise: random.Random) -> Iterator[int]:
    """Pulses and noise through three resonators."""
    filters = [(2 * ring * math.cos(math.tau * hz / SAMPLE_RATE_HZ), ring * ring, [0.0, 0.0]) for hz, ring in _FORMANTS]
    for number in range(SAMPLE_RATE_HZ):
        in_syllable = number * _SYLLABLES_HZ / SAMPLE_RATE_HZ % 1
        driven = noise.gauss(0, 8)
        if in_syllable < _VOWEL_SHARE:
            driven += 9000 if number % (SAMPLE_RATE_HZ // _PITCH_HZ) == 0 else 0
        elif in_syllable < _CONSONANT_SHARE:
            driven += noise.gauss(0, 1500)
        total = 0.0
        for gain, loss, memory in filters:
            memory[:] = driven + gain * memory[0] - loss * memory[1], memory[0]
            total += 0.3 * memory[0]
        yield max(-32_000, min(32_000, int(total)))
