"""Which player can take which stream, and which codec of an offer is chosen."""

import pytest
from aiortc.rtcrtpparameters import ParametersDict

from gateway.errors import WireError
from gateway.wire.formats import AUDIO_MIMES, VIDEO_MIMES, TrackFormat, codec_to_play, codec_to_publish
from gateway.wire.h264 import H264Profile
from gateway.wire.sdp import Codec, Media

CONSTRAINED, BASELINE, MAIN, CONSTRAINED_HIGH, HIGH = "42e01f", "42001f", "4d001f", "640c1f", "64001f"


def codec(payload_type: int, mime: str, clock_rate_hz: int = 90_000, **parameters: str | None) -> Codec:
    """An offered codec; underscores in the parameters' names are dashes."""
    named: ParametersDict = {name.replace("_", "-"): value for name, value in parameters.items()}
    return Codec(payload_type, mime, clock_rate_hz, None, named, frozenset())


def h264(profile: str, mode: str | None = "1", payload_type: int = 102) -> Codec:
    """H264 of that profile-level-id and packetization-mode."""
    if mode is None:
        return codec(payload_type, "video/h264", profile_level_id=profile)
    return codec(payload_type, "video/h264", profile_level_id=profile, packetization_mode=mode)


def video(*codecs: Codec) -> Media:
    """A video section that offers `codecs`."""
    return Media("video", "0", "UDP/TLS/RTP/SAVPF", (), "sendrecv", codecs, {}, (), False)


VP8, OPUS = codec(96, "video/vp8"), codec(111, "audio/opus", 48_000)


# Formats


@pytest.mark.parametrize(
    ("announced", "expected"),
    [
        (h264(CONSTRAINED), TrackFormat("video", "video/h264", 90_000, H264Profile.CONSTRAINED_BASELINE)),
        (h264(HIGH), TrackFormat("video", "video/h264", 90_000, H264Profile.HIGH)),
        (codec(1, "video/h264"), TrackFormat("video", "video/h264", 90_000, H264Profile.CONSTRAINED_BASELINE)),
        (VP8, TrackFormat("video", "video/vp8", 90_000)),
        (codec(98, "video/vp9"), TrackFormat("video", "video/vp9", 90_000, "0")),
        (codec(98, "video/vp9", profile_id="2"), TrackFormat("video", "video/vp9", 90_000, "2")),
        (codec(45, "video/av1"), TrackFormat("video", "video/av1", 90_000, "0")),
        (codec(45, "video/av1", profile="1"), TrackFormat("video", "video/av1", 90_000, "1")),
        (OPUS, TrackFormat("audio", "audio/opus", 48_000)),
    ],
)
def test_format_is_what_a_codec_announces(announced: Codec, expected: TrackFormat) -> None:
    assert TrackFormat.of(announced) == expected


@pytest.mark.parametrize("profile", ["", "42e0", "42e01f42", "zzzzzz", "ff0000"])
def test_format_with_a_malformed_profile_is_refused(profile: str) -> None:
    with pytest.raises(WireError, match="profile-level-id"):
        TrackFormat.of(h264(profile))


def test_format_names_are_those_people_use() -> None:
    names = [TrackFormat(mime.partition("/")[0], mime, 1).name for mime in VIDEO_MIMES + AUDIO_MIMES]
    assert names == ["H264", "VP8", "VP9", "AV1", "opus"]


# Who can play what

PROFILES = (CONSTRAINED, BASELINE, MAIN, CONSTRAINED_HIGH, HIGH)
PLAYED_BY = {
    CONSTRAINED: (True, True, False, False, False),
    BASELINE: (True, True, False, False, False),
    MAIN: (True, True, True, False, False),
    CONSTRAINED_HIGH: (True, True, True, True, False),
    HIGH: (True, True, True, True, True),
}


@pytest.mark.parametrize("offered", PROFILES)
def test_h264_stream_is_playable_by_a_decoder_that_contains_its_profile(offered: str) -> None:
    streams = [TrackFormat.of(h264(stream)) for stream in PROFILES]
    assert tuple(stream.is_playable_by(h264(offered)) for stream in streams) == PLAYED_BY[offered]


@pytest.mark.parametrize("level", ["42e00a", "42e034"])
def test_h264_level_does_not_matter(level: str) -> None:
    assert TrackFormat.of(h264(CONSTRAINED)).is_playable_by(h264(level))


