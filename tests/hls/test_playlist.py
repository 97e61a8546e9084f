import gzip
from collections.abc import Iterator

import pytest

from gateway.hls.date_ranges import DateRange, DateRanges
from gateway.hls.playlist import MediaPlaylist, Skip
from gateway.hls.rendition import Part, Rendition

UNIX_S = 1_700_000_000.0
NOW_S = 100.0


def rendition(name: str = "video") -> Rendition:
    return Rendition(name, 0.21, 2)


def add_parts(target: Rendition, count: int, duration_s: float = 0.2) -> None:
    for number in range(count):
        target.add_part(Part(b"part", duration_s, not number), NOW_S)


def add_segments(target: Rendition, count: int, parts: int = 10) -> None:
    for _ in range(count):
        first = None if target.segments else b"init"
        target.begin_segment(UNIX_S + 2.0 * len(target.segments), False, first)
        add_parts(target, parts, 2.0 / parts)
        target.end_segment()


class Playlists:
    """The playlist of one rendition that reports on another."""

    def __init__(self) -> None:
        self.video, self.audio = rendition(), rendition("audio")
        self.date_ranges = DateRanges()
        self.playlist = MediaPlaylist(self.video, [self.audio], self.date_ranges, "prefix")

    def lines(self, skip: Skip = Skip.NOTHING, now_s: float = NOW_S) -> list[str]:
        return self.playlist.text(skip, now_s).plain.decode().splitlines()

    def tags(self, tag: str, skip: Skip = Skip.NOTHING) -> list[str]:
        return [line for line in self.lines(skip) if line.startswith(f"#EXT-X-{tag}:")]


@pytest.fixture
def playlists() -> Playlists:
    return Playlists()


GOLDEN = """\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.63000,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.21000
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="video/init-0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXT-X-PART:DURATION=0.20000,URI="video/0.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI="video/0.1.m4s"
#EXTINF:0.40000,
video/0.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="video/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:25.250Z
#EXT-X-PART:DURATION=0.20000,URI="video/1.0.m4s",INDEPENDENT=YES
#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=0,LAST-PART=2
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/1.1.m4s"
"""


def test_small_window(playlists: Playlists) -> None:
    video = playlists.video
    video.begin_segment(UNIX_S, False, b"one")
    add_parts(video, 2)
    video.end_segment()
    video.begin_segment(UNIX_S + 5.25, True, b"two")
    add_parts(video, 1)
    playlists.audio.begin_segment(UNIX_S, False, b"init")
    add_parts(playlists.audio, 3)
    assert playlists.playlist.text(Skip.NOTHING, NOW_S).plain.decode() == GOLDEN


def test_nothing_is_named_before_the_first_part(playlists: Playlists) -> None:
    assert playlists.lines()[5:] == [
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/0.0.m4s"',
    ]


def test_parts_are_named_for_three_target_durations(playlists: Playlists) -> None:
    add_segments(playlists.video, 7, parts=8)
    named = sorted({int(line.split("/")[1].split(".")[0]) for line in playlists.tags("PART")})
    assert named == [4, 5, 6]
    playlists.video.begin_segment(UNIX_S, False)
    add_parts(playlists.video, 1)
    named = sorted({int(line.split("/")[1].split(".")[0]) for line in playlists.tags("PART")})
    assert named == [4, 5, 6, 7], "segment 4 ends 4.2 s before the end"


def test_segments_gone_raise_the_sequences(playlists: Playlists) -> None:
    add_segments(playlists.video, 1)
    playlists.video.begin_segment(UNIX_S, True, b"other")
    add_parts(playlists.video, 8, 0.25)
    playlists.video.end_segment()
    add_segments(playlists.video, 9, parts=8)
    assert playlists.tags("MEDIA-SEQUENCE") == ["#EXT-X-MEDIA-SEQUENCE:3"]
    assert playlists.tags("DISCONTINUITY-SEQUENCE") == ["#EXT-X-DISCONTINUITY-SEQUENCE:1"]
    assert playlists.tags("MAP") == ['#EXT-X-MAP:URI="video/init-1.mp4"']
    assert "#EXT-X-DISCONTINUITY" not in playlists.lines()


