"""What breaks the rules about playlists by themselves: sections 4 and 8."""

from __future__ import annotations

from tests.hls_conformance.breaking import Break, bytes_of, edit, edit_delta, edit_multivariant, header
from tests.hls_conformance.hand_made_media import IDR, SLICE

PDT = "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:40.000Z\n"
MAP = '#EXT-X-MAP:URI="video/init-1.mp4"\n'
PART = '#EXT-X-PART:DURATION=0.20000,URI="video/20.4.m4s"\n'
SEGMENT = "#EXTINF:2.00000,\nvideo/20.m4s\n"

BREAKS: dict[str, list[Break]] = {
    # 4
    "text.playlists_are_identified": [header("content-type", "text/plain")],
    "text.text_is_legal": [
        edit("#EXTM3U", "\ufeff#EXTM3U", step=0),
        edit("#EXTM3U", "#EXTM3U\n#\x07", step=0),
        edit("#EXTM3U", "#EXTM3U\n#e\u0301", step=0),
        edit("#EXTM3U", "#EXTM3U ", step=0),
        edit("#EXTM3U", "#EXTM3U\n#a\tb", step=0),
        edit("video/20.m4s", "video/20 .m4s"),
    ],
    "text.attribute_lists_are_legal": [
        edit("HOLD-BACK=6.0,", "HOLD-BACK= 6.0,"),
        edit("HOLD-BACK=6.0,", 'HOLD-BACK="6.0",'),
        edit("HOLD-BACK=6.0,", "HOLD-BACK=6.0,HOLD-BACK=6.0,"),
        edit("HOLD-BACK=6.0,", "Hold-Back=6.0,"),
        edit("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=12.0,"),
        edit("CAN-BLOCK-RELOAD=YES", "CAN-BLOCK-RELOAD=NO"),
        edit("DURATION=0.20000,", ""),
        edit('URI="video/20.4.m4s"', 'URI=""'),
        edit("LAST-MSN=21", "LAST-MSN=21.5"),
    ],
    "text.tags_are_known": [
        edit("#EXTM3U", "#EXTM3U\n#EXT-X-NOTHING"),
        edit("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:2.5"),
    ],
    "text.kinds_are_not_mixed": [edit("#EXTM3U", '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b"')],
    "text.extm3u_is_first": [edit("#EXTM3U", "#EXT-X-VERSION:6\n#EXTM3U")],
    "text.version_is_there_once": [edit("#EXT-X-VERSION:6\n", ""), edit("#EXTM3U", "#EXTM3U\n#EXT-X-VERSION:6")],
    "text.version_suffices": [
        edit("VERSION:6", "VERSION:5"),
        edit_delta("yes", "VERSION:9", "VERSION:8"),
        edit_delta("v2", "VERSION:10", "VERSION:9"),
    ],
    "text.version_is_not_too_great": [edit("VERSION:6", "VERSION:9")],
    "text.common_tags_are_there_once": [edit_multivariant("#EXTM3U", "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS")],
    "text.independent_segments_is_said_in_one_place": [edit("#EXTM3U", "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS")],
    # 4.4.3
    "media_playlist.tags_are_there_once": [
        edit("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:2\n#EXT-X-TARGETDURATION:2")
    ],
    "media_playlist.target_duration_is_there": [edit("#EXT-X-TARGETDURATION:2\n", "")],
    "media_playlist.segments_are_not_longer_than_the_target": [edit("#EXTINF:2.00000,", "#EXTINF:2.50000,")],
    "media_playlist.media_sequence_stands_before_segments": [
        edit(MAP, MAP + "#EXT-X-MEDIA-SEQUENCE:12\n"),
    ],
    "media_playlist.discontinuity_sequence_stands_before_segments": [
        edit("#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"),
    ],
    "media_playlist.part_inf_goes_with_parts": [edit("#EXT-X-PART-INF:PART-TARGET=0.21\n", "")],
    "media_playlist.skip_boundary_is_six_targets": [edit("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=11.9")],
    "media_playlist.skipping_dateranges_needs_a_skip_boundary": [
        edit("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-DATERANGES=YES")
    ],
    "media_playlist.hold_back_is_three_targets": [edit(",HOLD-BACK=6.0", ",HOLD-BACK=5.9")],
    "media_playlist.part_hold_back_is_there": [edit("PART-HOLD-BACK=0.63,", "")],
    "media_playlist.part_hold_back_is_two_part_targets": [edit("PART-HOLD-BACK=0.63", "PART-HOLD-BACK=0.41")],
    "media_playlist.part_hold_back_should_be_three_part_targets": [
        edit("PART-HOLD-BACK=0.63", "PART-HOLD-BACK=0.62"),
        edit("PART-TARGET=0.21", "PART-TARGET=0.22", only="audio"),
    ],
    # 4.4.4
    "segments.every_segment_has_a_duration": [edit(SEGMENT, "video/20.m4s\n")],
    "segments.durations_are_decimal": [edit("#EXTINF:2.00000,", "#EXTINF:2,")],
    "segments.durations_do_not_drift": [edit("#EXTINF:2.00000,", "#EXTINF:2.00090,")],
    "segments.init_changes_are_discontinuities": [edit(PDT, '#EXT-X-MAP:URI="video/init-2.mp4"\n' + PDT)],
    "segments.every_segment_has_an_init_section": [edit(MAP, "")],
    "segments.dates_have_zone_and_milliseconds": [
        edit(":40.000Z", ":40.000"),
        edit(":40.000Z", ":40Z"),
        edit(":40.000Z", ":40.0Z"),
    ],
    "segments.tags_of_a_segment_stand_before_its_parts": [edit(PART, PDT + PART)],
    "segments.part_durations_do_not_exceed_the_part_target": [edit(PART, PART.replace("0.20000", "0.21100"))],
    "segments.part_durations_are_85_percent_of_the_part_target": [edit(PART, PART.replace("0.20000", "0.16600"))],
    "segments.part_durations_never_exceed_the_part_target": [edit(PART, PART.replace("0.20000", "0.21100"))],
    "segments.part_durations_are_those_of_their_samples": [edit(PART, PART.replace("0.20000", "0.19800"))],
    "segments.parts_with_an_independent_frame_say_so": [
        edit(",INDEPENDENT=YES", "", only="audio"),
        bytes_of("video/21.3.m4s", SLICE + SLICE, SLICE + IDR),
        edit(",INDEPENDENT=YES", "", only="video"),
    ],
    "segments.parts_that_say_independent_are": [edit('20.4.m4s"', '20.4.m4s",INDEPENDENT=YES', only="video")],
}
