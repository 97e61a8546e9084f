import struct

import pytest

from gateway.errors import WireError
from loadgen.hls.fragments import InitSection, parse_fragments, parse_init_section
from tests.loadgen.hls.media import box, fragment, full_box, init_section

INIT = InitSection(90_000, is_video=True, default_duration_ticks=3_000, default_size_bytes=7)


def test_init_section_says_kind_and_timescale() -> None:
    assert parse_init_section(init_section(90_000, b"vide")) == InitSection(90_000, is_video=True)
    audio = parse_init_section(init_section(48_000, b"soun", duration=1024, size=9))
    assert audio == InitSection(48_000, is_video=False, default_duration_ticks=1024, default_size_bytes=9)


def test_init_section_with_long_times_is_read() -> None:
    long = full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 1, 2, 90_000, 0, 0, 0))
    short = full_box(b"mdhd", 0, 0, struct.pack(">IIIHH", 0, 0, 90_000, 0, 0))
    section = init_section().replace(short, long)
    # The boxes around it are longer by as much.
    for kind in (b"mdia", b"trak", b"moov"):
        at = section.index(kind) - 4
        size = int.from_bytes(section[at : at + 4]) + len(long) - len(short)
        section = section[:at] + size.to_bytes(4) + section[at + 4 :]
    assert parse_init_section(section).timescale == 90_000


@pytest.mark.parametrize(
    "section",
    [
        b"",
        b"moov",
        init_section()[:-1],
        init_section(timescale=0),
        init_section().replace(b"trak", b"free"),
        init_section().replace(b"mdhd", b"free"),
        init_section().replace(b"hdlr", b"free"),
        init_section().replace(b"trex", b"free"),
    ],
)
def test_init_section_that_is_none_is_refused(section: bytes) -> None:
    with pytest.raises(WireError):
        parse_init_section(section)


def test_fragment_has_its_samples_and_their_times() -> None:
    body = fragment(2**33, [(3_000, b"first"), (2_999, b"second!")])
    (parsed,) = parse_fragments(body, INIT)
    assert (parsed.decode_ticks, parsed.durations_ticks, parsed.duration_ticks) == (2**33, (3_000, 2_999), 5_999)
    assert list(parsed.samples(body)) == [(2**33, b"first"), (2**33 + 3_000, b"second!")]


def test_segment_is_several_fragments() -> None:
    body = box(b"styp", b"cmfs") + fragment(0, [(10, b"a")]) + fragment(10, [(10, b"b")])
    parsed = parse_fragments(body, INIT)
    assert [list(each.samples(body)) for each in parsed] == [[(0, b"a")], [(10, b"b")]]


def _with_defaults(tfhd_flags: int, tfhd_fields: bytes, trun_flags: int, trun_rows: bytes) -> bytes:
    def moof(offset: int) -> bytes:
        trun = full_box(b"trun", 0, trun_flags | 1, struct.pack(">Ii", 2, offset), trun_rows)
        tfhd = full_box(b"tfhd", 0, tfhd_flags, struct.pack(">I", 1), tfhd_fields)
        return box(b"moof", box(b"traf", tfhd, full_box(b"tfdt", 0, 0, struct.pack(">I", 5)), trun))

    return moof(len(moof(0)) + 8) + box(b"mdat", bytes(14))


@pytest.mark.parametrize(
    ("body", "durations", "sizes"),
    [
        (_with_defaults(0, b"", 0, b""), (3_000, 3_000), (7, 7)),
        (_with_defaults(0x18, struct.pack(">II", 40, 5), 0, b""), (40, 40), (5, 5)),
        (_with_defaults(0x3B, struct.pack(">QIIII", 0, 1, 40, 5, 0), 0, b""), (40, 40), (5, 5)),
        (_with_defaults(0, b"", 0x204, struct.pack(">III", 0, 6, 8)), (3_000, 3_000), (6, 8)),
        (_with_defaults(0, b"", 0xD00, struct.pack(">IIIIII", 1, 0, 0, 2, 0, 0)), (1, 2), (7, 7)),
    ],
)
def test_defaults_fill_what_samples_do_not_say(body: bytes, durations: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    (parsed,) = parse_fragments(body, INIT)
    assert (parsed.decode_ticks, parsed.durations_ticks, parsed.sizes_bytes) == (5, durations, sizes)


GOOD = fragment(0, [(10, b"sample")])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0\x04free",
        GOOD[:-1],
        GOOD[: GOOD.index(b"mdat") - 4],
        GOOD[GOOD.index(b"mdat") - 4 :],
        GOOD.replace(b"tfdt", b"free"),
        GOOD.replace(b"trun", b"free"),
        GOOD.replace(b"traf", b"free"),
        GOOD[:-6] + b"",
        GOOD.replace(struct.pack(">II", 10, 6), struct.pack(">II", 10, 7)),
        GOOD.replace(struct.pack(">II", 10, 6), struct.pack(">II", 10, 2**32 - 1)),
    ],
)
def test_fragment_that_no_demuxer_could_read_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_fragments(body, INIT)


@pytest.mark.parametrize("end", range(len(GOOD)))
def test_fragment_that_is_cut_off_anywhere_is_refused(end: int) -> None:
    with pytest.raises(WireError):
        parse_fragments(GOOD[:end], INIT)
