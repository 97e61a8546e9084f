"""From Opus to AAC: contiguous for ever, and where the publisher's clock wants it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import MisuseError
from gateway.hls.audio import FRAME_SAMPLES, MAX_HOLE_S, AacFrame, AudioTranscoder, OpusPacket
from tests.hls.opus_studio import (
    SECOND,
    Sound,
    demo_sound,
    is_contiguous,
    opus_payloads,
    packets_of,
    played,
    shift_of,
)

PACKET = 960
MS = SECOND // 1000
START = 7_000_000
BEEP = demo_sound(1)[: 180 * MS]


@pytest.fixture(scope="module")
def payloads() -> list[bytes]:
    """Forty seconds of the demo studio."""
    return opus_payloads(demo_sound(40))


def transcoded(transcoder: AudioTranscoder, packets: Sequence[OpusPacket], batch: int = 8) -> list[AacFrame]:
    frames: list[AacFrame] = []
    for first in range(0, len(packets), batch):
        frames += transcoder.transcode(packets[first : first + batch])
    assert frames
    assert is_contiguous(frames)
    return frames


def late(packets: Sequence[OpusPacket], by: int) -> list[OpusPacket]:
    return [OpusPacket(packet.payload, packet.position + by) for packet in packets]


def beep_errors(transcoder: AudioTranscoder, frames: Sequence[AacFrame], expected: Sequence[int]) -> list[int]:
    """By how many samples each beep is later than the position where it was expected."""
    sound = played(transcoder.specific_config, frames)
    first = frames[0].position
    return [shift_of(sound, BEEP, position - first) for position in expected]


@pytest.mark.parametrize(
    ("frame_ms", "layout", "bit_rate_bps", "application", "tolerance"),
    [
        (20, "stereo", 64_000, "audio", 3),
        (20, "mono", 24_000, "voip", 10),  # hybrid
        (60, "mono", 12_000, "voip", 10),  # SILK
        (10, "stereo", 64_000, "audio", 3),
        (120, "stereo", 64_000, "audio", 3),
        (2.5, "stereo", 64_000, "audio", 200),  # low delay: 192 samples less than what is compensated
    ],
)
def test_beep_is_heard_at_its_position(
    frame_ms: float, layout: str, bit_rate_bps: int, application: str, tolerance: int
) -> None:
    transcoder = AudioTranscoder()
    sound = opus_payloads(demo_sound(3), frame_ms, layout, bit_rate_bps, application)
    frames = transcoded(transcoder, packets_of(sound, START, round(frame_ms * MS)))
    assert frames[0].position == START
    [error] = beep_errors(transcoder, frames, [START + SECOND])
    assert abs(error) <= tolerance
    assert transcoder.steps == transcoder.undecodable == transcoder.concealed_samples == 0


def test_onset_is_heard_within_a_millisecond() -> None:
    sound = np.zeros(2 * SECOND, np.float32)
    onset = SECOND + 300  # nowhere near the edge of a packet or frame
    sound[onset : onset + 4800] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4800) / SECOND)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets_of(opus_payloads(sound), START))
    heard = played(transcoder.specific_config, frames)
    first_heard = int(np.argmax(np.abs(heard) > 0.1)) + frames[0].position - START
    assert abs(first_heard - int(np.argmax(np.abs(sound) > 0.1))) < MS


def test_specific_config_says_aac_lc_48_khz_stereo_before_any_packet() -> None:
    object_type, frequency_index, channels = 2, 3, 2
    config = AudioTranscoder().specific_config
    assert int.from_bytes(config[:2], "big") == object_type << 11 | frequency_index << 7 | channels << 3


def test_frames_are_raw_and_of_the_wanted_bit_rate() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 4 * SECOND).astype(np.float32)
    packets = packets_of(opus_payloads(noise))
    for bit_rate_bps in (64_000, 128_000):
        frames = transcoded(AudioTranscoder(bit_rate_bps), packets)
        assert all(frame.payload[:2] not in (b"\xff\xf1", b"\xff\xf9") for frame in frames)  # no ADTS header
        sent_bps = sum(len(frame.payload) for frame in frames) * 8 / (len(frames) * FRAME_SAMPLES / SECOND)
        assert sent_bps == pytest.approx(bit_rate_bps, rel=0.1)


def test_sound_is_the_same_whatever_the_batches(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:100])
    assert transcoded(AudioTranscoder(), packets, batch=1) == transcoded(AudioTranscoder(), packets, batch=100)


def test_frames_follow_the_packets_within_three_frames(payloads: list[bytes]) -> None:
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets_of(payloads[:100]))
    assert 100 * PACKET - (frames[-1].position + FRAME_SAMPLES) < 3 * FRAME_SAMPLES + 312


@pytest.mark.parametrize("lost", [1, 2, 10, 90])
def test_lost_packets_become_silence_of_their_length(payloads: list[bytes], lost: int) -> None:
    packets = packets_of(payloads[:250], START)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets[:70] + packets[70 + lost :])
    assert transcoder.concealed_samples == lost * PACKET
    assert transcoder.steps == 1
    [error] = beep_errors(transcoder, frames, [START + 4 * SECOND])
    assert abs(error) <= 3


def test_drift_and_jitter_are_followed(payloads: list[bytes]) -> None:
    jitter = random.Random(1)
    for rate in (1 + 100e-6, 1 - 100e-6):
        packets = [
            OpusPacket(payload, START + round(number * PACKET * rate) + jitter.randint(-5 * MS, 5 * MS))
            for number, payload in enumerate(payloads)
        ]
        transcoder = AudioTranscoder()
        frames = transcoded(transcoder, packets)
        errors = beep_errors(transcoder, frames, [START + round(n * SECOND * rate) for n in range(8, 39)])
        assert max(map(abs, errors)) < 5 * MS
        assert transcoder.steps == 0
        drift = 40 * SECOND * 100e-6
        assert drift - 5 * MS < transcoder.skewed_samples < drift + 10 * MS


def test_jitter_alone_is_left_alone(payloads: list[bytes]) -> None:
    jitter = random.Random(2)
    jittered = [
        OpusPacket(packet.payload, packet.position + (jitter.randint(-5 * MS, 5 * MS) if number else 0))
        for number, packet in enumerate(packets_of(payloads, START))
    ]
    transcoder = AudioTranscoder()
    transcoded(transcoder, jittered)
    assert transcoder.skewed_samples == transcoder.steps == 0


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("step_ms", [30, 400, -20, -30, -35, -400, -407])
def test_clock_that_is_set_is_followed_at_once(payloads: list[bytes], step_ms: int, batch: int) -> None:
    packets = packets_of(payloads[:250], START)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets[:75] + late(packets[75:], step_ms * MS), batch)
    assert transcoder.concealed_samples == max(0, step_ms * MS)
    assert transcoder.dropped == max(0, -step_ms // 20)
    assert transcoder.steps == (step_ms != -20)  # which cannot be told from a duplicate
    errors = beep_errors(transcoder, frames, [START + n * SECOND + step_ms * MS for n in (2, 3, 4)])
    assert max(map(abs, errors)) <= 3


def hum(seconds: int) -> Sound:
    """70 Hz: no whole number of its periods fits a packet, so that wherever it is cut it steps."""
    return (0.5 * np.sin(2 * np.pi * 70 * np.arange(seconds * SECOND) / SECOND)).astype(np.float32)


@pytest.mark.parametrize("step", [-1000, -1890, 1000])
def test_step_does_not_click(step: int) -> None:
    packets = packets_of(opus_payloads(hum(2)), START)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets[:50] + late(packets[50:], step))
    assert transcoder.steps + transcoder.dropped > 0
    heard = played(transcoder.specific_config, frames)[PACKET:]  # after the fade at the start
    assert np.abs(np.diff(heard)).max() < 0.05  # an abrupt join is a step of 0.1 to 0.5


def test_slewing_ends_with_a_step(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:400], START)
    transcoder = AudioTranscoder()
    transcoded(transcoder, packets[:50] + late(packets[50:200], 500))
    slewed = transcoder.skewed_samples
    assert 50 < slewed < 200
    transcoder.transcode(late(packets[200:], 500 + 100 * MS))
    assert (transcoder.steps, transcoder.skewed_samples) == (1, slewed)


def test_undecodable_packets_are_slewed_like_others() -> None:
    transcoder = AudioTranscoder()
    packets = packets_of([b"\xff"] * 1000, START)
    transcoded(transcoder, packets[:1] + late(packets[1:], 480))
    assert transcoder.skewed_samples > 50
    assert transcoder.concealed_samples + 312 == 1000 * PACKET + transcoder.skewed_samples
    assert transcoder.steps == 0


def test_one_packet_out_of_place_is_not_followed(payloads: list[bytes]) -> None:
    for offset in (40 * MS, -40 * MS, 3 * SECOND):
        packets = packets_of(payloads[:100], START)
        packets[52:53] = late(packets[52:53], offset)
        transcoder = AudioTranscoder()
        transcoded(transcoder, packets)
        assert (transcoder.packets, transcoder.unplaced) == (100, [])
        assert transcoder.steps == transcoder.dropped == transcoder.concealed_samples == 0


def test_duplicates_are_dropped(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:250], START)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets[:60] + packets[59:80] + packets[79:])
    assert [frame.position for frame in frames] == [frame.position for frame in transcoded(AudioTranscoder(), packets)]
    assert (transcoder.dropped, transcoder.steps, transcoder.packets) == (2, 0, 252)
    [error] = beep_errors(transcoder, frames, [START + 4 * SECOND])
    assert abs(error) <= 3


@pytest.mark.parametrize("hole_s", [MAX_HOLE_S + 0.1, 100_000, -MAX_HOLE_S - 0.1])
def test_hole_too_long_ends_the_epoch(payloads: list[bytes], hole_s: float) -> None:
    packets = packets_of(payloads[:60], START)
    packets[54:] = late(packets[54:], round(hole_s * SECOND))
    transcoder = AudioTranscoder()
    frames = transcoder.transcode(packets)
    assert frames[-1].position < START + 54 * PACKET
    assert transcoder.unplaced == packets[54:]
    with pytest.raises(MisuseError, match="new epoch"):
        transcoder.transcode([])
    successor = AudioTranscoder()
    assert successor.transcode(transcoder.unplaced)[0].position == packets[54].position


def test_hole_of_the_longest_length_is_filled(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:100], START)
    transcoder = AudioTranscoder()
    transcoded(transcoder, packets[:50] + late(packets[50:], MAX_HOLE_S * SECOND - 1))
    assert transcoder.concealed_samples == MAX_HOLE_S * SECOND - 1


def test_pauses_between_packets_are_silent(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:250], START)
    sparse = [packet for number, packet in enumerate(packets) if number < 60 or number % 20 == 0 or number >= 140]
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, sparse, batch=1)  # DTX: a packet each 400 ms
    assert transcoder.concealed_samples == 76 * PACKET
    [error] = beep_errors(transcoder, frames, [START + 4 * SECOND])
    assert abs(error) <= 3


def test_due_is_reached_by_silence_when_nothing_comes(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:250], START)
    transcoder = AudioTranscoder()
    assert transcoder.transcode([], due=START + SECOND) == []  # nothing to go by yet
    frames = transcoder.transcode(packets[:60], due=START)
    assert transcoder.concealed_samples == 0
    for due_s in (1.5, 2, 2.5):
        frames += transcoder.transcode([], due=START + round(due_s * SECOND))
        assert frames[-1].position + 3 * FRAME_SAMPLES > START + due_s * SECOND - FRAME_SAMPLES
    frames += transcoder.transcode(packets[150:])
    assert is_contiguous(frames)
    assert transcoder.concealed_samples == 90 * PACKET
    [error] = beep_errors(transcoder, frames, [START + 4 * SECOND])
    assert abs(error) <= 3


def test_due_far_ahead_is_not_reached_at_once(payloads: list[bytes]) -> None:
    transcoder = AudioTranscoder()
    transcoder.transcode(packets_of(payloads[:10], START), due=START + 1000 * SECOND)
    assert transcoder.concealed_samples == MAX_HOLE_S * SECOND


def test_undecodable_packet_becomes_silence_of_its_length(payloads: list[bytes]) -> None:
    packets = packets_of(payloads[:250], START)
    for number, garbage in ((60, b""), (70, b"\xff"), (80, b"\xff\xc1"), (90, bytes.fromhex("fc7febbe"))):
        packets[number] = OpusPacket(garbage, packets[number].position)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets)
    assert transcoder.undecodable >= 4  # the decoder may take some packets to recover from the last
    assert transcoder.undecodable < 20
    assert transcoder.concealed_samples == transcoder.undecodable * PACKET
    assert transcoder.steps == transcoder.skewed_samples == 0
    [error] = beep_errors(transcoder, frames, [START + 4 * SECOND])
    assert abs(error) <= 3


def test_tone_and_noise_sound_as_they_did() -> None:
    at = np.arange(4 * SECOND)
    noise = np.random.default_rng(1).normal(0, 0.01, len(at))
    sound: Sound = (0.25 * np.sin(2 * np.pi * 1000 * at / SECOND) + noise).astype(np.float32)
    transcoder = AudioTranscoder()
    frames = transcoded(transcoder, packets_of(opus_payloads(sound, bit_rate_bps=128_000)))
    heard = played(transcoder.specific_config, frames)[SECOND : 3 * SECOND]
    difference = heard - sound[SECOND : 3 * SECOND]
    assert 10 * np.log10(np.mean(heard**2) / np.mean(difference**2)) > 24  # noise that is there already: 25 dB


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.binary(max_size=120), st.integers(-SECOND, SECOND)), max_size=30))
def test_any_payload_anywhere_leaves_the_frames_contiguous(packets: list[tuple[bytes, int]]) -> None:
    transcoder = AudioTranscoder()
    position = START
    frames = []
    for payload, jump in packets:
        position += PACKET + jump
        frames += transcoder.transcode([OpusPacket(payload, position)])
        if transcoder.unplaced:
            break
    assert is_contiguous(frames)
    assert transcoder.packets + len(transcoder.unplaced) <= len(packets)
