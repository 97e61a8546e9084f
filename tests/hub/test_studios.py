"""Studios at the hub: who gets which stream, who is sent away, and what is noted of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import structlog

from gateway.auth.identity import Identity, Role, nobody
from gateway.clock import monotonic_s
from gateway.config import Limits, SecondPublisher, Settings, Timeouts
from gateway.errors import SignallingError
from gateway.wire.h264 import H264Profile
from tests.hub.desk import Desk, studio_offer
from tests.ingest.offers import Section, h264, vp8
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE

ONE_STREAM = Settings(limits=Limits(streams=1))
REFUSES = Settings(second_publisher=SecondPublisher.REFUSE)
CLARA = Identity("192.0.2.1", frozenset({Role.PUBLISH}), frozenset({"table"}), player="clara", proof="2026-11")
DORA = replace(CLARA, client="192.0.2.2", player="dora")


async def test_studio_gets_its_stream_once_it_is_connected(desk: Desk) -> None:
    session, _ = desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    assert desk.registry.stream("table") is None
    desk.connect(session)
    assert desk.stream().source is desk.hub.studios.publishers[session.session_id]
    assert set(desk.stream().tracks) == {"video", "audio"}


@pytest.mark.parametrize("settings", [ONE_STREAM])
async def test_stream_beyond_the_limit_is_refused_when_it_is_asked_for(desk: Desk) -> None:
    desk.studio("one")
    with pytest.raises(SignallingError) as refusal:
        desk.hub.studios.open("two", studio_offer(), nobody("192.0.2.1"))
    assert refusal.value.status == 503


@pytest.mark.parametrize("settings", [ONE_STREAM])
async def test_stream_beyond_the_limit_is_refused_when_another_was_faster(desk: Desk) -> None:
    session, _ = desk.hub.studios.open("two", studio_offer(), nobody("192.0.2.1"))
    desk.studio("one")
    desk.connect(session)
    assert session.closed
    assert desk.registry.stream("two") is None
    assert desk.hub.sessions.ended["ingest", "refused"] == 1


async def test_second_studio_takes_over(desk: Desk) -> None:
    first = desk.studio()
    second = desk.studio()
    assert desk.stream().source is second
    assert first.session.closed
    assert desk.hub.studios.takeovers == 1
    assert desk.hub.sessions.ended["ingest", "taken_over"] == 1
    assert list(desk.hub.studios.publishers.values()) == [second]


@pytest.mark.parametrize("settings", [REFUSES])
async def test_second_studio_is_refused_where_it_may_not_take_over(desk: Desk) -> None:
    first = desk.studio()
    with pytest.raises(SignallingError, match="not to be replaced") as refusal:
        desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    assert refusal.value.status == 409
    assert "Retry-After" in refusal.value.headers
    assert desk.stream().source is first


@pytest.mark.parametrize("settings", [REFUSES])
async def test_second_studio_that_was_slower_is_sent_away(desk: Desk) -> None:
    slow, _ = desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    fast = desk.studio()
    desk.connect(slow)
    assert slow.closed
    assert desk.stream().source is fast
    assert desk.hub.studios.takeovers == 0


@pytest.mark.parametrize("settings", [REFUSES])
async def test_studio_that_is_silent_may_always_be_replaced(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.studio()
    later_s = monotonic_s() + Timeouts().stale_publisher_s + 0.1
    monkeypatch.setattr("gateway.hub.studios.monotonic_s", lambda: later_s)
    second = desk.studio()
    assert first.session.closed
    assert desk.stream().source is second


async def test_studio_that_left_leaves_its_viewers(desk: Desk) -> None:
    studio = desk.studio()
    viewer = desk.player()
    studio.session.close("peer_left")
    assert desk.stream().source is None
    assert desk.hub.studios.publishers == {}
    assert desk.hub.sessions.ended["ingest", "peer_left"] == 1
    assert not viewer.session.closed


async def test_figures_of_a_studio_outlive_it(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    desk.rtp(studio, 103, DELTA_SLICE)
    studio.tick(monotonic_s())
    studio.session.close("peer_left")
    before = desk.stream().ingest_before
    assert before.packets_nacked == 2
    assert (before.video_expected, before.video_missed, before.video_recovered) == (4, 2, 0)
    assert desk.stream().source_lost_by == "peer_left"


async def test_takeover_in_the_same_format_keeps_the_viewers(desk: Desk) -> None:
    desk.studio()
    viewer = desk.player()
    desk.studio()
    assert not viewer.session.closed
    assert desk.stream().viewers == 1


async def test_takeover_in_another_format_sends_the_viewers_to_negotiate_anew(desk: Desk) -> None:
    desk.studio()
    viewer = desk.player()
    desk.studio(offer=studio_offer(Section("video", "0", (vp8(96),))))
    assert viewer.session.closed
    assert desk.hub.sessions.ended["egress", "stream_changed"] == 1
    assert desk.stream().viewers == 0


async def test_studio_is_asked_for_the_format_that_the_stream_has(desk: Desk) -> None:
    desk.studio(offer=studio_offer(Section("video", "0", (h264(102, "64001f"),))))
    both = Section("video", "0", (vp8(96), h264(104, "42e01f"), h264(106, "640028")))
    studio = desk.studio(offer=studio_offer(both))
    assert studio.tracks[0].media.payload_type == 106
    assert desk.stream().tracks["video"].format.profile is H264Profile.HIGH


async def test_round_trips_of_studios_are_observed(desk: Desk) -> None:
    desk.hub.studios.measured_round_trip(0.02)
    assert desk.metric("railbird_media_rtt_seconds_count", leg="ingest") == 1


# The audit trail


def _comes(desk: Desk, who: Identity) -> str:
    """A studio whose media path stands; its session."""
    session, _ = desk.hub.studios.open("table", studio_offer(), who)
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
        slow, _ = desk.hub.studios.open("table", studio_offer(), DORA)
        _comes(desk, CLARA)
        desk.connect(slow)
    assert [(entry["deed"], entry["outcome"], entry["client"]) for entry in _trail(logs)] == [
        ("publish", "done", "192.0.2.1"),
        ("publish", "refused", "192.0.2.2"),
    ]


async def test_studios_that_left_are_forgotten(desk: Desk) -> None:
    for _ in range(3):
        _comes(desk, CLARA)
    half_open, _ = desk.hub.studios.open("table", studio_offer(), DORA)
    half_open.close("test_over")
    assert list(desk.hub.studios._who) == list(desk.hub.studios.publishers)
    assert len(desk.hub.studios._who) == 1
