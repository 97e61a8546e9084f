"""What is played at the hub: whose channel it is, and what ends, and goes, with its stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from gateway.auth.identity import Role, nobody
from gateway.clock import monotonic_s
from gateway.config import Settings, Timeouts
from gateway.hub.hub import Hub
from gateway.rounds.causes import AbortCause
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.signals.connection import Connection
from gateway.transport.data_channel import SIGNALS, Channel, DataChannels
from gateway.viewers.viewer import Viewer
from gateway.wire.dcep import DataChannelOpen
from tests.hub.desk import Desk, player_offer

ADA = replace(nobody("192.0.2.2", frozenset({Role.WATCH})), player="ada")


@dataclass
class Association:
    """Stands in for `DataChannels`: keeps what was sent."""

    texts: list[str] = field(default_factory=list)
    closed: int = 0

    def send(self, channel: Channel, text: str) -> bool:
        self.texts.append(text)
        return True

    def close_channel(self, channel: Channel) -> None:
        self.closed += 1

    def received(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self.texts)


def opened(viewer: Viewer, opening: DataChannelOpen = SIGNALS) -> tuple[Connection | None, Association]:
    """The player's page opens its channel."""
    association = Association()
    receiver = viewer.on_channel(Channel(cast(DataChannels, association), 1, opening))
    assert receiver is None or isinstance(receiver, Connection)
    return receiver, association


def watched_by_ada(desk: Desk) -> Viewer:
    session, _ = desk.hub.open_viewer("table", player_offer(), ADA)
    assert isinstance(session.peer, Viewer)
    desk.connect(session)
    return session.peer


def hub_figures(hub: Hub) -> set[str]:
    """The metrics that tell of `table`."""
    return {name for name, labels, _ in hub.play.signals.samples() if "table" in labels}


async def test_channel_is_of_who_asked_to_watch(desk: Desk) -> None:
    desk.studio()
    connection, association = opened(watched_by_ada(desk))
    assert connection is not None
    assert (connection.player, connection.stream, connection.carrier.kind) == ("ada", "table", "data_channel")
    (welcome, ping) = association.received()
    assert (welcome["type"], welcome["mayBet"], ping["type"]) == ("welcome", False, "ping")


async def test_channel_of_another_protocol_is_refused(desk: Desk) -> None:
    desk.studio()
    connection, association = opened(watched_by_ada(desk), replace(SIGNALS, protocol="chat"))
    assert connection is None
    assert [message["type"] for message in association.received()] == ["goodbye"]


async def test_draining_says_the_last_word_and_closes(desk: Desk) -> None:
    desk.studio()
    _, association = opened(watched_by_ada(desk))
    desk.hub.play.rounds.command("table", Command(RoundState.BETTING_OPEN, "r1"), monotonic_s())
    desk.hub.drain()
    *_, aborted, goodbye = association.received()
    assert (aborted["type"], aborted["round"]["state"], goodbye["type"]) == ("round", "aborted", "goodbye")
    assert association.closed == 1


async def test_stream_that_is_gone_takes_its_figures_along(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = desk.studio()
    viewer = watched_by_ada(desk)
    connection, association = opened(viewer)
    assert connection is not None
    ping_id = next(message["id"] for message in association.received() if message["type"] == "ping")
    connection.on_text(json.dumps({"type": "pong", "id": ping_id}), monotonic_s())
    connection.on_closed()
    studio.session.close("test")
    desk.hub.tick_streams(monotonic_s())
    assert "railbird_signal_messages_total" in hub_figures(desk.hub)
    desk.hub.tick_streams(monotonic_s() + 3600)
    assert hub_figures(desk.hub) == set()
    assert desk.metric("railbird_bet_signal_rtt_seconds_count", stream="table", carrier="data_channel") is None


# What ends with its stream, or with the gateway


@pytest.fixture
def settings() -> Settings:
    """For the desk."""
    return Settings(timeouts=Timeouts(publisher_grace_s=30.0))


async def test_stream_that_is_forgotten_leaves_no_round_open(desk: Desk) -> None:
    studio = desk.studio()
    heard: list[Round] = []
    desk.hub.play.rounds.listeners.append(lambda told, _now_s: heard.append(told))
    for round_id, state in (("open", RoundState.BETTING_OPEN), ("next", RoundState.SCHEDULED)):
        desk.hub.play.command_round("table", Command(state, round_id), monotonic_s())
    studio.session.close("test")
    left_s = monotonic_s()
    desk.hub.tick_streams(left_s + 29.0)
    assert len(desk.hub.play.rounds.open_rounds("table")) == 2
    desk.hub.tick_streams(left_s + 31.0)
    assert [(told.round_id, told.cause) for told in heard[2:]] == [
        ("open", AbortCause.STUDIO_DISCONNECTED),
        ("next", AbortCause.STUDIO_DISCONNECTED),
    ]
    gone_ms = heard[2].evidence["studioGoneMs"]
    assert isinstance(gone_ms, int)
    assert 30_500 < gone_ms < 31_500
    assert desk.hub.play.rounds.streams() == ()
    assert desk.hub.play.rounds.outcomes["table", "aborted"] == 2


async def test_gateway_that_leaves_ends_its_rounds_before_its_sessions(desk: Desk) -> None:
    studio = desk.studio()
    heard: list[tuple[AbortCause | None, bool]] = []
    desk.hub.play.command_round("table", Command(RoundState.BETTING_OPEN, "r-1"), monotonic_s())
    desk.hub.play.rounds.listeners.append(
        lambda told, _: heard.append((told.cause, studio.session.session_id in _ids(desk)))
    )
    desk.hub.drain()
    assert heard == [(AbortCause.POLICY, True)]


def _ids(desk: Desk) -> list[str]:
    return [session.session_id for session in desk.port.sessions()]
