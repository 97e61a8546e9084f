"""Init sections: their boxes, what libavformat reads in them, and formats that cannot be."""

import io
import struct
from fractions import Fraction

import av
import pytest

from gateway.errors import MisuseError, WireError
from gateway.hls.init_section import (
    AudioFormat,
    VideoFormat,
    audio_init_section,
    video_init_section,
)
from tests.hls.box_reader import Box, read_boxes
from tests.hls.clips import audio_clip, video_clip

AAC_LC_48_KHZ_STEREO = b"\x11\x90"
VIDEO_FORMAT, AUDIO_FORMAT = video_clip(frames=1)[0], AudioFormat(AAC_LC_48_KHZ_STEREO)
SPS, PPS = VIDEO_FORMAT.sps[0], VIDEO_FORMAT.pps[0]


def moov(init_section: bytes) -> Box:
    _ftyp, found = read_boxes(init_section)
    return found


def sample_entry(init_section: bytes) -> Box:
    (entry,) = moov(init_section).find(b"trak", b"mdia", b"minf", b"stbl", b"stsd").boxes()
    return entry


def avc_configuration(video_format: VideoFormat) -> bytes:
    return sample_entry(video_init_section(video_format)).find(b"avcC").content


INIT_SECTIONS = pytest.mark.parametrize(
    ("init_section", "timescale_hz", "handler", "media_header"),
    [
        (video_init_section(VIDEO_FORMAT), 90_000, b"vide", b"vmhd"),
        (audio_init_section(AUDIO_FORMAT), 48_000, b"soun", b"smhd"),
    ],
    ids=["video", "audio"],
)


@INIT_SECTIONS
def test_boxes_of_an_init_section(init_section: bytes, timescale_hz: int, handler: bytes, media_header: bytes) -> None:
    ftyp, movie = read_boxes(init_section)
    assert (ftyp.box_type, ftyp.content) == (b"ftyp", b"iso6" + bytes(4) + b"iso6cmfc")
    assert [box.box_type for box in movie.boxes()] == [b"mvhd", b"trak", b"mvex"]
    assert [box.box_type for box in movie.find(b"trak").boxes()] == [b"tkhd", b"mdia"], "no edit list"
    mdia = movie.find(b"trak", b"mdia")
    assert [box.box_type for box in mdia.boxes()] == [b"mdhd", b"hdlr", b"minf"]
    assert struct.unpack(">12xII4x", mdia.find(b"mdhd").content) == (timescale_hz, 0)
    assert mdia.find(b"hdlr").content == bytes(8) + handler + bytes(13)
    assert [box.box_type for box in mdia.find(b"minf").boxes()] == [media_header, b"dinf", b"stbl"]
    (url,) = mdia.find(b"minf", b"dinf", b"dref").boxes()
    assert (url.box_type, url.version_and_flags, url.size) == (b"url ", (0, 1), 12)


@INIT_SECTIONS
def test_init_section_has_no_samples(
    init_section: bytes, timescale_hz: int, handler: bytes, media_header: bytes
) -> None:
    tables = moov(init_section).find(b"trak", b"mdia", b"minf", b"stbl").boxes()
    assert [(box.box_type, any(box.content)) for box in tables[1:]] == [
        (b"stts", False),
        (b"stsc", False),
        (b"stsz", False),
        (b"stco", False),
    ]
    assert [len(box.content) for box in tables[1:]] == [8, 8, 12, 8]


@INIT_SECTIONS
def test_headers_have_the_sizes_of_version_0(
    init_section: bytes, timescale_hz: int, handler: bytes, media_header: bytes
) -> None:
    movie = moov(init_section)
    mvhd, tkhd, trex = movie.find(b"mvhd"), movie.find(b"trak", b"tkhd"), movie.find(b"mvex", b"trex")
    assert (mvhd.version_and_flags, mvhd.size) == ((0, 0), 108)
    assert (tkhd.version_and_flags, tkhd.size) == ((0, 7), 92)
    assert (trex.version_and_flags, struct.unpack(">4x5I", trex.content)) == ((0, 0), (1, 1, 0, 0, 0))
    assert struct.unpack_from(">12xI20xH", tkhd.content) == (1, 0x0100 if handler == b"soun" else 0), "id and volume"
    assert struct.unpack(">I", mvhd.content[-4:]) == (2,), "the next track's id"


@pytest.mark.parametrize(
    ("sar", "shown_width", "pasp"),
    [("1/1", 640.0, None), ("4/3", 640 * 4 / 3, (4, 3)), ("10/11", 640 * 10 / 11, (10, 11))],
)
def test_size_and_pixel_shape(sar: str, shown_width: float, pasp: tuple[int, int] | None) -> None:
    init_section = video_init_section(video_clip(frames=1, sar=sar)[0])
    width, height = struct.unpack(">II", moov(init_section).find(b"trak", b"tkhd").content[-8:])
    assert (width / 65536, height / 65536) == (pytest.approx(shown_width, abs=1e-4), 360)
    entry = sample_entry(init_section)
    assert struct.unpack_from(">24xHH", entry.content) == (640, 360)
    shapes = [struct.unpack(">II", box.content) for box in entry.boxes() if box.box_type == b"pasp"]
    assert shapes == ([pasp] if pasp else [])


