"""What the hub notes of studios: who published, who took over, who was too slow."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import structlog

from gateway.auth.identity import Identity, Role
from gateway.config import Settings
from tests.hub.desk import Desk, studio_offer

CLARA = Identity("192.0.2.1", frozenset({Role.PUBLISH}), frozenset({"table"}), player="clara", proof="2026-11")
DORA = replace(CLARA, client="192.0.2.2", player="dora")
REFUSES = Settings.model_validate({"second_publisher": "refuse"})


def _comes(desk: Desk, who: Identity) -> str:
    """A studio whose media path stands; its session."""
    session, _ = desk.hub.open_publisher("table", studio_offer(), who)
    desk.connect(session)
    return session.session_id


def _trail(logs: list[Any]) -> list[Mapping[str, Any]]:
    return [entry for entry in logs if entry["event"] == "audit"]


async def test_publisher_and_who_takes_over_are_noted(desk: Desk) -> None:
    with structlog.testing.capture_logs() as logs:
        first, second = _comes(desk, CLARA), _comes(desk, DORA)
    published, taken = _trail(logs)
    assert (published["deed"], published["outcome"], published["stream"]) == ("publish", "done", "table")
    assert (published["session"], published["client"], published["proof"]) == (first, "192.0.2.1", "2026-11")
    assert (taken["deed"], taken["session"], taken["replacedSession"]) == ("takeover", second, first)
    assert published["playerHash"] != taken["playerHash"]
    assert "clara" not in repr(logs)


@pytest.mark.parametrize("settings", [REFUSES])
async def test_publisher_that_was_too_slow_is_noted_as_refused(desk: Desk) -> None:
    with structlog.testing.capture_logs() as logs:
        slow, _ = desk.hub.open_publisher("table", studio_offer(), DORA)
        _comes(desk, CLARA)
        desk.connect(slow)
    assert [(entry["deed"], entry["outcome"], entry["client"]) for entry in _trail(logs)] == [
        ("publish", "done", "192.0.2.1"),
        ("publish", "refused", "192.0.2.2"),
    ]


async def test_studios_that_left_are_forgotten(desk: Desk) -> None:
    for _ in range(3):
        _comes(desk, CLARA)
    half_open, _ = desk.hub.open_publisher("table", studio_offer(), DORA)
    half_open.close("test_over")
    assert list(desk.hub._studios) == list(desk.hub.publishers)
    assert len(desk.hub._studios) == 1
