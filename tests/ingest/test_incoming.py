"""One track of a publisher: which SSRC it follows."""

from gateway.ingest.incoming import IncomingTrack, PublishedMedia
from tests.stream.doubles import H264


def track_of(*feedback: str) -> IncomingTrack:
    return IncomingTrack(PublishedMedia(H264, 96, 97, {}, frozenset(feedback)))


def test_ssrc_before_the_first_packet_is_zero() -> None:
    assert track_of().ssrc == 0


def test_first_ssrc_begins_numbers_and_the_same_goes_on() -> None:
    track = track_of()
    assert track.switch_to(7)
    assert track.ssrc == 7
    reception = track.reception
    assert not track.switch_to(7)
    assert track.reception is reception


def test_other_ssrc_begins_anew_and_forgets_what_was_missing() -> None:
    track = track_of()
    track.switch_to(7)
    track.nacks.on_packet(100, 0.0)
    track.nacks.on_packet(105, 0.0)
    assert track.switch_to(8)
    assert track.ssrc == 8
    assert len(track.nacks) == 0


def test_ssrc_that_was_left_is_retired() -> None:
    track = track_of()
    track.switch_to(7)
    assert not track.is_retired(7)
    track.switch_to(8)
    assert track.is_retired(7)
    assert not track.is_retired(8)


def test_nack_is_wanted_where_it_was_negotiated() -> None:
    assert track_of("nack", "nack pli").wants_nack
    assert not track_of("nack pli").wants_nack
