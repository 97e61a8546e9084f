"""What breaks the rules about metadata tags and the multivariant playlist: sections 4.4.5 and 4.4.6."""

from __future__ import annotations

from tests.hls_conformance.breaking import Break, edit, edit_delta, edit_multivariant
from tests.hls_conformance.hand_made import DATE_RANGE, OLD_RANGE

RANGE = DATE_RANGE.strip()
HINT = 'URI="video/22.4.m4s"'
PART = '#EXT-X-PART:DURATION=0.20000,URI="video/20.4.m4s"\n'
SEGMENT = "#EXTINF:2.00000,\nvideo/20.m4s\n"

BREAKS: dict[str, list[Break]] = {
    # 4.4.5
    "metadata.date_ranges_are_seen": [edit(OLD_RANGE, ""), edit(DATE_RANGE, DATE_RANGE + OLD_RANGE, only="audio")],
    "metadata.date_ranges_have_a_start": [edit('START-DATE="2026-11-21T10:00:30.000Z",', "")],
    "metadata.date_ranges_do_not_end_before_they_start": [
        edit("DURATION=4.0", 'END-DATE="2026-11-21T10:00:29.000Z"'),
        edit("DURATION=4.0", 'DURATION=4.0,END-DATE="2026-11-21T10:00:35.000Z"'),
    ],
    "metadata.date_ranges_repeat_attributes_unchanged": [
        edit(RANGE, RANGE + '\n#EXT-X-DATERANGE:ID="round-7",CLASS="other"'),
        edit('CLASS="round"', 'CLASS="other"', step=5),
    ],
    "metadata.date_ranges_use_end_on_next_rightly": [
        edit("DURATION=4.0", "DURATION=4.0,END-ON-NEXT=YES"),
        edit("DURATION=4.0", 'CUE="PRE,POST"'),
    ],
    "metadata.date_ranges_come_with_a_date": [edit("#EXT-X-PROGRAM-DATE-TIME", "#E")],
    "metadata.date_range_dates_have_zone_and_milliseconds": [edit("10:00:30.000Z", "10:00:30Z")],
    "metadata.skip_is_there_once": [
        edit("#EXT-X-DISCONTINUITY-SEQUENCE:0", "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=0"),
        edit_delta("yes", "#EXT-X-SKIP:", "#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-SKIP:"),
    ],
    "metadata.skip_lists_removed_date_ranges_in_v2": [edit_delta("v2", ',RECENTLY-REMOVED-DATERANGES="round-6"', "")],
    "metadata.hints_name_the_part_that_comes": [edit(HINT, 'URI="video/22.9.m4s"', step=15)],
    "metadata.hints_have_a_known_type": [edit("TYPE=PART", "TYPE=SEGMENT")],
    "metadata.hints_end_with_the_stream": [edit("#EXT-X-PRELOAD-HINT", "#EXT-X-ENDLIST\n#EXT-X-PRELOAD-HINT")],
    "metadata.reports_have_relative_uris": [edit('URI="audio.m3u8"', 'URI="https://cdn.example/audio.m3u8"')],
    "metadata.reports_say_last_msn_and_part": [edit(",LAST-PART=4", ""), edit("LAST-MSN=21,", "")],
    "metadata.reports_are_up_to_date": [edit("LAST-MSN=21,LAST-PART=9", "LAST-MSN=21,LAST-PART=1")],
    # 4.4.6
    "multivariant.default_renditions_are_autoselected": [edit_multivariant("AUTOSELECT=YES", "AUTOSELECT=NO")],
    "multivariant.audio_renditions_have_channels": [edit_multivariant(',CHANNELS="2"', "")],
    "multivariant.groups_have_different_names_and_one_default": [
        edit_multivariant(
            "#EXT-X-STREAM-INF", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Table"\n#EXT-X-STREAM-INF'
        ),
        edit_multivariant(
            "#EXT-X-STREAM-INF", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="B",DEFAULT=YES\n#EXT-X-STREAM-INF'
        ),
    ],
    "multivariant.every_variant_has_a_uri": [edit_multivariant("g/video.m3u8\n", "")],
    "multivariant.variants_name_their_codecs": [edit_multivariant('CODECS="avc1.42C01E,mp4a.40.2",', "")],
    "multivariant.variants_name_resolution_and_frame_rate": [
        edit_multivariant("RESOLUTION=640x360,", ""),
        edit_multivariant("30.000", "29.9701"),
    ],
    "multivariant.audio_groups_exist": [edit_multivariant('AUDIO="audio"', 'AUDIO="sound"')],
    "multivariant.bandwidth_covers_the_renditions": [edit_multivariant("BANDWIDTH=90000", "BANDWIDTH=9000")],
}
