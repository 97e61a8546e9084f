"""The line of decoded sound: whole, in order, and without clicks where it was put together."""

from array import array

import numpy as np
import pytest

from gateway.hls.pcm import PcmLine, Stereo, silence
from tests.hls.opus_studio import Sound


def tone(samples: int, first: int = 0) -> Sound:
    at = np.arange(first, first + samples)
    return np.sin(2 * np.pi * 440 * at / 48_000).astype(np.float32)


def stereo(left: Sound) -> Stereo:
    return Stereo(left.tobytes(), (-left).tobytes())


def taken(line: PcmLine) -> Sound:
    sound = line.take(line.end - line.start)
    assert sound is not None
    left, right = (np.frombuffer(plane, np.float32) for plane in sound)
    assert np.array_equal(left, -right)
    return left


def largest_step(sound: Sound) -> float:
    return float(np.abs(np.diff(sound)).max())


def test_line_gives_back_what_was_appended() -> None:
    line = PcmLine(500)
    line.append(silence(240))  # the fade at the very start
    line.append(stereo(tone(960)))
    line.append(stereo(tone(960, first=960)))
    assert (line.start, line.end) == (500, 500 + 240 + 1920)
    assert np.array_equal(taken(line)[240:], tone(1920))


def test_take_moves_the_start_and_waits_for_enough() -> None:
    line = PcmLine(0)
    line.append(silence(1500))
    first = line.take(1024)
    assert first is not None
    assert first.samples == 1024
    assert line.start == 1024
    assert line.take(1024) is None
    assert line.start == 1024


def test_sound_begins_with_a_fade() -> None:
    line = PcmLine(0)
    line.append(stereo(np.ones(960, np.float32)))
    sound = taken(line)
    assert largest_step(sound) < 0.01
    assert np.array_equal(sound[240:], np.ones(720, np.float32))


@pytest.mark.parametrize("hole", [1, 120, 960, 4800])
def test_hole_is_silent_and_does_not_click(hole: int) -> None:
    line = PcmLine(0)
    line.append(stereo(tone(985)))  # ends near a peak: silence right there would be a step of almost 1
    line.conceal(hole)
    line.append(stereo(tone(1000, first=50)))
    sound = taken(line)
    assert len(sound) == 985 + hole + 1000
    assert not sound[985 + 240 : 985 + hole].any()
    assert largest_step(sound[300:]) < 2 * largest_step(tone(960))
    assert np.array_equal(sound[985 + hole + 240 :], tone(760, first=290))


def test_tear_joins_without_a_click() -> None:
    torn = PcmLine(0)
    torn.append(stereo(tone(985)))
    torn.tear()
    torn.append(stereo(tone(960, first=75)))
    sound = taken(torn)
    assert len(sound) == 985 + 960
    assert largest_step(sound[300:]) < 2 * largest_step(tone(960))


@pytest.mark.parametrize("by", [-1, 1])
def test_slewed_is_one_sample_longer_or_shorter_and_does_not_click(by: int) -> None:
    sound = stereo(tone(960))
    slewed = sound.slewed(by)
    assert slewed.samples == 960 + by
    left = np.frombuffer(slewed.left, np.float32)
    assert largest_step(left) <= 1.01 * largest_step(tone(960))
    assert np.array_equal(left[300:], tone(960)[300 - by :])


@pytest.mark.parametrize("samples", [0, 1])
def test_slewed_leaves_alone_what_is_too_short(samples: int) -> None:
    assert silence(samples).slewed(-1).samples == samples


def test_from_sample_leaves_out_the_first() -> None:
    sound = Stereo(array("f", [1, 2, 3]).tobytes(), array("f", [4, 5, 6]).tobytes()).from_sample(2)
    assert sound == Stereo(array("f", [3]).tobytes(), array("f", [6]).tobytes())
