"""Answers, read back as aiortc (a client) reads them, and line by line where a client is peculiar."""

from dataclasses import replace

import pytest
from aiortc.rtcsctptransport import RTCSctpCapabilities
from aiortc.sdp import MediaDescription, SessionDescription

from gateway.wire.answer import AnswerMedia, AnswerTransport, SendingTrack, serialize_answer
from gateway.wire.sdp import Codec, Media, Offer, Sctp

CANDIDATES = ("1 1 udp 2130706431 192.0.2.1 8189 typ host", "2 1 udp 2130706175 2001:db8::1 8189 typ host")
TRANSPORT = AnswerTransport("ufrag", "p" * 24, "sha-256 " + ":".join(["AB"] * 32), "passive", CANDIDATES)

H264 = Codec(
    102, "video/h264", 90_000, None, {"packetization-mode": "1", "profile-level-id": "42e01f"}, frozenset(), 103
)
OPUS = Codec(111, "audio/opus", 48_000, 2, {"minptime": 10, "useinbandfec": 1}, frozenset())
TRACK = SendingTrack(0xCAFE, 0xBEEF, "railbird", "table video")


def media(kind: str, mid: str, *codecs: Codec, rejected: bool = False, formats: tuple[str, ...] | None = None) -> Media:
    """An offered section."""
    types = tuple(str(codec.payload_type) for codec in codecs) if formats is None else formats
    return Media(kind, mid, "UDP/TLS/RTP/SAVPF", types, "sendrecv", codecs, {}, (), rejected)


VIDEO = media("video", "v", H264, formats=("102", "103"))
AUDIO = media("audio", "a", OPUS)
DATA = Media("application", "d", "UDP/DTLS/SCTP", ("webrtc-datachannel",), "sendrecv", (), {}, (), False)


def answer_to(*sections: AnswerMedia, mixed: bool = False, reduced: bool = False) -> str:
    """The answer as text."""
    offer = Offer(tuple(s.offered for s in sections), "remote", "q" * 22, [], "actpass", mixed, reduced)
    return serialize_answer(offer, sections, TRANSPORT)


def read(answer: str) -> list[MediaDescription]:
    """The sections as aiortc reads them."""
    return SessionDescription.parse(answer).media


def attributes(answer: str, section: int = 0) -> list[str]:
    """The lines of one section after its first."""
    return answer.split("\r\nm=")[1 + section].splitlines()[1:]


FULL = (
    AnswerMedia(AUDIO, "recvonly", OPUS),
    AnswerMedia(VIDEO, "sendonly", H264, {"urn:x": 3}, ("nack", "nack pli"), TRACK),
)


def test_lines_end_with_carriage_return_and_line_feed() -> None:
    answer = answer_to(*FULL, AnswerMedia(DATA))
    assert answer.endswith("\r\n")
    assert answer.replace("\r\n", "").isprintable()
    assert "" not in answer.split("\r\n")[:-1]


def test_first_lines_are_in_the_order_of_the_format() -> None:
    lines = answer_to(*FULL).split("\r\n")
    assert [line[:2] for line in lines[:4]] == ["v=", "o=", "s=", "t="]
    assert lines[4:6] == ["a=ice-lite", "a=group:BUNDLE a v"]


def test_every_section_has_the_transport_and_all_candidates() -> None:
    for section in read(answer_to(*FULL, AnswerMedia(media("audio", "b", OPUS)))):
        assert section.ice is not None
        assert section.dtls is not None
        assert (section.ice.usernameFragment, section.ice.password, section.ice.iceLite) == ("ufrag", "p" * 24, True)
        assert section.dtls.role == "server"
        assert [fingerprint.algorithm for fingerprint in section.dtls.fingerprints] == ["sha-256"]
        assert [candidate.ip for candidate in section.ice_candidates] == ["192.0.2.1", "2001:db8::1"]
        assert section.ice_candidates_complete
        assert section.rtcp_mux


def test_sections_keep_order_kind_and_mid_of_the_offer() -> None:
    sections = read(answer_to(AnswerMedia(DATA), *reversed(FULL)))
    assert [(s.kind, s.rtp.muxId) for s in sections] == [("application", "d"), ("video", "v"), ("audio", "a")]
    assert [s.direction for s in sections] == [None, "sendonly", "recvonly"]


def test_codec_and_its_rtx_are_the_only_formats() -> None:
    (section,) = read(answer_to(FULL[1]))
    assert section.fmt == [102, 103]
    assert [(c.payloadType, c.mimeType, c.clockRate, c.parameters) for c in section.rtp.codecs] == [
        (102, "video/H264", 90_000, H264.parameters),
        (103, "video/rtx", 90_000, {"apt": 102}),
    ]


def test_codec_without_rtx_stands_alone() -> None:
    (section,) = read(answer_to(AnswerMedia(VIDEO, "recvonly", replace(H264, rtx_payload_type=None))))
    assert section.fmt == [102]
    assert [codec.name for codec in section.rtp.codecs] == ["H264"]


def test_rtx_of_payload_type_zero_is_among_the_formats() -> None:
    (section,) = read(answer_to(AnswerMedia(VIDEO, "recvonly", replace(H264, rtx_payload_type=0))))
    assert section.fmt == [codec.payloadType for codec in section.rtp.codecs] == [102, 0]


