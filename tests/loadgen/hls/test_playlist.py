from dataclasses import replace

import pytest

from gateway.errors import WireError
from loadgen.hls.playlist import MediaPlaylist, Part, completed, parse_media_playlist

WHOLE = """\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.63,CAN-SKIP-UNTIL=12,HOLD-BACK=6
#EXT-X-PART-INF:PART-TARGET=0.21
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="video/init-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:00.000Z
#EXTINF:2.0,
video/7.m4s

#EXT-X-SOMETHING-NEW:1
# a comment
#EXTINF:0.4,a title
video/8.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="video/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:09.500+00:00
#EXT-X-PART:DURATION=0.2,URI="video/9.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.2,URI="video/9.1.m4s",GAP=YES
#EXTINF:0.4,
video/9.m4s
#EXT-X-PART:DURATION=0.2,URI="video/10.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="video/init-2.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/10.1.m4s"
#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=10,LAST-PART=0
"""
TEN_UNIX_S = 1_795_255_200.0
"""2026-11-21, ten o'clock."""


def whole(**changes: str) -> MediaPlaylist:
    """WHOLE, with text replaced."""
    text = WHOLE
    for old, new in changes.items():
        text = text.replace(old, new)
    return parse_media_playlist(text)


def test_playlist_is_read() -> None:
    playlist = whole()
    assert (playlist.version, playlist.target_duration_s, playlist.part_target_s) == (9, 2.0, 0.21)
    assert (playlist.part_hold_back_s, playlist.hold_back_s, playlist.can_skip_until_s) == (0.63, 6.0, 12.0)
    assert (playlist.can_block_reload, playlist.has_ended) == (True, False)
    assert (playlist.media_sequence, playlist.discontinuity_sequence, playlist.skipped) == (7, 3, 0)
    assert playlist.hint_uri == "video/10.1.m4s"
    assert [segment.msn for segment in playlist.segments] == [7, 8, 9, 10]
    assert [segment.uri for segment in playlist.segments] == ["video/7.m4s", "video/8.m4s", "video/9.m4s", None]
    assert [segment.duration_s for segment in playlist.segments] == [2.0, 0.4, 0.4, 0.2]


def test_part_has_what_its_tag_says() -> None:
    assert whole().segments[2].parts == (
        Part("video/9.0.m4s", 0.2, is_independent=True),
        Part("video/9.1.m4s", 0.2, is_independent=False, is_gap=True),
    )


def test_segment_has_what_stands_above_it() -> None:
    segments = whole().segments
    assert [segment.discontinuities for segment in segments] == [3, 3, 4, 4]
    assert [segment.map_uri for segment in segments] == ["video/init-0.mp4"] * 2 + ["video/init-1.mp4"] * 2
    dates = [(segment.pdt_unix_s or 0) - TEN_UNIX_S for segment in segments]
    assert dates == pytest.approx([0.0, 2.0, 9.5, 9.9])


def test_date_does_not_go_on_behind_a_discontinuity() -> None:
    text = WHOLE.replace("#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:09.500+00:00\n", "")
    assert [segment.pdt_unix_s is None for segment in parse_media_playlist(text).segments] == [False, False, True, True]


def test_position_of_the_next_part_is_in_the_segment_that_is_not_complete() -> None:
    playlist = whole()
    assert playlist.next_position == (10, 1)
    assert (playlist.end_unix_s or 0) - TEN_UNIX_S == pytest.approx(10.1)
    complete = replace(playlist, segments=playlist.segments[:-1])
    assert complete.next_position == (10, 0)
    assert replace(playlist, segments=()).next_position == (7, 0)
    assert replace(playlist, segments=()).end_unix_s is None


def test_end_is_read() -> None:
    assert parse_media_playlist(WHOLE + "#EXT-X-ENDLIST\n").has_ended


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#EXTM3U\n", ""),
        ("#EXT-X-TARGETDURATION:2\n", ""),
        ("TARGETDURATION:2", "TARGETDURATION:2.5"),
        ("#EXTINF:2.0,\n", ""),
        ("#EXTINF:2.0,", "#EXTINF:two,"),
        ('DURATION=0.2,URI="video/9.0.m4s"', 'URI="video/9.0.m4s"'),
        ('DURATION=0.2,URI="video/9.0.m4s"', "DURATION=0.2"),
        ('URI="video/9.0.m4s"', 'URI="video/9.m4s",BYTERANGE="100@0"'),
        ('URI="video/10.1.m4s"', 'URI="video/10.m4s",BYTERANGE-START=100'),
        ('#EXT-X-MAP:URI="video/init-0.mp4"', '#EXT-X-MAP:URI="all.mp4",BYTERANGE="100@0"'),
        ("#EXT-X-MAP:", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXT-X-MAP:'),
        ("PART-TARGET=0.21", "OTHER=1"),
        ("2026-11-21T10:00:00.000Z", "yesterday"),
        ("2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00.000"),
        ("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:-7"),
        ("#EXT-X-DISCONTINUITY\n", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"),
        ("video/9.m4s\n", "video/9.m4s\n#EXTINF:2.0,\n"),
    ],
)
def test_playlist_that_cannot_be_played_is_refused(old: str, new: str) -> None:
    text = WHOLE.replace(old, new, 1)
    assert text != WHOLE
    with pytest.raises(WireError):
        parse_media_playlist(text)


def test_playlist_without_end_is_refused() -> None:
    with pytest.raises(WireError, match="endless"):
        parse_media_playlist("#EXTM3U\n" + "#\n" * 30_000)


# Delta updates

HEAD, _, TAIL = WHOLE.partition("#EXT-X-MAP")
LATER = TAIL.partition("video/8.m4s\n")[2]


def delta(skipped: int, rest: str, head: str = HEAD) -> MediaPlaylist:
    """An update whose first segments are skipped."""
    return parse_media_playlist(f"{head}#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n{rest}")


def test_delta_update_is_completed_to_the_whole() -> None:
    assert completed(delta(2, LATER), whole()) == whole()


def test_delta_update_takes_date_and_map_and_discontinuities_of_what_it_skips() -> None:
    rest = "#EXTINF:0.4,\nvideo/10.m4s\n"
    whole_before = parse_media_playlist(WHOLE.partition('#EXT-X-PART:DURATION=0.2,URI="video/10.0')[0])
    last = completed(delta(3, rest), whole_before).segments[-1]
    assert (last.msn, last.map_uri, last.discontinuities) == (10, "video/init-1.mp4", 4)
    assert (last.pdt_unix_s or 0) - TEN_UNIX_S == pytest.approx(9.9)


def test_delta_update_of_a_window_that_moved_on_is_completed() -> None:
    head = HEAD.replace("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:8")
    update = completed(delta(1, LATER, head), whole())
    assert [segment.msn for segment in update.segments] == [8, 9, 10]
    assert update.segments == whole().segments[1:]


@pytest.mark.parametrize(("skipped", "head"), [(9, HEAD), (4, HEAD), (1, HEAD.replace("SEQUENCE:7", "SEQUENCE:2"))])
def test_delta_update_that_skips_what_was_never_listed_is_refused(skipped: int, head: str) -> None:
    with pytest.raises(WireError, match="skips"):
        completed(delta(skipped, LATER, head), whole())


def test_playlist_that_is_whole_stays_as_it_is() -> None:
    assert completed(whole(), parse_media_playlist(HEAD)) == whole()