def test_size_that_no_header_can_say() -> None:
    video_format = video_clip(16, 16, frames=1, sar="65535/1")[0]
    width, height = struct.unpack(">II", moov(video_init_section(video_format)).find(b"trak", b"tkhd").content[-8:])
    assert (width, height) == (0xFFFFFFFF, 16 << 16)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p", "gray"])
def test_high_profiles_say_their_chroma(pixel_format: str) -> None:
    video_format = video_clip(pixel_format=pixel_format, frames=1, **{"8x8dct": 1})[0]
    chroma, depth = {"yuv420p": (1, 0), "yuv422p10le": (2, 2), "yuv444p": (3, 0), "gray": (0, 0)}[pixel_format]
    sps, pps = video_format.sps[0], video_format.pps[0]
    record = b"\x01" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    record += b"\x01" + len(pps).to_bytes(2, "big") + pps
    assert avc_configuration(video_format) == record + bytes((0xFC | chroma, 0xF8 | depth, 0xF8 | depth, 0))


def test_baseline_says_no_chroma() -> None:
    video_format = video_clip(frames=1, profile="baseline")[0]
    assert video_format.parameters.profile_idc == 66
    assert avc_configuration(video_format).endswith(video_format.pps[0])


def test_several_parameter_sets_in_order() -> None:
    second = video_clip(320, 180, frames=1)[0].sps[0]
    configuration = avc_configuration(VideoFormat((SPS, second), (PPS, b"\x68\x01", b"\x68\x02")))
    assert configuration[5] == 0xE2
    sets = configuration[6:]
    assert sets.index(SPS) < sets.index(second) < sets.index(PPS)
    assert b"\x03" + len(PPS).to_bytes(2, "big") + PPS + b"\x00\x02\x68\x01\x00\x02\x68\x02" in sets


def test_esds_by_its_bytes() -> None:
    entry = sample_entry(audio_init_section(AUDIO_FORMAT))
    assert struct.unpack_from(">6xH8xHHHHI", entry.content) == (1, 2, 16, 0, 0, 48000 << 16)
    assert entry.find(b"esds").content == bytes.fromhex(
        "00000000"
        "0319 0000 00"  # ES_Descriptor
        "0411 40 15 000000 00000000 00000000"  # DecoderConfigDescriptor
        "0502 1190"  # AudioSpecificConfig
        "0601 02"  # SLConfigDescriptor
    )


@pytest.mark.parametrize(("width", "height"), [(638, 358), (1280, 720), (1920, 1080)])
def test_video_init_section_as_libavformat_reads_it(width: int, height: int) -> None:
    video_format = video_clip(width, height, frames=1, sar="4/3")[0]
    with av.open(io.BytesIO(video_init_section(video_format))) as container:
        (stream,) = container.streams.video
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", width, height)
        assert (stream.time_base, stream.sample_aspect_ratio) == (Fraction(1, 90_000), Fraction(4, 3))
        assert stream.codec_context.extradata == avc_configuration(video_format)


def test_audio_init_section_as_libavformat_reads_it() -> None:
    audio_format = audio_clip()[0]
    with av.open(io.BytesIO(audio_init_section(audio_format))) as container:
        (stream,) = container.streams.audio
        assert (stream.codec_context.name, stream.time_base) == ("aac", Fraction(1, 48_000))
        assert (stream.rate, stream.channels) == (48_000, 2)
        assert stream.codec_context.extradata == audio_format.specific_config


def test_formats_name_their_codec_and_size() -> None:
    assert (VIDEO_FORMAT.width, VIDEO_FORMAT.height) == (640, 360)
    assert VIDEO_FORMAT.codec == f"avc1.{SPS[1:4].hex().upper()}"
    assert AUDIO_FORMAT.codec == "mp4a.40.2"


def test_video_formats_are_equal_by_their_parameter_sets() -> None:
    assert VideoFormat((SPS,), (PPS,)) == VIDEO_FORMAT
    assert hash(VideoFormat((SPS,), (PPS,))) == hash(VIDEO_FORMAT)
    assert VideoFormat((SPS,), (PPS, PPS)) != VIDEO_FORMAT
    assert VideoFormat((SPS, SPS), (PPS,)) != VIDEO_FORMAT


@pytest.mark.parametrize(
    ("sps", "pps"),
    [
        ((), (PPS,)),
        ((SPS,), ()),
        ((SPS,) * 32, (PPS,)),
        ((SPS,), (PPS,) * 256),
        ((SPS, b""), (PPS,)),
        ((SPS,), (b"",)),
        ((SPS,), (b"\x68" + bytes(65535),)),
        ((PPS,), (PPS,)),
        ((SPS[:8],), (PPS,)),
    ],
    ids=["no sps", "no pps", "many sps", "many pps", "empty sps", "empty pps", "long pps", "pps as sps", "short sps"],
)
def test_video_format_that_cannot_be(sps: tuple[bytes, ...], pps: tuple[bytes, ...]) -> None:
    with pytest.raises(WireError):
        VideoFormat(sps, pps)


@pytest.mark.parametrize("specific_config", [b"", bytes(65)])
def test_audio_format_that_cannot_be(specific_config: bytes) -> None:
    with pytest.raises(MisuseError):
        audio_init_section(AudioFormat(specific_config))
