"""Instant start: the packets since the keyframe, paced, until the player is live."""

import pytest

from gateway.stream.catch_up import BURST_BYTES, Pacing
from gateway.stream.contract import VideoState
from tests.virtual.gateway import PACER_TICK_S
from tests.virtual.link import Conditions
from tests.virtual.studio import StudioSettings
from tests.virtual.table import PlayerSeat, StudioSeat, Table
from tests.virtual.verdict import lost_frames, whole_frames

SEEDS = [1, 2, 3]
PACING = Pacing()
LONG_GOP = 90
"""Frames between keyframes: three seconds."""


def table_in_mid_gop(seed: int, after_keyframe_s: float, egress: Conditions | None = None) -> tuple[Table, StudioSeat]:
    """A studio whose last keyframe was `after_keyframe_s` ago."""
    table = Table(seed, egress=egress or Conditions())
    studio = table.add_studio(StudioSettings(seed=seed, keyframe_every=LONG_GOP))
    table.run(LONG_GOP / 30 + after_keyframe_s)
    return table, studio


def is_live(table: Table, number: int = 0) -> bool:
    outlet = table.gateway.viewers[number].outlet
    return outlet is not None and outlet.video is VideoState.LIVE


def live_after_s(table: Table) -> float:
    """Let time pass until the first viewer is live; how long that was."""
    for tick in range(2000):
        if is_live(table):
            return tick * PACER_TICK_S
        table.run(PACER_TICK_S)
    raise AssertionError("never live")


def backlog_bytes(table: Table) -> int:
    """Payload since the keyframe."""
    cache = table.gateway.stream.tracks["video"].cache
    assert cache.gop_start is not None
    packets = map(cache.packet, range(cache.gop_start, cache.next_index))
    return sum(len(packet.payload) for packet in packets if packet is not None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("after_keyframe_s", [0.5, 1.9, 2.8])
def test_player_gets_the_keyframe_first_and_every_frame_since(seed: int, after_keyframe_s: float) -> None:
    table, studio = table_in_mid_gop(seed, after_keyframe_s)
    seat = table.add_player()
    table.run(2.0)
    until_s = table.end()
    frames = whole_frames(seat.player, studio.studio)
    keyframe = frames[0].made
    assert keyframe.is_keyframe
    assert seat.joined_s - keyframe.captured_s == pytest.approx(after_keyframe_s, abs=0.1)
    assert seat.player.video.order == sorted(seat.player.video.order)
    assert lost_frames(seat.player, studio.studio, until_s) == []
    assert table.gateway.stream.figures.frames_dropped == {}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("after_keyframe_s", [0.5, 1.9, 2.8])
def test_player_is_live_within_the_time_that_the_pace_predicts(seed: int, after_keyframe_s: float) -> None:
    table, _ = table_in_mid_gop(seed, after_keyframe_s)
    table.add_player()
    backlog, live_bps = backlog_bytes(table), table.gateway.stream.bitrate_bps
    expected_s = (backlog - BURST_BYTES) * 8 / (PACING.rate_bps(live_bps) - live_bps)
    assert live_after_s(table) == pytest.approx(expected_s, rel=0.25, abs=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_player_is_never_sent_more_than_the_pace_allows(seed: int) -> None:
    table, _ = table_in_mid_gop(seed, 2.8)
    seat = table.add_player()
    joined_s = seat.joined_s + seat.down.conditions.delay_s
    live_s = live_after_s(table)
    table.run(0.1)
    rate_bps = PACING.rate_bps(1.3 * table.gateway.stream.bitrate_bps)
    total_bytes = 0
    for arrival_s, size_bytes in seat.player.received_bytes:
        total_bytes += size_bytes
        if arrival_s - joined_s > live_s:
            break
        # Header, tag and audio come on top of the payload that is paced.
        assert total_bytes / 1.1 < BURST_BYTES + rate_bps / 8 * (arrival_s - joined_s + PACER_TICK_S) + 3000


@pytest.mark.parametrize("seed", SEEDS)
def test_picture_is_live_and_not_late_once_the_backlog_has_been_shown(seed: int) -> None:
    table, studio = table_in_mid_gop(seed, 2.0)
    seat = table.add_player()
    live_s = live_after_s(table)
    table.run(1.0)
    frames = whole_frames(seat.player, studio.studio)
    after = [each.delay_s for each in frames if each.made.captured_s > seat.joined_s + live_s + 0.1]
    assert len(after) > 15
    assert max(after) < 2 * 0.02 + 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_first_picture_comes_at_once(seed: int) -> None:
    table, studio = table_in_mid_gop(seed, 2.8)
    seat = table.add_player()
    table.run(0.2)
    keyframe = whole_frames(seat.player, studio.studio)[0]
    assert keyframe.made.is_keyframe
    assert keyframe.completed_s - seat.joined_s < 0.05
    assert table.gateway.first_frames == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_join_on_a_lossy_path_loses_no_frame_from_the_first_whole_keyframe_on(seed: int) -> None:
    table, studio = table_in_mid_gop(seed, 2.0, Conditions(loss=0.05))
    seats = [table.add_player(has_rtx=has_rtx) for has_rtx in (True, False, True, False)]
    table.run(2.0)
    until_s = table.end()
    for seat in seats:
        assert lost_frames(seat.player, studio.studio, until_s) == []
        assert seat.player.not_authentic == 0


def test_many_joins_at_once_do_not_delay_who_is_live() -> None:
    table, studio = table_in_mid_gop(1, 2.0)
    watching = table.add_player()
    table.run(1.0)
    crowd = [table.add_player() for _ in range(12)]
    before_s = table.scheduler.now_s
    table.run(0.8)
    frames = whole_frames(watching.player, studio.studio)
    assert max(each.delay_s for each in frames if each.made.captured_s > before_s) < 2 * 0.02 + 0.02
    assert all(is_live(table, number) for number in range(13))
    assert [seat for seat in crowd if lost_frames(seat.player, studio.studio, before_s)] == []


def test_join_before_any_keyframe_waits_for_the_one_that_is_asked_for() -> None:
    table = Table(1)
    studio = table.add_studio(StudioSettings(keyframe_every=LONG_GOP))
    seat: PlayerSeat = table.add_player()
    table.run(1.0)
    until_s = table.end()
    assert whole_frames(seat.player, studio.studio)[0].made.frame == 0
    assert lost_frames(seat.player, studio.studio, until_s) == []
    assert table.gateway.first_frames == 1
