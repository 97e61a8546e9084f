"""What a player's offer is answered with."""

import random

import pytest
from aiortc.rtcsctptransport import RTCSctpCapabilities

from gateway.errors import SignallingError, WireError
from gateway.stream.layout import LayoutKey, PlayoutDelay
from gateway.stream.track import Track
from gateway.transport.data_channel import ChannelTerms
from gateway.viewers import whep
from gateway.viewers.whep import Layouts, WatchNegotiation
from gateway.wire.formats import TrackFormat
from gateway.wire.h264 import H264Profile
from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    COLOR_SPACE,
    MID,
    PLAYOUT_DELAY,
    TRANSPORT_SEQUENCE_NUMBER,
    VIDEO_ORIENTATION,
)
from gateway.wire.sctp import DEFAULT_MAX_MESSAGE_BYTES
from gateway.wire.sdp import parse_offer
from tests.ingest.offers import (
    OfferedCodec,
    Section,
    answer_text,
    h264,
    offer_of,
    opus,
    section_text,
    sections_of,
    vp8,
)
from tests.offers import read_offer
from tests.stream.doubles import H264, OPUS, VP8

DELAY = PlayoutDelay(0, 0)
MAX_MESSAGE_BYTES = 4096
BASELINE, CONSTRAINED_BASELINE, MAIN = "42001f", "42e01f", "4d001f"
CONSTRAINED_HIGH, HIGH, HIGH_444_PREDICTIVE = "640c1f", "64001f", "f4001f"


def tracks_of(*formats: TrackFormat) -> dict[str, Track]:
    return {each.kind: Track(each, random.Random(number)) for number, each in enumerate(formats or (H264, OPUS))}


def h264_of(profile: H264Profile) -> TrackFormat:
    return TrackFormat("video", "video/h264", 90_000, profile)


def video(*codecs: OfferedCodec, mid: str = "0", **changes: str | int | dict[str, int]) -> Section:
    return Section("video", mid, codecs or (h264(102),), **{"direction": "recvonly", **changes})  # type: ignore[arg-type]


def audio(*codecs: OfferedCodec, mid: str = "1", **changes: str | int | dict[str, int]) -> Section:
    return Section("audio", mid, codecs or (opus(),), **{"direction": "recvonly", **changes})  # type: ignore[arg-type]


def negotiated(
    *sections: Section,
    tracks: dict[str, Track] | None = None,
    playout_delay: PlayoutDelay | None = DELAY,
    layouts: Layouts | None = None,
    mixed_extensions: bool = True,
) -> WatchNegotiation:
    offer = offer_of(*sections, mixed_extensions=mixed_extensions)
    return whep.negotiate(offer, "table", tracks or tracks_of(), playout_delay, layouts or Layouts(), MAX_MESSAGE_BYTES)


def answered(*sections: Section, tracks: dict[str, Track] | None = None) -> str:
    return answer_text(negotiated(*sections, tracks=tracks).answers, offer_of(*sections))


def key_of(negotiation: WatchNegotiation, kind: str = "video") -> LayoutKey:
    return negotiation.layouts[kind].key


# Which codec


def test_player_gets_the_streams_tracks_by_its_own_payload_types() -> None:
    tracks = tracks_of(H264, OPUS)
    negotiation = negotiated(video(vp8(96), h264(102, rtx=103), mid="v"), audio(opus(63), mid="a"), tracks=tracks)
    key = key_of(negotiation)
    assert (key.ssrc, key.rtx_ssrc) == (tracks["video"].ssrc, tracks["video"].rtx_ssrc)
    assert (key.payload_type, key.rtx_payload_type, key.mid) == (102, 103, "v")
    key = key_of(negotiation, "audio")
    assert (key.ssrc, key.payload_type, key.rtx_payload_type, key.mid) == (tracks["audio"].ssrc, 63, None, "a")


@pytest.mark.parametrize(
    ("stream", "offered", "expected"),
    [
        # The same class wins, whatever the level or the spelling.
        (H264Profile.CONSTRAINED_BASELINE, [HIGH, "42c02a"], 101),
        (H264Profile.HIGH, [CONSTRAINED_BASELINE, CONSTRAINED_HIGH, "640034"], 102),
        # Else a profile whose decoders play it.
        (H264Profile.CONSTRAINED_BASELINE, [MAIN], 100),
        (H264Profile.CONSTRAINED_BASELINE, [BASELINE], 100),
        (H264Profile.BASELINE, [CONSTRAINED_BASELINE], 100),
        (H264Profile.MAIN, [CONSTRAINED_BASELINE, HIGH], 101),
        (H264Profile.CONSTRAINED_HIGH, [HIGH], 100),
        (H264Profile.HIGH, [CONSTRAINED_BASELINE, HIGH_444_PREDICTIVE], 101),
        # Else nothing does.
        (H264Profile.HIGH, [CONSTRAINED_BASELINE, MAIN, CONSTRAINED_HIGH], None),
        (H264Profile.MAIN, [CONSTRAINED_BASELINE], None),
        (H264Profile.HIGH, ["zzzzzz"], None),
    ],
)
def test_h264_is_matched_by_profile_class(stream: H264Profile, offered: list[str], expected: int | None) -> None:
    section = video(*(h264(100 + number, profile) for number, profile in enumerate(offered)))
    tracks = tracks_of(h264_of(stream))
    if expected is None:
        with pytest.raises(SignallingError, match=f"H264 \\({stream.value} profile\\)"):
            negotiated(section, tracks=tracks)
        return
    assert key_of(negotiated(section, tracks=tracks)).payload_type == expected


