"""What an H.264 sequence parameter set says of the pictures (H.264 section 7.3.2.1.1 and annex E.1)."""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import WireError
from gateway.wire.bit_reader import BitReader
from gateway.wire.h264_depacketizer import SPS, nal_type

MAX_SPS_BYTES = 4096  # about as many as with each list full and each number at its longest; real ones have 30
MAX_SIDE_PIXELS = 16384  # level 6.2 has sides of at most 16 880; no player decodes that

_PROFILES_WITH_CHROMA = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_SMALL_LISTS, _SMALL_LIST_ENTRIES, _LARGE_LIST_ENTRIES = 6, 16, 64
_MACROBLOCK_PIXELS = 16
_MAX_DPB_FRAMES = 16

# sar_width, sar_height by aspect_ratio_idc (table E-1); 0 is unspecified
_SAMPLE_ASPECT_RATIOS = (
    (1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
_EXTENDED_SAR = 255

_CHROMA_420, _CHROMA_444 = 1, 3
# Width and height in pixels by which pictures are cropped, by chroma_format_idc (section 7.4.2.1.1): a chroma sample.
# Colour planes that are coded apart are cropped by single pixels, but 4:4:4 is that anyway.
_CROP_UNITS = ((1, 1), (2, 2), (2, 1), (1, 1))


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """The first three fields as their bytes are; `width` and `height` in pixels after cropping.

    `sar_width`:`sar_height` is the shape of a pixel, 1:1 where it is not said. `max_num_reorder_frames` is None where
    the SPS does not say it. `chroma_format_idc`: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    """

    profile_idc: int
    constraint_flags: int
    level_idc: int
    width: int
    height: int
    sar_width: int
    sar_height: int
    max_num_reorder_frames: int | None
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int

    @property
    def codec(self) -> str:
        """As the `codecs` of a container (RFC 6381 section 3.3): "avc1.42E01F"."""
        return f"avc1.{self.profile_idc:02X}{self.constraint_flags:02X}{self.level_idc:02X}"


class _Chroma(NamedTuple):
    format_idc: int = _CHROMA_420
    bit_depth_luma: int = 8
    bit_depth_chroma: int = 8


class _Vui(NamedTuple):
    sar: tuple[int, int] = (1, 1)
    max_num_reorder_frames: int | None = None


def parse_sps(nal: bytes) -> SequenceParameters:
    """Of a whole NAL unit, header first, without start code. Raises WireError where it is no SPS, short or absurd."""
    if not nal or nal_type(nal) != SPS:
        raise WireError("no sequence parameter set")
    if len(nal) > MAX_SPS_BYTES:
        raise WireError(f"a sequence parameter set of {len(nal)} bytes")
    bits = BitReader(without_emulation_prevention(nal[1:]))
    profile_idc, constraint_flags, level_idc = (bits.unsigned(8) for _ in range(3))
    bits.golomb(31)  # seq_parameter_set_id
    chroma = _chroma(bits) if profile_idc in _PROFILES_WITH_CHROMA else _Chroma()
    _skip_order(bits)
    width, height = _size(bits, chroma.format_idc)
    vui = _vui(bits) if bits.flag() else _Vui()
    return SequenceParameters(
        profile_idc=profile_idc,
        constraint_flags=constraint_flags,
        level_idc=level_idc,
        width=width,
        height=height,
        sar_width=vui.sar[0],
        sar_height=vui.sar[1],
        max_num_reorder_frames=vui.max_num_reorder_frames,
        chroma_format_idc=chroma.format_idc,
        bit_depth_luma=chroma.bit_depth_luma,
        bit_depth_chroma=chroma.bit_depth_chroma,
    )


def without_emulation_prevention(nal: bytes) -> bytes:
    """The raw byte sequence payload (section 7.4.1): the 3 of each 0, 0, 3 is taken out."""
    return nal.replace(b"\0\0\3", b"\0\0")


def _chroma(bits: BitReader) -> _Chroma:
    format_idc = bits.golomb(_CHROMA_444)
    if format_idc == _CHROMA_444:
        bits.flag()  # separate_colour_plane
    bit_depth_luma, bit_depth_chroma = (8 + bits.golomb(6) for _ in range(2))
    bits.flag()  # qpprime_y_zero_transform_bypass
    if bits.flag():
        for number in range(12 if format_idc == _CHROMA_444 else 8):
            if bits.flag():
                _skip_scaling_list(bits, _SMALL_LIST_ENTRIES if number < _SMALL_LISTS else _LARGE_LIST_ENTRIES)
    return _Chroma(format_idc, bit_depth_luma, bit_depth_chroma)


def _skip_scaling_list(bits: BitReader, entries: int) -> None:
    """Section 7.3.2.1.1.1: a list ends early with a scale of zero, and its rest repeats the last."""
    scale = 8
    for _ in range(entries):
        delta = bits.signed_golomb()
        if not -128 <= delta <= 127:
            raise WireError(f"a scaling list has a delta of {delta}")
        scale = (scale + delta) % 256
        if not scale:
            return


def _skip_order(bits: BitReader) -> None:
    """From log2_max_frame_num to the size: how frames are numbered and ordered."""
    bits.golomb(12)  # log2_max_frame_num_minus4
    pic_order_cnt_type = bits.golomb(2)
    if pic_order_cnt_type == 0:
        bits.golomb(12)  # log2_max_pic_order_cnt_lsb_minus4
    elif pic_order_cnt_type == 1:
        bits.flag()  # delta_pic_order_always_zero
        bits.signed_golomb()  # offset_for_non_ref_pic
        bits.signed_golomb()  # offset_for_top_to_bottom_field
        for _ in range(bits.golomb(255)):
            bits.signed_golomb()  # offset_for_ref_frame
    bits.golomb(_MAX_DPB_FRAMES)  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed


def _size(bits: BitReader, chroma_format_idc: int) -> tuple[int, int]:
    columns, rows = bits.golomb() + 1, bits.golomb() + 1
    frame_mbs_only = bits.flag()
    fields = 1 if frame_mbs_only else 2  # a row of map units is two of macroblocks where fields are coded
    if not frame_mbs_only:
        bits.flag()  # mb_adaptive_frame_field
    bits.flag()  # direct_8x8_inference
    left, right, top, bottom = (bits.golomb() for _ in range(4)) if bits.flag() else (0, 0, 0, 0)
    coded_width, coded_height = columns * _MACROBLOCK_PIXELS, rows * fields * _MACROBLOCK_PIXELS
    unit_width, unit_height = _CROP_UNITS[chroma_format_idc]
    width = coded_width - (left + right) * unit_width
    height = coded_height - (top + bottom) * unit_height * fields
    if max(coded_width, coded_height) > MAX_SIDE_PIXELS or min(width, height) <= 0:
        raise WireError(f"pictures of {coded_width} x {coded_height} pixels, cropped to {width} x {height}")
    return width, height


def _vui(bits: BitReader) -> _Vui:
    """Annex E.1.1."""
    sar = _sample_aspect_ratio(bits) if bits.flag() else (1, 1)
    if bits.flag():  # overscan_info_present
        bits.flag()
    if bits.flag():  # video_signal_type_present
        bits.unsigned(4)
        if bits.flag():  # colour_description_present
            bits.unsigned(24)
    if bits.flag():  # chroma_loc_info_present
        bits.golomb(5)
        bits.golomb(5)
    if bits.flag():  # timing_info_present
        bits.unsigned(65)
    hrds = 0
    for _ in range(2):  # nal_hrd_parameters_present, vcl_hrd_parameters_present
        if bits.flag():
            _skip_hrd(bits)
            hrds += 1
    if hrds:
        bits.flag()  # low_delay_hrd
    bits.flag()  # pic_struct_present
    return _Vui(sar, _max_num_reorder_frames(bits) if bits.flag() else None)


def _sample_aspect_ratio(bits: BitReader) -> tuple[int, int]:
    aspect_ratio_idc = bits.unsigned(8)
    if aspect_ratio_idc == _EXTENDED_SAR:
        width, height = bits.unsigned(16), bits.unsigned(16)
        return (width, height) if width and height else (1, 1)  # with a zero it is unspecified
    return _SAMPLE_ASPECT_RATIOS[aspect_ratio_idc] if aspect_ratio_idc < len(_SAMPLE_ASPECT_RATIOS) else (1, 1)


def _skip_hrd(bits: BitReader) -> None:
    """Annex E.1.2."""
    schedules = bits.golomb(31) + 1
    bits.unsigned(8)  # bit_rate_scale, cpb_size_scale
    for _ in range(schedules):
        bits.golomb()  # bit_rate_value_minus1
        bits.golomb()  # cpb_size_value_minus1
        bits.flag()  # cbr
    bits.unsigned(20)  # three lengths and time_offset_length


def _max_num_reorder_frames(bits: BitReader) -> int:
    """Of the bitstream restrictions, whose first four say nothing that a packager needs."""
    bits.flag()  # motion_vectors_over_pic_boundaries
    for _ in range(4):
        bits.golomb()
    max_num_reorder_frames = bits.golomb(_MAX_DPB_FRAMES)
    bits.golomb(_MAX_DPB_FRAMES)  # max_dec_frame_buffering
    return max_num_reorder_frames
