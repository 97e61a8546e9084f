import pytest

from loadgen.studios.clip import AccessUnit, Clip
from loadgen.studios.packetizer import MAX_PAYLOAD_BYTES, Frame, Pacing, PacketizedClip, fragment_sizes, packetize
from loadgen.studios.stamps import STAMP_NAL_BYTES, find_stamp, sei_nal
from tests.loadgen.studios.clips import PPS, SPS, generated, synthetic

STAMP = sei_nal(1_790_000_000_000_000_000, 7)
FU_A, STAP_A = 28, 24


def nals_of(payloads: list[bytes]) -> list[bytes]:
    """RFC 6184 the other way round."""
    nals: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == STAP_A:
            offset = 1
            while offset < len(payload):
                size = int.from_bytes(payload[offset : offset + 2], "big")
                nals.append(payload[offset + 2 : offset + 2 + size])
                offset += 2 + size
        elif kind == FU_A:
            if payload[1] & 0x80:
                nals.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
            nals[-1] += payload[2:]
        else:
            nals.append(payload)
    return nals


def cut(*nals: bytes, pacing: Pacing = "burst") -> Frame:
    unit = AccessUnit(nals, 0, is_keyframe=True)
    first = synthetic().video[0]
    return packetize(Clip((first, unit), (), 6000, "test"), pacing).frames[1]


@pytest.mark.parametrize("pacing", ["burst", "paced"])
def test_packetized_clip_holds_the_same_nal_units_and_the_stamp(pacing: Pacing) -> None:
    clip = generated()
    for unit, frame in zip(clip.video, packetize(clip, pacing).frames, strict=True):
        payloads = frame.payloads(STAMP)
        nals = nals_of(payloads)
        before = [nal for nal in unit.nals if nal[0] & 0x1F in (7, 8)]
        assert nals == [*before, STAMP, *unit.nals[len(before) :]]
        assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES
        assert find_stamp(payloads[:1]) == find_stamp([STAMP]), "it is in the first packet"


def test_stamp_joins_the_parameter_sets_and_stands_alone_without_them() -> None:
    with_sets = cut(SPS, PPS, b"\x65slice").payloads(STAMP)
    assert [payload[0] & 0x1F for payload in with_sets] == [STAP_A, 5]
    assert with_sets[0][0] == 0x78, "the reference bits are the highest of what it holds"
    assert cut(b"\x41slice").payloads(STAMP) == [STAMP, b"\x41slice"]


def test_sei_of_the_file_stays_and_parameter_sets_come_first() -> None:
    sei = b"\x06\x01\x01\x04\x80"
    payloads = cut(sei, SPS, PPS, b"\x65slice").payloads(STAMP)
    assert nals_of(payloads) == [SPS, PPS, sei, STAMP, b"\x65slice"]
    assert payloads[0][3:].startswith(SPS)


def test_large_sei_of_the_file_leaves_the_stamp_alone() -> None:
    sei = b"\x06\x05" + b"\x41" * 1500
    payloads = cut(SPS, PPS, sei, b"\x65slice").payloads(STAMP)
    assert nals_of(payloads) == [SPS, PPS, sei, STAMP, b"\x65slice"]
    assert STAMP in payloads
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES


def test_stap_a_with_the_stamp_fits_to_the_last_byte() -> None:
    room = MAX_PAYLOAD_BYTES - 1 - 2 - 2 - STAMP_NAL_BYTES
    fitting, larger = b"\x06" + b"a" * (room - 1), b"\x06" + b"a" * room
    assert len(cut(fitting, b"\x41").payloads(STAMP)[0]) == MAX_PAYLOAD_BYTES
    assert cut(larger, b"\x41").payloads(STAMP) == [larger, STAMP, b"\x41"]


def test_slices_and_filler_after_them_keep_their_order() -> None:
    slices = (b"\x61a", b"\x61" + b"b" * 2000, b"\x61c", b"\x0c" + b"\xff" * 1300 + b"\x80")
    assert nals_of(cut(*slices).payloads(STAMP)) == [STAMP, *slices]


def test_fragments_begin_and_end_once() -> None:
    fragments = cut(b"\x65" + b"x" * 5000).payloads(STAMP)[1:]
    assert [fragment[1] for fragment in fragments] == [0x85, 0x05, 0x05, 0x05, 0x45]
    assert {fragment[0] for fragment in fragments} == {0x7C}


@pytest.mark.parametrize(
    ("size_bytes", "is_even", "sizes"),
    [
        (1157, False, [1156, 1]),
        (1157, True, [578, 579]),
        (2312, False, [1156, 1156]),
        (2313, True, [771, 771, 771]),
    ],
)
def test_fragment_sizes_by_pacing(size_bytes: int, is_even: bool, sizes: list[int]) -> None:
    assert fragment_sizes(size_bytes, 1156, is_even) == sizes


def test_keyframe_from_goes_around_the_end() -> None:
    clip: PacketizedClip = packetize(synthetic(frames=8, keyframe_every=3), "burst")
    assert clip.keyframes == (0, 3, 6)
    assert [clip.keyframe_from(number) for number in range(8)] == [0, 3, 3, 3, 6, 6, 6, 0]
