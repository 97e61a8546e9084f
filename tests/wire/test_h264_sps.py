"""Sequence parameter sets that x264 writes, that it never writes, and that nobody should."""

from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.h264_depacketizer import SPS, nal_type
from gateway.wire.h264_sps import MAX_SIDE_PIXELS, MAX_SPS_BYTES, parse_sps, without_emulation_prevention
from tests.wire.bit_writer import golomb, rbsp, signed_golomb
from tests.wire.h264_clip import encoded


@cache
def sps_of_x264(width: int = 640, height: int = 360, pixel_format: str = "yuv420p", **options: str | int) -> bytes:
    units = encoded(width, height, 1, pixel_format, **options)[0]
    return next(unit for unit in units if nal_type(unit) == SPS)


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "gray"])
@pytest.mark.parametrize(("width", "height"), [(16, 16), (320, 180), (638, 358), (854, 480), (1280, 720), (1920, 1080)])
def test_size_of_x264(width: int, height: int, pixel_format: str, interlaced: int) -> None:
    if interlaced:
        height -= height % 4  # x264 refuses to cut half a chroma line off a field
    parameters = parse_sps(sps_of_x264(width, height, pixel_format, interlaced=interlaced))
    assert (parameters.width, parameters.height) == (width, height)
    assert parameters.chroma_format_idc == {"gray": 0, "yuv420p": 1, "yuv422p": 2, "yuv444p": 3}[pixel_format]


@pytest.mark.parametrize(("width", "height"), [(17, 19), (639, 359), (1366, 767)])
def test_odd_size_of_x264(width: int, height: int) -> None:
    parameters = parse_sps(sps_of_x264(width, height, "yuv444p"))
    assert (parameters.width, parameters.height) == (width, height)


@pytest.mark.parametrize(
    ("profile", "pixel_format", "profile_idc", "bit_depth"),
    [
        ("baseline", "yuv420p", 66, 8),
        ("main", "yuv420p", 77, 8),
        ("high", "yuv420p", 100, 8),
        ("high10", "yuv420p10le", 110, 10),
        ("high422", "yuv422p10le", 122, 10),
        ("high444", "yuv444p", 244, 8),
    ],
)
def test_profile_of_x264(profile: str, pixel_format: str, profile_idc: int, bit_depth: int) -> None:
    tools = {"cabac": int(profile_idc >= 77), "8x8dct": int(profile_idc >= 100)}
    nal = sps_of_x264(640, 360, pixel_format, profile=profile, level="3.1", **tools)
    parameters = parse_sps(nal)
    assert (parameters.profile_idc, parameters.level_idc) == (profile_idc, 31)
    assert (parameters.bit_depth_luma, parameters.bit_depth_chroma) == (bit_depth, bit_depth)
    assert parameters.codec == f"avc1.{nal[1:4].hex().upper()}"


def test_codec_of_constrained_baseline() -> None:
    written = rbsp(sps_bits())
    assert parse_sps(b"\x67" + written).codec == "avc1.42E01F"


@pytest.mark.parametrize("sar", ["1/1", "12/11", "40/33", "4/3", "2/1", "16/15", "65535/2"])
def test_sample_aspect_ratio_of_x264(sar: str) -> None:
    parameters = parse_sps(sps_of_x264(sar=sar))
    assert f"{parameters.sar_width}/{parameters.sar_height}" == sar


@pytest.mark.parametrize(("bframes", "b_pyramid", "reordered"), [(0, "none", 0), (2, "none", 1), (3, "normal", 2)])
def test_max_num_reorder_frames_of_x264(bframes: int, b_pyramid: str, reordered: int) -> None:
    assert parse_sps(sps_of_x264(bframes=bframes, b_pyramid=b_pyramid)).max_num_reorder_frames == reordered


FULL_VUI = {
    "sar": "10/11",
    "overscan": "crop",
    "videoformat": "pal",
    "fullrange": "on",
    "colorprim": "bt709",
    "chromaloc": 2,
    "nal_hrd": "vbr",
    "vbv_maxrate": 1000,
    "vbv_bufsize": 1000,
    "bitrate": 900,
    "pic_struct": 1,
    "bframes": 2,
    "b_pyramid": "none",
}


@pytest.mark.parametrize("cqm", ["flat", "jvt"])
def test_everything_that_x264_can_say(cqm: str) -> None:
    parameters = parse_sps(sps_of_x264(640, 360, **FULL_VUI, cqm=cqm, **{"8x8dct": 1}))
    assert (parameters.width, parameters.height) == (640, 360)
    assert (parameters.sar_width, parameters.sar_height, parameters.max_num_reorder_frames) == (10, 11, 1)


