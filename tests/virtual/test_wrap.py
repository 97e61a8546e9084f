"""Sequence numbers go over 65535 on both legs while packets get lost: rollover counters on both sides agree."""

import pytest

from tests.virtual.link import Conditions
from tests.virtual.studio import StudioSettings
from tests.virtual.table import Table
from tests.virtual.verdict import lost_audio, lost_frames

LOSSY = Conditions(loss=0.05, reordering=0.02, duplication=0.02)
SEEDS = [1, 2, 3, 4]


def play(table: Table, settings: StudioSettings, joins_after_s: tuple[float, ...] = (0.5,)) -> None:
    """A studio, a player with RTX and one without that join together, once or more often."""
    studio = table.add_studio(settings)
    for pause_s in joins_after_s:
        table.run(pause_s)
        table.add_player(has_rtx=True)
        table.add_player(has_rtx=False)
    table.run(4.0)
    until_s = table.end()
    for seat in table.players:
        assert lost_frames(seat.player, studio.studio, until_s) == []
        assert lost_audio(seat.player, studio.studio, until_s) == []
        assert seat.player.not_authentic == 0
    assert set(table.gateway.refused) <= {"replayed"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("first_index", [65_000, 65_300])
def test_wrap_towards_players_under_loss(seed: int, first_index: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY, first_index=first_index)
    play(table, StudioSettings(seed=seed))
    assert table.gateway.stream.tracks["video"].cache.next_index > 0x10000
    assert {index >> 16 for index in table.players[0].player.video.places} == {1, 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_wrap_of_the_studio_under_loss(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY)
    play(table, StudioSettings(seed=seed, first_sequence_number=65_000))
    assert table.studios[0].studio.video.index > 0x10000


@pytest.mark.parametrize("seed", SEEDS)
def test_both_wrap_at_once_under_loss(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY, first_index=65_100)
    play(table, StudioSettings(seed=seed, first_sequence_number=65_100))


@pytest.mark.parametrize("seed", SEEDS)
def test_players_that_join_before_and_after_the_wrap_count_rollovers_from_where_they_began(seed: int) -> None:
    table = Table(seed, ingest=LOSSY, egress=LOSSY, first_index=65_400)
    play(table, StudioSettings(seed=seed), joins_after_s=(0.5, 1.5))
    firsts = [seat.player.video.first or 0 for seat in table.players]
    assert [first & 0xFFFF > 0x8000 for first in firsts] == [True, True, False, False]
