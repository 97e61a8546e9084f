"""Who was told to move, when, and what nobody does."""

import asyncio

from loadgen.crowd.journey import Elsewhere
from loadgen.crowd.moves import Moves
from loadgen.signals.messages import Move
from tests.e2e.waiting import until
from tests.loadgen.crowd.fakes import TARGET, edges

OTHER = "http://127.0.0.2:8080"
FOREIGN = "http://192.0.2.1"


def _moves() -> tuple[Moves[str], list[str]]:
    due: list[str] = []
    return Moves(edges(), due.append), due


async def test_player_is_to_leave_when_it_was_told() -> None:
    moves, due = _moves()
    moves.tell("p", Move(0.05, OTHER))
    assert (moves.told("p"), moves.is_due("p"), due) == (Elsewhere(OTHER), False, [])
    await until(lambda: due == ["p"])
    assert moves.is_due("p")
    moves.drop("p")
    assert (moves.told("p"), moves.is_due("p")) == (None, False)


async def test_first_word_counts() -> None:
    moves, due = _moves()
    moves.tell("p", Move(0.01, None))
    moves.tell("p", Move(60.0, OTHER))
    await until(lambda: due == ["p"])
    moves.tell("p", Move(0.0, OTHER))
    await asyncio.sleep(0.02)
    assert (moves.told("p"), due) == (Elsewhere(None), ["p"])


async def test_who_has_left_is_not_told_any_more() -> None:
    moves, due = _moves()
    moves.tell("p", Move(0.01, OTHER))
    moves.drop("p")
    await asyncio.sleep(0.03)
    assert due == []


async def test_edge_that_may_not_be_loaded_is_counted_once_and_nobody_goes() -> None:
    moves, due = _moves()
    for _ in range(3):
        moves.tell("p", Move(0.0, FOREIGN))
    await asyncio.sleep(0.02)
    assert (moves.told("p"), due, moves.refused) == (None, [], {"not_permitted": 1})


async def test_better_word_after_a_refused_one_is_followed() -> None:
    moves, due = _moves()
    moves.tell("p", Move(0.0, FOREIGN))
    moves.tell("p", Move(0.0, OTHER))
    await until(lambda: due == ["p"])


async def test_refusal_of_a_join_sends_on_where_it_may() -> None:
    moves, _due = _moves()
    assert moves.sent_on(None, "table") is None
    assert moves.sent_on(f"{OTHER}/whep/table", "table") == Elsewhere(OTHER)
    assert moves.sent_on(f"{TARGET}/whep/table", "table") == Elsewhere(None)
    assert moves.sent_on(f"{FOREIGN}/whep/table", "table") is None
    assert moves.sent_on(f"{OTHER}/", "table") is None
    assert moves.refused == {"not_permitted": 1, "no_url": 1}