def test_next_init_section_is_hinted_with_its_part(playlists: Playlists) -> None:
    add_segments(playlists.video, 1)
    playlists.video.begin_segment(UNIX_S, True, b"other")
    assert playlists.tags("PRELOAD-HINT") == [
        '#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="video/init-1.mp4"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/1.0.m4s"',
    ]
    assert "#EXT-X-DISCONTINUITY" not in playlists.lines(), "its segment is not named yet"


def test_hint_is_the_later_uri(playlists: Playlists) -> None:
    playlists.video.begin_segment(UNIX_S, False, b"init")
    for _ in range(4):
        hint = playlists.tags("PRELOAD-HINT")[-1]
        add_parts(playlists.video, 1)
        assert hint.partition("URI=")[2] == playlists.tags("PART")[-1].partition("URI=")[2].split(",")[0]


def test_report_follows_the_other_rendition(playlists: Playlists) -> None:
    add_segments(playlists.video, 1)
    assert playlists.tags("RENDITION-REPORT") == []
    add_segments(playlists.audio, 2, parts=3)
    add_segments(playlists.video, 1)
    assert playlists.tags("RENDITION-REPORT") == ['#EXT-X-RENDITION-REPORT:URI="audio.m3u8",LAST-MSN=1,LAST-PART=2']


def test_end(playlists: Playlists) -> None:
    add_segments(playlists.video, 2)
    add_segments(playlists.audio, 2)
    playlists.video.end()
    assert playlists.lines()[-1] == "#EXT-X-ENDLIST"
    assert playlists.tags("PRELOAD-HINT") == []
    assert len(playlists.tags("RENDITION-REPORT")) == 1


def test_ended_playlist_stays_as_it_was(playlists: Playlists) -> None:
    add_segments(playlists.video, 2)
    playlists.video.end()
    ended = playlists.lines()
    playlists.date_ranges.mark(DateRange("later", "round", UNIX_S), 0.0)
    assert playlists.lines() == ended


def test_no_date_where_none_is_known(playlists: Playlists) -> None:
    playlists.video.begin_segment(None, False, b"init")
    add_parts(playlists.video, 1)
    assert playlists.tags("PROGRAM-DATE-TIME") == []


# Delta updates (section 6.2.5.1)


def test_delta_update_leaves_out_what_lies_before_the_boundary(playlists: Playlists) -> None:
    add_segments(playlists.video, 8, parts=8)
    full = playlists.lines()
    delta = playlists.lines(Skip.SEGMENTS)
    assert "#EXT-X-VERSION:9" in delta
    assert playlists.tags("SKIP", Skip.SEGMENTS) == ["#EXT-X-SKIP:SKIPPED-SEGMENTS=2"]
    assert "video/1.m4s" in full
    assert "video/1.m4s" not in delta
    assert (
        delta[delta.index("#EXT-X-SKIP:SKIPPED-SEGMENTS=2") + 1] == "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z"
    )
    assert [line for line in delta if "SEQUENCE" in line] == [line for line in full if "SEQUENCE" in line]
    assert delta[-8:] == full[-8:]


@pytest.mark.parametrize("skip", [Skip.SEGMENTS, Skip.SEGMENTS_AND_DATE_RANGES])
def test_delta_update_of_a_short_window_is_the_whole_playlist(playlists: Playlists, skip: Skip) -> None:
    add_segments(playlists.video, 6, parts=8)
    playlists.date_ranges.mark(DateRange("round-1", "round", UNIX_S), NOW_S - 90)
    assert playlists.lines(skip) == playlists.lines()
    assert "#EXT-X-VERSION:6" in playlists.lines(skip)


