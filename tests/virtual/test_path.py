"""A player's address changes in mid-stream, as after an ICE restart or from Wi-Fi to mobile."""

import pytest

from tests.virtual.link import Conditions
from tests.virtual.table import Table
from tests.virtual.verdict import lost_audio, lost_frames

SEEDS = [1, 2, 3]
DELAY_S = 0.05


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("has_rtx", [True, False], ids=["rtx", "identical"])
def test_move_of_the_address_loses_no_frame(seed: int, has_rtx: bool) -> None:
    table = Table(seed, egress=Conditions(delay_s=DELAY_S))
    studio = table.add_studio()
    table.run(1.0)
    seat = table.add_player(has_rtx=has_rtx)
    table.run(1.0)
    cut = table.move(seat)
    sent_to_the_old = cut.sent
    table.run(2.0)
    until_s = table.end()
    assert cut.sent == sent_to_the_old
    assert lost_frames(seat.player, studio.studio, until_s) == []
    assert lost_audio(seat.player, studio.studio, until_s) == []
    assert seat.player.not_authentic == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_move_loses_nothing_but_what_was_in_flight(seed: int) -> None:
    table = Table(seed, egress=Conditions(delay_s=DELAY_S))
    table.add_studio()
    table.run(1.0)
    seat = table.add_player(sends_nack=False)
    table.run(1.0)
    seat.down.is_cut = True  # the old path breaks ...
    table.run(0.1)
    lost_by_the_path = seat.down.lost
    table.move(seat)  # ... and the new one is nominated
    table.run(1.0)
    track = seat.player.video
    missing = len(track.given_up) + len(track.holes) + len(seat.player.audio.holes) + len(seat.player.audio.given_up)
    assert 0 < missing <= lost_by_the_path


@pytest.mark.parametrize("seed", SEEDS)
def test_move_to_and_fro_under_loss_loses_no_frame(seed: int) -> None:
    table = Table(seed, egress=Conditions(loss=0.05, delay_s=DELAY_S))
    studio = table.add_studio()
    table.run(1.0)
    seat = table.add_player()
    for _ in range(5):
        table.run(0.5)
        table.move(seat)
    table.run(1.0)
    until_s = table.end()
    assert lost_frames(seat.player, studio.studio, until_s) == []
