"""What waits for players who were not there."""

from gateway.signals import untold
from gateway.signals.untold import KEPT_S, MAX_OF_PLAYER, Untold


def test_texts_are_told_once_in_their_order() -> None:
    waiting = Untold()
    waiting.keep("ada", "1", 0.0)
    waiting.keep("bob", "2", 0.0)
    waiting.keep("ada", "3", 1.0)
    assert waiting.take("ada", 2.0) == ["1", "3"]
    assert waiting.take("ada", 2.0) == []
    assert waiting.take("bob", 2.0) == ["2"]
    assert waiting.take("eve", 2.0) == []


def test_text_is_not_kept_for_ever() -> None:
    waiting = Untold()
    waiting.keep("ada", "1", 0.0)
    assert waiting.take("ada", KEPT_S + 1) == []
    waiting.keep("bob", "2", KEPT_S + 1)
    assert len(waiting._texts) == 1


def test_texts_of_a_player_are_bounded() -> None:
    waiting = Untold()
    for number in range(MAX_OF_PLAYER + 5):
        waiting.keep("ada", str(number), 0.0)
    assert waiting.take("ada", 0.0) == [str(number) for number in range(5, MAX_OF_PLAYER + 5)]


def test_players_are_bounded() -> None:
    waiting = Untold()
    for number in range(untold.MAX_PLAYERS + 50):
        waiting.keep(f"player-{number}", "1", 0.0)
    assert len(waiting._texts) <= untold.MAX_PLAYERS + 1
    assert waiting.take("player-0", 0.0) == []
    assert waiting.take(f"player-{untold.MAX_PLAYERS + 49}", 0.0) == ["1"]
