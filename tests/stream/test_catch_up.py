"""Paced instant start, and recovery from an overload."""

import pytest

from gateway.stream.catch_up import BURST_BYTES, MAX_PACKETS_PER_TURN, CatchUp, Pacing
from gateway.stream.contract import Outlet, VideoState
from gateway.stream.fanout import Fanout, FanoutFigures
from gateway.stream.track import Track
from gateway.transport.socket import Sent
from tests.stream.doubles import (
    DELTA_SLICE,
    H264,
    IDR_SLICE,
    FirstIndex,
    PlainSealer,
    RecordingSender,
    incoming,
    layout_of,
    outlet_of,
)

FIRST = 1000
PAYLOAD_BYTES = 1000
PACING = Pacing(floor_bps=8_000_000, live_multiple=4.0, join_deadline_s=5.0, stall_deadline_s=0.5)
TICK_S = 0.005


class Bench:
    """A video track whose packets have been forwarded, and the catching-up viewers of it."""

    def __init__(self) -> None:
        self.sender = RecordingSender()
        self.figures = FanoutFigures()
        self.fanout = Fanout(self.sender, self.figures)
        self.catch_up = CatchUp(self.fanout, self.figures, PACING)
        self.video = Track(H264, FirstIndex(FIRST))
        self.layout = layout_of(self.video)
        self.started: list[str] = []
        self._sequence_number, self._timestamp = 70_000, 0

    def frame(self, packets: int = 1, *, is_keyframe: bool = False, is_whole: bool = True, now_s: float = 0.0) -> None:
        """Forward a frame of `packets` packets of PAYLOAD_BYTES."""
        for number in range(packets):
            start = IDR_SLICE if is_keyframe and number == 0 else DELTA_SLICE
            marker = is_whole and number == packets - 1
            self.packet(start.ljust(PAYLOAD_BYTES, b"."), marker=marker, now_s=now_s)
        self._timestamp += 3000

    def packet(self, payload: bytes, *, marker: bool, now_s: float = 0.0) -> None:
        self.video.accept(incoming(self._sequence_number, self._timestamp, payload, marker=marker, arrival_s=now_s))
        self._sequence_number += 1
        self.video.forwarded = self.video.cache.next_index

    def skip(self, packets: int) -> None:
        """Lose packets of the studio."""
        self._sequence_number += packets

    def viewer(self, name: str = "ann") -> Outlet:
        outlet = outlet_of({}, name, {"video": self.layout})
        outlet.on_video_started = lambda _now_s: self.started.append(name)
        return outlet

    def joined(self, name: str = "ann", now_s: float = 0.0) -> Outlet:
        outlet = self.viewer(name)
        self.catch_up.join(outlet, self.video, now_s)
        return outlet

    def pace(self, now_s: float, live_bps: float = 0.0) -> list[Outlet]:
        return self.catch_up.pace(self.video, live_bps, now_s)

    def pace_until_live(self, outlet: Outlet, now_s: float = 0.0, live_bps: float = 0.0) -> float:
        """Pace every tick; how long it took."""
        for tick in range(10_000):
            if outlet in self.pace(now_s + tick * TICK_S, live_bps):
                return tick * TICK_S
        raise AssertionError("never live")


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Joining


def test_join_begins_at_the_newest_keyframe(bench: Bench) -> None:
    bench.frame(3, is_keyframe=True)
    bench.frame(2)
    bench.frame(2, is_keyframe=True)
    bench.frame()
    ann = bench.joined()
    assert (ann.video, ann.position, ann.first["video"]) == (VideoState.CATCHING_UP, FIRST + 5, FIRST + 5)
    bench.pace(0.0)
    assert bench.sender.video_to(ann) == [FIRST + 5, FIRST + 6, FIRST + 7]


