import pytest

from loadgen import shares
from loadgen.figures import Generator, MediaCounts


def test_loss_counts_what_should_have_come() -> None:
    media = MediaCounts(packets=995, lost=10, recovered=5)
    assert shares.loss(media) == pytest.approx(0.01)
    assert shares.residual_loss(media) == pytest.approx(0.005)


def test_shares_of_nothing_are_not_zero() -> None:
    media = MediaCounts()
    every = (shares.loss, shares.residual_loss, shares.freeze_ratio, shares.frames_not_shown, shares.frames_late)
    assert [share(media) for share in every] == [None] * len(every)
    assert shares.cpu_a_packet_s(Generator(cpu_s=1.0)) is None


def test_frames_not_shown_include_those_after_a_hole() -> None:
    media = MediaCounts(frames_complete=90, frames_incomplete=2, frames_undecodable=8, frames_late=9)
    assert shares.frames_not_shown(media) == pytest.approx(0.1)
    assert shares.frames_late(media) == pytest.approx(0.09)


def test_cost_is_not_known_where_both_kinds_of_players_share_it() -> None:
    packets, requests = Generator(cpu_s=1.0, received_packets=10), Generator(cpu_s=1.0, hls_requests=4)
    assert (shares.cpu_a_packet_s(packets), shares.cpu_a_request_s(packets)) == (0.1, None)
    assert (shares.cpu_a_packet_s(requests), shares.cpu_a_request_s(requests)) == (None, 0.25)
    both = Generator(cpu_s=1.0, received_packets=10, hls_requests=4)
    assert (shares.cpu_a_packet_s(both), shares.cpu_a_request_s(both)) == (None, None)
