"""Offers: what is read of good ones, and the sentence that each bad one is refused with."""

import itertools
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

import tests.offers
from gateway.errors import WireError
from gateway.wire.formats import codec_to_publish
from gateway.wire.sdp import MAX_MEDIA_SECTIONS, MAX_MID_BYTES, Codec, Media, Sctp, parse_offer
from tests.offers import read_offer

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
TRANSPORT = ("a=ice-ufrag:abcd", f"a=ice-pwd:{'p' * 22}", FINGERPRINT, "a=setup:actpass")
SESSION = ("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0")
VP8 = ("a=rtpmap:96 VP8/90000",)

OFFERS = {path.stem: read_offer(path.stem) for path in Path(tests.offers.__file__).parent.glob("*.sdp")}


def section(
    *lines: str,
    media: str = "video 9 UDP/TLS/RTP/SAVPF 96",
    mid: str | None = "0",
    mux: bool = True,
    transport: tuple[str, ...] = TRANSPORT,
) -> list[str]:
    """The lines of one m-section."""
    start = [f"m={media}", *([f"a=mid:{mid}"] if mid is not None else []), *(["a=rtcp-mux"] if mux else [])]
    return [*start, *transport, *lines]


def text_of(*sections: list[str], session: tuple[str, ...] = (), line_end: str = "\r\n") -> str:
    """An offer as text; `session` are more lines of the session's part."""
    return line_end.join([*SESSION, *session, *itertools.chain(*sections)]) + line_end


def video_of(*lines: str, media: str = "video 9 UDP/TLS/RTP/SAVPF 96") -> Media:
    """The one section, parsed."""
    return parse_offer(text_of(section(*lines, media=media))).media[0]


def without(start: str) -> tuple[str, ...]:
    """A section's transport lines, one left out."""
    return tuple(line for line in TRANSPORT if not line.startswith(start))


# What is read


def test_offer_of_chromium_is_read_whole() -> None:
    offer = parse_offer(OFFERS["chromium_publish_h264"])
    audio, video = offer.media
    assert [(m.kind, m.mid, m.direction, m.rejected) for m in offer.media] == [
        ("audio", "0", "sendonly", False),
        ("video", "1", "sendonly", False),
    ]
    assert (offer.ufrag, offer.pwd, offer.setup) == ("pSL1", "BljYHREISIQhgSf//oatkZhl", "actpass")
    assert offer.fingerprints[0][0] == "sha-256"
    assert (offer.allows_mixed_extensions, offer.allows_reduced_size) == (True, True)
    assert audio.extensions["urn:ietf:params:rtp-hdrext:sdes:mid"] == 4
    assert video.ssrcs == (548211722, 3642478556)
    assert video.formats[:2] == ("102", "103")


