import pytest

from loadgen.studios.stamps import STAMP_NAL_BYTES, Stamp, find_stamp, sei_nal

NS = 1_790_000_000_000_000_000
STAP_A = 0x78


def stap_a(*nals: bytes) -> bytes:
    return bytes((STAP_A,)) + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


@pytest.mark.parametrize("frame_number", [0, 1, 0xFFFFFFFF])
@pytest.mark.parametrize("unix_ns", [0, NS, (1 << 64) - 1])
def test_stamp_is_found_alone_and_aggregated(unix_ns: int, frame_number: int) -> None:
    nal = sei_nal(unix_ns, frame_number)
    assert find_stamp([nal]) == Stamp(unix_ns, frame_number)
    assert find_stamp([b"\x7c\x85rest", stap_a(b"\x67sps", b"\x68pps", nal)]) == Stamp(unix_ns, frame_number)


def test_stamp_is_a_valid_sei_of_fixed_size() -> None:
    nal = sei_nal(0, 0)
    assert len(nal) == STAMP_NAL_BYTES == len(sei_nal((1 << 64) - 1, 0xFFFFFFFF))
    assert nal[0] == 6, "nal_ref_idc 0, type 6"
    assert nal[1] == 5, "user_data_unregistered"
    assert 3 + nal[2] + 1 == len(nal), "the payload's size, then the stop bit"
    assert nal[-1] == 0x80
    assert b"\0\0" not in nal, "no emulation prevention is needed"


def test_stamp_frame_number_wraps() -> None:
    assert find_stamp([sei_nal(NS, (1 << 32) + 7)]) == Stamp(NS, 7)


def test_stamp_is_not_found_in_other_payloads() -> None:
    nal = sei_nal(NS, 1)
    others = [b"", b"\x06", b"\x06\x05\x10" + bytes(16), b"\x7c\x85" + nal, stap_a(b"\x67sps"), b"\x41" + nal]
    assert find_stamp(others) is None
    assert find_stamp([]) is None


@pytest.mark.parametrize("cut", [1, 2, 12])
def test_stamp_cut_short_is_none(cut: int) -> None:
    assert find_stamp([sei_nal(NS, 1)[: -cut - 1]]) is None


def test_stamp_with_other_text_is_none() -> None:
    nal = bytearray(sei_nal(NS, 1))
    nal[20] = ord("x")
    assert find_stamp([bytes(nal)]) is None