def test_h264_in_single_packets_is_not_what_we_send() -> None:
    assert key_of(negotiated(video(h264(100, mode=0), h264(102, mode=1)))).payload_type == 102
    with pytest.raises(SignallingError):
        negotiated(video(h264(100, mode=0)))


def test_video_that_the_player_cannot_decode_is_refused_by_name() -> None:
    with pytest.raises(
        SignallingError, match=r"The stream's video is VP8, which the offer does not contain\."
    ) as refusal:
        negotiated(video(h264(102)), audio(), tracks=tracks_of(VP8, OPUS))
    assert refusal.value.status == 406


def test_audio_that_the_player_cannot_decode_is_refused_by_name() -> None:
    with pytest.raises(SignallingError, match="audio is opus") as refusal:
        negotiated(video(), audio(OfferedCodec(0, "PCMU/8000")))
    assert refusal.value.status == 406


def test_stream_without_what_the_player_asks_for_is_refused() -> None:
    with pytest.raises(SignallingError, match="has only audio") as refusal:
        negotiated(video(), tracks=tracks_of(OPUS))
    assert refusal.value.status == 406


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_offer_that_receives_nothing_is_refused(direction: str) -> None:
    with pytest.raises(SignallingError, match="receives no audio and no video") as refusal:
        negotiated(video(direction=direction), audio(direction=direction))
    assert refusal.value.status == 400


def test_offer_that_sends_and_receives_is_taken() -> None:
    assert set(negotiated(video(direction="sendrecv")).layouts) == {"video"}


def test_rejected_section_is_passed_over() -> None:
    assert key_of(negotiated(video(mid="0", port=0), video(h264(105), mid="1"))).payload_type == 105


@pytest.mark.parametrize(
    "video_format",
    [
        VP8,
        *map(h264_of, (H264Profile.CONSTRAINED_BASELINE, H264Profile.BASELINE, H264Profile.MAIN, H264Profile.HIGH)),
        TrackFormat("video", "video/vp9", 90_000, "0"),
        TrackFormat("video", "video/av1", 90_000, "0"),
    ],
    ids=lambda each: f"{each.name} {each.profile}",
)
def test_chromium_can_watch_whatever_studios_send(video_format: TrackFormat) -> None:
    offer = parse_offer(read_offer("chromium_watch"))
    negotiation = whep.negotiate(offer, "table", tracks_of(video_format, OPUS), DELAY, Layouts(), MAX_MESSAGE_BYTES)
    key = key_of(negotiation)
    assert key.rtx_payload_type is not None
    assert {uri for uri, _ in key.ids} == {MID, PLAYOUT_DELAY, VIDEO_ORIENTATION, COLOR_SPACE}
    sections = sections_of(answer_text(negotiation.answers, offer))
    assert {section.direction for section in sections} == {"sendonly"}


# The answer


def test_stream_without_audio_answers_it_inactive() -> None:
    answer = answered(video(mid="0"), audio(mid="1"), tracks=tracks_of(H264))
    assert [(section.direction, section.port) for section in sections_of(answer)] == [("sendonly", 9), ("inactive", 9)]
    assert "a=group:BUNDLE 0 1\r\n" in answer


def test_second_video_is_answered_inactive() -> None:
    answer = answered(video(mid="0"), video(mid="1"))
    assert [section.direction for section in sections_of(answer)] == ["sendonly", "inactive"]


def test_answer_keeps_the_order_of_the_sections_and_takes_the_data_channel() -> None:
    answer = answered(Section("application", "d"), audio(mid="a"), video(mid="v"))
    sections = sections_of(answer)
    assert [(section.kind, section.rtp.muxId, section.port) for section in sections] == [
        ("application", "d", 9),
        ("audio", "a", 9),
        ("video", "v", 9),
    ]
    assert "a=group:BUNDLE d a v\r\n" in answer
    assert sections[0].sctp_port == 5000
    assert sections[0].sctpCapabilities == RTCSctpCapabilities(MAX_MESSAGE_BYTES)


def test_terms_of_the_data_channel_are_those_of_the_offer_and_ours() -> None:
    assert negotiated(Section("application", "d"), video()).channel == ChannelTerms(
        5000, DEFAULT_MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES
    )
    assert negotiated(video()).channel is None


def test_second_data_channel_section_and_a_rejected_one_are_refused() -> None:
    sections = Section("application", "x", port=0), Section("application", "d"), Section("application", "e"), video()
    answer = answered(*sections)
    assert [section.port for section in sections_of(answer)] == [0, 9, 0, 9]
    assert "a=group:BUNDLE d 0\r\n" in answer


