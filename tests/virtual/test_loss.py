"""Loss on both legs and both ways, RTCP included: no frame is lost to a player that answers NACK in time."""

import pytest

from gateway.stream.stream import StreamSettings
from tests.virtual.content import VP8
from tests.virtual.link import Conditions
from tests.virtual.studio import StudioSettings
from tests.virtual.table import PlayerSeat, StudioSeat, Table
from tests.virtual.verdict import lost_audio, lost_frames, whole_frames

LOSSY = Conditions(loss=0.05, delay_s=0.02)
SEEDS = [1, 2, 3, 4]


def play(table: Table, settings: StudioSettings | None = None, duration_s: float = 8.0) -> tuple[StudioSeat, float]:
    """A studio, a player with RTX and one without; the studio, and until when to judge."""
    studio = table.add_studio(settings)
    table.run(1.0)
    table.add_player(has_rtx=True)
    table.add_player(has_rtx=False)
    table.run(duration_s)
    return studio, table.end()


def assert_nothing_lost(seat: PlayerSeat, studio: StudioSeat, until_s: float) -> None:
    assert lost_frames(seat.player, studio.studio, until_s) == []
    assert lost_audio(seat.player, studio.studio, until_s) == []
    assert seat.player.not_authentic == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("studio_has_rtx", [True, False], ids=["studio_rtx", "studio_identical"])
def test_five_percent_loss_both_ways_loses_no_frame(seed: int, studio_has_rtx: bool) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    studio, until_s = play(table, StudioSettings(seed=seed, has_rtx=studio_has_rtx))
    with_rtx, without_rtx = table.players
    for seat in table.players:
        assert_nothing_lost(seat, studio, until_s)
    assert all(link.lost > 0 for seat in (studio, *table.players) for link in (seat.up, seat.down))
    assert studio.studio.sent_again > 0
    assert with_rtx.player.retransmissions > 0
    assert without_rtx.player.retransmissions == 0
    assert table.gateway.refused == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_under_loss_come_within_a_few_round_trips(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    play(table)
    for seat in table.players:
        frames = whole_frames(seat.player, table.studios[0].studio)
        delays_s = sorted(each.delay_s for each in frames if each.made.captured_s > seat.joined_s)
        assert delays_s[len(delays_s) // 2] < 2 * LOSSY.delay_s + 0.02
        assert delays_s[-1] < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_five_percent_loss_while_batches_are_held_loses_no_frame(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY, settings=StreamSettings(hold_from_viewers=1))
    studio, until_s = play(table, duration_s=4.0)
    for seat in table.players:
        assert_nothing_lost(seat, studio, until_s)
    assert table.gateway.stream.figures.sends < table.gateway.stream.figures.packets


@pytest.mark.parametrize("seed", SEEDS)
def test_five_percent_loss_of_vp8_loses_no_frame(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    studio, until_s = play(table, StudioSettings(seed=seed, format=VP8), duration_s=4.0)
    for seat in table.players:
        assert_nothing_lost(seat, studio, until_s)


@pytest.mark.parametrize("seed", SEEDS)
def test_reordering_and_duplication_of_two_percent_lose_no_frame(seed: int) -> None:
    conditions = Conditions(reordering=0.02, duplication=0.02)
    table = Table(seed, ingest=conditions, egress=conditions)
    studio, until_s = play(table, duration_s=4.0)
    for seat in table.players:
        assert_nothing_lost(seat, studio, until_s)
        assert seat.player.replayed > 0
        assert seat.down.reordered > 0
    assert studio.up.reordered > 0
    assert set(table.gateway.refused) == {"replayed"}
    assert studio.studio.keyframe_requests == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_at_once_loses_no_frame(seed: int) -> None:
    conditions = Conditions(loss=0.05, reordering=0.02, duplication=0.02)
    table = Table(seed, ingest=conditions, egress=conditions)
    studio, until_s = play(table, duration_s=4.0)
    for seat in table.players:
        assert_nothing_lost(seat, studio, until_s)


@pytest.mark.parametrize("loss", [0.1, 0.2])
def test_more_loss_than_that_loses_no_frame_either(loss: float) -> None:
    conditions = Conditions(loss=loss)
    table = Table(7, ingest=conditions, egress=conditions)
    studio, until_s = play(table, duration_s=4.0)
    assert_nothing_lost(table.players[0], studio, until_s)


# What the tests above would not see if they could not fail


@pytest.mark.parametrize("seed", SEEDS)
def test_player_that_sends_no_nack_loses_frames(seed: int) -> None:
    table = Table(seed, egress=LOSSY)
    studio = table.add_studio()
    table.run(1.0)
    deaf, other = table.add_player(sends_nack=False), table.add_player()
    table.run(4.0)
    until_s = table.end()
    assert len(studio.studio.frames) - len(whole_frames(deaf.player, studio.studio)) > 20
    assert lost_frames(other.player, studio.studio, until_s) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_studio_that_answers_no_nack_loses_frames_and_is_asked_for_keyframes(seed: int) -> None:
    table = Table(seed, ingest=LOSSY)
    studio = table.add_studio(StudioSettings(seed=seed, answers_nack=False))
    player = table.add_player().player
    table.run(5.0)
    table.end()
    incomplete = len(studio.studio.frames) - len(whole_frames(player, studio.studio))
    assert incomplete > 20
    assert table.gateway.publishers[0].figures.frames_lost == pytest.approx(incomplete, rel=0.05)
    assert studio.studio.keyframe_requests > 0
