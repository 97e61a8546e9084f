import pytest

from loadgen.hls.samples import is_whole, nal_units, stamp_in
from loadgen.studios.stamps import Stamp, sei_nal
from tests.loadgen.hls.media import SLICE, avcc


def test_stamp_is_found_among_the_nal_units() -> None:
    sample = avcc(b"\x09\xf0", sei_nal(123_456_789, 42), SLICE)
    assert stamp_in(sample) == Stamp(123_456_789, 42)
    assert nal_units(sample) == [b"\x09\xf0", sei_nal(123_456_789, 42), SLICE]


def test_sample_without_a_stamp_has_none() -> None:
    assert stamp_in(avcc(SLICE)) is None
    assert is_whole(avcc(SLICE))


@pytest.mark.parametrize("sample", [b"", avcc(SLICE)[:-1], avcc(SLICE) + b"\0", avcc(SLICE, b""), SLICE])
def test_sample_whose_nal_units_do_not_fill_it_is_not_whole(sample: bytes) -> None:
    assert not is_whole(sample)
    assert stamp_in(sample) is None
