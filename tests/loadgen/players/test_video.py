"""Frames, by way of a receiver that gets protected packets."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.figures import MediaCounts
from loadgen.players.track import NOT_EXPECTED
from loadgen.players.video import CLOCK_RATE_HZ, MAX_FRAME_PACKETS, PLI_INTERVAL_S, VideoTrack
from tests.loadgen.players.origins import (
    FRAME_S,
    FRAME_TICKS,
    LATE_AFTER_S,
    T0_S,
    VIDEO_SSRC,
    Origin,
    Viewer,
    retransmitter,
)

SIZE = 5
"""Packets in a frame."""


class Watching:
    """A viewer that has its first keyframe, and its clock."""

    def __init__(self, is_sampled: bool = False, timestamp: int = 90_000) -> None:
        self.viewer = Viewer(is_sampled)
        self.origin = Origin(self.viewer.server, timestamp=timestamp)
        self.rtx = retransmitter(self.origin)
        self.now_s = T0_S - FRAME_S
        self.frame(is_keyframe=True)

    @property
    def video(self) -> VideoTrack:
        assert self.viewer.receiver.video is not None
        return self.viewer.receiver.video

    @property
    def frames(self) -> tuple[int, int, int]:
        """Complete, incomplete, undecodable."""
        counts = self.viewer.counts
        return counts.frames_complete, counts.frames_incomplete, counts.frames_undecodable

    def frame(
        self, lost: Iterable[int] = (), is_keyframe: bool = False, has_marker: bool = True, size: int = SIZE
    ) -> list[int]:
        """The next frame comes, without the packets of `lost` places, whose indices are returned."""
        self.now_s += FRAME_S
        first = self.origin.index
        packets = self.origin.frame(size, is_keyframe, has_marker)
        lost = list(lost)
        self.viewer.feed([packet for place, packet in enumerate(packets) if place not in lost], self.now_s)
        return [first + place for place in lost]

    def give_up(self) -> None:
        """What is missing will not come."""
        self.video.give_up(self.video.highest, self.now_s)


@pytest.fixture(params=[False, True], ids=["fast", "slow"])
def watching(request: pytest.FixtureRequest) -> Watching:
    return Watching(bool(request.param))


ALL = range(SIZE)


def test_frames_in_order_are_complete(watching: Watching) -> None:
    for _ in range(29):
        watching.frame()
    assert watching.frames == (30, 0, 0)
    assert watching.video.first_frame_s == pytest.approx(T0_S, abs=1e-5)


def test_frames_without_a_marker_end_where_the_next_timestamp_begins(watching: Watching) -> None:
    for _ in range(10):
        watching.frame(has_marker=False)
    assert watching.frames == (10, 0, 0)
    watching.frame()
    assert watching.frames == (12, 0, 0)


def test_frames_before_the_first_keyframe_count_as_nothing() -> None:
    viewer = Viewer()
    origin = Origin(viewer.server)
    viewer.feed([*origin.frame(4)[2:], *origin.frame(4)])
    assert viewer.counts.frames_complete + viewer.counts.frames_incomplete + viewer.counts.frames_undecodable == 0
    assert viewer.receiver.video is not None
    assert viewer.receiver.video.first_frame_s is None
    viewer.feed(origin.frame(4, is_keyframe=True), T0_S + 1.0)
    assert viewer.receiver.video.first_frame_s == pytest.approx(T0_S + 1.0, abs=1e-5)
    assert viewer.counts.frames_complete == 1


def test_first_keyframe_that_lacks_a_packet_is_not_the_first_frame() -> None:
    viewer = Viewer()
    origin = Origin(viewer.server)
    rtx = retransmitter(origin)
    first = origin.index
    packets = origin.frame(4, is_keyframe=True)
    viewer.feed([packets[0], *packets[2:]])
    assert viewer.receiver.video is not None
    assert viewer.receiver.video.first_frame_s is None
    viewer.feed([rtx.rtx(first + 1)], T0_S + 0.5)
    assert viewer.receiver.video.first_frame_s == pytest.approx(T0_S + 0.5, abs=1e-5)


@pytest.mark.parametrize("lost", [[0], [2], [SIZE - 1], [0, 1], [SIZE - 2, SIZE - 1]])
def test_frame_whose_packet_never_comes_is_incomplete_and_those_after_it_undecodable(
    watching: Watching, lost: list[int]
) -> None:
    watching.frame(lost)
    for _ in range(4):
        watching.frame()
    assert watching.frames == (1, 0, 0)  # They wait.
    watching.give_up()
    assert watching.frames == (1, 1, 4)
    assert watching.video.awaits_keyframe
    watching.frame()
    assert watching.frames == (1, 1, 5)
    watching.frame(is_keyframe=True)
    watching.frame()
    assert watching.frames == (3, 1, 5)
    assert not watching.video.awaits_keyframe


def test_frame_that_is_lost_whole_breaks_the_next_one(watching: Watching) -> None:
    watching.frame(ALL)
    watching.frame()
    watching.give_up()
    assert watching.frames == (1, 1, 0)
    watching.frame(is_keyframe=True)
    assert watching.frames == (2, 1, 0)


def test_frame_that_is_lost_whole_before_a_keyframe_does_not_break_it(watching: Watching) -> None:
    watching.frame(ALL)
    watching.frame(is_keyframe=True)
    watching.give_up()
    watching.frame()
    assert watching.frames == (3, 1, 0)


def test_keyframe_that_lacks_its_first_packet_does_not_end_the_wait(watching: Watching) -> None:
    watching.frame([0], is_keyframe=True)
    watching.give_up()
    watching.frame()
    assert watching.frames == (1, 1, 1)


def test_frame_given_up_before_its_end_stays_off_the_fast_way_until_a_keyframe(watching: Watching) -> None:
    packets = watching.origin.frame(SIZE)
    watching.viewer.feed([packets[0], packets[2]], watching.now_s)
    watching.give_up()
    assert watching.video.expected == NOT_EXPECTED
    watching.viewer.feed(packets[3:], watching.now_s)
    assert watching.frames == (1, 1, 0)
    watching.frame(is_keyframe=True)
    assert watching.frames == (2, 1, 0)


def test_repair_shows_the_frames_that_waited(watching: Watching) -> None:
    missing = watching.frame([1, 3])
    watching.frame()
    watching.frame()
    assert watching.frames == (1, 0, 0)
    watching.viewer.feed([watching.rtx.rtx(index) for index in missing], watching.now_s + 0.01)
    assert watching.frames == (4, 0, 0)
    watching.frame()
    assert watching.frames == (5, 0, 0)


def test_keyframe_behind_a_hole_is_skipped_to_at_once(watching: Watching) -> None:
    watching.frame([1])
    watching.frame()
    watching.frame(is_keyframe=True)
    assert watching.frames == (2, 1, 1)
    assert not watching.video.holes
    watching.frame()
    assert watching.frames == (3, 1, 1)
    assert watching.viewer.counts.lost == 1


def test_keyframe_right_behind_a_hole_is_skipped_to_when_its_beginning_is_there(watching: Watching) -> None:
    watching.frame([SIZE - 1])
    watching.frame(is_keyframe=True)
    assert watching.frames == (2, 1, 0)
    watching.frame()
    assert watching.frames == (3, 1, 0)


def test_keyframe_that_may_have_begun_in_the_hole_is_waited_for(watching: Watching) -> None:
    (missing,) = watching.frame([0], is_keyframe=True)
    assert watching.frames == (1, 0, 0)
    watching.viewer.feed([watching.rtx.rtx(missing)], watching.now_s)
    assert watching.frames == (2, 0, 0)


def test_frames_that_are_lost_whole_are_counted_by_the_time_that_they_left(watching: Watching) -> None:
    watching.frame()
    watching.frame()
    for _ in range(3):
        watching.frame(ALL)
    watching.frame(is_keyframe=True)
    assert watching.frames[:2] == (4, 3)


def test_keyframe_with_a_hole_of_its_own_is_not_skipped_to(watching: Watching) -> None:
    watching.frame([1])
    watching.frame(is_keyframe=True)
    assert watching.frames == (2, 1, 0)
    watching.frame([1])
    watching.frame([2], is_keyframe=True)
    assert watching.frames == (2, 1, 0)
    assert len(watching.video.holes) == 2


@pytest.mark.parametrize("timestamp", [2**32 - FRAME_TICKS, 2**32 - 2 * FRAME_TICKS, 2**32 - 1, 2**31 - FRAME_TICKS])
@pytest.mark.parametrize("is_sampled", [False, True])
def test_wrap_of_timestamps_is_a_frame_like_any_other(timestamp: int, is_sampled: bool) -> None:
    watching = Watching(is_sampled, timestamp)
    for _ in range(9):
        watching.frame()
    assert watching.frames == (10, 0, 0)
    assert watching.viewer.counts.frames_late == 0
    assert watching.video.jitter_s < 1e-5


def test_restart_of_sequence_numbers_shows_the_next_keyframe(watching: Watching) -> None:
    watching.frame()
    watching.origin.index += 5000
    watching.origin.timestamp += 123_456_789
    watching.frame(is_keyframe=True)
    watching.frame()
    assert watching.frames[0] == 4
    assert watching.viewer.counts.lost == 0


@pytest.mark.parametrize("is_sampled", [False, True])
def test_another_ssrc_continues_the_same_picture(is_sampled: bool) -> None:
    watching = Watching(is_sampled)
    for _ in range(29):
        watching.frame()
    first_frame_s = watching.video.first_frame_s
    watching.origin = Origin(watching.viewer.server, VIDEO_SSRC + 7, index=40_000)
    watching.now_s += 2.0
    watching.frame(is_keyframe=True)
    watching.frame()
    assert watching.frames == (32, 0, 0)
    assert watching.viewer.receiver.tracks[VIDEO_SSRC + 7] is watching.video
    assert watching.video.first_frame_s == first_frame_s
    assert watching.viewer.counts.freezes == 1
    assert watching.viewer.counts.frozen_s == pytest.approx(2.0 + FRAME_S, abs=1e-5)


# Late, frozen, uneven


def test_frames_that_come_late_are_complete_and_late(watching: Watching) -> None:
    for _ in range(10):
        watching.frame()
    watching.now_s += LATE_AFTER_S + 0.05
    watching.frame()
    watching.frame()
    watching.now_s -= LATE_AFTER_S + 0.05
    watching.frame()
    assert watching.viewer.counts.frames_late == 2
    assert watching.frames == (14, 0, 0)


def test_frames_that_come_a_little_late_are_not_late(watching: Watching) -> None:
    watching.frame()
    watching.now_s += LATE_AFTER_S - 0.01
    watching.frame()
    assert watching.viewer.counts.frames_late == 0


def test_lateness_counts_to_the_last_packet(watching: Watching) -> None:
    (missing,) = watching.frame([1])
    watching.viewer.feed([watching.rtx.rtx(missing)], watching.now_s + LATE_AFTER_S + 0.01)
    assert watching.viewer.counts.frames_late == 1


def test_clocks_that_drift_apart_make_no_frame_late() -> None:
    watching = Watching()
    for _ in range(9000):
        watching.now_s += FRAME_S * 90e-6  # 90 ppm
        watching.frame(size=1)
    watching.now_s += LATE_AFTER_S - 0.01
    watching.frame(size=1)
    assert watching.viewer.counts.frames_late == 0


@pytest.mark.parametrize("has_timestamps_that_go_on", [True, False])
def test_pause_of_two_seconds_is_one_freeze_of_about_two_seconds(
    watching: Watching, has_timestamps_that_go_on: bool
) -> None:
    for _ in range(60):
        watching.frame()
    watching.now_s += 2.0
    watching.origin.timestamp += has_timestamps_that_go_on * 2 * CLOCK_RATE_HZ
    for _ in range(60):
        watching.frame()
    assert watching.viewer.counts.freezes == 1
    assert watching.viewer.counts.frozen_s == pytest.approx(2.0 + FRAME_S, abs=1e-5)
    assert watching.video.freezes.longest_gap_s == pytest.approx(2.0 + FRAME_S, abs=1e-5)


def test_frames_that_could_not_be_shown_freeze_the_picture(watching: Watching) -> None:
    for _ in range(30):
        watching.frame()
    watching.frame([1])
    watching.give_up()
    for _ in range(29):
        watching.frame()
    watching.frame(is_keyframe=True)
    assert watching.viewer.counts.freezes == 1
    assert watching.viewer.counts.frozen_s == pytest.approx(31 * FRAME_S, abs=1e-5)


@pytest.mark.parametrize("is_sampled", [False, True])
def test_jitter_is_that_of_rfc_3550(is_sampled: bool) -> None:
    watching = Watching(is_sampled)
    rng = random.Random(1)
    expected_s, off_s = 0.0, 0.0
    for _ in range(200):
        before_s, off_s = off_s, rng.uniform(0.0, 0.02)
        watching.now_s += off_s - before_s
        watching.frame()
        expected_s += (abs(off_s - before_s) - expected_s) / 16
    assert watching.video.jitter_s == pytest.approx(expected_s, abs=1e-5)
    assert expected_s > 0.003


def test_retransmission_of_a_first_packet_is_no_jitter(watching: Watching) -> None:
    for _ in range(5):
        (missing,) = watching.frame([0])
        watching.viewer.feed([watching.rtx.rtx(missing)], watching.now_s + 0.1)
        watching.frame()
    assert watching.frames == (11, 0, 0)
    assert watching.video.jitter_s < 1e-5


# Keyframe requests


def test_keyframe_is_asked_for_every_200_ms_while_it_is_waited_for() -> None:
    watching = Watching()
    assert not watching.video.keyframe_is_due(T0_S)
    watching.frame([1])
    watching.give_up()
    watching.frame()
    due = [step for step in range(1000) if watching.video.keyframe_is_due(T0_S + 1.0 + step / 1000)]
    assert due == pytest.approx([200, 400, 600, 800], abs=3)
    assert due[1] - due[0] >= PLI_INTERVAL_S * 1000
    watching.frame(is_keyframe=True)
    assert not watching.video.keyframe_is_due(T0_S + 3.0)
    watching.frame([1])
    watching.give_up()
    watching.frame()
    assert not watching.video.keyframe_is_due(T0_S + 4.0)
    assert watching.video.keyframe_is_due(T0_S + 4.0 + PLI_INTERVAL_S)


# Sampled players


def test_sampled_player_gets_the_packets_of_each_frame_decrypted() -> None:
    watching = Watching(is_sampled=True)
    watching.frame()
    watching.frame([1])
    watching.give_up()
    watching.frame(is_keyframe=True, size=2)
    frames = watching.viewer.frames
    assert [len(packets) for packets, _ in frames] == [SIZE, SIZE, 2]
    assert frames[-1][0][0].payload == watching.origin.originals[watching.origin.index - 2][2]
    assert [shown_s for _, shown_s in frames] == pytest.approx([T0_S, T0_S + FRAME_S, T0_S + 3 * FRAME_S], abs=1e-5)


def test_padding_between_frames_is_no_part_of_the_next_one() -> None:
    watching = Watching(is_sampled=True)
    watching.viewer.feed([watching.origin.padding()], watching.now_s)
    watching.frame()
    assert [len(packets) for packets, _ in watching.viewer.frames] == [SIZE, SIZE]


def test_frame_without_an_end_is_not_kept_whole() -> None:
    watching = Watching(is_sampled=True)
    watching.frame(size=MAX_FRAME_PACKETS + 100)
    assert len(watching.viewer.frames[-1][0]) == MAX_FRAME_PACKETS
    assert watching.frames == (2, 0, 0)
    watching.frame()
    assert len(watching.viewer.frames[-1][0]) == SIZE


# Both ways


@st.composite
def journeys(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What happens to packet after packet: (what, by how many places)."""
    fates = ["comes"] * 30 + ["is lost", "comes twice", "is repaired", "comes later", "all are given up"]
    return draw(st.lists(st.tuples(st.sampled_from(fates), st.integers(1, 12)), min_size=20, max_size=100))