def test_codec_of_chromium_has_its_parameters_feedback_and_rtx() -> None:
    codec = parse_offer(OFFERS["chromium_publish_h264"]).media[1].codecs[0]
    assert codec == Codec(
        payload_type=102,
        mime="video/h264",
        clock_rate_hz=90_000,
        channels=None,
        parameters={"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": "42001f"},
        feedback=frozenset({"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}),
        rtx_payload_type=103,
    )
    assert codec.name == "H264"


def test_codec_name_of_opus_is_lower_case() -> None:
    (codec,) = video_of("a=rtpmap:96 OPUS/48000/2", media="audio 9 UDP/TLS/RTP/SAVPF 96").codecs
    assert (codec.name, codec.channels) == ("opus", 2)


@pytest.mark.parametrize("role", ["actpass", "active", "passive"])
def test_setup_is_the_offered_role(role: str) -> None:
    offer = parse_offer(text_of(section(*VP8, f"a=setup:{role}", transport=without("a=setup"))))
    assert offer.setup == role


def test_direction_that_is_not_said_is_sendrecv() -> None:
    assert video_of(*VP8).direction == "sendrecv"


def test_transport_in_the_session_holds_for_its_sections() -> None:
    offer = parse_offer(text_of(section(*VP8, transport=()), session=TRANSPORT))
    assert (offer.ufrag, offer.setup, len(offer.fingerprints)) == ("abcd", "actpass", 1)


def test_single_section_without_a_group_is_fine() -> None:
    assert parse_offer(text_of(section(*VP8))).media[0].mid == "0"


def test_line_feeds_alone_end_lines_too() -> None:
    assert parse_offer(text_of(section(*VP8), line_end="\n")) == parse_offer(text_of(section(*VP8)))


def test_optional_lines_that_are_not_offered_are_not_allowed() -> None:
    offer = parse_offer(text_of(section(*VP8)))
    assert (offer.allows_mixed_extensions, offer.allows_reduced_size) == (False, False)


def test_first_passes_over_rejected_sections() -> None:
    sections = section(*VP8, media="video 0 UDP/TLS/RTP/SAVPF 96"), section(*VP8, mid="1")
    offer = parse_offer(text_of(*sections, session=("a=group:BUNDLE 0 1",)))
    assert offer.first("video") is offer.media[1]
    assert offer.first("audio") is None


# Sections with port 0 (RFC 8843 section 6)


def test_bundle_only_section_is_not_rejected_and_needs_no_rtcp_mux() -> None:
    bundled = section(*VP8, "a=bundle-only", media="video 0 UDP/TLS/RTP/SAVPF 96", mid="1", mux=False, transport=())
    offer = parse_offer(text_of(section(*VP8), bundled, session=("a=group:BUNDLE 0 1",)))
    assert [media.rejected for media in offer.media] == [False, False]


def test_port_zero_alone_is_rejected() -> None:
    assert video_of(*VP8, media="video 0 UDP/TLS/RTP/SAVPF 96").rejected


def test_rejected_section_needs_no_place_in_the_bundle() -> None:
    rejected = section(*VP8, media="video 0 UDP/TLS/RTP/SAVPF 96", mid="1", mux=False)
    offer = parse_offer(text_of(section(*VP8), rejected, session=("a=group:BUNDLE 0",)))
    assert [media.rejected for media in offer.media] == [False, True]


def test_rejected_first_section_needs_no_transport() -> None:
    rejected = section(*VP8, media="video 0 UDP/TLS/RTP/SAVPF 96", mux=False, transport=())
    offer = parse_offer(text_of(rejected, section(*VP8, mid="1"), session=("a=group:BUNDLE 1",)))
    assert (offer.mid, offer.ufrag, offer.setup) == ("1", "abcd", "actpass")


# Data channels (RFC 8841)

DATA_CHANNELS = "application 9 UDP/DTLS/SCTP webrtc-datachannel"


@pytest.mark.parametrize(
    ("lines", "sctp"),
    [
        (("a=sctp-port:5000", "a=max-message-size:262144"), Sctp(5000, 262_144)),
        (("a=sctp-port:65535", "a=max-message-size:0"), Sctp(65_535, 0)),
        # Section 6.1: what says nothing takes 64 kB.
        (("a=sctp-port:1",), Sctp(1, 65_536)),
        ((), Sctp(5000, 65_536)),
        # Section 10: there is to be no association.
        (("a=sctp-port:0",), None),
    ],
)
def test_data_channels_have_their_port_and_message_size(lines: tuple[str, ...], sctp: Sctp | None) -> None:
    data = parse_offer(text_of(section(*lines, media=DATA_CHANNELS, mux=False))).media[0]
    assert (data.kind, data.sctp) == ("application", sctp)


@pytest.mark.parametrize(
    "media",
    [
        "application 9 DTLS/SCTP 5000",
        "application 9 TCP/DTLS/SCTP webrtc-datachannel",
        "application 9 UDP/DTLS/SCTP something-else",
        "application 9 UDP/DTLS/SCTP webrtc-datachannel something-else",
        "video 9 UDP/DTLS/SCTP 96",
    ],
)
def test_section_that_is_not_of_browsers_data_channels_has_no_sctp(media: str) -> None:
    assert parse_offer(text_of(section(media=media))).media[0].sctp is None


def test_data_channels_in_the_first_section_carry_the_transport() -> None:
    data = section("a=sctp-port:5000", media=DATA_CHANNELS, mux=False)
    offer = parse_offer(text_of(data, section(*VP8, mid="1", transport=()), session=("a=group:BUNDLE 0 1",)))
    assert (offer.mid, offer.ufrag, offer.media[1].kind) == ("0", "abcd", "video")


# What is refused

TWO = section(*VP8), section(*VP8, mid="1")
GROUPED = ("a=group:BUNDLE 0 1",)

REFUSED = {
    "empty": ("", "The offer is empty."),
    "blank": (" \r\n\t", "The offer is empty."),
    "no session description": ("<html>", "The body is not a session description: it does not begin with v=."),
    "many sections": (
        text_of(*(section(*VP8, mid=str(n)) for n in range(MAX_MEDIA_SECTIONS + 1))),
        "The offer has more than 16 media sections.",
    ),
    "many rtpmap": (text_of(section(*VP8 * 257)), "The offer has more than 256 lines of a=rtpmap."),
    "many fmtp": (text_of(section(*VP8, *["a=fmtp:96 x=1"] * 257)), "The offer has more than 256 lines of a=fmtp."),
    "many rtcp-fb": (
        text_of(section(*VP8, *["a=rtcp-fb:* nack"] * 1025)),
        "The offer has more than 1024 lines of a=rtcp-fb.",
    ),
    "many ssrc": (
        text_of(section(*VP8, *(f"a=ssrc:{n} cname:x" for n in range(257)))),
        "The offer has more than 256 lines of a=ssrc.",
    ),
    "many candidates": (
        text_of(section(*VP8, *["a=candidate:1 1 udp 1 192.0.2.1 1 typ host"] * 257)),
        "The offer has more than 256 lines of a=candidate.",
    ),
    "no media line": (text_of(section(media="video")), "The offer does not parse: AssertionError."),
    "payload type of RTCP": (
        text_of(section(media="video 9 UDP/TLS/RTP/SAVPF 72")),
        "The offer does not parse: AssertionError.",
    ),
    "setup that is none": (text_of(section(*VP8, "a=setup:holdconn")), "The offer does not parse: KeyError."),
    "clock rate that is none": (text_of(section("a=rtpmap:96 VP8/x")), "The offer does not parse: ValueError."),
    "no format": (text_of(section(*VP8, media="video 9 UDP/TLS/RTP/SAVPF  ")), "A media section has no format."),
    "no section": (text_of(), "The offer has no media section."),
    "no mid": (text_of(section(*VP8, mid=None)), "Each media section needs an a=mid of its own."),
    "empty mid": (text_of(section(*VP8, mid="")), "Each media section needs an a=mid of its own."),
    "equal mids": (
        text_of(section(*VP8), section(*VP8), session=GROUPED),
        "Each media section needs an a=mid of its own.",
    ),
    "long mid": (text_of(section(*VP8, mid="m" * 17)), "An a=mid is longer than 16 bytes."),
    "long mid in bytes": (text_of(section(*VP8, mid="é" * 9)), "An a=mid is longer than 16 bytes."),
    "no group": (text_of(*TWO), "All media sections have to be in one BUNDLE group."),
    "other group": (
        text_of(*TWO, session=("a=group:LS 0 1",)),
        "All media sections have to be in one BUNDLE group.",
    ),
    "one outside the group": (
        text_of(*TWO, session=("a=group:BUNDLE 0",)),
        "All media sections have to be in one BUNDLE group.",
    ),
    "two groups": (
        text_of(*TWO, session=("a=group:BUNDLE 0", "a=group:BUNDLE 1")),
        "All media sections have to be in one BUNDLE group.",
    ),
    "no rtcp-mux": (text_of(section(*VP8, mux=False)), "Every RTP section needs a=rtcp-mux: there is one port."),
    "ice-lite": (text_of(section(*VP8), session=("a=ice-lite",)), "Both sides cannot be ICE-lite."),
    "ice-lite after a carriage return": (
        text_of(section(*VP8), session=("a=ice-lite",), line_end="\r"),
        "Both sides cannot be ICE-lite.",
    ),
    "no setup": (
        text_of(section(*VP8, transport=without("a=setup"))),
        "The offer has no a=fingerprint or no a=setup.",
    ),
    "no fingerprint": (
        text_of(section(*VP8, transport=without("a=fingerprint"))),
        "The offer has no a=fingerprint or no a=setup.",
    ),
    "weak fingerprint": (
        text_of(section(*VP8, "a=fingerprint:md5 AB:CD", transport=without("a=fingerprint"))),
        "The fingerprint's hash is not supported.",
    ),
    "no ufrag": (text_of(section(*VP8, transport=without("a=ice-ufrag"))), "The offer has no valid a=ice-ufrag."),
    "short ufrag": (text_of(section(*VP8, "a=ice-ufrag:abc")), "The offer has no valid a=ice-ufrag."),
    "long ufrag": (text_of(section(*VP8, f"a=ice-ufrag:{'u' * 257}")), "The offer has no valid a=ice-ufrag."),
    "sctp-port beyond a port": (
        text_of(section("a=sctp-port:65536", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer has no valid a=sctp-port.",
    ),
    "negative sctp-port": (
        text_of(section("a=sctp-port:-1", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer has no valid a=sctp-port.",
    ),
    "sctp-port that is none": (
        text_of(section("a=sctp-port:x", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer does not parse: ValueError.",
    ),
    "sctp-port without a value": (
        text_of(section("a=sctp-port", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer does not parse: TypeError.",
    ),
    "sctp-port of many digits": (
        text_of(section(f"a=sctp-port:{'9' * 5000}", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer does not parse: ValueError.",
    ),
    "negative message size": (
        text_of(section("a=max-message-size:-1", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer has no valid a=max-message-size.",
    ),
    "message size that is none": (
        text_of(section("a=max-message-size:4k", media="application 9 UDP/DTLS/SCTP webrtc-datachannel")),
        "The offer does not parse: ValueError.",
    ),
    "no pwd": (text_of(section(*VP8, transport=without("a=ice-pwd"))), "The offer has no valid a=ice-pwd."),
    "short pwd": (text_of(section(*VP8, f"a=ice-pwd:{'p' * 21}")), "The offer has no valid a=ice-pwd."),
    "long pwd": (text_of(section(*VP8, f"a=ice-pwd:{'p' * 257}")), "The offer has no valid a=ice-pwd."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_offer_is_refused_with_a_sentence(case: str) -> None:
    text, sentence = REFUSED[case]
    with pytest.raises(WireError) as refusal:
        parse_offer(text)
    assert str(refusal.value) == sentence


def test_mid_as_long_as_an_extension_element_is_taken() -> None:
    assert parse_offer(text_of(section(*VP8, mid="m" * MAX_MID_BYTES))).media[0].mid == "m" * MAX_MID_BYTES


# Hostile offers


@pytest.mark.parametrize("payload_type", [-1, 128, 255, 4096])
def test_payload_type_that_does_not_fit_its_bits_is_no_codec(payload_type: int) -> None:
    video = video_of(f"a=rtpmap:{payload_type} VP8/90000", *VP8)
    assert [codec.payload_type for codec in video.codecs] == [96]


@pytest.mark.parametrize("payload_type", [-1, 128, 255, 4096])
def test_rtx_payload_type_that_does_not_fit_its_bits_is_none(payload_type: int) -> None:
    video = video_of(*VP8, f"a=rtpmap:{payload_type} rtx/90000", f"a=fmtp:{payload_type} apt=96")
    assert video.codecs[0].rtx_payload_type is None


def test_rtx_is_no_codec_of_its_own() -> None:
    video = video_of(*VP8, "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96")
    assert [(codec.payload_type, codec.rtx_payload_type) for codec in video.codecs] == [(96, 97)]


def test_rtx_of_nothing_is_ignored() -> None:
    assert video_of(*VP8, "a=rtpmap:97 rtx/90000").codecs[0].rtx_payload_type is None


def test_extension_ids_that_cannot_be_sent_are_left_out() -> None:
    video = video_of(*VP8, "a=extmap:0 urn:zero", "a=extmap:256 urn:big", "a=extmap:-1 urn:minus", "a=extmap:255 urn:x")
    assert video.extensions == {"urn:x": 255}


def test_extension_with_a_direction_is_read() -> None:
    assert video_of(*VP8, "a=extmap:3/recvonly urn:x").extensions == {"urn:x": 3}


@pytest.mark.parametrize("clock_rate", ["1", "0", "-90000", "48000"])
def test_clock_rate_of_another_format_is_not_published(clock_rate: str) -> None:
    assert codec_to_publish(video_of(f"a=rtpmap:96 VP8/{clock_rate}"), None) is None


@pytest.fixture
def parser_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test in which an offer comes as far as the parser, whose time grows with the square of some lines."""

    def parse(text: str) -> SessionDescription:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(SessionDescription, "parse", parse)


MULTIPLIED = {
    "feedback for every codec": [*VP8 * 2100, *["a=rtcp-fb:* nack"] * 2100],
    "one SSRC after another": [f"a=ssrc:{n} cname:x" for n in range(3000)],
    "parameters of the last codec": [*VP8 * 200, *["a=fmtp:96 x=1"] * 2100],
}


@pytest.mark.usefixtures("parser_untouched")
@pytest.mark.parametrize("case", MULTIPLIED)
def test_lines_that_multiply_are_refused_before_they_are_parsed(case: str) -> None:
    with pytest.raises(WireError, match="more than"):
        parse_offer(text_of(section(*MULTIPLIED[case])))


@pytest.mark.usefixtures("parser_untouched")
@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028"])
def test_sections_are_counted_however_lines_end(line_end: str) -> None:
    sections = (section(*VP8, mid=str(n)) for n in range(MAX_MEDIA_SECTIONS + 1))
    with pytest.raises(WireError, match="media sections"):
        parse_offer(text_of(*sections, line_end=line_end))


# Whatever comes

LINES = sorted({line for text in OFFERS.values() for line in text.splitlines()})
PIECES = st.one_of(
    st.sampled_from(LINES),
    st.text(max_size=20),
    st.builds("a={}:{}".format, st.sampled_from(["rtpmap", "fmtp", "ssrc", "mid", "extmap", "setup"]), st.text()),
    st.builds("m={} {} {} {}".format, *[st.sampled_from(["video", "9", "-1", "", "UDP/TLS/RTP/SAVPF", "96 é"])] * 4),
)


def parse_or_refuse(text: str) -> None:
    """Anything but an offer and a WireError fails the test."""
    try:
        offer = parse_offer(text)
    except WireError:
        return
    for media in offer.media:
        assert media.mid
        assert media.formats
        types = [codec.payload_type for codec in media.codecs] + [codec.rtx_payload_type or 0 for codec in media.codecs]
        assert all(0 <= payload_type < 128 for payload_type in types)


@given(st.text())
def test_arbitrary_text_is_an_offer_or_refused(text: str) -> None:
    parse_or_refuse(text)
    parse_or_refuse("v=" + text)


@given(st.sampled_from(sorted(OFFERS)), st.data())
def test_mutated_offer_is_an_offer_or_refused(name: str, data: st.DataObject) -> None:
    lines = OFFERS[name].splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines)))
        lines[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(PIECES, max_size=3))
    parse_or_refuse("\r\n".join(lines))


@given(st.sampled_from(sorted(OFFERS)), st.data())
def test_cut_or_spliced_offer_is_an_offer_or_refused(name: str, data: st.DataObject) -> None:
    text = OFFERS[name]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    parse_or_refuse(text[:end])
    parse_or_refuse(text[:start] + data.draw(st.text(max_size=8)) + text[end:])
