"""Which viewers are one group to the hot loop."""

from tests.stream.doubles import H264, OPUS, layout_of, outlet_of, stream_of


def test_outlets_with_the_same_layouts_are_one_group() -> None:
    stream, _ = stream_of(H264, OPUS)
    layouts = {kind: layout_of(track) for kind, track in stream.tracks.items()}
    assert outlet_of({}, "one", layouts).key == outlet_of({}, "two", layouts).key


def test_outlets_with_another_payload_type_are_another_group() -> None:
    stream, _ = stream_of(H264)
    one, two = ({"video": layout_of(stream.tracks["video"], payload_type)} for payload_type in (96, 97))
    assert outlet_of({}, "one", one).key != outlet_of({}, "two", two).key


def test_outlets_whose_sealing_adds_another_length_are_another_group() -> None:
    stream, _ = stream_of(H264)
    layouts = {"video": layout_of(stream.tracks["video"])}
    assert outlet_of({}, "gcm", layouts, 16).key != outlet_of({}, "cm", layouts, 10).key


def test_outlets_are_told_apart_by_identity() -> None:
    one, two = outlet_of({}), outlet_of({})
    assert one != two
    assert len({one, two}) == 2
