"""Answers: those of the gateway, those of others, and those that no session can be made of."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.ice import Credentials, candidate_lines
from gateway.wire.answer import AnswerMedia, AnswerTransport, SendingTrack, serialize_answer
from gateway.wire.sdp import parse_offer
from loadgen.errors import SignallingError
from loadgen.signalling.answer import (
    DEFAULT_MESSAGE_BYTES,
    MAX_LINES,
    MAX_MEDIA_SECTIONS,
    AnswerChannels,
    parse_answer,
)
from loadgen.signalling.candidate import Candidate
from loadgen.signalling.offer import player_offer

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"


def _gateway_answer() -> str:
    offer = parse_offer(player_offer(Credentials("ufrag", "p" * 24), FINGERPRINT, []))
    video, audio = offer.media
    h264 = next(codec for codec in video.codecs if codec.mime == "video/h264")
    answers = [
        AnswerMedia(video, "sendonly", h264, {CAPTURE_TIME: 13}, ["nack", "nack pli"], SendingTrack(1, 2, "c", "m v")),
        AnswerMedia(audio, "sendonly", audio.codecs[0], sends=SendingTrack(3, None, "c", "m a")),
    ]
    candidates = candidate_lines(["192.0.2.1", "2001:db8::1"], 8189)
    return serialize_answer(offer, answers, AnswerTransport("ours", "q" * 24, FINGERPRINT, "passive", candidates))


ANSWER = _gateway_answer()


def test_answer_of_the_gateway() -> None:
    answer = parse_answer(ANSWER)
    assert (answer.credentials, answer.is_lite, answer.setup) == (Credentials("ours", "q" * 24), True, "passive")
    assert answer.fingerprints == (("sha-256", FINGERPRINT[8:]),)
    assert answer.candidates == (
        Candidate("192.0.2.1", 8189, 2130706431),
        Candidate("2001:db8::1", 8189, 2130706175),
    )


def test_media_of_the_gateway() -> None:
    video, audio = parse_answer(ANSWER).media
    assert (video.kind, video.mid, video.mime, video.clock_rate_hz) == ("video", "0", "video/h264", 90_000)
    assert (video.payload_type, video.rtx_payload_type, video.ssrc, video.rtx_ssrc) == (102, 103, 1, 2)
    assert video.extensions == {CAPTURE_TIME: 13}
    assert video.feedback == {"nack", "nack pli"}
    assert (audio.mime, audio.payload_type, audio.rtx_payload_type) == ("audio/opus", 111, None)
    assert (audio.ssrc, audio.rtx_ssrc, audio.clock_rate_hz) == (3, None, 48_000)


def test_first_of_a_kind() -> None:
    answer = parse_answer(ANSWER)
    assert (answer.first("video"), answer.first("audio"), answer.first("text")) == (*answer.media, None)


def test_codec_is_the_first_of_the_m_line_that_is_no_retransmission() -> None:
    more = ANSWER.replace("SAVPF 102 103", "SAVPF 103 120 102").replace(
        "a=rtpmap:102", "a=rtpmap:120 VP8/90000\r\na=rtpmap:102", 1
    )
    video = parse_answer(more).media[0]
    assert (video.mime, video.payload_type, video.rtx_payload_type) == ("video/vp8", 120, None)


def test_credentials_and_fingerprint_may_stand_above_the_sections() -> None:
    moved = ["a=ice-ufrag:ours", f"a=ice-pwd:{'q' * 24}", f"a=fingerprint:{FINGERPRINT}", "a=setup:passive"]
    text = ANSWER
    for line in moved:
        text = text.replace(f"{line}\r\n", "")
    text = text.replace("t=0 0\r\n", "t=0 0\r\n" + "".join(f"{line}\r\n" for line in moved))
    assert parse_answer(text) == parse_answer(ANSWER)


def test_candidates_that_are_not_for_us_are_left_out() -> None:
    text = ANSWER.replace("192.0.2.1", "name.local")
    assert [candidate.host for candidate in parse_answer(text).candidates] == ["2001:db8::1"]


@pytest.mark.parametrize("refusal", ["m=audio 0 ", "inactive"])
def test_refused_section_is_left_out(refusal: str) -> None:
    head, audio = ANSWER.split("m=audio 9 ")
    text = (
        f"{head}m=audio 0 {audio}"
        if refusal != "inactive"
        else f"{head}m=audio 9 {audio}".replace("a=mid:1\r\na=sendonly", "a=mid:1\r\na=inactive")
    )
    assert [media.kind for media in parse_answer(text).media] == ["video"]


def _without(prefix: str) -> str:
    return re.sub(rf"^{prefix}.*\r\n", "", ANSWER, flags=re.MULTILINE)


UNUSABLE = {
    "empty": ("", "begin with v="),
    "HTML": ("<html>", "begin with v="),
    "no media": ("v=0\r\ns=-\r\nt=0 0\r\n", "no media"),
    "all refused": (re.sub("^m=([a-z]+) 9", r"m=\1 0", ANSWER, flags=re.MULTILINE), "no media"),
    "no codec": (_without("a=(rtpmap|fmtp|rtcp-fb)"), "no media"),
    "only retransmission": (ANSWER.replace("H264/90000", "rtx/90000"), "does not parse"),
    "no fingerprint": (_without("a=fingerprint"), "a=fingerprint"),
    "unknown hash": (ANSWER.replace("sha-256", "md5"), "a=fingerprint"),
    "no setup": (_without("a=setup"), "a=setup"),
    "undecided setup": (ANSWER.replace("a=setup:passive", "a=setup:actpass"), "a=setup"),
    "unknown setup": (ANSWER.replace("a=setup:passive", "a=setup:holdconn"), "does not parse"),
    "no ufrag": (_without("a=ice-ufrag"), "a=ice-ufrag"),
    "short pwd": (ANSWER.replace("q" * 24, "q" * 21), "a=ice-pwd"),
    "long ufrag": (ANSWER.replace("a=ice-ufrag:ours", f"a=ice-ufrag:{'o' * 257}"), "a=ice-ufrag"),
    "not bundled": (ANSWER.replace("a=ice-ufrag:ours", "a=ice-ufrag:others", 1), "bundle"),
    "no rtcp-mux": (_without("a=rtcp-mux"), "a=rtcp-mux"),
    "broken candidate": (ANSWER.replace("a=candidate:1 1", "a=candidate:1 one"), "does not parse"),
    "broken m-line": (ANSWER.replace("m=video 9", "m=video nine"), "does not parse"),
    "ssrc too large": (ANSWER.replace("FID 1 2", "FID 1 4294967296"), "out of range"),
    "no clock rate": (ANSWER.replace("H264/90000", "H264/0"), "out of range"),
    "payload type too large": (ANSWER.replace("102 ", "202 ").replace(":102 ", ":202 "), "out of range"),
    "too many sections": (ANSWER + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * MAX_MEDIA_SECTIONS, "media sections"),
    "too many ssrcs": (ANSWER + "a=ssrc:1 cname:x\r\n" * MAX_LINES["a=ssrc"], "lines of a=ssrc"),
}


@pytest.mark.parametrize(("text", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_answer_that_is_unusable(text: str, sentence: str) -> None:
    with pytest.raises(SignallingError, match=sentence) as raised:
        parse_answer(text)
    assert raised.value.cause == "answer"


_LINES = ANSWER.splitlines(keepends=True)


@given(
    st.lists(st.sampled_from(_LINES), max_size=60),
    st.text(alphabet="av=m:/ 0129-\r\n\x0bsetupfingerxt", max_size=40),
    st.integers(0, 60),
)
def test_answer_of_any_lines_is_one_or_is_refused(lines: list[str], noise: str, where: int) -> None:
    text = "v=0\r\n" + "".join([*lines[:where], noise, *lines[where:]])
    with contextlib.suppress(SignallingError):
        assert parse_answer(text).media


@given(st.integers(0, len(ANSWER) - 1), st.text(min_size=1, max_size=8))
def test_answer_with_a_broken_spot_is_one_or_is_refused(where: int, noise: str) -> None:
    with contextlib.suppress(SignallingError):
        assert parse_answer(ANSWER[:where] + noise + ANSWER[where + len(noise) :]).media


CHANNELS = """m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:2
a=sctp-port:5000
a=max-message-size:4096
""".replace("\n", "\r\n")


def test_data_channels_are_read_beside_the_media() -> None:
    assert parse_answer(ANSWER).channels is None
    answer = parse_answer(ANSWER + CHANNELS)
    assert answer.channels == AnswerChannels(5000, 4096)
    assert len(answer.media) == 2


def test_data_channels_that_are_refused_are_none() -> None:
    assert parse_answer(ANSWER + CHANNELS.replace("application 9", "application 0")).channels is None


def test_largest_message_that_is_not_told_is_the_default() -> None:
    told = parse_answer(ANSWER + CHANNELS.replace("a=max-message-size:4096\r\n", ""))
    assert told.channels == AnswerChannels(5000, DEFAULT_MESSAGE_BYTES)


@pytest.mark.parametrize("port", ["", "a=sctp-port:0\r\n", "a=sctp-port:65536\r\n", "a=sctp-port:x\r\n"])
def test_data_channels_without_a_port_are_refused(port: str) -> None:
    with pytest.raises(SignallingError):
        parse_answer(ANSWER + CHANNELS.replace("a=sctp-port:5000\r\n", port))