def test_h264_profile_outside_the_table_plays_itself_only() -> None:
    high_10 = TrackFormat.of(h264("6e001f"))
    assert high_10.is_playable_by(h264("6e0028"))
    assert not high_10.is_playable_by(h264(HIGH))
    assert not TrackFormat.of(h264(HIGH)).is_playable_by(h264("6e001f"))


@pytest.mark.parametrize("mode", [None, "0", "2", "x", ""])
def test_h264_without_fragments_is_not_playable(mode: str | None) -> None:
    assert not TrackFormat.of(h264(CONSTRAINED)).is_playable_by(h264(CONSTRAINED, mode))


def test_h264_with_a_malformed_profile_plays_nothing() -> None:
    assert not TrackFormat.of(h264(CONSTRAINED)).is_playable_by(h264("nonsense"))


@pytest.mark.parametrize(
    ("stream", "offered", "is_playable"),
    [
        (codec(1, "video/vp9"), codec(98, "video/vp9", profile_id="0"), True),
        (codec(1, "video/vp9", profile_id="2"), codec(98, "video/vp9", profile_id="2"), True),
        (codec(1, "video/vp9", profile_id="2"), codec(98, "video/vp9"), False),
        (codec(1, "video/vp9"), codec(98, "video/vp9", profile_id="2"), False),
        (codec(1, "video/av1"), codec(45, "video/av1", profile="0"), True),
        (codec(1, "video/av1", profile="1"), codec(45, "video/av1"), False),
        (VP8, VP8, True),
        (VP8, codec(98, "video/vp9"), False),
        (VP8, codec(96, "video/vp8", 1), False),
        (OPUS, OPUS, True),
        (OPUS, codec(111, "audio/opus", 16_000), False),
        (OPUS, codec(0, "audio/pcmu", 8_000), False),
    ],
)
def test_other_stream_is_playable_by_the_same_profile_only(stream: Codec, offered: Codec, is_playable: bool) -> None:
    assert TrackFormat.of(stream).is_playable_by(offered) is is_playable


def test_codec_to_play_is_of_the_same_profile_where_that_is_offered() -> None:
    high, main = h264(HIGH, payload_type=1), h264(MAIN, payload_type=2)
    assert codec_to_play(video(VP8, high, main), TrackFormat.of(h264(MAIN))) is main
    assert codec_to_play(video(VP8, high), TrackFormat.of(h264(MAIN))) is high
    assert codec_to_play(video(VP8, main), TrackFormat.of(h264(HIGH))) is None


# What to ask a studio for


def test_codec_to_publish_is_the_first_that_passes_through() -> None:
    assert codec_to_publish(video(codec(9, "video/h265"), VP8, h264(HIGH)), None) is VP8
    assert codec_to_publish(video(h264(HIGH), VP8), None) == h264(HIGH)


def test_codec_to_publish_is_none_where_nothing_passes_through() -> None:
    assert codec_to_publish(video(), None) is None
    assert codec_to_publish(video(codec(9, "video/h265"), h264("nonsense")), None) is None


@pytest.mark.parametrize("clock_rate_hz", [1, 0, -90_000, 48_000])
def test_codec_to_publish_has_the_clock_rate_of_its_format(clock_rate_hz: int) -> None:
    assert codec_to_publish(video(codec(96, "video/vp8", clock_rate_hz)), None) is None


def test_codec_to_publish_of_one_kind_is_not_of_the_other() -> None:
    assert codec_to_publish(video(codec(111, "audio/opus", 90_000)), None) is None


def test_codec_to_publish_prefers_packets_that_may_be_fragments() -> None:
    whole, fragments = h264(CONSTRAINED, "0", 1), h264(CONSTRAINED, "1", 2)
    assert codec_to_publish(video(whole, fragments), None) is fragments
    assert codec_to_publish(video(whole), None) is whole
    assert codec_to_publish(video(VP8, whole, fragments), None) is VP8


def test_codec_to_publish_prefers_what_the_stream_has_now() -> None:
    live = TrackFormat.of(h264(MAIN))
    main = h264(MAIN, payload_type=3)
    assert codec_to_publish(video(VP8, h264(HIGH), main), live) is main
    assert codec_to_publish(video(VP8, h264(HIGH)), live) is VP8
    assert codec_to_publish(video(h264(HIGH), VP8), TrackFormat.of(VP8)) is VP8


def test_codec_to_publish_keeps_the_live_profile_before_the_packetization_mode() -> None:
    live, whole = TrackFormat.of(h264(MAIN)), h264(MAIN, "0", 3)
    assert codec_to_publish(video(h264(CONSTRAINED), whole), live) is whole
