"""A second studio takes the table over while packets get lost: viewers stay, and their picture goes on."""

import itertools

import pytest

from tests.virtual.link import Conditions
from tests.virtual.studio import StudioSettings
from tests.virtual.table import PlayerSeat, StudioSeat, Table
from tests.virtual.verdict import WholeFrame, lost_audio, whole_frames

LOSSY = Conditions(loss=0.05)
SEEDS = [1, 2, 3, 4, 5, 6]
BREAK_S = 0.7
"""How long nobody publishes."""


def play(table: Table, *, has_rtx: bool = True) -> tuple[StudioSeat, StudioSeat, float]:
    """A player at a table whose studio falls silent and is replaced by another; both, and until when to judge."""
    first = table.add_studio(StudioSettings(1, seed=11, first_sequence_number=60_000, skew_s=7200))
    table.run(1.0)
    table.add_player(has_rtx=has_rtx)
    table.run(2.0)
    first.studio.stop()
    table.run(BREAK_S)
    second = table.add_studio(StudioSettings(2, seed=22, first_sequence_number=300, skew_s=-7200))
    table.run(3.0)
    return first, second, table.end()


def frames_of(seat: PlayerSeat, first: StudioSeat, second: StudioSeat) -> tuple[list[WholeFrame], list[WholeFrame]]:
    frames = whole_frames(seat.player, first.studio, second.studio)
    of_first = [each for each in frames if each.made.studio == 1]
    of_second = [each for each in frames if each.made.studio == 2]
    assert frames == of_first + of_second
    return of_first, of_second


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("has_rtx", [True, False], ids=["rtx", "identical"])
def test_picture_goes_on_at_the_next_keyframe(seed: int, has_rtx: bool) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    first, second, until_s = play(table, has_rtx=has_rtx)
    (seat,) = table.players
    _, frames = frames_of(seat, first, second)
    begin = next(each for each in frames if each.made.is_keyframe)
    # At once, or, when its very first packet was lost, at the keyframe that the gateway then asks for.
    assert begin.made.frame <= 5
    assert begin.made.frame == 0 or second.studio.keyframe_requests > 0
    have = {each.made.frame for each in frames}
    expected = [each for each in second.studio.frames[begin.made.frame :] if each.captured_s <= until_s]
    assert [each.frame for each in expected if each.frame not in have] == []
    assert lost_audio(seat.player, first.studio, 0.0) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_session_of_the_viewer_is_the_same(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    first, _, _ = play(table)
    (seat,) = table.players
    assert first.session.closed
    assert not seat.session.closed
    assert seat.player.not_authentic == 0
    assert table.gateway.stream.viewers == 1
    assert table.gateway.first_frames == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_and_timestamps_are_one_line(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    first, second, _ = play(table)
    (seat,) = table.players
    of_first, of_second = frames_of(seat, first, second)
    track = seat.player.video
    timestamps = [track.timestamps[index] for index in sorted(track.places)]
    assert timestamps == sorted(timestamps)
    # What is between the last packet of the one and the first of the other is, at most, what was lost for good.
    last_of_first = max(index for index, place in track.places.items() if place.studio == 1)
    first_of_second = min(index for index, place in track.places.items() if place.studio == 2)
    assert 0 < first_of_second - last_of_first <= 3
    for before, after in itertools.pairwise([*of_first, *of_second]):
        captured_s = after.made.captured_s - before.made.captured_s
        assert (after.timestamp - before.timestamp) / 90_000 == pytest.approx(captured_s, abs=0.15)


@pytest.mark.parametrize("seed", SEEDS)
def test_takeover_while_the_first_still_sends(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    first = table.add_studio(StudioSettings(1, seed=11))
    table.run(1.0)
    seat = table.add_player()
    table.run(1.0)
    second = table.add_studio(StudioSettings(2, seed=22, first_sequence_number=300))
    table.run(2.0)
    table.end()
    of_first, of_second = frames_of(seat, first, second)
    gap_s = of_second[0].completed_s - of_first[-1].completed_s
    assert gap_s < 0.5
    assert first.session.closed


def test_waiting_viewer_begins_with_the_second_studio() -> None:
    table = Table(1)
    first = table.add_studio(StudioSettings(1, seed=11))
    table.run(1.0)
    first.session.close("peer_left")
    seat = table.add_player()
    table.run(1.0)
    second = table.add_studio(StudioSettings(2, seed=22))
    table.run(1.0)
    until_s = table.end()
    _, of_second = frames_of(seat, first, second)
    expected = [each.frame for each in second.studio.frames if each.captured_s <= until_s]
    assert [each.made.frame for each in of_second][: len(expected)] == expected
