"""Fragments: their boxes, and what a demuxer and a decoder make of them."""

import io
from collections.abc import Sequence

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError
from gateway.hls.fragment import Sample, avcc, fragment
from gateway.hls.init_section import audio_init_section, video_init_section
from tests.hls.box_reader import RunEntry, read_boxes, read_chunk
from tests.hls.clips import AAC_FRAME_TICKS, audio_clip, video_clip
from tests.wire.h264_clip import FRAME_TICKS

TWO_DAYS_TICKS = 2 * 86_400 * 90_000  # more than 32 bits
SYNC, NON_SYNC = 0x02000000, 0x01010000

samples_of_any_kind = st.lists(
    st.builds(Sample, st.binary(max_size=50), st.integers(0, 2**32 - 1), st.booleans()), min_size=1, max_size=8
)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), samples_of_any_kind)
def test_fragment_reads_back(sequence_number: int, base_time_ticks: int, samples: list[Sample]) -> None:
    chunk = read_chunk(fragment(sequence_number, base_time_ticks, samples))
    assert (chunk.sequence_number, chunk.track_id, chunk.base_time_ticks) == (sequence_number, 1, base_time_ticks)
    assert chunk.entries == [
        RunEntry(sample.duration_ticks, SYNC if sample.is_sync else NON_SYNC, sample.payload) for sample in samples
    ]


@pytest.mark.parametrize(
    ("sequence_number", "base_time_ticks", "samples"),
    [
        (1, 0, []),
        (-1, 0, [Sample(b"a", 1, True)]),
        (2**32, 0, [Sample(b"a", 1, True)]),
        (1, -1, [Sample(b"a", 1, True)]),
        (1, 2**64, [Sample(b"a", 1, True)]),
        (1, 0, [Sample(b"a", -1, True)]),
        (1, 0, [Sample(b"a", 1, True), Sample(b"a", 2**32, True)]),
    ],
    ids=["no samples", "number below 0", "number of 33 bits", "before 0", "65 bits", "duration below 0", "too long"],
)
def test_fragment_that_cannot_be(sequence_number: int, base_time_ticks: int, samples: Sequence[Sample]) -> None:
    with pytest.raises(MisuseError):
        fragment(sequence_number, base_time_ticks, samples)


@pytest.mark.parametrize(
    ("nal_units", "expected"),
    [([], ""), ([b"\x65"], "00000001 65"), ([b"\x06\x01", b"\x41\x9a\x02"], "00000002 0601 00000003 419a02")],
)
def test_avcc_of_nal_units(nal_units: list[bytes], expected: str) -> None:
    assert avcc(nal_units) == bytes.fromhex(expected)


def parts(samples: Sequence[Sample], start_ticks: int, part_samples: int) -> list[bytes]:
    """Fragments of `part_samples` each, without a gap."""
    written = []
    for number, first in enumerate(range(0, len(samples), part_samples)):
        part = samples[first : first + part_samples]
        written.append(fragment(number + 1, start_ticks, part))
        start_ticks += sum(sample.duration_ticks for sample in part)
    return written


def with_uneven_durations(samples: Sequence[Sample]) -> list[Sample]:
    return [Sample(it.payload, FRAME_TICKS + 7 * number, it.is_sync) for number, it in enumerate(samples)]


def starts(samples: Sequence[Sample], start_ticks: int) -> list[int]:
    return [start_ticks + sum(it.duration_ticks for it in samples[:number]) for number in range(len(samples))]


@pytest.mark.parametrize("start_ticks", [0, 90_000, 2**32 - 9000, TWO_DAYS_TICKS])
@pytest.mark.parametrize("part_samples", [1, 6, 30])
def test_video_parts_as_libavformat_reads_them(part_samples: int, start_ticks: int) -> None:
    video_format, samples = video_clip()
    samples = with_uneven_durations(samples)
    media = video_init_section(video_format) + b"".join(parts(samples, start_ticks, part_samples))
    with av.open(io.BytesIO(media), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert [packet.pts for packet in packets] == starts(samples, start_ticks)
    assert [packet.dts for packet in packets] == starts(samples, start_ticks)
    assert [packet.duration for packet in packets] == [sample.duration_ticks for sample in samples]
    assert [packet.is_keyframe for packet in packets] == [number % 10 == 0 for number in range(30)]
    assert [bytes(packet) for packet in packets] == [sample.payload for sample in samples]


@pytest.mark.parametrize(
    ("width", "height", "pixel_format", "profile"),
    [
        (640, 360, "yuv420p", "baseline"),
        (638, 358, "yuv420p", "high"),
        (1920, 1080, "yuv420p", "main"),
        (639, 359, "yuv444p", "high444"),
    ],
)
def test_video_parts_decode(width: int, height: int, pixel_format: str, profile: str) -> None:
    video_format, samples = video_clip(width, height, pixel_format, 20, profile=profile)
    media = video_init_section(video_format) + b"".join(parts(samples, TWO_DAYS_TICKS, 6))
    with av.open(io.BytesIO(media), "r") as container:
        pictures = list(container.decode(video=0))
    assert [picture.pts for picture in pictures] == starts(samples, TWO_DAYS_TICKS)
    assert {(picture.width, picture.height, picture.format.name) for picture in pictures} == {
        (width, height, pixel_format)
    }
    assert not any(picture.is_corrupt for picture in pictures)
    assert [int(bytes(picture.planes[0])[0]) for picture in pictures] == [
        pytest.approx(40 + 7 * number, abs=4) for number in range(20)
    ]


def test_video_from_a_later_keyframe_decodes() -> None:
    video_format, samples = video_clip()
    media = video_init_section(video_format) + b"".join(parts(samples[10:], TWO_DAYS_TICKS, 6))
    with av.open(io.BytesIO(media), "r") as container:
        pictures = list(container.decode(video=0))
    assert [picture.pts for picture in pictures] == starts(samples[10:], TWO_DAYS_TICKS)
    assert pictures[0].key_frame


@pytest.mark.parametrize("start_ticks", [0, 2**32 - 1024, TWO_DAYS_TICKS])
def test_audio_parts_decode(start_ticks: int) -> None:
    audio_format, samples = audio_clip()
    media = audio_init_section(audio_format) + b"".join(parts(samples, start_ticks, 9))
    with av.open(io.BytesIO(media), "r") as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        sounds = [sound for packet in packets for sound in packet.decode()]
    assert [packet.pts for packet in packets] == starts(samples, start_ticks)
    assert {packet.duration for packet in packets} == {AAC_FRAME_TICKS}
    assert all(packet.is_keyframe for packet in packets)
    assert {(sound.sample_rate, sound.layout.name, sound.samples) for sound in sounds} == {(48_000, "stereo", 1024)}
    assert len(sounds) >= len(samples) - 1


def test_parts_one_after_another_are_a_segment() -> None:
    samples = video_clip()[1]
    segment = b"".join(parts(samples, 0, 6))
    assert [box.box_type for box in read_boxes(segment)] == [b"moof", b"mdat"] * 5