@pytest.mark.parametrize("nal", [sps_of_x264(), sps_of_x264(640, 360, **FULL_VUI)], ids=["short", "long"])
def test_sps_cut_short_anywhere(nal: bytes) -> None:
    for size in range(len(nal)):
        with pytest.raises(WireError):
            parse_sps(nal[:size])


ORDER_TYPE_0 = golomb(0) + golomb(4)
ORDER_TYPE_1 = golomb(1) + "1" + signed_golomb(-3) + signed_golomb(70000) + golomb(2) + signed_golomb(5) * 2
ORDER_TYPE_2 = golomb(2)
HRD = golomb(1) + "00010001" + (golomb(70000) + golomb(9) + "0") * 2 + "1" * 20
RESTRICTION = "1" + golomb(2) + golomb(1) + golomb(16) * 2 + golomb(3) + golomb(4)
LISTS_OF_444 = "".join("1" + signed_golomb(-8) if number % 2 else "0" for number in range(12))
FULL_LIST = "1" + signed_golomb(1) * 16


def chroma_bits(format_idc: int = 1, planes: str = "", depths: tuple[int, int] = (0, 0), lists: str = "0") -> str:
    return golomb(format_idc) + planes + golomb(depths[0]) + golomb(depths[1]) + "0" + lists


def sps_bits(
    header: bytes = b"\x42\xe0\x1f",
    sps_id: int = 0,
    chroma: str = "",
    frame_num: int = 0,
    order: str = ORDER_TYPE_2,
    references: int = 1,
    size: tuple[int, int] = (39, 29),
    frame_mbs: str = "1",
    crop: str = "0",
    vui: str = "0",
) -> str:
    """A sequence parameter set of 640 x 480 pixels, field by field."""
    head = "".join(f"{byte:08b}" for byte in header) + golomb(sps_id) + chroma
    sized = golomb(references) + "0" + golomb(size[0]) + golomb(size[1]) + frame_mbs + "1" + crop
    return head + golomb(frame_num) + order + sized + vui


def crop_bits(left: int, right: int, top: int, bottom: int) -> str:
    return "1" + golomb(left) + golomb(right) + golomb(top) + golomb(bottom)


def vui_bits(sar: str = "0", hrds: str = "00", restriction: str = "0") -> str:
    return "1" + sar + "0000" + hrds + "0" + restriction


HIGH, HIGH_444 = b"\x64\x00\x1f", b"\xf4\x00\x1f"


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (sps_bits(), {"width": 640, "height": 480, "max_num_reorder_frames": None, "chroma_format_idc": 1}),
        (sps_bits(order=ORDER_TYPE_0), {"width": 640, "height": 480}),
        (sps_bits(order=ORDER_TYPE_1), {"width": 640, "height": 480}),
        (sps_bits(frame_mbs="00"), {"width": 640, "height": 960}),
        (sps_bits(frame_mbs="01", crop=crop_bits(0, 0, 0, 1)), {"width": 640, "height": 956}),
        (sps_bits(crop=crop_bits(1, 2, 3, 4)), {"width": 634, "height": 466}),
        (sps_bits(HIGH, chroma=chroma_bits(0), crop=crop_bits(0, 1, 0, 1)), {"width": 639, "height": 479}),
        (sps_bits(HIGH, chroma=chroma_bits(2), crop=crop_bits(0, 1, 0, 1)), {"width": 638, "height": 479}),
        (
            sps_bits(HIGH_444, chroma=chroma_bits(3, "0", (6, 5), "1" + LISTS_OF_444), crop=crop_bits(1, 0, 1, 0)),
            {"width": 639, "height": 479, "bit_depth_luma": 14, "bit_depth_chroma": 13, "chroma_format_idc": 3},
        ),
        (sps_bits(HIGH_444, chroma=chroma_bits(3, "1"), crop=crop_bits(1, 0, 1, 0)), {"width": 639, "height": 479}),
        (sps_bits(HIGH, chroma=chroma_bits(lists="1" + FULL_LIST + "0" * 7)), {"width": 640, "height": 480}),
        (sps_bits(vui=vui_bits(restriction="1" + RESTRICTION)), {"max_num_reorder_frames": 3}),
        (sps_bits(vui=vui_bits(hrds="01" + HRD + "0")), {"max_num_reorder_frames": None}),
        (sps_bits(vui=vui_bits(hrds="1" + HRD + "1" + HRD + "0", restriction="1" + RESTRICTION)), {"width": 640}),
        (sps_bits(vui=vui_bits("1" + f"{0:08b}")), {"sar_width": 1, "sar_height": 1}),
        (sps_bits(vui=vui_bits("1" + f"{17:08b}")), {"sar_width": 1, "sar_height": 1}),
        (sps_bits(vui=vui_bits("1" + f"{255:08b}{0:016b}{9:016b}")), {"sar_width": 1, "sar_height": 1}),
        (sps_bits(vui=vui_bits("1" + f"{255:08b}{8:016b}{9:016b}")), {"sar_width": 8, "sar_height": 9}),
        (sps_bits(size=(1023, 1023)), {"width": 16384, "height": 16384}),
    ],
)
def test_sps_written_field_by_field(bits: str, expected: dict[str, int]) -> None:
    parameters = parse_sps(b"\x67" + with_emulation_prevention(rbsp(bits)))
    assert {name: getattr(parameters, name) for name in expected} == expected