def test_offer_of_a_data_channel_alone_is_refused() -> None:
    with pytest.raises(SignallingError) as refusal:
        negotiated(Section("application", "d"))
    assert refusal.value.status == 400


def test_answer_reads_back_in_a_client() -> None:
    tracks = tracks_of()
    answer = answered(video(h264(102, rtx=103, feedback=("nack", "nack pli"))), audio(), tracks=tracks)
    section = sections_of(answer)[0]
    assert [(codec.mimeType.lower(), codec.payloadType) for codec in section.rtp.codecs] == [
        ("video/h264", 102),
        ("video/rtx", 103),
    ]
    assert [str(feedback.type) for feedback in section.rtp.codecs[0].rtcpFeedback] == ["nack", "nack"]
    assert {description.ssrc for description in section.ssrc} == {tracks["video"].ssrc, tracks["video"].rtx_ssrc}
    assert section.ssrc_group[0].items == [tracks["video"].ssrc, tracks["video"].rtx_ssrc]
    assert section.dtls is not None
    assert (section.dtls.role, section.rtcp_mux, section.direction) == ("server", True, "sendonly")
    assert section.ice is not None
    assert section.ice.usernameFragment == "abcd"
    assert [candidate.port for candidate in section.ice_candidates] == [8189]


def test_answer_without_rtx_names_one_ssrc() -> None:
    tracks = tracks_of()
    section = sections_of(answered(video(h264(102)), tracks=tracks))[0]
    assert {description.ssrc for description in section.ssrc} == {tracks["video"].ssrc}
    assert section.ssrc_group == []


def test_audio_and_video_are_one_media_stream() -> None:
    answer = answered(video(), audio())
    streams = {line.split()[0] for line in answer.splitlines() if line.startswith("a=msid:")}
    assert streams == {"a=msid:table"}


def test_feedback_is_what_both_know() -> None:
    offered = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    text = section_text(answered(video(h264(102, feedback=offered))), 0)
    assert [line for line in text.splitlines() if line.startswith("a=rtcp-fb")] == [
        "a=rtcp-fb:102 nack",
        "a=rtcp-fb:102 nack pli",
        "a=rtcp-fb:102 ccm fir",
    ]


def test_extensions_are_what_both_know_with_the_players_ids() -> None:
    offered = {MID: 9, TRANSPORT_SEQUENCE_NUMBER: 3, PLAYOUT_DELAY: 6, VIDEO_ORIENTATION: 4}
    section = video(extensions=offered)
    key = key_of(negotiated(section))
    assert dict(key.ids) == {MID: 9, PLAYOUT_DELAY: 6, VIDEO_ORIENTATION: 4}
    text = section_text(answered(section), 0)
    assert f"a=extmap:6 {PLAYOUT_DELAY}\r\n" in text
    assert TRANSPORT_SEQUENCE_NUMBER not in text


def test_order_in_which_extensions_are_offered_makes_no_other_group() -> None:
    layouts, tracks = Layouts(), tracks_of(H264)
    one = {MID: 9, COLOR_SPACE: 5, ABS_CAPTURE_TIME: 6}
    two = dict(reversed(one.items()))
    first = negotiated(video(extensions=one), layouts=layouts, tracks=tracks)
    second = negotiated(video(extensions=two), layouts=layouts, tracks=tracks)
    assert first.layouts["video"] is second.layouts["video"]


def test_playout_delay_goes_to_who_offers_it_where_it_is_configured() -> None:
    offering, silent = video(extensions={PLAYOUT_DELAY: 6}), video(extensions={MID: 9})
    assert key_of(negotiated(offering)).playout_delay == DELAY
    assert key_of(negotiated(silent)).playout_delay is None
    assert key_of(negotiated(offering, playout_delay=None)).playout_delay is None


@pytest.mark.parametrize("mixed_extensions", [True, False])
def test_forms_of_extensions_are_mixed_only_where_the_player_allows_it(mixed_extensions: bool) -> None:
    assert key_of(negotiated(video(), mixed_extensions=mixed_extensions)).allows_mixed is mixed_extensions


@pytest.mark.parametrize("mid", ["m" * 17, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 9])
def test_mid_that_no_one_byte_element_holds_is_refused(mid: str) -> None:
    with pytest.raises(WireError, match="a=mid is longer"):
        negotiated(video(mid=mid))


# Layouts


def key(mid: str) -> LayoutKey:
    return LayoutKey(1, 2, 96, None, mid, (), None)


def test_viewers_of_one_key_share_a_layout() -> None:
    layouts = Layouts()
    assert layouts.of(key("0")) is layouts.of(key("0"))
    assert layouts.of(key("0")) is not layouts.of(key("1"))


def test_layouts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Layouts, "MAX_LAYOUTS", 8)
    layouts = Layouts()
    made = [layouts.of(key(str(number))) for number in range(20)]
    assert len(layouts._layouts) <= 8
    assert len({layout.number for layout in made}) == 20


def test_layouts_that_were_forgotten_never_share_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Layouts, "MAX_LAYOUTS", 1)
    layouts = Layouts()
    first = layouts.of(key("0"))
    layouts.of(key("1"))
    assert layouts.of(key("0")).number != first.number
