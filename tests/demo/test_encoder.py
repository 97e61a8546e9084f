"""What the demo studio sends, decoded again."""

import io
import itertools
from collections.abc import Iterator

import av
import numpy as np
import pytest
from av.container import InputContainer

from gateway.demo.clock_strip import read_strip
from gateway.demo.encoder import FRAME_RATE, VIDEO_BPS, Encoder
from gateway.demo.felt import HEIGHT_PX, WIDTH_PX
from gateway.demo.table import Table
from gateway.demo.tone import BLOCK_SAMPLES, SAMPLE_RATE, Tone

SECONDS = 4
IDR_SLICE, SEI, SPS, PPS = 5, 6, 7, 8
START_UNIX_S = 1_700_000_004.0
"""Within a coup: cards are in flight."""


@pytest.fixture(scope="module")
def recording() -> bytes:
    file = io.BytesIO()
    table, tone = Table(), Tone()
    with av.open(file, "w", format="nut") as container:
        encoder = Encoder(container, WIDTH_PX, HEIGHT_PX)
        for number in range(SECONDS * FRAME_RATE):
            encoder.video(table.draw(START_UNIX_S + number / FRAME_RATE), number)
        for position in range(0, SECONDS * SAMPLE_RATE, BLOCK_SAMPLES):
            encoder.audio(tone.block(position), position)
        encoder.flush()
    return file.getvalue()


@pytest.fixture
def container(recording: bytes) -> Iterator[InputContainer]:
    with av.open(io.BytesIO(recording)) as opened:
        assert isinstance(opened, InputContainer)
        yield opened


def test_time_code_survives_h264(container: InputContainer) -> None:
    pictures = [frame.to_ndarray(format="yuv420p").astype(np.uint8) for frame in container.decode(video=0)]
    decoded = [read_strip(picture[:HEIGHT_PX]) for picture in pictures]
    sent = [int((START_UNIX_S + number / FRAME_RATE) * 1000) % 2**32 for number in range(SECONDS * FRAME_RATE)]
    assert decoded == sent


def test_keyframes_come_each_second_with_their_parameter_sets(container: InputContainer) -> None:
    packets = [packet for packet in container.demux(video=0) if packet.size]
    keyframes = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    assert keyframes == [second * FRAME_RATE for second in range(SECONDS)]
    for number in keyframes:
        assert [kind for kind in nal_unit_types(bytes(packets[number])) if kind != SEI] == [SPS, PPS, IDR_SLICE]


def test_video_is_constrained_baseline_without_reordering(container: InputContainer) -> None:
    assert container.streams.video[0].profile == "Constrained Baseline"
    packets = [packet for packet in container.demux(video=0) if packet.size]
    assert [packet.pts for packet in packets] == [packet.dts for packet in packets]
    assert all(nal_unit_types(bytes(packet)).count(1) <= 1 for packet in packets), "one slice a frame"


def test_video_is_timed_by_the_frame_s_number_and_when_the_first_was_due() -> None:
    file, picture, first_s = io.BytesIO(), Table().draw(START_UNIX_S), 0.0123
    with av.open(file, "w", format="nut") as opened:
        encoder = Encoder(opened, WIDTH_PX, HEIGHT_PX)
        for number in (0, 1, 2, 5):
            encoder.video(picture, number, first_s)
        encoder.flush()
    file.seek(0)
    with av.open(file, "r") as opened:
        times_s = [float(packet.pts * packet.time_base) for packet in opened.demux(video=0) if packet.size]  # type: ignore[operator]
    assert times_s == pytest.approx([first_s + number / FRAME_RATE for number in (0, 1, 2, 5)], abs=2e-5)


def test_video_keeps_to_its_bit_rate(container: InputContainer) -> None:
    sizes = [packet.size for packet in container.demux(video=0)]
    assert sum(sizes) * 8 / SECONDS < VIDEO_BPS * 1.15


def test_audio_is_opus_in_packets_of_20_ms(container: InputContainer) -> None:
    stream = container.streams.audio[0]
    assert (stream.codec_context.name, stream.rate, stream.channels) == ("opus", SAMPLE_RATE, 2)
    times = [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size]  # type: ignore[operator]
    assert len(times) >= SECONDS * 50
    assert all(later - earlier == pytest.approx(0.02, abs=0.0011) for earlier, later in itertools.pairwise(times))


def nal_unit_types(access_unit: bytes) -> list[int]:
    starts = access_unit.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    return [nal_unit[0] & 0x1F for nal_unit in starts]