def counts_of(is_sampled: bool, journey: list[tuple[str, int]], seed: int) -> tuple[MediaCounts, float, list[float]]:
    """The same stream, the same losses: only what is looked at differs."""
    rng = random.Random(seed)
    viewer = Viewer(is_sampled)
    origin = Origin(viewer.server, index=65_400)
    rtx = retransmitter(origin)
    first = origin.index
    frames = [origin.frame(rng.randint(1, 6), rng.random() < 0.15, rng.random() < 0.8) for _ in range(50)]
    packets = [packet for packet_list in frames for packet in packet_list]
    order: list[tuple[float, bytes | None]] = []
    for place, packet in enumerate(packets):
        what, by = journey[place % len(journey)]
        if what not in ("is lost", "is repaired", "comes later"):
            order.append((place, packet))
        if what == "comes twice" or what == "comes later":
            order.append((place + by + 0.5, packet))
        elif what == "is repaired":
            order.append((place + by + 0.5, rtx.rtx(first + place)))
        elif what == "all are given up":
            order.append((place + 0.6, None))
    for turn, arriving in sorted(order, key=lambda each: each[0]):
        now_s = T0_S + turn / 100
        if arriving is not None:
            viewer.feed([arriving], now_s)
        elif viewer.receiver.video is not None:
            viewer.receiver.video.holes.due(now_s, 0.02)
            viewer.receiver.video.give_up(viewer.receiver.video.highest, now_s)
    video = viewer.receiver.video
    assert video is not None
    viewer.counts.checked = 0
    return viewer.counts, video.jitter_s, [video.freezes.longest_gap_s, video.lost, video.expected_packets]


@settings(max_examples=25, deadline=None)
@given(journeys(), st.integers(0, 10_000))
def test_fast_and_slow_way_count_the_same(journey: list[tuple[str, int]], seed: int) -> None:
    assert counts_of(False, journey, seed) == counts_of(True, journey, seed)


@settings(max_examples=25, deadline=None)
@given(journeys(), st.integers(0, 10_000))
def test_packets_that_came_and_that_did_not_are_all_that_were_sent(journey: list[tuple[str, int]], seed: int) -> None:
    counts, _, (_, missing, expected) = counts_of(False, journey, seed)
    assert counts.lost - counts.recovered == missing
    assert counts.expected == counts.packets + missing == expected
    assert counts.authentication_failures == counts.malformed == 0
