"""What the API tells of streams and sessions: JSON, units in names, nothing that ends a session or finds a person."""

import json

from gateway.auth.identity import nobody
from gateway.clock import monotonic_s
from gateway.config import Timeouts
from gateway.hub.report import session_report, stream_report
from gateway.transport.peer import Leg
from tests.hub.desk import Desk, player_offer
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE


async def test_live_stream_is_reported_with_its_studio_and_tracks(desk: Desk) -> None:
    studio = desk.studio()
    desk.player()
    since_s = desk.stream().live_since_s
    assert since_s is not None
    report = stream_report(desk.hub, desk.stream(), since_s + 1)
    assert (report["stream"], report["state"], report["viewers"], report["since_s"]) == ("table", "live", 1, 1.0)
    assert report["publisher"] == {"address_family": "ipv4", "rtt_s": None}
    assert [(track["kind"], track["codec"]) for track in report["tracks"]] == [("video", "H264"), ("audio", "opus")]
    studio.round_trip_s = 0.03
    assert stream_report(desk.hub, desk.stream(), monotonic_s())["publisher"]["rtt_s"] == 0.03


async def test_stream_whose_studio_has_gone_is_reported_as_waiting(desk: Desk) -> None:
    desk.studio().session.close("peer_left")
    report = stream_report(desk.hub, desk.stream(), monotonic_s())
    assert (report["state"], report["publisher"], report["since_s"]) == ("waiting", None, None)
    assert [track["codec"] for track in report["tracks"]] == ["H264", "opus"]


async def test_stream_whose_studio_hangs_is_reported_as_waiting_with_its_studio(desk: Desk) -> None:
    desk.studio()
    report = stream_report(desk.hub, desk.stream(), monotonic_s() + Timeouts().stale_publisher_s + 1)
    assert report["state"] == "waiting"
    assert report["publisher"] is not None


async def test_track_is_reported_with_what_came(desk: Desk) -> None:
    studio = desk.studio()
    for number, payload in ((100, IDR_SLICE), (101, DELTA_SLICE), (104, DELTA_SLICE)):
        desk.rtp(studio, number, payload)
    picture, _sound = desk.stream().tracks.values()
    assert picture.keyframe_arrival_s is not None
    video, audio = stream_report(desk.hub, desk.stream(), picture.keyframe_arrival_s + 1)["tracks"]
    assert (video["packets"], video["frames"], video["keyframe_age_s"]) == (3, 3, 1.0)
    assert (audio["packets"], audio["frames"], audio["keyframe_age_s"], audio["keyframe_requests"]) == (0, 0, None, 0)


async def test_track_is_reported_with_its_rates(desk: Desk) -> None:
    studio, stream = desk.studio(), desk.stream()
    stream.sample_rate(0.0)
    desk.rtp(studio, 100, IDR_SLICE)
    stream.sample_rate(1.0)
    report = stream_report(desk.hub, stream, monotonic_s())
    assert report["bitrate_bps"] == report["tracks"][0]["bitrate_bps"] == 8 * len(IDR_SLICE)
    assert report["tracks"][0]["frame_rate"] == 1.0


async def test_track_is_reported_with_what_its_own_packets_lost(desk: Desk) -> None:
    studio = desk.studio()
    desk.rtp(studio, 100, IDR_SLICE)
    video, audio = studio.tracks
    video.nacks.recovered, video.nacks.abandoned, audio.nacks.recovered = 3, 2, 1
    tracks = stream_report(desk.hub, desk.stream(), monotonic_s())["tracks"]
    assert [(track["lost"], track["recovered"]) for track in tracks] == [(2, 3), (0, 1)]


async def test_keyframe_requests_are_reported_of_the_picture(desk: Desk) -> None:
    desk.studio()
    desk.stream().request_keyframe(monotonic_s())
    video, audio = stream_report(desk.hub, desk.stream(), monotonic_s())["tracks"]
    assert (video["keyframe_requests"], audio["keyframe_requests"]) == (1, 0)


async def test_stream_report_is_json_without_sessions_and_addresses(desk: Desk) -> None:
    session_ids = [desk.studio().session_id, desk.player().session.session_id]
    text = json.dumps(stream_report(desk.hub, desk.stream(), monotonic_s()))
    assert [secret for secret in (*session_ids, "127.0.0.1", "192.0.2.") if secret in text] == []


async def test_session_that_is_connected_is_reported_with_its_cipher(desk: Desk) -> None:
    session = desk.studio().session
    session.last_seen_s = session.created_s + 1
    assert session_report(session, session.created_s + 5) == {
        "session": session.session_id,
        "stream": "table",
        "leg": Leg.INGEST.value,
        "state": "connected",
        "age_s": 5.0,
        "silent_s": 4.0,
        "profile": "SRTP_AEAD_AES_128_GCM",
    }


async def test_session_that_shakes_hands_is_reported_as_connecting(desk: Desk) -> None:
    desk.studio()
    session, _ = desk.hub.open_viewer("table", player_offer(), nobody("192.0.2.2"))
    report = session_report(session, monotonic_s())
    assert (report["leg"], report["state"], report["profile"]) == ("egress", "connecting", None)
    assert "192.0.2.2" not in json.dumps(report)