def test_delta_update_keeps_a_map_that_changes_at_the_boundary(playlists: Playlists) -> None:
    add_segments(playlists.video, 2, parts=8)
    playlists.video.begin_segment(UNIX_S, True, b"other")
    add_parts(playlists.video, 8, 0.25)
    playlists.video.end_segment()
    add_segments(playlists.video, 5, parts=8)
    delta = playlists.lines(Skip.SEGMENTS)
    place = delta.index("#EXT-X-SKIP:SKIPPED-SEGMENTS=2")
    assert delta[place + 1 : place + 3] == ["#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="video/init-1.mp4"']


def test_delta_update_of_date_ranges(playlists: Playlists) -> None:
    add_segments(playlists.video, 8, parts=8)
    ranges = playlists.date_ranges
    ranges.mark(DateRange("gone", "round", UNIX_S - 60), NOW_S - 60)
    ranges.mark(DateRange("old", "round", UNIX_S), NOW_S - 13)
    ranges.mark(DateRange("new", "round", UNIX_S + 10), NOW_S - 1)
    ranges.forget_before(UNIX_S, NOW_S, 12.0)
    assert "#EXT-X-VERSION:10" in playlists.lines(Skip.SEGMENTS_AND_DATE_RANGES)
    (skip,) = playlists.tags("SKIP", Skip.SEGMENTS_AND_DATE_RANGES)
    assert skip == '#EXT-X-SKIP:SKIPPED-SEGMENTS=2,RECENTLY-REMOVED-DATERANGES="gone"'
    (tag,) = playlists.tags("DATERANGE", Skip.SEGMENTS_AND_DATE_RANGES)
    assert 'ID="new"' in tag
    assert len(playlists.tags("DATERANGE", Skip.SEGMENTS)) == 2, "YES leaves all of them"
    assert len(playlists.tags("DATERANGE")) == 2


def test_delta_update_is_not_made_of_what_has_ended(playlists: Playlists) -> None:
    add_segments(playlists.video, 8, parts=8)
    playlists.video.end()
    assert playlists.lines(Skip.SEGMENTS) == playlists.lines()
    assert playlists.tags("SKIP", Skip.SEGMENTS) == []


# How it is kept


def test_playlist_is_rendered_once_a_version(playlists: Playlists, monkeypatch: pytest.MonkeyPatch) -> None:
    renderings = 0
    lines = MediaPlaylist._lines

    def counted(self: MediaPlaylist, skip: Skip, now_s: float) -> Iterator[str]:
        nonlocal renderings
        renderings += 1
        return lines(self, skip, now_s)

    monkeypatch.setattr(MediaPlaylist, "_lines", counted)
    add_segments(playlists.video, 1)
    first = playlists.playlist.text(Skip.NOTHING, NOW_S)
    assert playlists.playlist.text(Skip.NOTHING, NOW_S + 1) is first
    assert renderings == 1
    playlists.playlist.text(Skip.SEGMENTS, NOW_S)
    assert renderings == 2
    add_segments(playlists.video, 1)
    assert playlists.playlist.text(Skip.NOTHING, NOW_S) is not first
    playlists.date_ranges.mark(DateRange("round-1", "round", UNIX_S), NOW_S)
    assert any("round-1" in line for line in playlists.lines())
    assert renderings == 4


def test_gzipped_text_is_the_same_text(playlists: Playlists) -> None:
    add_segments(playlists.video, 8)
    text = playlists.playlist.text(Skip.NOTHING, NOW_S)
    assert gzip.decompress(text.gzipped) == text.plain
    assert len(text.gzipped) < len(text.plain) / 3


def test_etag_is_another_for_each_text(playlists: Playlists) -> None:
    etags = []
    for _ in range(9):
        add_segments(playlists.video, 1, parts=8)
        etags += [playlists.playlist.text(skip, NOW_S).etag for skip in (Skip.NOTHING, Skip.SEGMENTS)]
    assert len(set(etags)) == len(etags)
    assert all(etag.startswith('W/"prefix-') and etag.endswith('"') for etag in etags)


def test_text_holds_no_stray_white_space(playlists: Playlists) -> None:
    add_segments(playlists.video, 8)
    playlists.date_ranges.mark(DateRange("a round", "round", UNIX_S, attributes={"X-SAID": "two words"}), NOW_S)
    text = playlists.playlist.text(Skip.NOTHING, NOW_S).plain.decode()
    assert text.endswith("\n")
    unquoted = "".join(text.split('"')[::2])
    assert " " not in unquoted
    assert "\t" not in text
    assert "\n\n" not in text
