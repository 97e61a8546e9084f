from loadgen.studios.nal_units import is_coded_picture, nal_reference, nal_type, split_byte_stream


def test_byte_stream_splits_at_both_start_codes() -> None:
    stream = b"\0\0\0\1\x67ab\0\0\1\x68c\0\0\0\1\x65\0\1d"
    assert split_byte_stream(stream) == (b"\x67ab", b"\x68c", b"\x65\0\1d")


def test_byte_stream_keeps_emulation_prevention_and_drops_trailing_zeros() -> None:
    assert split_byte_stream(b"\0\0\1\x65a\0\0\3\1b\0\0\0\0") == (b"\x65a\0\0\3\1b",)


def test_byte_stream_without_units_is_empty() -> None:
    assert split_byte_stream(b"") == ()
    assert split_byte_stream(b"\0\0\1\0\0\1") == ()


def test_nal_header_is_taken_apart() -> None:
    assert nal_type(b"\x67") == 7
    assert nal_reference(b"\x67") == 0x60
    assert [is_coded_picture(bytes((number,))) for number in (0, 1, 5, 6)] == [False, True, True, False]
