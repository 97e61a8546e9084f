"""The tone at each whole second."""

import numpy as np
from numpy.typing import NDArray

from gateway.demo.tone import BLOCK_SAMPLES, SAMPLE_RATE, TONE_S, Tone


def played(seconds: int, start: int = 0) -> NDArray[np.int16]:
    tone = Tone()
    blocks = range(start, start + seconds * SAMPLE_RATE, BLOCK_SAMPLES)
    return np.concatenate([tone.block(position)[0] for position in blocks]).reshape(-1, 2)


def test_block_is_20_ms_of_interleaved_stereo() -> None:
    block = Tone().block(0)
    assert block.shape == (1, 2 * BLOCK_SAMPLES)
    assert block.dtype == np.int16


def test_tone_begins_at_the_whole_second_and_is_440_hz() -> None:
    left = played(2)[:, 0].astype(np.float64)
    assert np.abs(left[SAMPLE_RATE // 2 : SAMPLE_RATE]).max() == 0
    assert np.abs(left[SAMPLE_RATE : SAMPLE_RATE + 4800]).max() > 1000
    spectrum = np.abs(np.fft.rfft(left))
    assert abs(int(spectrum.argmax()) / 2 - 440) <= 3


def test_tone_has_its_middle_half_its_length_after_the_whole_second() -> None:
    energy = played(1)[:, 0].astype(np.float64) ** 2
    middle = float((energy * np.arange(energy.size)).sum() / energy.sum())
    assert abs(middle / SAMPLE_RATE - TONE_S / 2) < 0.0005


def test_blocks_that_begin_anywhere_join_without_a_step() -> None:
    left = played(2, start=12_345)[:, 0].astype(np.int32)
    assert np.abs(np.diff(left)).max() < 300
