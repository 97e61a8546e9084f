"""The socket has no room: video is dropped to the next keyframe, audio goes on, and what was dropped is counted."""

from collections.abc import Callable

import pytest

from gateway.stream.cache import HISTORY_S
from gateway.stream.contract import VideoState
from tests.virtual.studio import StudioSettings
from tests.virtual.table import PlayerSeat, StudioSeat, Table
from tests.virtual.verdict import whole_frames

SEEDS = [1, 2, 3]
LARGEST_AUDIO_BYTES = 200
FULL_S = 2.0


def play(
    seed: int, is_full_for: Callable[[int], bool], *, full_s: float = FULL_S, sends_nack: bool = True
) -> tuple[Table, StudioSeat, PlayerSeat]:
    """A player whose gateway's socket is full for `full_s`."""
    table = Table(seed)
    studio = table.add_studio(StudioSettings(seed=seed, keyframe_every=45))
    table.run(1.0)
    seat = table.add_player(sends_nack=sends_nack)
    table.run(1.0)
    table.gateway.socket.is_full_for = is_full_for
    table.run(full_s)
    table.gateway.socket.is_full_for = lambda _size_bytes: False
    table.run(2.5)
    table.end()
    return table, studio, seat


def frames_missed(seat: PlayerSeat, studio: StudioSeat) -> list[int]:
    """Frames that the player has not whole, between those that it has."""
    have = [each.made.frame for each in whole_frames(seat.player, studio.studio)]
    return sorted(set(range(min(have), max(have))) - set(have))


def audio_missed(seat: PlayerSeat, studio: StudioSeat) -> list[int]:
    """Audio packets that the player has not, from its first to the studio's last."""
    have = {place.frame for place in seat.player.audio.places.values()}
    return sorted(set(range(min(have), len(studio.studio.audio))) - have)


@pytest.mark.parametrize("seed", SEEDS)
def test_room_for_audio_only_keeps_every_audio_packet(seed: int) -> None:
    table, studio, seat = play(seed, lambda size_bytes: size_bytes > LARGEST_AUDIO_BYTES)
    assert audio_missed(seat, studio) == []
    assert table.gateway.stream.figures.audio_dropped == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_video_is_dropped_up_to_a_keyframe_and_each_frame_is_counted(seed: int) -> None:
    table, studio, seat = play(seed, lambda size_bytes: size_bytes > LARGEST_AUDIO_BYTES)
    missed = frames_missed(seat, studio)
    assert missed == list(range(missed[0], missed[-1] + 1))
    assert studio.studio.frames[missed[-1] + 1].is_keyframe
    assert table.gateway.stream.figures.frames_dropped == {"overload": len(missed)}


@pytest.mark.parametrize("seed", SEEDS)
def test_picture_is_live_again_afterwards(seed: int) -> None:
    table, studio, seat = play(seed, lambda size_bytes: size_bytes > LARGEST_AUDIO_BYTES)
    (viewer,) = table.gateway.viewers
    assert viewer.outlet is not None
    assert viewer.outlet.video is VideoState.LIVE
    last = whole_frames(seat.player, studio.studio)[-1]
    assert last.made.frame == len(studio.studio.frames) - 1
    assert last.delay_s < 2 * 0.02 + 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_room_for_nothing_counts_the_audio_too(seed: int) -> None:
    table, studio, seat = play(seed, lambda _size_bytes: True, sends_nack=False)
    missing = audio_missed(seat, studio)
    assert len(missing) == pytest.approx(FULL_S / 0.02, abs=2)
    assert table.gateway.stream.figures.audio_dropped == len(missing)
    assert table.gateway.stream.figures.frames_dropped == {"overload": len(frames_missed(seat, studio))}


@pytest.mark.parametrize("seed", SEEDS)
def test_room_for_nothing_loses_no_audio_that_is_asked_for_afterwards(seed: int) -> None:
    _, studio, seat = play(seed, lambda _size_bytes: True, full_s=0.9 * HISTORY_S)
    assert audio_missed(seat, studio) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_short_congestion_drops_nothing(seed: int) -> None:
    table = Table(seed)
    studio = table.add_studio(StudioSettings(seed=seed))
    table.run(1.0)
    seat = table.add_player()
    table.run(1.0)
    table.gateway.socket.is_full_for = lambda size_bytes: size_bytes > LARGEST_AUDIO_BYTES
    table.run(0.3)
    table.gateway.socket.is_full_for = lambda _size_bytes: False
    table.run(1.0)
    table.end()
    assert frames_missed(seat, studio) == []
    assert table.gateway.stream.figures.frames_dropped == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_retransmissions_never_reach_back_over_what_was_dropped(seed: int) -> None:
    table, _, seat = play(seed, lambda size_bytes: size_bytes > LARGEST_AUDIO_BYTES)
    assert seat.player.not_authentic == 0
    assert seat.player.retransmissions == 0
    assert table.gateway.retransmissions.unknown > 0
