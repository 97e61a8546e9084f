"""POST and OPTIONS of WHIP and WHEP: what is answered, and what is refused with which sentence."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription

from gateway.wire.sdp import MAX_MEDIA_SECTIONS, MAX_OFFER_BYTES
from tests.http.conftest import H264, OPUS, PUBLISH_OFFER, SDP, WATCH_OFFER, Api, Serve, StandIn
from tests.offers import read_offer


def _without(*starts: str) -> str:
    """The publishing offer without the lines that begin so."""
    return "".join(line for line in PUBLISH_OFFER.splitlines(keepends=True) if not line.startswith(starts))


def _with(pattern: str, replacement: str) -> str:
    changed = re.sub(pattern, replacement, PUBLISH_OFFER, flags=re.MULTILINE)
    assert changed != PUBLISH_OFFER
    return changed


def _assert_is_refusal(status: int, text: str, expected_status: int, said: str) -> None:
    """One sentence for a person, and nothing of how the gateway is made."""
    assert (status, said in text) == (expected_status, True), text
    assert re.fullmatch(r"[^\n]+\.\n", text), text


# What is accepted


@pytest.mark.parametrize("name", ["chromium_publish_h264", "chromium_publish_vp8"])
async def test_offer_to_publish_is_answered(api: Api, name: str) -> None:
    answer = await api.publish(offer=read_offer(name))
    assert answer.status == 201
    assert answer["Content-Type"].startswith("application/sdp")
    assert re.fullmatch(r"/whip/table/[A-Za-z0-9_-]{22}", answer["Location"])
    assert re.fullmatch(r'"[^"]+"', answer["ETag"])
    assert answer["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    sections = SessionDescription.parse(answer.text).media
    assert [section.direction for section in sections] == ["recvonly", "recvonly"]
    assert sections[1].rtp.codecs[0].name == name.rpartition("_")[2].upper()


async def test_offer_to_watch_is_answered(api: Api) -> None:
    stream = api.go_live()
    answer = await api.watch()
    assert answer.status == 201
    assert re.fullmatch(r"/whep/table/[A-Za-z0-9_-]{22}", answer["Location"])
    assert "ETag" in answer
    assert "Accept-Patch" in answer
    audio, video = SessionDescription.parse(answer.text).media
    assert (audio.direction, video.direction) == ("sendonly", "sendonly")
    assert [video.ssrc[0].ssrc, audio.ssrc[0].ssrc] == [stream.tracks[kind].ssrc for kind in ("video", "audio")]


async def test_answer_has_one_transport_with_a_candidate_in_every_section(api: Api) -> None:
    answer = SessionDescription.parse((await api.publish()).text)
    port = api.gateway.port.socket.port
    for section in answer.media:
        assert [(c.ip, c.port, c.type) for c in section.ice_candidates] == [("127.0.0.1", port, "host")]
        assert section.ice_candidates_complete
        assert section.ice is not None
        assert section.ice.iceLite
        assert section.rtcp_mux
        assert section.dtls is not None
        assert section.dtls.role == "server"
    assert len({section.ice.usernameFragment for section in answer.media if section.ice is not None}) == 1
    assert answer.group[0].items == ["0", "1"]


async def test_answer_names_the_public_addresses(serve: Serve) -> None:
    api = await serve(public_addresses=["192.0.2.1", "2001:db8::1"])
    section = SessionDescription.parse((await api.publish()).text).media[0]
    assert [candidate.ip for candidate in section.ice_candidates] == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize(("offered", "answered"), [("active", "passive"), ("passive", "active")])
async def test_answer_takes_the_other_dtls_role(api: Api, offered: str, answered: str) -> None:
    answer = await api.publish(offer=_with("^a=setup:actpass", f"a=setup:{offered}"))
    assert set(re.findall(r"a=setup:(\w+)", answer.text)) == {answered}


async def test_answers_are_taken_by_aiortc(api: Api) -> None:
    api.go_live()
    for ask, direction in ((api.publish, "sendonly"), (api.watch, "recvonly")):
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in ("audio", "video"):
            peer.addTransceiver(kind, direction=direction)
        offer = await peer.createOffer()
        answer = await ask("aiortc" if ask == api.publish else "table", offer.sdp)
        assert answer.status == 201
        await peer.setLocalDescription(offer)
        await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        await peer.close()


async def test_content_type_may_have_parameters(api: Api) -> None:
    answer = await api.request("POST", "/whip/table", PUBLISH_OFFER, {"Content-Type": "application/sdp; charset=utf-8"})
    assert answer.status == 201


async def test_offer_with_an_odd_packetization_mode_is_answered(api: Api) -> None:
    assert (await api.publish(offer=_with("packetization-mode=[01]", "packetization-mode=x"))).status == 201


async def test_offer_with_a_data_channel_refuses_only_that(api: Api) -> None:
    section = (
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=setup:actpass\r\n"
        "a=sctp-port:5000\r\n"
    )
    answer = await api.publish(offer=_with("^a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1 2") + section)
    assert answer.status == 201
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in answer.text
    assert "a=group:BUNDLE 0 1\r\n" in answer.text


# What is refused

REFUSALS = {
    "empty": ("", 400, "The offer is empty."),
    "white space": (" \r\n\r\n", 400, "The offer is empty."),
    "not SDP": ("hello", 400, "does not begin with v="),
    "JSON": ('{"sdp": "v=0"}', 400, "does not begin with v="),
    "only a version": ("v=0\r\n", 400, "no media section"),
    "garbage after the version": ("v=0\r\nm=\r\nx\r\n", 400, "does not parse"),
    "huge": ("v=0\r\n" + "a=x\r\n" * MAX_OFFER_BYTES, 413, f"longer than {MAX_OFFER_BYTES} bytes"),
    "many sections": (
        PUBLISH_OFFER + "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n" * MAX_MEDIA_SECTIONS,
        400,
        f"more than {MAX_MEDIA_SECTIONS} media sections",
    ),
    "no fingerprint": (_without("a=fingerprint"), 400, "no a=fingerprint"),
    "weak fingerprint": (
        _with("^a=fingerprint:sha-256 .*$", "a=fingerprint:md5 00:11\r"),
        400,
        "hash is not supported",
    ),
    "no setup": (_without("a=setup"), 400, "no a=setup"),
    "unknown setup": (_with("^a=setup:actpass", "a=setup:holdconn"), 400, "does not parse"),
    "no ufrag": (_without("a=ice-ufrag"), 400, "no valid a=ice-ufrag"),
    "short ufrag": (_with("^a=ice-ufrag:.*$", "a=ice-ufrag:abc\r"), 400, "no valid a=ice-ufrag"),
    "endless ufrag": (_with("^a=ice-ufrag:.*$", f"a=ice-ufrag:{'u' * 257}\r"), 400, "no valid a=ice-ufrag"),
    "no pwd": (_without("a=ice-pwd"), 400, "no valid a=ice-pwd"),
    "no mid": (_without("a=mid"), 400, "a=mid of its own"),
    "the same mid twice": (_with("^a=mid:1", "a=mid:0"), 400, "a=mid of its own"),
    "endless mid": (_with("^a=mid:1", f"a=mid:{'m' * 17}"), 400, "longer than 16"),
    "no bundle": (_without("a=group"), 400, "one BUNDLE group"),
    "half a bundle": (_with("^a=group:BUNDLE 0 1", "a=group:BUNDLE 0"), 400, "one BUNDLE group"),
    "no rtcp-mux": (_without("a=rtcp-mux"), 400, "a=rtcp-mux"),
    "ICE-lite": (_with("^a=extmap-allow-mixed", "a=ice-lite"), 400, "cannot be ICE-lite"),
    "nothing sent": (_with("^a=sendonly", "a=recvonly"), 400, "sends no audio and no video"),
    "unknown codecs": (_with(r"(opus|H264)/", "theora/"), 406, "H264, VP8, VP9, AV1 and Opus"),
}


@pytest.mark.parametrize(("offer", "status", "said"), REFUSALS.values(), ids=REFUSALS)
async def test_offer_to_publish_is_refused(api: Api, offer: str, status: int, said: str) -> None:
    answer = await api.publish(offer=offer)
    _assert_is_refusal(answer.status, answer.text, status, said)
    assert len(api.gateway.port) == 0
    assert "Access-Control-Allow-Origin" in answer


async def test_offer_in_endless_chunks_is_refused(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"v=0\r\n" * 200

    answer = await api.request("POST", "/whip/table", chunks(), SDP)
    _assert_is_refusal(answer.status, answer.text, 413, "longer than")


async def test_offer_that_is_not_utf8_is_refused(api: Api) -> None:
    answer = await api.request("POST", "/whip/table", PUBLISH_OFFER.encode() + b"\xff\xfe", SDP)
    _assert_is_refusal(answer.status, answer.text, 400, "not UTF-8")


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/trickle-ice-sdpfrag", ""])
async def test_offer_of_another_content_type_is_refused(api: Api, content_type: str) -> None:
    answer = await api.request("POST", "/whip/table", PUBLISH_OFFER, {"Content-Type": content_type})
    _assert_is_refusal(answer.status, answer.text, 415, "application/sdp")
    assert answer["Accept-Post"] == "application/sdp"


@pytest.mark.parametrize("name", ["-", ".hidden", "a b", "ä", "x" * 65, "a%2Fb", "a%00b", "..%2Fb"])
@pytest.mark.parametrize("root", ["whip", "whep"])
async def test_stream_with_a_bad_name_is_not_found(api: Api, root: str, name: str) -> None:
    answer = await api.request("POST", f"/{root}/{name}", PUBLISH_OFFER, SDP)
    _assert_is_refusal(answer.status, answer.text, 404, "A stream's name has")


async def test_watching_without_a_publisher_is_to_be_tried_again(api: Api) -> None:
    answer = await api.watch()
    _assert_is_refusal(answer.status, answer.text, 409, "Nobody publishes")
    assert answer["Retry-After"] == "2"


async def test_watching_after_the_publisher_has_gone_is_to_be_tried_again(api: Api) -> None:
    stream = api.go_live()
    assert stream.source is not None
    stream.detach(stream.source, 0.0)
    assert (await api.watch()).status == 409


async def test_watching_what_the_player_cannot_decode_is_refused(api: Api) -> None:
    api.go_live()
    offer = read_offer("chromium_publish_vp8").replace("a=sendonly", "a=recvonly")
    answer = await api.watch(offer=offer)
    _assert_is_refusal(answer.status, answer.text, 406, "video is H264 (constrained-baseline profile)")
    assert len(api.gateway.port) == 0


async def test_watching_only_what_the_stream_has_not_is_refused(api: Api) -> None:
    api.go_live(formats=(OPUS,))
    video_only = re.sub(r"^m=audio.*?(?=^m=video)", "", WATCH_OFFER, flags=re.MULTILINE | re.DOTALL)
    answer = await api.watch(offer=video_only.replace("BUNDLE 0 1", "BUNDLE 1"))
    _assert_is_refusal(answer.status, answer.text, 406, "The stream has only audio")


async def test_watching_with_an_offer_that_receives_nothing_is_refused(api: Api) -> None:
    api.go_live()
    answer = await api.watch(offer=PUBLISH_OFFER)
    _assert_is_refusal(answer.status, answer.text, 400, "receives no audio and no video")


async def test_second_publisher_is_refused_where_the_settings_say_so(serve: Serve) -> None:
    api = await serve(second_publisher="refuse")
    api.go_live()
    answer = await api.publish()
    _assert_is_refusal(answer.status, answer.text, 409, "is live")
    assert "Retry-After" in answer


async def test_second_publisher_may_replace_one_that_is_silent(serve: Serve) -> None:
    api = await serve(second_publisher="refuse", timeouts={"stale_publisher_s": 0.001})
    source = api.go_live(formats=(H264, OPUS)).source
    assert isinstance(source, StandIn)
    source.silent_s = 1.0
    assert (await api.publish()).status == 201


# Limits


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"sessions": 1}, "This gateway is full."),
        ({"sessions_per_address": 1}, "Too many sessions from this address."),
        ({"half_open_sessions": 1}, "Too many sessions are being set up."),
    ],
)
async def test_limit_reached_is_to_be_tried_again(serve: Serve, limits: dict[str, int], said: str) -> None:
    api = await serve(limits=limits)
    api.go_live()
    first = await api.watch()
    for second in (await api.watch(), await api.publish()):
        _assert_is_refusal(second.status, second.text, 503, said)
        assert int(second["Retry-After"]) > 0
    await api.request("DELETE", first["Location"])
    assert (await api.watch()).status == 201


async def test_limit_of_streams_reached_is_to_be_tried_again(serve: Serve) -> None:
    api = await serve(limits={"streams": 1})
    api.go_live("first")
    answer = await api.publish("second")
    _assert_is_refusal(answer.status, answer.text, 503, "carries no more streams")
    assert int(answer["Retry-After"]) > 0
    assert (await api.publish("first")).status == 201


async def test_draining_gateway_takes_no_sessions(api: Api) -> None:
    api.go_live()
    assert (await api.watch()).status == 201
    api.gateway.hub.drain()
    assert len(api.gateway.port) == 0
    answer = await api.watch()
    _assert_is_refusal(answer.status, answer.text, 503, "shutting down")
    assert "Retry-After" in answer


# OPTIONS and other methods


@pytest.mark.parametrize("path", ["/whip/table", "/whep/table", "/whip/table/session", "/whep/table/session"])
async def test_options_asks_for_no_token_and_says_what_may_be_posted(serve: Serve, path: str) -> None:
    api = await serve(tokens={"publish": "secret", "watch": "secret"})
    answer = await api.request("OPTIONS", path, headers={"Origin": "https://tables.example"})
    assert answer.status == 204
    assert answer["Accept-Post"] == "application/sdp"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "POST, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/whip/x"), ("GET", "/whep/x"), ("PUT", "/whip/x"), ("GET", "/whep/x/y")]
)
async def test_other_methods_are_not_allowed(api: Api, method: str, path: str) -> None:
    answer = await api.request(method, path)
    assert answer.status == 405
    assert "OPTIONS" in answer["Allow"]
    assert answer["Access-Control-Allow-Origin"] == "*"


async def test_body_that_does_not_come_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.body.BODY_TIMEOUT_S", 0.05)
    goes_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"v=0"
        await goes_on.wait()

    answer = asyncio.create_task(api.request("POST", "/whip/table", body(), SDP))
    await asyncio.sleep(0.3)
    goes_on.set()
    assert (await answer).status == 408


# Whatever else an offer may hold


def _damaged(offer: str, seed: int) -> str:
    """`offer` with some of its lines lost, doubled, swapped, cut or overwritten."""
    chance, lines = random.Random(seed), offer.split("\r\n")
    damages: list[Callable[[int], object]] = [
        lambda at: lines.pop(at),
        lambda at: lines.insert(at, lines[chance.randrange(len(lines))]),
        lambda at: lines.__setitem__(at, lines[at][: chance.randrange(len(lines[at]) + 1)]),
        lambda at: lines.__setitem__(at, re.sub(r"\d+", str(chance.choice([-1, 0, 15, 255, 256, 1 << 40])), lines[at])),
        lambda at: lines.__setitem__(at, lines[at].replace(":", chance.choice([" ", "::", "=", "\u20ac", ""]), 1)),
    ]
    for _ in range(chance.randrange(1, 6)):
        chance.choice(damages)(chance.randrange(len(lines)))
    return "\r\n".join(lines)


async def test_damaged_offer_is_answered_or_refused_but_never_fails(serve: Serve) -> None:
    api = await serve(limits={"sessions_per_address": 10_000, "half_open_sessions": 10_000})
    api.go_live()
    statuses = set()
    for seed in range(300):
        published = await api.publish("other", _damaged(PUBLISH_OFFER, seed))
        watched = await api.watch(offer=_damaged(WATCH_OFFER, seed))
        assert {published.status, watched.status} <= {201, 400, 406}, (seed, published.text, watched.text)
        statuses |= {published.status, watched.status}
    assert {201, 400} <= statuses
