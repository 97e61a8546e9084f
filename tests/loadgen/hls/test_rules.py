import pytest

from loadgen.hls.playlist import MediaPlaylist, parse_media_playlist
from loadgen.hls.rules import contradictions, violations

GOOD = """\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.63,CAN-SKIP-UNTIL=6,HOLD-BACK=3
#EXT-X-PART-INF:PART-TARGET=0.21
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PART:DURATION=0.2,URI="7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.2,URI="7.1.m4s"
#EXT-X-PART:DURATION=0.1,URI="7.2.m4s"
#EXTINF:0.5,
7.m4s
#EXT-X-PART:DURATION=0.2,URI="8.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.05,URI="8.1.m4s"
"""


def spoiled(old: str, new: str) -> MediaPlaylist:
    """GOOD, with a fault."""
    assert old in GOOD
    return parse_media_playlist(GOOD.replace(old, new))


def test_good_playlist_breaks_no_rule() -> None:
    assert violations(parse_media_playlist(GOOD)) == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("HOLD-BACK=0.63", "HOLD-BACK=0.4", "part_hold_back_too_short"),
        ("PART-HOLD-BACK=0.63,", "", "part_hold_back_missing"),
        (",HOLD-BACK=3", ",HOLD-BACK=2", "hold_back_too_short"),
        ("UNTIL=6", "UNTIL=5", "skip_boundary_too_short"),
        ("#EXT-X-PART-INF:PART-TARGET=0.21\n", "", "part_without_part_target"),
        ("#EXTINF:0.5", "#EXTINF:1.5", "segment_too_long"),
        ('DURATION=0.2,URI="7.0', 'DURATION=0.3,URI="7.0', "part_too_long"),
        ('DURATION=0.2,URI="7.1', 'DURATION=0.1,URI="7.1', "part_too_short"),
        ('DURATION=0.2,URI="8.0', 'DURATION=0.1,URI="8.0', "part_too_short"),
        ("#EXTINF:0.5", "#EXTINF:0.6", "parts_do_not_make_segment"),
        ('#EXT-X-MAP:URI="init.mp4"\n', "", "map_missing"),
    ],
)
def test_rule_that_is_broken_is_named(old: str, new: str, rule: str) -> None:
    assert rule in violations(spoiled(old, new))


def test_delta_update_needs_its_version() -> None:
    skip = "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-MAP"
    assert violations(spoiled("#EXT-X-MAP", skip)) == frozenset()
    text = GOOD.replace("#EXT-X-MAP", skip).replace("VERSION:9", "VERSION:8")
    assert violations(parse_media_playlist(text)) == {"version_too_low"}


NEXT = GOOD + '#EXT-X-PART:DURATION=0.2,URI="8.2.m4s"\n'


def test_playlist_that_goes_on_contradicts_nothing() -> None:
    before = parse_media_playlist(GOOD)
    assert list(contradictions(before, before)) == []
    assert list(contradictions(parse_media_playlist(NEXT), before)) == []
    assert list(contradictions(parse_media_playlist(NEXT + "#EXTINF:0.45,\n8.m4s\n"), before)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("SEQUENCE:7", "SEQUENCE:6", "media_sequence_went_back"),
        ("TARGETDURATION:1", "TARGETDURATION:2", "target_duration_changed"),
        ('#EXT-X-PART:DURATION=0.05,URI="8.1.m4s"\n', "", "part_vanished"),
        ('DURATION=0.05,URI="8.1', 'DURATION=0.04,URI="8.1', "part_changed"),
        ("8.0.m4s", "8.0.again.m4s", "part_changed"),
    ],
)
def test_contradiction_is_named(old: str, new: str, rule: str) -> None:
    assert rule in set(contradictions(spoiled(old, new), parse_media_playlist(GOOD)))


def test_stream_that_goes_on_behind_its_end_is_a_contradiction() -> None:
    ended = parse_media_playlist(GOOD + "#EXT-X-ENDLIST\n")
    assert list(contradictions(parse_media_playlist(NEXT), ended)) == ["endlist_vanished"]
