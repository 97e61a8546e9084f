"""The hot loop: who gets which packets in how many sends, and what happens when the socket is full."""

import pytest

from gateway.stream.contract import Outlet, VideoState
from gateway.stream.fanout import Batch, Fanout, FanoutFigures, sealables, takes
from gateway.stream.layout import Layout
from gateway.stream.track import Track
from gateway.transport.marking import Marks
from gateway.transport.socket import Sent
from tests.stream.doubles import (
    AUDIO_PAYLOAD_TYPE,
    H264,
    OPUS,
    VIDEO_PAYLOAD_TYPE,
    FirstIndex,
    RecordingSender,
    layout_of,
    media_packet,
    outlet_of,
)


class Bench:
    """A fan-out, its socket, and both tracks of a stream."""

    def __init__(self) -> None:
        self.sender = RecordingSender()
        self.figures = FanoutFigures()
        self.fanout = Fanout(self.sender, self.figures)
        self.video, self.audio = Track(H264, FirstIndex(10)), Track(OPUS, FirstIndex(500))
        self.tracks = {"video": self.video, "audio": self.audio}
        self.layouts = {kind: layout_of(track) for kind, track in self.tracks.items()}

    def viewer(self, name: str, layouts: dict[str, Layout] | None = None, overhead_bytes: int = 0) -> Outlet:
        outlet = outlet_of({}, name, layouts or self.layouts, overhead_bytes)
        self.fanout.add(outlet)
        return outlet

    def batch(self, *payload_sizes: int) -> Batch:
        """Video packets of those sizes from index 10 on."""
        return [(self.video, media_packet(10 + n, payload=bytes(size))) for n, size in enumerate(payload_sizes)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_batch_reaches_every_viewer_in_order(bench: Bench) -> None:
    viewers = [bench.viewer(name) for name in ("ann", "bob", "eve")]
    assert bench.fanout.send(bench.batch(100, 100, 40)) == []
    for viewer in viewers:
        assert bench.sender.video_to(viewer) == [10, 11, 12]


def test_run_of_equal_sizes_is_one_send(bench: Bench) -> None:
    bench.viewer("ann")
    bench.fanout.send(bench.batch(100, 100, 40, 100))
    assert [count for _, count in bench.sender.sends] == [3, 1]


def test_groups_get_their_own_headers(bench: Bench) -> None:
    ann = bench.viewer("ann")
    bob = bench.viewer("bob", {"video": layout_of(bench.video, 120)})
    bench.fanout.send(bench.batch(100))
    assert [datagram.payload_type for datagram in bench.sender.to(ann)] == [96]
    assert [datagram.payload_type for datagram in bench.sender.to(bob)] == [120]


def test_viewers_with_one_layout_share_its_headers(bench: Bench) -> None:
    for name in ("ann", "bob"):
        bench.viewer(name)
    batch = bench.batch(100)
    bench.fanout.send(batch)
    assert len(batch[0][1].headers) == 1


def test_track_that_a_viewer_did_not_negotiate_is_not_sent(bench: Bench) -> None:
    ann = bench.viewer("ann", {"audio": bench.layouts["audio"]})
    bench.fanout.send([*bench.batch(100), (bench.audio, media_packet(500))])
    assert bench.sender.video_to(ann) == []
    assert bench.sender.audio_to(ann) == [500]


def test_who_was_discarded_gets_nothing(bench: Bench) -> None:
    ann, bob = bench.viewer("ann"), bench.viewer("bob")
    assert bench.fanout.discard(ann)
    assert not bench.fanout.discard(ann)
    bench.fanout.send(bench.batch(100))
    assert bench.sender.to(ann) == []
    assert bench.sender.video_to(bob) == [10]
    assert list(bench.fanout.live()) == [bob]
    assert bench.fanout.live_count == 1


def test_discard_of_a_stranger_is_false(bench: Bench) -> None:
    stranger = outlet_of(bench.tracks, "stranger")
    assert not bench.fanout.discard(stranger)
    bench.viewer("ann")
    assert not bench.fanout.discard(outlet_of({}, "stranger", bench.layouts))


def test_figures_count_packets_bytes_and_sends(bench: Bench) -> None:
    for name in ("ann", "bob"):
        bench.viewer(name, overhead_bytes=16)
    bench.fanout.send(bench.batch(100, 40, 60))
    assert (bench.figures.sends, bench.figures.packets) == (4, 6)
    assert bench.figures.bytes == 2 * (100 + 40 + 60 + 3 * (12 + 16))


def test_full_socket_stalls_the_viewer_and_all_after_it(bench: Bench) -> None:
    ann, bob = bench.viewer("ann"), bench.viewer("bob")
    eve = bench.viewer("eve", {"video": layout_of(bench.video, 120)})
    bench.sender.answer = lambda address: Sent.FULL if address == bob.address else Sent.OK
    assert bench.fanout.send(bench.batch(100)) == [bob, eve]
    assert list(bench.fanout.live()) == [ann]
    assert bench.sender.video_to(ann) == [10]
    # Nobody is tried once the socket, which is everybody's, has said that it is full.
    assert bench.sender.to(eve) == []


def test_full_socket_counts_only_who_was_served(bench: Bench) -> None:
    for name in ("ann", "bob", "eve"):
        bench.viewer(name)
    bench.sender.answer = lambda address: Sent.FULL if address[0] == "eve" else Sent.OK
    bench.fanout.send(bench.batch(100, 100))
    assert (bench.figures.packets, bench.figures.sends, bench.figures.failed_sends) == (4, 2, 0)


def test_failed_send_is_counted_and_stops_nobody(bench: Bench) -> None:
    ann, bob = bench.viewer("ann"), bench.viewer("bob")
    bench.sender.answer = lambda address: Sent.FAILED if address == ann.address else Sent.OK
    assert bench.fanout.send(bench.batch(100)) == []
    assert bench.figures.failed_sends == 1
    assert list(bench.fanout.live()) == [ann, bob]
    assert bench.sender.video_to(bob) == [10]


def test_send_that_succeeds_in_another_way_is_no_failure(bench: Bench) -> None:
    ann = bench.viewer("ann")
    answers = iter([Sent.FAILED, Sent.OK])
    bench.sender.answer = lambda _address: next(answers)
    assert bench.fanout.send(bench.batch(100, 100)) == []
    assert bench.sender.video_to(ann) == [10, 11]
    assert (bench.figures.packets, bench.figures.sends, bench.figures.failed_sends) == (2, 1, 0)


def test_without_segmentation_every_packet_is_a_send(bench: Bench) -> None:
    ann = bench.viewer("ann")
    bench.sender.max_segments = 1
    bench.fanout.send(bench.batch(100, 100, 40))
    assert bench.sender.video_to(ann) == [10, 11, 12]
    assert [count for _, count in bench.sender.sends] == [1, 1, 1]


def test_failed_send_is_not_counted_as_sent(bench: Bench) -> None:
    bench.viewer("ann")
    bench.sender.answer = lambda _address: Sent.FAILED
    bench.fanout.send(bench.batch(100, 40))
    assert (bench.figures.packets, bench.figures.bytes, bench.figures.sends) == (0, 0, 0)


def test_send_to_one_outlet_stops_at_the_first_run_that_is_refused(bench: Bench) -> None:
    ann = outlet_of({}, "ann", bench.layouts)
    answers = iter([Sent.OK, Sent.FULL, Sent.OK])
    bench.sender.answer = lambda _address: next(answers)
    assert bench.fanout.send_to(ann, bench.batch(100, 40, 100, 40, 100)) is Sent.FULL
    assert bench.sender.video_to(ann) == [10, 11]
    assert (bench.figures.packets, bench.figures.sends, bench.figures.failed_sends) == (2, 1, 0)


def test_send_to_one_outlet_counts_a_failure(bench: Bench) -> None:
    bench.sender.answer = lambda _address: Sent.FAILED
    assert bench.fanout.send_to(outlet_of({}, "ann", bench.layouts), bench.batch(100)) is Sent.FAILED
    assert bench.figures.failed_sends == 1


def test_sealables_name_ssrc_and_index_for_the_nonce(bench: Bench) -> None:
    ann = outlet_of({}, "ann", bench.layouts)
    ((header, payload, ssrc, iv),) = sealables(ann, [(bench.video, media_packet(0x1_0007))])
    assert (header, payload) == (bench.layouts["video"].header(media_packet(0x1_0007)), media_packet(0).payload)
    assert (ssrc, iv) == (bench.video.ssrc, bench.video.ssrc << 48 | 0x1_0007)


@pytest.mark.parametrize(
    ("state", "position", "index", "expected"),
    [
        (VideoState.LIVE, 0, 10, True),
        (VideoState.LIVE, 0, 9, False),
        (VideoState.CATCHING_UP, 12, 11, True),
        (VideoState.CATCHING_UP, 12, 12, False),
        (VideoState.CATCHING_UP, 12, 9, False),
        (VideoState.WAITING, 12, 11, False),
        (VideoState.NONE, 0, 10, False),
    ],
)
def test_late_video_goes_to_who_has_passed_its_place(
    bench: Bench, state: VideoState, position: int, index: int, expected: bool
) -> None:
    ann = outlet_of({}, "ann", bench.layouts)
    ann.video, ann.position, ann.first["video"] = state, position, 10
    assert takes(ann, bench.video, media_packet(index)) is expected


@pytest.mark.parametrize("state", list(VideoState))
def test_late_audio_goes_to_who_listened_already(bench: Bench, state: VideoState) -> None:
    ann = outlet_of({}, "ann", bench.layouts)
    ann.video, ann.first["audio"] = state, 500
    assert takes(ann, bench.audio, media_packet(500))
    assert not takes(ann, bench.audio, media_packet(499))


def test_late_packet_of_a_track_that_is_not_sent_goes_nowhere(bench: Bench) -> None:
    ann = outlet_of({}, "ann", {"video": bench.layouts["video"]})
    assert not takes(ann, bench.audio, media_packet(500))


def test_late_packet_goes_nowhere_before_the_track_began(bench: Bench) -> None:
    ann = outlet_of({}, "ann", bench.layouts)
    ann.video = VideoState.LIVE
    assert not takes(ann, bench.video, media_packet(10))


def test_dropped_frames_add_up_by_reason() -> None:
    figures = FanoutFigures()
    for reason, frames in (("overload", 3), ("overload", 4), ("other", 1)):
        figures.drop_frames(reason, frames)
    assert figures.frames_dropped == {"overload": 7, "other": 1}


# Marks

AUDIO_MARK = ((0, 1, b"audio"),)


def _mixed(bench: Bench) -> Batch:
    """Video of two sizes, and audio between it."""
    first, second, last = bench.batch(100, 100, 100)
    return [first, (bench.audio, media_packet(500)), second, (bench.audio, media_packet(501)), last]


def test_marked_audio_goes_by_itself_and_costs_video_no_send(bench: Bench) -> None:
    ann = bench.viewer("ann")
    bench.sender.marks = Marks(audio=AUDIO_MARK)
    bench.fanout.send(_mixed(bench))
    assert bench.sender.sends == [(ann.address, 2), (ann.address, 3)]
    assert [(each.payload_type, each.mark) for each in bench.sender.datagrams] == (
        [(AUDIO_PAYLOAD_TYPE, AUDIO_MARK)] * 2 + [(VIDEO_PAYLOAD_TYPE, ())] * 3
    )
    assert (bench.sender.audio_to(ann), bench.sender.video_to(ann)) == ([500, 501], [10, 11, 12])


def test_marked_audio_alone_is_one_datagram_with_its_mark(bench: Bench) -> None:
    bench.viewer("ann")
    bench.sender.marks = Marks(audio=AUDIO_MARK)
    bench.fanout.send([(bench.audio, media_packet(500))])
    assert [each.mark for each in bench.sender.datagrams] == [AUDIO_MARK]


def test_unmarked_audio_stays_where_it_stands(bench: Bench) -> None:
    ann = bench.viewer("ann")
    bench.fanout.send(_mixed(bench))
    assert [each.sequence_number for each in bench.sender.to(ann)] == [10, 500, 11, 501, 12]
    assert {each.mark for each in bench.sender.datagrams} == {()}


def test_send_that_is_tried_again_keeps_its_mark(bench: Bench) -> None:
    bench.viewer("ann")
    bench.sender.marks = Marks(audio=AUDIO_MARK)
    answers = iter([Sent.FAILED, Sent.OK])
    bench.sender.answer = lambda _address: next(answers)
    bench.fanout.send([(bench.audio, media_packet(500))])
    assert [each.mark for each in bench.sender.datagrams] == [AUDIO_MARK]


def test_send_to_one_outlet_marks_as_the_loop_does(bench: Bench) -> None:
    ann = outlet_of({}, "ann", bench.layouts)
    bench.sender.marks = Marks(audio=AUDIO_MARK)
    assert bench.fanout.send_to(ann, _mixed(bench)) is Sent.OK
    assert [each.mark for each in bench.sender.datagrams] == [AUDIO_MARK] * 2 + [()] * 3
