"""The offers are ones that the gateway's parser and stock aiortc take, and promise nothing that we do not do."""

import re

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from gateway.transport.ice import Credentials
from gateway.wire.header_extensions import ABS_CAPTURE_TIME
from gateway.wire.sdp import parse_offer
from loadgen.signalling.answer import parse_answer
from loadgen.signalling.candidate import host_candidate
from loadgen.signalling.offer import StudioSsrcs, player_offer, player_offer_with_signals, studio_offer

LOCAL = Credentials("ufrag", "p" * 24)
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
CANDIDATE = host_candidate("127.0.0.1", 5000)

PLAYER = player_offer(LOCAL, FINGERPRINT, [CANDIDATE])
STUDIO = studio_offer(LOCAL, FINGERPRINT, [CANDIDATE], ssrcs=StudioSsrcs(1, 2, 3))


@pytest.mark.parametrize(("offer", "direction"), [(PLAYER, "recvonly"), (STUDIO, "sendonly")])
def test_offer_is_understood_by_the_gateway(offer: str, direction: str) -> None:
    parsed = parse_offer(offer)
    assert (parsed.ufrag, parsed.pwd, parsed.fingerprints) == ("ufrag", "p" * 24, [("sha-256", FINGERPRINT[8:])])
    assert parsed.setup == "actpass"
    assert [(media.kind, media.direction) for media in parsed.media] == [("video", direction), ("audio", direction)]
    assert all(ABS_CAPTURE_TIME in media.extensions for media in parsed.media if media.kind == "video")


@pytest.mark.parametrize("offer", [PLAYER, STUDIO])
def test_offer_is_whole(offer: str) -> None:
    assert "{" not in offer
    assert offer.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n|\n\r?\n", offer), "a line ends without CRLF, or is empty"
    assert offer.count(f"a=candidate:{CANDIDATE}\r\na=end-of-candidates\r\n") == 2


def test_player_offers_all_video_codecs_with_retransmission_and_opus() -> None:
    video, audio = parse_offer(PLAYER).media
    assert {codec.mime for codec in video.codecs} == {"video/h264", "video/vp8", "video/vp9", "video/av1"}
    assert all(codec.rtx_payload_type is not None for codec in video.codecs)
    profiles = {codec.parameters["profile-level-id"] for codec in video.codecs if codec.mime == "video/h264"}
    assert profiles == {"42001f", "42e01f", "4d001f", "f4001f"}
    assert [codec.mime for codec in audio.codecs] == ["audio/opus"]


def test_player_offers_no_feedback_that_it_does_not_send() -> None:
    offered = {kind for media in parse_offer(PLAYER).media for codec in media.codecs for kind in codec.feedback}
    assert offered == {"nack", "nack pli", "ccm fir"}
    assert "transport-wide-cc" not in PLAYER
    assert "abs-send-time" not in PLAYER


@pytest.mark.parametrize("offer", [PLAYER, STUDIO])
def test_payload_types_and_extension_ids_mean_one_thing_in_the_bundle(offer: str) -> None:
    payload_types = re.findall(r"^a=rtpmap:(\d+)", offer, re.MULTILINE)
    assert len(payload_types) == len(set(payload_types))
    extensions = set(re.findall(r"^a=extmap:(\d+) (\S+)", offer, re.MULTILINE))
    assert len(extensions) == len({number for number, _uri in extensions})


def test_studio_tells_its_ssrcs() -> None:
    video, audio = parse_offer(STUDIO).media
    assert (video.ssrcs, audio.ssrcs) == ((1, 2), (3,))
    assert "a=ssrc-group:FID 1 2\r\n" in STUDIO


def test_studio_need_not_tell_its_ssrcs() -> None:
    assert "a=ssrc" not in studio_offer(LOCAL, FINGERPRINT, [])


def test_studio_names_its_profile() -> None:
    offer = studio_offer(LOCAL, FINGERPRINT, [], profile_level_id="640c1f")
    assert parse_offer(offer).media[0].codecs[0].parameters["profile-level-id"] == "640c1f"


@pytest.mark.parametrize(("offer", "direction"), [(PLAYER, "sendonly"), (STUDIO, "recvonly")])
async def test_offer_is_answered_by_aiortc_and_its_answer_is_understood(offer: str, direction: str) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        for kind in ("video", "audio"):
            connection.addTransceiver(kind, direction)
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer = parse_answer(connection.localDescription.sdp)
        assert (answer.setup, answer.is_lite) == ("active", False)
        assert [media.kind for media in answer.media] == ["video", "audio"]
        assert answer.media[1].mime == "audio/opus"
    finally:
        await connection.close()


def test_player_with_signals_offers_data_channels_in_the_bundle() -> None:
    offer = player_offer_with_signals(LOCAL, FINGERPRINT, ["1 1 udp 1 192.0.2.9 5000 typ host"])
    assert "a=group:BUNDLE 0 1 2\r\n" in offer
    assert "m=application" not in PLAYER
    parsed = parse_offer(offer)
    (section,) = [media for media in parsed.media if media.sctp is not None]
    assert (section.mid, section.sctp.port if section.sctp else None) == ("2", 5000)
    assert offer.count("typ host") == 3
    assert "{" not in offer