def test_join_tells_the_sealer_where_it_begins(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    assert isinstance(ann.sealer, PlainSealer)
    assert ann.sealer.started_at == {bench.video.ssrc: FIRST}


def test_join_without_a_keyframe_waits(bench: Bench) -> None:
    ann = bench.joined()
    assert ann.video is VideoState.WAITING
    assert not bench.catch_up.is_pacing
    assert bench.pace(0.0) == []
    assert bench.sender.datagrams == []


def test_waiting_viewer_begins_at_the_keyframe_that_comes(bench: Bench) -> None:
    ann = bench.joined()
    bench.frame(2, is_keyframe=True)
    bench.catch_up.on_keyframe(bench.video, 0.0)
    assert bench.pace(0.0) == [ann]
    assert bench.sender.video_to(ann) == [FIRST, FIRST + 1]


def test_keyframe_does_not_move_who_is_under_way(bench: Bench) -> None:
    bench.frame(40, is_keyframe=True, now_s=100.0)
    ann = bench.joined(now_s=100.0)
    bench.pace(100.0)
    position = ann.position
    bench.frame(2, is_keyframe=True, now_s=100.1)
    bench.catch_up.on_keyframe(bench.video, 100.1)
    assert ann.position == position


def test_meeting_the_live_end_makes_live(bench: Bench) -> None:
    bench.frame(2, is_keyframe=True)
    ann = bench.joined()
    assert bench.pace(0.0) == [ann]
    assert ann.video is VideoState.LIVE
    assert ann not in bench.catch_up.outlets
    assert not bench.catch_up.is_pacing


def test_hole_in_the_cache_is_passed_over(bench: Bench) -> None:
    bench.frame(2, is_keyframe=True)
    bench.skip(1)
    bench.frame(2)
    ann = bench.joined()
    assert bench.pace(0.0) == [ann]
    assert bench.sender.video_to(ann) == [FIRST, FIRST + 1, FIRST + 3, FIRST + 4]


def test_who_has_left_is_sent_nothing(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.catch_up.discard(ann, bench.video)
    bench.catch_up.discard(ann, bench.video)
    assert bench.pace(0.0) == []
    assert bench.sender.datagrams == []


def test_frames_that_somebody_was_not_sent_who_left_before_the_next_keyframe_are_counted(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.viewer()
    bench.catch_up.shed(ann, bench.video, 0.0)
    for _ in range(5):
        bench.frame()
    bench.catch_up.discard(ann, bench.video)
    bench.catch_up.discard(ann, bench.video)
    assert bench.figures.frames_dropped == {"overload": 5}


def test_keyframe_moves_who_is_far_behind_and_the_frames_between_are_counted(bench: Bench) -> None:
    bench.frame(40, is_keyframe=True)
    for _ in range(3):
        bench.frame(10)
    ann = bench.joined(now_s=PACING.skip_behind_s)
    bench.frame(2, is_keyframe=True, now_s=PACING.skip_behind_s + 0.1)
    bench.catch_up.on_keyframe(bench.video, PACING.skip_behind_s + 0.1)
    assert ann.position == FIRST + 70
    assert bench.figures.frames_dropped == {"skipped": 4}


# The pace


def test_first_turn_sends_no_more_than_the_burst(bench: Bench) -> None:
    bench.frame(100, is_keyframe=True)
    ann = bench.joined()
    bench.pace(0.0)
    sent_bytes = PAYLOAD_BYTES * len(bench.sender.video_to(ann))
    assert BURST_BYTES <= sent_bytes < BURST_BYTES + PAYLOAD_BYTES


@pytest.mark.parametrize("live_bps", [500_000.0, 6_000_000.0])
def test_pace_never_exceeds_the_allowance(bench: Bench, live_bps: float) -> None:
    bench.frame(400, is_keyframe=True)
    ann = bench.joined()
    rate_bps = PACING.rate_bps(live_bps)
    for tick in range(40):
        bench.pace(tick * TICK_S, live_bps)
        sent_bytes = PAYLOAD_BYTES * len(bench.sender.video_to(ann))
        assert sent_bytes < BURST_BYTES + rate_bps / 8 * tick * TICK_S + PAYLOAD_BYTES


def test_pace_is_the_floor_or_a_multiple_of_the_stream() -> None:
    assert PACING.rate_bps(100_000) == 8_000_000
    assert PACING.rate_bps(3_000_000) == 12_000_000


def test_late_timer_does_not_make_a_burst(bench: Bench) -> None:
    bench.frame(1000, is_keyframe=True)
    ann = bench.joined()
    bench.pace(0.0)
    before = len(bench.sender.video_to(ann))
    bench.pace(10.0 - 6.0)  # four seconds in which the loop did not turn, still within the deadline
    sent_bytes = PAYLOAD_BYTES * (len(bench.sender.video_to(ann)) - before)
    assert sent_bytes <= PACING.floor_bps / 8 * 0.1 * 2 + PAYLOAD_BYTES


@pytest.mark.parametrize("live_bps", [0.0, 5_000_000.0, 20_000_000.0])
def test_catching_up_takes_as_long_as_the_pace_says(bench: Bench, live_bps: float) -> None:
    packets = 1000
    bench.frame(packets, is_keyframe=True)
    expected_s = (packets * PAYLOAD_BYTES - BURST_BYTES) * 8 / PACING.rate_bps(live_bps)
    assert bench.pace_until_live(bench.joined(), live_bps=live_bps) == pytest.approx(expected_s, abs=2 * TICK_S)


def test_viewers_are_served_in_turn_when_one_turn_is_not_enough(bench: Bench) -> None:
    viewers_a_turn = MAX_PACKETS_PER_TURN // 15
    bench.frame(15, is_keyframe=True)
    viewers = [bench.joined(f"viewer{number}") for number in range(viewers_a_turn + 20)]
    bench.pace(0.0)
    served = {datagram.address for datagram in bench.sender.datagrams}
    assert len(bench.sender.datagrams) == MAX_PACKETS_PER_TURN
    assert len(served) < len(viewers)
    bench.pace(TICK_S)
    assert {datagram.address for datagram in bench.sender.datagrams} == {viewer.address for viewer in viewers}


def test_new_viewer_does_not_inherit_the_time_in_which_nobody_was_paced(bench: Bench) -> None:
    bench.frame(100, is_keyframe=True)
    bench.pace_until_live(bench.joined())
    eve = bench.joined("eve", now_s=50.0)
    bench.pace(50.0)
    assert len(bench.sender.video_to(eve)) * PAYLOAD_BYTES < BURST_BYTES + PAYLOAD_BYTES


# The first picture


def test_first_keyframe_is_told_once_it_is_whole(bench: Bench) -> None:
    bench.frame(40, is_keyframe=True)
    bench.frame(40)
    ann = bench.joined()
    bench.pace(0.0)
    assert bench.started == []
    bench.pace_until_live(ann, TICK_S)
    assert bench.started == ["ann"]


def test_first_keyframe_that_is_still_coming_in_is_told_when_it_has_come(bench: Bench) -> None:
    ann = bench.joined()
    bench.packet(IDR_SLICE, marker=False)
    bench.catch_up.on_keyframe(bench.video, 0.0)
    bench.pace(0.0)
    assert bench.sender.video_to(ann) == [FIRST]
    assert bench.started == []
    bench.packet(DELTA_SLICE, marker=True)
    assert bench.pace(TICK_S) == [ann]
    assert bench.sender.video_to(ann) == [FIRST, FIRST + 1]
    assert bench.started == ["ann"]


def test_viewer_of_a_keyframe_that_has_not_been_forwarded_is_not_live_before_it(bench: Bench) -> None:
    bench.frame(2, is_keyframe=True)
    bench.video.forwarded = FIRST  # the batch still waits for its flush
    ann = bench.joined()
    assert bench.pace(0.0) == []
    assert ann.video is VideoState.CATCHING_UP
    bench.video.forwarded = FIRST + 2
    assert bench.pace(TICK_S) == [ann]
    assert bench.started == ["ann"]


def test_first_keyframe_whose_end_was_lost_is_told_with_the_next_frame(bench: Bench) -> None:
    bench.frame(2, is_keyframe=True, is_whole=False)
    ann = bench.joined()
    assert bench.pace(0.0) == []
    bench.frame()
    assert bench.pace(TICK_S) == [ann]
    assert bench.started == ["ann"]


def test_first_keyframe_is_told_once_though_the_viewer_fell_back(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.pace_until_live(ann)
    bench.frame(is_keyframe=True)
    bench.catch_up.stall(ann, bench.video, ann.position, 1.0)
    bench.pace_until_live(ann, 1.0)
    assert bench.started == ["ann"]


def test_studio_that_stops_within_the_first_keyframe_drops_nothing(bench: Bench) -> None:
    bench.frame(2, is_keyframe=True, is_whole=False)
    ann = bench.joined()
    for second in range(20):
        bench.pace(float(second))
    assert ann.video is VideoState.CATCHING_UP
    assert bench.figures.frames_dropped == {}


# Overload


def test_stalled_viewer_goes_on_where_it_stood(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.pace_until_live(ann)
    bench.frame(3)
    bench.catch_up.stall(ann, bench.video, FIRST + 1, 1.0)
    bench.pace_until_live(ann, 1.0)
    assert bench.sender.video_to(ann) == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    assert bench.figures.frames_dropped == {}


def test_full_socket_keeps_the_position(bench: Bench) -> None:
    bench.frame(4, is_keyframe=True)
    ann = bench.joined()
    bench.sender.answer = lambda _address: Sent.FULL
    assert bench.pace(0.0) == []
    assert ann.position == FIRST
    bench.sender.answer = lambda _address: Sent.OK
    bench.pace_until_live(ann, TICK_S)
    assert bench.sender.video_to(ann) == [FIRST + n for n in range(4)]


def overloaded(bench: Bench, frames: int) -> Outlet:
    """A viewer whose socket has been full for `frames` delta frames, beyond the deadline."""
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.pace_until_live(ann)
    bench.sender.answer = lambda _address: Sent.FULL
    for _ in range(frames):
        bench.frame()
    bench.catch_up.stall(ann, bench.video, FIRST + 1, 1.0)
    bench.pace(1.0)
    bench.pace(1.0 + PACING.stall_deadline_s + TICK_S)
    return ann


def test_overloaded_viewer_waits_for_a_keyframe(bench: Bench) -> None:
    ann = overloaded(bench, 5)
    assert ann.video is VideoState.WAITING
    assert not bench.catch_up.is_pacing


def test_overloaded_viewer_goes_on_at_the_keyframe_and_the_frames_between_are_counted(bench: Bench) -> None:
    ann = overloaded(bench, 5)
    bench.sender.answer = lambda _address: Sent.OK
    bench.frame(2, is_keyframe=True)
    bench.catch_up.on_keyframe(bench.video, 2.0)
    assert bench.pace(2.0) == [ann]
    assert bench.sender.video_to(ann) == [FIRST, FIRST + 6, FIRST + 7]
    assert bench.figures.frames_dropped == {"overload": 5}


def test_overloaded_viewer_takes_a_keyframe_that_is_here_already(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.pace_until_live(ann)
    bench.frame()
    bench.frame()
    bench.frame(is_keyframe=True)
    bench.frame()
    bench.sender.answer = lambda _address: Sent.FULL
    bench.catch_up.stall(ann, bench.video, FIRST + 1, 1.0)
    bench.pace(1.0 + PACING.stall_deadline_s + TICK_S)
    assert (ann.video, ann.position, ann.first["video"]) == (VideoState.CATCHING_UP, FIRST + 3, FIRST + 3)
    assert bench.figures.frames_dropped == {"overload": 2}


def test_overload_upon_overload_counts_every_frame_once(bench: Bench) -> None:
    ann = overloaded(bench, 5)
    bench.frame(is_keyframe=True)
    bench.catch_up.on_keyframe(bench.video, 2.0)
    bench.frame()
    bench.pace(2.0 + PACING.join_deadline_s + TICK_S)
    assert ann.video is VideoState.WAITING
    bench.sender.answer = lambda _address: Sent.OK
    bench.frame(is_keyframe=True)
    bench.catch_up.on_keyframe(bench.video, 9.0)
    assert bench.pace(9.0) == [ann]
    assert bench.figures.frames_dropped == {"overload": 7}


def test_overload_at_a_hole_counts_from_the_next_packet(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.pace_until_live(ann)
    bench.skip(1)
    for _ in range(4):
        bench.frame()
    bench.sender.answer = lambda _address: Sent.FULL
    bench.catch_up.stall(ann, bench.video, FIRST + 1, 1.0)
    bench.pace(1.0 + PACING.stall_deadline_s + TICK_S)
    bench.frame(is_keyframe=True)
    bench.catch_up.on_keyframe(bench.video, 2.0)
    assert bench.figures.frames_dropped == {"overload": 4}


def test_viewer_whose_place_was_evicted_goes_on_at_the_keyframe(bench: Bench) -> None:
    bench.frame(is_keyframe=True)
    ann = bench.joined()
    bench.pace_until_live(ann)
    for _ in range(3):
        bench.frame()
    bench.catch_up.stall(ann, bench.video, FIRST + 1, 0.0)
    bench.sender.answer = lambda _address: Sent.FULL
    bench.frame(is_keyframe=True, now_s=10.0)
    bench.frame(now_s=13.0)
    assert bench.video.cache.oldest == FIRST + 4
    bench.pace(0.1)
    assert (ann.video, ann.position) == (VideoState.CATCHING_UP, FIRST + 4)


def test_overload_does_not_move_where_the_peer_counts_rollovers_from(bench: Bench) -> None:
    ann = overloaded(bench, 5)
    bench.frame(is_keyframe=True)
    bench.catch_up.on_keyframe(bench.video, 2.0)
    assert isinstance(ann.sealer, PlainSealer)
    assert ann.sealer.started_at == {bench.video.ssrc: FIRST}
