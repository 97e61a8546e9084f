"""What a studio's offer is answered with."""

import pytest

from gateway.errors import SignallingError
from gateway.ingest import whip
from gateway.ingest.incoming import PublishedMedia
from gateway.wire.formats import TrackFormat
from gateway.wire.h264 import H264Profile
from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    AUDIO_LEVEL,
    MID,
    TRANSPORT_SEQUENCE_NUMBER,
    VIDEO_ORIENTATION,
)
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

ALL_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")


def published(*sections: Section, live: dict[str, TrackFormat] | None = None) -> list[PublishedMedia]:
    return whip.negotiate(offer_of(*sections), live or {}).published


def answered(*sections: Section) -> str:
    offer = offer_of(*sections)
    return answer_text(whip.negotiate(offer, {}).answers, offer)


def video(*codecs: OfferedCodec, mid: str = "0", **changes: str | int | dict[str, int]) -> Section:
    return Section("video", mid, codecs, **changes)  # type: ignore[arg-type]


def audio(*codecs: OfferedCodec, mid: str = "1", **changes: str | int | dict[str, int]) -> Section:
    return Section("audio", mid, codecs or (opus(),), **changes)  # type: ignore[arg-type]


# Which codec


def test_first_video_and_first_audio_are_taken() -> None:
    tracks = published(audio(opus(109), mid="a"), video(h264(102, rtx=103), mid="v"))
    assert [(track.format, track.payload_type, track.rtx_payload_type) for track in tracks] == [
        (OPUS, 109, None),
        (H264, 102, 103),
    ]


def test_second_video_is_answered_inactive() -> None:
    sections = video(vp8(96), mid="0"), video(vp8(97), mid="1")
    (track,) = published(*sections)
    assert track.payload_type == 96
    assert [section.direction for section in sections_of(answered(*sections))] == ["recvonly", "inactive"]


@pytest.mark.parametrize(
    ("codec", "mime"),
    [
        (h264(102), "video/h264"),
        (vp8(96), "video/vp8"),
        (OfferedCodec(98, "VP9/90000", "profile-id=0"), "video/vp9"),
        (OfferedCodec(45, "AV1/90000"), "video/av1"),
    ],
)
def test_video_codecs_are_passed_through(codec: OfferedCodec, mime: str) -> None:
    (track,) = published(video(codec))
    assert (track.format.mime, track.payload_type) == (mime, codec.payload_type)


def test_studios_own_order_decides() -> None:
    assert published(video(vp8(96), h264(102)))[0].format == VP8
    assert published(video(h264(102), vp8(96)))[0].format == H264


def test_codec_that_cannot_be_passed_through_is_passed_over() -> None:
    unknown = OfferedCodec(100, "H265/90000")
    assert published(video(unknown, vp8(96)))[0].format == VP8


def test_h264_in_single_packets_is_taken_only_where_there_is_no_other() -> None:
    assert published(video(h264(102, mode=0), h264(104, mode=1)))[0].payload_type == 104
    assert published(video(h264(102, mode=0)))[0].payload_type == 102


def test_format_that_the_stream_has_wins_over_the_studios_order() -> None:
    assert published(video(vp8(96), h264(102)), live={"video": H264})[0].format == H264
    high = TrackFormat("video", "video/h264", 90_000, H264Profile.HIGH)
    (track,) = published(video(h264(102, "42e01f"), h264(104, "64001f")), live={"video": high})
    assert track.payload_type == 104


def test_format_that_the_stream_has_but_the_studio_lacks_decides_nothing() -> None:
    assert published(video(vp8(96)), live={"video": H264})[0].format == VP8


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
def test_offer_that_sends_nothing_is_refused(direction: str) -> None:
    with pytest.raises(SignallingError, match="sends no audio and no video") as refusal:
        published(video(vp8(96), direction=direction))
    assert refusal.value.status == 400


def test_offer_with_a_data_channel_only_is_refused() -> None:
    with pytest.raises(SignallingError) as refusal:
        published(Section("application", "0"))
    assert refusal.value.status == 400


def test_offer_without_a_codec_that_can_be_passed_through_is_refused() -> None:
    with pytest.raises(SignallingError, match="H264, VP8, VP9, AV1 and Opus can") as refusal:
        published(video(OfferedCodec(100, "H265/90000")), audio(OfferedCodec(0, "PCMU/8000")))
    assert refusal.value.status == 406


