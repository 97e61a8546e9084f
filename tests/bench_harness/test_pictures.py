"""The bench's studio sends what it says it sends."""

from itertools import islice

import pytest

from gateway.wire.h264 import is_keyframe
from tests.bench.pictures import (
    FRAME_RATE,
    MAX_PAYLOAD_BYTES,
    STAMP_BYTES,
    VIDEO_BPS,
    Encoder,
    Studio,
)


@pytest.mark.parametrize("studio", Studio)
def test_video_has_the_bitrate_of_its_name(studio: Studio) -> None:
    seconds = 60
    frames = islice(Encoder(studio).frames(), seconds * FRAME_RATE)
    size = sum(len(payload) + STAMP_BYTES for frame in frames for payload in frame.payloads)
    assert size * 8 / seconds == pytest.approx(VIDEO_BPS, rel=0.03)


@pytest.mark.parametrize("studio", Studio)
def test_payloads_with_their_stamp_fit(studio: Studio) -> None:
    frames = islice(Encoder(studio).frames(), 2 * FRAME_RATE)
    assert max(len(payload) for frame in frames for payload in frame.payloads) + STAMP_BYTES <= MAX_PAYLOAD_BYTES


def test_only_the_first_frame_of_a_second_is_a_keyframe_to_the_gateway() -> None:
    frames = list(islice(Encoder(Studio.FFMPEG).frames(), 2 * FRAME_RATE))
    found = [order for order, frame in enumerate(frames) if any(map(is_keyframe, frame.payloads))]
    assert found == [0, FRAME_RATE] == [order for order, frame in enumerate(frames) if frame.is_keyframe]


@pytest.mark.parametrize(("studio", "is_even"), [(Studio.FFMPEG, False), (Studio.BROWSER, True)])
def test_packets_of_a_keyframe_are_cut_as_the_studio_does(studio: Studio, is_even: bool) -> None:
    sizes = [len(payload) for payload in next(Encoder(studio).frames()).payloads[1:]]
    assert (max(sizes) - min(sizes) <= 1) is is_even
