"""The bench's players read what the gateway's playlists say."""

import gzip

import pytest

from tests.bench.hls.playlist import MAX_KEPT, Parsed, Playlist, parse

TEXT = b"""#EXTM3U
#EXT-X-PART-INF:PART-TARGET=0.21000
#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:01:40.500Z
#EXT-X-PART:DURATION=0.20000,URI="video/7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.10000,URI="video/7.1.m4s"
#EXTINF:0.30000,
video/7.m4s
#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:01:50.000Z
#EXT-X-PART:DURATION=0.20000,URI="video/8.0.m4s"
#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="video/init-1.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/8.1.m4s"
"""


@pytest.mark.parametrize("body", [TEXT, gzip.compress(TEXT)], ids=["plain", "packed"])
def test_parts_end_where_dates_and_durations_say(body: bytes) -> None:
    playlist = parse(body)
    assert list(playlist.parts) == [(7, 0), (7, 1), (8, 0)]
    assert list(playlist.parts.values()) == pytest.approx([100.7, 100.8, 110.2])
    assert playlist.hint == (8, 1)


def test_playlist_that_ended_hints_at_nothing() -> None:
    assert parse(b"#EXTM3U\n#EXT-X-ENDLIST\n") == Playlist({}, None)


def test_same_playlist_is_read_once_and_not_kept_for_ever() -> None:
    read: list[bytes] = []

    def count(body: bytes) -> Playlist:
        read.append(body)
        return Playlist({}, None)

    parsed = Parsed(count)
    assert parsed(b"0") is parsed(b"0")
    for number in range(1, MAX_KEPT + 1):
        parsed(b"%d" % number)
    parsed(b"1")
    assert len(read) == MAX_KEPT + 1
    parsed(b"0")
    assert read[-1] == b"0"
