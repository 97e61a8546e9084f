"""Players at the hub: who gets which stream, who is told what, and how long streams and sessions live."""

import pytest

from gateway.auth.identity import nobody
from gateway.clock import monotonic_s
from gateway.config import PlayoutDelaySettings, Settings, Timeouts
from gateway.errors import SignallingError
from gateway.hub.hub import NO_PUBLISHER_RETRY_S
from gateway.transport.srtp.gcm import GcmOpener
from gateway.wire import rtcp
from gateway.wire.header_extensions import PLAYOUT_DELAY
from tests.hub.desk import MASTER, Desk, player_offer, studio_offer
from tests.ingest.offers import Section, h264, offer_of, vp8
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE


def arrived_rtcp(desk: Desk) -> list[rtcp.RtcpPacket]:
    """RTCP that peers were sent since the last call."""
    opener = GcmOpener.from_master(MASTER)
    compounds = [datagram for datagram in desk.arrived() if datagram[0] >= 128 and 192 <= datagram[1] <= 223]
    return [packet for compound in compounds for packet in rtcp.parse_compound(opener.open_rtcp(compound))]


# Players


async def test_player_watches_the_studio(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    viewer = desk.player()
    assert desk.stream().viewers == 1
    assert list(desk.hub.viewing_of(desk.stream()).viewers) == [viewer]
    assert desk.stream().figures.packets == 1
    assert any(not 192 <= datagram[1] <= 223 for datagram in desk.arrived())


async def test_joining_and_the_first_frame_are_observed_and_told(desk: Desk) -> None:
    told: list[bool] = []
    desk.hub.on_joined = lambda: told.append(True)
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    desk.player()
    assert told == [True]
    assert desk.metric("railbird_join_seconds_count", protocol="webrtc") == 1
    assert desk.metric("railbird_first_frame_seconds_count", protocol="webrtc") == 1


async def test_round_trips_of_players_are_observed(desk: Desk) -> None:
    desk.studio()
    viewer = desk.player()
    desk.hub._on_round_trip(viewer, 0.03)
    assert desk.metric("railbird_media_rtt_seconds_count", leg="egress") == 1


@pytest.mark.parametrize("name", ["nobody", "table"])
async def test_stream_without_a_publisher_is_answered_with_when_to_come_back(desk: Desk, name: str) -> None:
    desk.studio("table").session.close("peer_left")
    with pytest.raises(SignallingError) as refusal:
        desk.hub.open_viewer(name, player_offer(), nobody("192.0.2.2"))
    assert (refusal.value.status, refusal.value.headers) == (409, {"Retry-After": str(NO_PUBLISHER_RETRY_S)})


async def test_name_that_cannot_be_a_streams_is_not_found(desk: Desk) -> None:
    with pytest.raises(SignallingError) as refusal:
        desk.hub.open_viewer("a b", player_offer(), nobody("192.0.2.2"))
    assert refusal.value.status == 404


async def test_player_that_cannot_decode_leaves_no_session(desk: Desk) -> None:
    desk.studio()
    before = len(desk.port)
    with pytest.raises(SignallingError) as refusal:
        desk.hub.open_viewer(
            "table", offer_of(Section("video", "0", (vp8(96),), direction="recvonly")), nobody("192.0.2.2")
        )
    assert refusal.value.status == 406
    assert len(desk.port) == before


async def test_players_with_the_same_browser_share_layouts(desk: Desk) -> None:
    desk.studio()
    outlets = [desk.player().outlet for _ in range(2)]
    assert outlets[0] is not None
    assert outlets[1] is not None
    assert outlets[0].key == outlets[1].key


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        (Settings(playout_delay=PlayoutDelaySettings(min_ms=20, max_ms=100)), (20, 100)),
        (Settings(playout_delay=None), None),
    ],
)
async def test_playout_delay_is_what_the_settings_say(desk: Desk, asked: tuple[int, int] | None) -> None:
    desk.studio()
    section = Section("video", "0", (h264(96),), direction="recvonly", extensions={PLAYOUT_DELAY: 5})
    outlet = desk.player(offer=player_offer(section)).outlet
    assert outlet is not None
    delay = outlet.layouts["video"].key.playout_delay
    assert (delay and (delay.min_ms, delay.max_ms)) == asked


async def test_player_that_left_is_forgotten(desk: Desk) -> None:
    desk.studio()
    viewer = desk.player()
    viewer.session.close("peer_left")
    assert desk.hub.viewing_of(desk.stream()).viewers == {}
    assert desk.hub.sessions.ended["egress", "peer_left"] == 1
    assert desk.stream().viewers == 0


async def test_player_that_never_connected_is_forgotten(desk: Desk) -> None:
    desk.studio()
    session, _ = desk.hub.open_viewer("table", player_offer(), nobody("192.0.2.2"))
    session.close("handshake_timeout")
    assert desk.hub.viewing_of(desk.stream()).viewers == {}


# Upkeep


async def test_abandoned_stream_is_forgotten_with_its_viewers(desk: Desk) -> None:
    studio = desk.studio()
    viewer = desk.player()
    half_open, _ = desk.hub.open_viewer("table", player_offer(), nobody("192.0.2.2"))
    studio.session.close("peer_left")
    grace_s = Timeouts().publisher_grace_s
    desk.hub.tick_streams(monotonic_s() + grace_s - 1)
    assert not viewer.session.closed
    desk.hub.tick_streams(monotonic_s() + grace_s + 1)
    assert viewer.session.closed
    assert half_open.closed
    assert desk.hub.sessions.ended["egress", "stream_ended"] == 2
    assert len(desk.registry) == 0
    assert desk.hub.viewing == {}


async def test_ticks_reach_studios_and_players(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    desk.rtp(studio, 102, DELTA_SLICE)
    desk.player()
    arrived_rtcp(desk)
    now_s = monotonic_s()
    desk.hub.tick_publishers(now_s + 0.1)
    desk.hub.tick_viewers(now_s + 1.1)
    kinds = {type(packet) for packet in arrived_rtcp(desk)}
    assert {rtcp.GenericNack, rtcp.ReceiverReport, rtcp.SenderReport} <= kinds


async def test_missing_packets_are_asked_for_between_ticks(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    desk.rtp(studio, 102, DELTA_SLICE)
    desk.hub.ask_for_missing(monotonic_s())
    assert [p.sequence_numbers for p in arrived_rtcp(desk) if isinstance(p, rtcp.GenericNack)] == [(101,)]


async def test_drain_tells_everybody_and_admits_nobody(desk: Desk) -> None:
    studio = desk.studio()
    viewer = desk.player()
    desk.hub.drain()
    assert studio.session.closed
    assert viewer.session.closed
    assert len(desk.port) == 0
    assert any(isinstance(packet, rtcp.Bye) for packet in arrived_rtcp(desk))
    assert desk.hub.sessions.ended == {("ingest", "shutdown"): 1, ("egress", "shutdown"): 1}
    with pytest.raises(SignallingError) as refusal:
        desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    assert refusal.value.status == 503
