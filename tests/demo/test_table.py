"""The drawn table, moment by moment."""

import time

import numpy as np
import pytest

from gateway.demo.clock_strip import read_strip
from gateway.demo.coup import BETS_CLOSE_S, COUP_S, OUTCOME_S, Coup
from gateway.demo.felt import HAND_BOXES
from gateway.demo.lamp import LAMP_PX
from gateway.demo.planar import Plane
from gateway.demo.table import LAMP_AT, Table, stage_at

COUP_STARTS_S = 1_700_000_000 // COUP_S * COUP_S


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


def player_box(table: Table, at_s: float) -> Plane:
    left, top, right, bottom = HAND_BOXES["player"]
    return table.draw(COUP_STARTS_S + at_s).luma[top:bottom, left:right].copy()


def test_table_carries_the_moment_in_its_strip(table: Table) -> None:
    assert read_strip(table.draw(1_700_000_000.125).luma) == 1_700_000_000_125 % 2**32


def test_table_deals_cards_and_sweeps_them_off(table: Table) -> None:
    empty = player_box(table, 1.0)
    dealt = player_box(table, OUTCOME_S)
    assert (dealt > 215).sum() > 2 * 96 * 136 * 0.6, "two cards of white paper"
    assert np.array_equal(player_box(table, COUP_S - 0.1), empty), "nothing is left behind"


def test_table_turns_its_wheel(table: Table) -> None:
    before = table.draw(COUP_STARTS_S).luma[160:480, 920:1230].copy()
    assert (table.draw(COUP_STARTS_S + 0.1).luma[160:480, 920:1230] != before).mean() > 0.1


def lamp_luma(table: Table, at_s: float) -> float:
    left, top = (corner + LAMP_PX // 2 for corner in LAMP_AT)
    return float(table.draw(COUP_STARTS_S + at_s).luma[top - 8 : top + 8, left - 8 : left + 8].mean())


def test_table_lights_its_lamp_with_the_first_frame_of_each_second(table: Table) -> None:
    lit = [number for number in range(90) if lamp_luma(table, BETS_CLOSE_S + number / 30) > 200]
    assert lit == [second * 30 + number for second in range(3) for number in range(6)], "0.18 s of 33 ms frames"


def test_table_is_the_same_whatever_was_drawn_before(table: Table) -> None:
    for at_s in range(int(COUP_S)):
        table.draw(COUP_STARTS_S + at_s + 0.3)
    dealing_s = COUP_STARTS_S + BETS_CLOSE_S + 3
    assert np.array_equal(table.draw(dealing_s).planes, Table().draw(dealing_s).planes)


def test_stage_follows_the_timetable() -> None:
    coup = Coup.shuffled(3)
    moments = [0.0, BETS_CLOSE_S - 0.01, BETS_CLOSE_S, OUTCOME_S - 0.1, OUTCOME_S, COUP_S - 0.01]
    said = ["open", "open", "closed", "closed", coup.outcome, coup.outcome]
    assert [stage_at(coup, at_s) for at_s in moments] == said


def test_table_draws_a_frame_in_a_small_part_of_its_33_ms(table: Table) -> None:
    started_s = time.process_time()
    for number in range(120):
        table.draw(COUP_STARTS_S + BETS_CLOSE_S + number / 30)
    assert (time.process_time() - started_s) / 120 < 0.005