def with_emulation_prevention(payload: bytes) -> bytes:
    written = bytearray()
    for byte in payload:
        if byte <= 3 and written.endswith(b"\0\0"):
            written.append(3)
        written.append(byte)
    return bytes(written)


@given(st.binary(max_size=40) | st.lists(st.sampled_from([0, 0, 1, 3]), max_size=40).map(bytes))
def test_emulation_prevention_comes_off(payload: bytes) -> None:
    assert without_emulation_prevention(with_emulation_prevention(payload)) == payload


@pytest.mark.parametrize(
    "bits",
    [
        sps_bits(sps_id=32),
        sps_bits(frame_num=13),
        sps_bits(order=golomb(3)),
        sps_bits(order=golomb(0) + golomb(13)),
        sps_bits(order=golomb(1) + "1" + golomb(0) * 2 + golomb(256) + golomb(0) * 256),
        sps_bits(references=17),
        sps_bits(size=(1024, 29)),
        sps_bits(size=(39, 1024)),
        sps_bits(size=(39, 512), frame_mbs="00"),
        sps_bits(size=(2**32 - 2, 2**32 - 2)),
        sps_bits(crop=crop_bits(160, 160, 0, 0)),
        sps_bits(crop=crop_bits(0, 0, 0, 240)),
        sps_bits(crop=crop_bits(2**32 - 2, 0, 0, 0)),
        sps_bits(size=(2000, 29), crop=crop_bits(15000, 0, 0, 0)),
        sps_bits(HIGH, chroma=chroma_bits(4)),
        sps_bits(HIGH, chroma=chroma_bits(depths=(7, 0))),
        sps_bits(HIGH, chroma=chroma_bits(depths=(0, 7))),
        sps_bits(HIGH, chroma=chroma_bits(lists="11" + signed_golomb(128) + "0" * 40)),
        sps_bits(HIGH, chroma=chroma_bits(lists="11" + signed_golomb(-129) + "0" * 40)),
        sps_bits(vui=vui_bits(hrds="1" + golomb(32) + "0" * 200)),
        sps_bits(vui=vui_bits(restriction="11" + golomb(0) * 4 + golomb(17) + golomb(17))),
        sps_bits(vui="1" + "000" + "1" + golomb(6) + golomb(0) + "0" * 9),
        "01000010",
    ],
)
def test_absurd_sps(bits: str) -> None:
    with pytest.raises(WireError):
        parse_sps(b"\x67" + with_emulation_prevention(rbsp(bits)))


@pytest.mark.parametrize(
    "nal", [b"", b"\x67", b"\x67\0\0\0", b"\x68" + sps_of_x264()[1:], sps_of_x264() + bytes(MAX_SPS_BYTES)]
)
def test_no_sps(nal: bytes) -> None:
    with pytest.raises(WireError):
        parse_sps(nal)


def assert_parses_or_raises_a_wire_error(nal: bytes) -> None:
    with suppress(WireError):
        parameters = parse_sps(nal)
        assert 0 < parameters.width <= MAX_SIDE_PIXELS
        assert 0 < parameters.height <= MAX_SIDE_PIXELS
        assert parameters.sar_width > 0
        assert parameters.sar_height > 0


@given(st.sampled_from([b"", b"\x42\xe0\x1f", HIGH, HIGH_444]), st.binary(max_size=80))
def test_sps_of_garbage_raises_only_wire_errors(header: bytes, content: bytes) -> None:
    assert_parses_or_raises_a_wire_error(b"\x67" + header + content)


@given(st.data())
def test_sps_with_flipped_bits_raises_only_wire_errors(data: st.DataObject) -> None:
    nal = bytearray(data.draw(st.sampled_from([sps_of_x264(), sps_of_x264(640, 360, **FULL_VUI)])))
    for bit in data.draw(st.lists(st.integers(8, 8 * len(nal) - 1), max_size=6)):
        nal[bit // 8] ^= 0x80 >> bit % 8
    assert_parses_or_raises_a_wire_error(bytes(nal))
