"""NAL units through every packetization that a studio may choose, and payloads that hold none."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire import h264_depacketizer
from gateway.wire.h264_depacketizer import nal_type, nal_units

SPS, PPS, SEI, IDR, SLICE, AUD = (
    bytes((0x60 | nal_unit_type,)) + content
    for nal_unit_type, content in (
        (7, b"sequence"),
        (8, b"p"),
        (6, b"info"),
        (5, b"keyframe" * 9),
        (1, b"slice" * 9),
        (9, b"\xf0"),
    )
)
END_OF_SEQUENCE = b"\x0a"


def stap_a(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def fu_a(unit: bytes, max_bytes: int) -> list[bytes]:
    """At least two fragments, as RFC 6184 section 5.8 wants it: the last may be empty."""
    pieces = [unit[start : start + max_bytes] for start in range(1, len(unit), max_bytes)]
    pieces += [b""] * (2 - len(pieces))
    indicator, unit_type = unit[0] & 0xE0 | 28, unit[0] & 0x1F
    flags = [0x80, *[0] * (len(pieces) - 2), 0x40]
    return [bytes((indicator, flag | unit_type)) + piece for flag, piece in zip(flags, pieces, strict=True)]


START, MIDDLE, END = fu_a(IDR, 30)


def test_nal_type_of_each_constant() -> None:
    units = {"SPS": SPS, "PPS": PPS, "SEI": SEI, "IDR": IDR, "SLICE": SLICE, "AUD": AUD}
    assert {name: getattr(h264_depacketizer, name) for name in units} == {
        name: nal_type(unit) for name, unit in units.items()
    }


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([], []),
        ([SLICE], [SLICE]),
        ([END_OF_SEQUENCE], [END_OF_SEQUENCE]),
        ([AUD, SPS, PPS, IDR, SLICE], [AUD, SPS, PPS, IDR, SLICE]),
        ([stap_a(SPS, PPS)], [SPS, PPS]),
        ([stap_a(SPS, PPS), START, MIDDLE, END], [SPS, PPS, IDR]),
        ([stap_a(END_OF_SEQUENCE), SLICE], [END_OF_SEQUENCE, SLICE]),
        ([START, MIDDLE, END, *fu_a(SLICE, 7), SEI], [IDR, SLICE, SEI]),
        ([b"\x7c\xc5whole"], [b"\x65whole"]),
        ([b"\x3c\x85low", b"\x3c\x45er"], [b"\x25lower"]),
        ([b"\x00", SLICE, b"\x1e\x01", b"\x1fx", stap_a(b"\x1ea", SEI)], [SLICE, SEI]),
    ],
    ids=[
        "nothing",
        "single",
        "header alone",
        "singles",
        "aggregated",
        "aggregated and fragmented",
        "aggregated header alone",
        "two fragmented",
        "first and last at once",
        "reference bits of the indicator",
        "reserved types are ignored",
    ],
)
def test_nal_units_of_an_access_unit(payloads: list[bytes], expected: list[bytes]) -> None:
    assert nal_units(payloads) == expected


@pytest.mark.parametrize(
    "payloads",
    [
        [b""],
        [SLICE, b""],
        [b"\x78"],
        [b"\x78\x00"],
        [b"\x78\x00\x05\x67"],
        [b"\x78\x00\x00"],
        [b"\x78\x00\x01\x67\x00"],
        [b"\x78\x00\x01\x67\x00\x00"],
        [stap_a(SPS, PPS)[:-1]],
        [stap_a(stap_a(SPS))],
        [stap_a(START)],
        [b"\x7c"],
        [MIDDLE],
        [END],
        [START],
        [START, MIDDLE],
        [START, START, END],
        [START, MIDDLE, START, END],
        [START, SLICE, END],
        [START, stap_a(SEI), END],
        [START, b"", END],
        [START, b"\x7c", END],
        [START, b"\x7c\x01slice", END],
        [START, MIDDLE, END, END],
        [b"\x7c\x9cnested", b"\x7c\x5cnested"],
        [b"\x7c\x98nested", b"\x7c\x58nested"],
        [b"\xe1slice"],
        [stap_a(b"\xe7sps")],
        [b"\xfc\x85idr", b"\xfc\x45idr"],
        [b"\x79\x00\x00" + stap_a(SPS)[1:]],
        [b"\x7a" + bytes(9)],
        [b"\x7b" + bytes(9)],
        [b"\x7d\x85\x00\x00idr", END],
    ],
    ids=[
        "empty",
        "empty after another",
        "STAP-A alone",
        "STAP-A with half a size",
        "STAP-A with a size too large",
        "STAP-A with a size of none",
        "STAP-A with half a second size",
        "STAP-A with a second size of none",
        "STAP-A one byte short",
        "STAP-A in STAP-A",
        "FU-A in STAP-A",
        "FU-A without header",
        "middle alone",
        "end alone",
        "start alone",
        "no end",
        "two starts",
        "start after the middle",
        "single between fragments",
        "STAP-A between fragments",
        "empty between fragments",
        "FU-A without header between fragments",
        "fragment of another type",
        "two ends",
        "FU-A in FU-A",
        "STAP-A in FU-A",
        "forbidden bit",
        "forbidden bit in STAP-A",
        "forbidden bit in FU-A",
        "STAP-B",
        "MTAP16",
        "MTAP24",
        "FU-B",
    ],
)
def test_nal_units_of_malformed_payloads(payloads: list[bytes]) -> None:
    with pytest.raises(WireError):
        nal_units(payloads)


units_of_h264 = st.builds(
    lambda nal_reference, unit_type, content: bytes((nal_reference << 5 | unit_type,)) + content,
    st.integers(0, 3),
    st.integers(1, 23),
    st.binary(max_size=60),
)


def packetized(units: list[bytes], ways: Iterator[int]) -> list[bytes]:
    """Each unit alone, in fragments, or aggregated with the next ones."""
    payloads: list[bytes] = []
    position = 0
    while position < len(units):
        way = next(ways)
        taken = 1 + way % 3 if way >= 6 else 1
        if way >= 6:
            payloads.append(stap_a(*units[position : position + taken]))
        elif way >= 3:
            payloads += fu_a(units[position], way)
        else:
            payloads.append(units[position])
        position += taken
    return payloads


@given(st.lists(units_of_h264, max_size=8), st.lists(st.integers(0, 9), min_size=8, max_size=8))
def test_nal_units_come_back_from_any_packetization(units: list[bytes], ways: list[int]) -> None:
    assert nal_units(packetized(units, iter(ways))) == units


@given(st.lists(st.binary(max_size=12) | st.sampled_from([START, MIDDLE, END, stap_a(SPS, PPS)]), max_size=6))
def test_nal_units_of_garbage_raise_only_wire_errors(payloads: list[bytes]) -> None:
    with suppress(WireError):
        assert all(1 <= nal_type(unit) <= 23 for unit in nal_units(payloads))
