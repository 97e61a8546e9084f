"""The reader, on the draft's own low-latency example (section 9.11) made whole, and on what is not legal."""

from __future__ import annotations

import pytest

from tests.hls_conformance.attributes import PlaylistError
from tests.hls_conformance.reader import MediaPlaylist, Playlist

EXAMPLE = b"""#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-PART-INF:PART-TARGET=2.0
#EXT-X-MEDIA-SEQUENCE:271
#EXT-X-MAP:URI="a.mp4"

# a comment
#EXT-X-PART:DURATION=2.00004,INDEPENDENT=YES,URI="filePart271.0.mp4"
#EXT-X-PART:DURATION=2.00004,URI="filePart271.1.mp4"
#EXTINF:4.00008,
fileSequence271.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="b.mp4"
#EXT-X-PART:DURATION=2.00004,INDEPENDENT=YES,URI="midRoll272.0.mp4"
#EXTINF:2.50005,title, with a comma
midRoll272.mp4
#EXT-X-PART:DURATION=2.00004,INDEPENDENT=YES,URI="midRoll273.0.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="midRoll273.1.mp4"
#EXT-X-RENDITION-REPORT:URI="/1M/LL-HLS.m3u8",LAST-MSN=273,LAST-PART=1
"""


def test_segments_have_their_numbers_and_tags() -> None:
    first, second = MediaPlaylist(EXAMPLE).segments
    assert (first.msn, first.uri, first.duration_s, first.init_uri) == (271, "fileSequence271.mp4", 4.00008, "a.mp4")
    assert (second.msn, second.discontinuity, second.init_uri) == (272, True, "b.mp4")
    assert (first.discontinuity_sequence, second.discontinuity_sequence) == (0, 1)


def test_open_segment_has_parts_and_no_uri() -> None:
    playlist = MediaPlaylist(EXAMPLE)
    assert (playlist.open.msn, playlist.open.uri, playlist.open.init_uri) == (273, None, "b.mp4")
    assert [part.uri for part in playlist.open.parts] == ["midRoll273.0.mp4"]
    assert (playlist.edge, playlist.last_msn) == ((273, 1), 272)
    assert playlist.duration_s == pytest.approx(6.50013)


def test_parts_have_index_and_flags() -> None:
    parts = MediaPlaylist(EXAMPLE).parts
    assert [(part.msn, part.index, part.independent) for part in parts[:2]] == [(271, 0, True), (271, 1, False)]


def test_skipped_segments_are_counted() -> None:
    skip = b"#EXT-X-MEDIA-SEQUENCE:268\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3"
    delta = EXAMPLE.replace(b"#EXT-X-MEDIA-SEQUENCE:271", skip)
    assert [segment.msn for segment in MediaPlaylist(delta).segments] == [271, 272]


def test_every_line_that_says_something_is_kept() -> None:
    kept = [line.text for line in Playlist(EXAMPLE).lines]
    assert kept == [line for line in EXAMPLE.decode().splitlines() if line and line != "# a comment"]


def test_lines_may_end_with_carriage_return_and_line_feed() -> None:
    assert MediaPlaylist(EXAMPLE.replace(b"\n", b"\r\n")).edge == (273, 1)


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [
        ("4.1", b"#EXTM3U", b"\xef\xbb\xbf#EXTM3U"),
        ("4.1", b"# a comment", b"# \xff"),
        ("4.1", b"# a comment", b"# a\rcomment"),
        ("4.1", b"# a comment", b"# \xc2\x85"),
        ("4.1", b"midRoll272.mp4\n", b"midRoll272.mp4 \n"),
        ("4.2", b"DURATION=2.00004,URI", b"DURATION=2.00004, URI"),
        ("4.2", b"DURATION=2.00004,URI", b"DURATION=-2.00004,URI"),
        ("4.2", b"DURATION=2.00004,URI", b"DURATION=2,DURATION=2,URI"),
        ("4.2", b"DURATION=2.00004,URI", b"LENGTH=2.00004,URI"),
        ("4.2", b'URI="a.mp4"', b"URI=a.mp4"),
        ("4.2", b"LAST-MSN=273", b"LAST-MSN=18446744073709551616"),
        ("4.2", b'TYPE=PART,URI="midRoll273.1.mp4"', b"TYPE=PART"),
        ("4.4", b"#EXT-X-DISCONTINUITY\n", b"#EXT-X-DISCONTINUTY\n"),
        ("4.4", b"#EXT-X-DISCONTINUITY\n", b"#EXT-X-DISCONTINUITY:1\n"),
        ("4.4", b"#EXTINF:4.00008,", b"#EXTINF:4.00008"),
        ("4.4", b"TARGETDURATION:4", b"TARGETDURATION:4.0"),
    ],
)
def test_reader_refuses_what_is_not_legal(section: str, old: bytes, new: bytes) -> None:
    assert old in EXAMPLE
    with pytest.raises(PlaylistError) as refusal:
        MediaPlaylist(EXAMPLE.replace(old, new))
    assert refusal.value.section == section
