"""What players with a token may have missed."""

import pytest

from gateway.signals import untold
from gateway.signals.untold import KEPT_S, MAX_OF_PLAYER, Untold


def test_texts_are_kept_in_their_order() -> None:
    kept = Untold()
    kept.keep("ada", "1", 0.0)
    kept.keep("bob", "2", 0.0)
    kept.keep("ada", "3", 1.0)
    assert kept.of_player("ada", 2.0) == ["1", "3"]
    assert kept.of_player("ada", 2.0) == ["1", "3"]
    assert kept.of_player("bob", 2.0) == ["2"]
    assert kept.of_player("eve", 2.0) == []


def test_text_is_not_kept_for_ever() -> None:
    kept = Untold()
    kept.keep("ada", "1", 0.0)
    assert kept.of_player("ada", KEPT_S) == ["1"]
    assert kept.of_player("ada", KEPT_S + 1) == []
    kept.keep("bob", "2", KEPT_S + 1)
    assert len(kept) == 1


def test_text_is_kept_as_long_after_an_older_one_as_alone() -> None:
    kept = Untold()
    kept.keep("ada", "1", 0.0)
    kept.keep("bob", "2", 1.0)
    kept.keep("ada", "3", KEPT_S)
    kept.keep("eve", "4", KEPT_S + 2)
    assert kept.of_player("ada", KEPT_S + 2) == ["3"]
    assert len(kept) == 2


def test_texts_of_a_player_are_bounded() -> None:
    kept = Untold()
    for number in range(MAX_OF_PLAYER + 5):
        kept.keep("ada", str(number), 0.0)
    assert kept.of_player("ada", 0.0) == [str(number) for number in range(5, MAX_OF_PLAYER + 5)]


def test_players_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untold, "MAX_PLAYERS", 3)
    kept = Untold()
    for player in ("ada", "bob", "eve", "ada", "kim"):
        kept.keep(player, "1", 0.0)
    assert len(kept) == 3
    assert kept.of_player("bob", 0.0) == []
    assert kept.of_player("ada", 0.0) == ["1", "1"]