def test_sound_keeps_its_channels() -> None:
    (section,) = read(answer_to(FULL[0]))
    assert [(codec.name, codec.channels, codec.parameters) for codec in section.rtp.codecs] == [
        ("opus", 2, {"minptime": 10, "useinbandfec": 1})
    ]


@pytest.mark.parametrize("channels", [None, 1])
def test_one_channel_is_not_said(channels: int | None) -> None:
    answer = answer_to(AnswerMedia(AUDIO, "recvonly", replace(OPUS, channels=channels)))
    assert "a=rtpmap:111 opus/48000\r\n" in answer


def test_parameter_without_a_value_has_no_equals_sign() -> None:
    answer = answer_to(AnswerMedia(VIDEO, "recvonly", replace(H264, parameters={"flag": None, "x": "1"})))
    assert "a=fmtp:102 flag;x=1\r\n" in answer


def test_feedback_is_that_of_the_section() -> None:
    feedback = [f"{f.type} {f.parameter or ''}".strip() for f in read(answer_to(FULL[1]))[0].rtp.codecs[0].rtcpFeedback]
    assert feedback == ["nack", "nack pli"]
    assert "a=rtcp-fb" not in answer_to(FULL[0])


def test_extensions_have_the_offered_ids() -> None:
    assert [(e.id, e.uri) for e in read(answer_to(FULL[1]))[0].rtp.headerExtensions] == [(3, "urn:x")]


# What we send


def test_sent_track_has_its_ssrcs_name_and_group() -> None:
    (section,) = read(answer_to(FULL[1]))
    assert section.msid == "table video"
    assert [(each.ssrc, each.cname) for each in section.ssrc] == [(0xCAFE, "railbird"), (0xBEEF, "railbird")]
    assert [(group.semantic, group.items) for group in section.ssrc_group] == [("FID", [0xCAFE, 0xBEEF])]


def test_sent_track_without_rtx_has_no_group() -> None:
    track = replace(TRACK, rtx_ssrc=None)
    (section,) = read(answer_to(AnswerMedia(VIDEO, "sendonly", H264, sends=track)))
    assert [each.ssrc for each in section.ssrc] == [0xCAFE]
    assert section.ssrc_group == []


def test_section_that_receives_names_no_ssrc() -> None:
    assert [line for line in attributes(answer_to(FULL[0])) if line.startswith(("a=ssrc", "a=msid"))] == []


# What is only said where it was offered


@pytest.mark.parametrize("offered", [True, False])
def test_reduced_size_is_answered_where_it_is_offered(offered: bool) -> None:
    answer = answer_to(*FULL, reduced=offered)
    assert ["a=rtcp-rsize" in attributes(answer, section) for section in (0, 1)] == [offered] * 2


@pytest.mark.parametrize("offered", [True, False])
def test_mixed_extensions_are_answered_where_they_are_offered(offered: bool) -> None:
    session = answer_to(*FULL, mixed=offered).split("\r\nm=")[0]
    assert ("a=extmap-allow-mixed" in session.splitlines()) is offered


# What we do not use


def test_unused_section_is_inactive_in_the_bundle_with_the_name_of_its_one_format() -> None:
    """Chromium refuses an answer whose inactive section has a format without a=rtpmap."""
    answer = answer_to(FULL[0], AnswerMedia(VIDEO))
    section = read(answer)[1]
    assert "a=group:BUNDLE a v\r\n" in answer
    assert (section.port, section.direction, section.fmt) == (9, "inactive", [102])
    assert [(codec.payloadType, codec.name) for codec in section.rtp.codecs] == [(102, "H264")]
    assert section.rtp.codecs[0].parameters == H264.parameters


def test_unused_section_with_a_static_format_has_no_name_to_repeat() -> None:
    (section,) = read(answer_to(AnswerMedia(media("audio", "a", OPUS, formats=("0", "111")))))
    assert (section.fmt, section.rtp.codecs) == ([0], [])


def test_data_channel_is_refused_outside_the_bundle() -> None:
    answer = answer_to(*FULL, AnswerMedia(DATA))
    assert "a=group:BUNDLE a v\r\n" in answer
    section = read(answer)[2]
    assert (section.port, section.profile, section.fmt) == (0, "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    assert attributes(answer, 2) == ["c=IN IP4 0.0.0.0", "a=mid:d"]


def test_data_channel_that_is_taken_is_in_the_bundle_with_the_transport() -> None:
    answer = answer_to(AnswerMedia(DATA, sctp=Sctp(5000, 4096)), *FULL)
    assert "a=group:BUNDLE d a v\r\n" in answer
    section = read(answer)[0]
    assert (section.port, section.profile, section.fmt) == (9, "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    assert (section.sctp_port, section.sctpCapabilities) == (5000, RTCSctpCapabilities(4096))
    assert section.ice is not None
    assert section.dtls is not None
    assert (section.ice.usernameFragment, section.ice.password) == ("ufrag", "p" * 24)
    assert (section.dtls.role, len(section.dtls.fingerprints)) == ("server", 1)
    assert [candidate.ip for candidate in section.ice_candidates] == ["192.0.2.1", "2001:db8::1"]
    assert (section.direction, section.rtcp_mux) == (None, False)


def test_rejected_section_stays_rejected_with_all_its_formats() -> None:
    answer = answer_to(FULL[0], AnswerMedia(replace(VIDEO, rejected=True)))
    assert "a=group:BUNDLE a\r\n" in answer
    section = read(answer)[1]
    assert (section.port, section.fmt, section.ice_candidates) == (0, [102, 103], [])