def test_video_that_cannot_be_passed_through_leaves_the_audio() -> None:
    sections = video(OfferedCodec(100, "H265/90000")), audio()
    assert [track.format for track in published(*sections)] == [OPUS]
    assert [section.direction for section in sections_of(answered(*sections))] == ["inactive", "recvonly"]


def test_malformed_profile_is_passed_over() -> None:
    assert published(video(h264(102, "nonsense"), vp8(96)))[0].format.name == "VP8"


def test_clock_rate_that_the_codec_does_not_have_is_passed_over() -> None:
    with pytest.raises(SignallingError) as refused:
        published(video(OfferedCodec(96, "VP8/1")))
    assert refused.value.status == 406


@pytest.mark.parametrize(
    ("name", "mime"), [("chromium_publish_h264", "video/h264"), ("chromium_publish_vp8", "video/vp8")]
)
def test_chromiums_offer_is_taken_whole(name: str, mime: str) -> None:
    offer = parse_offer(read_offer(name))
    negotiation = whip.negotiate(offer, {})
    by_kind = {track.format.kind: track for track in negotiation.published}
    assert (by_kind["video"].format.mime, by_kind["audio"].format) == (mime, OPUS)
    assert by_kind["video"].rtx_payload_type is not None
    assert by_kind["video"].feedback == {"nack", "nack pli", "ccm fir", "transport-cc"}
    assert TRANSPORT_SEQUENCE_NUMBER in by_kind["video"].extensions.values()
    assert {section.direction for section in sections_of(answer_text(negotiation.answers, offer))} == {"recvonly"}


# The answer


def test_answer_keeps_the_order_of_the_sections() -> None:
    answer = answered(audio(mid="x"), Section("application", "y"), video(vp8(96), mid="z"))
    assert [(section.kind, section.rtp.muxId) for section in sections_of(answer)] == [
        ("audio", "x"),
        ("application", "y"),
        ("video", "z"),
    ]


def test_data_channel_is_refused_and_not_bundled() -> None:
    answer = answered(audio(mid="x"), Section("application", "y"), video(vp8(96), mid="z"))
    assert "a=group:BUNDLE x z\r\n" in answer
    assert sections_of(answer)[1].port == 0


def test_section_that_the_offer_rejected_stays_rejected() -> None:
    answer = answered(video(vp8(96), mid="0"), audio(mid="1", port=0))
    assert "a=group:BUNDLE 0\r\n" in answer
    assert sections_of(answer)[1].port == 0


def test_rejected_section_is_passed_over() -> None:
    (track,) = published(video(vp8(96), mid="0", port=0), video(vp8(97), mid="1"))
    assert track.payload_type == 97


def test_answer_has_the_one_codec_and_its_rtx() -> None:
    (section,) = sections_of(answered(video(vp8(96), h264(102, rtx=103), mid="0")))
    assert section.fmt == [96]
    (section,) = sections_of(answered(video(h264(102, rtx=103), vp8(96), mid="0")))
    assert section.fmt == [102, 103]


def test_feedback_is_what_both_know() -> None:
    offer = video(vp8(96, feedback=ALL_FEEDBACK)), audio(opus(111, feedback=("nack", "transport-cc", "nack pli")))
    by_kind = {track.format.kind: track.feedback for track in published(*offer)}
    assert by_kind == {
        "video": {"nack", "nack pli", "ccm fir", "transport-cc"},
        "audio": {"nack", "transport-cc"},
    }
    assert "goog-remb" not in answered(*offer)


def test_feedback_that_was_not_offered_is_not_asked_for() -> None:
    assert published(video(vp8(96, feedback=("nack",))))[0].feedback == {"nack"}


def test_extensions_are_what_both_know_with_the_studios_ids() -> None:
    offered = {MID: 1, TRANSPORT_SEQUENCE_NUMBER: 3, VIDEO_ORIENTATION: 4, ABS_CAPTURE_TIME: 13, AUDIO_LEVEL: 10}
    section = video(vp8(96), extensions=offered)
    assert published(section)[0].extensions == {
        1: MID,
        3: TRANSPORT_SEQUENCE_NUMBER,
        4: VIDEO_ORIENTATION,
        13: ABS_CAPTURE_TIME,
    }
    text = section_text(answered(section), 0)
    assert f"a=extmap:3 {TRANSPORT_SEQUENCE_NUMBER}\r\n" in text
    assert AUDIO_LEVEL not in text


def test_answer_asks_for_the_round_trip() -> None:
    assert "a=rtcp-xr:rcvr-rtt=all\r\n" in answered(video(vp8(96)))
