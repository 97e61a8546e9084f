"""Each rule holds for the stream made by hand, and notices when that stream breaks it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hls_conformance import rules
from tests.hls_conformance.breaking import (
    Break,
    answer,
    both,
    bytes_of,
    edit,
    edit_answer,
    edit_delta,
    edit_multivariant,
    gone,
    header,
    media,
    playlists,
    without_header,
)
from tests.hls_conformance.hand_made import DATE_RANGE, ended_stream, made_stream
from tests.hls_conformance.hand_made_media import IDR, SLICE
from tests.hls_conformance.recording import Stream
from tests.hls_conformance.rules import Rule, broken

ABOUT_AN_END = {
    "updates.the_end_is_told",
    "updates.media_stay_after_the_end",
    "blocking.directives_are_ignored_after_the_end",
}
ABOUT_SILENCE = "updates.absent_media_are_gaps"
"""No playlist made by hand has a gap: that the rule notices is what its strict xfail shows."""

RANGE = DATE_RANGE.strip()
HINT = 'URI="video/22.4.m4s"'
PDT = "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:40.000Z\n"
MAP = '#EXT-X-MAP:URI="video/init-1.mp4"\n'
CONTROL = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.63,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0"
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
    # 4.4.5
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
    "metadata.skip_lists_removed_date_ranges_in_v2": [edit_delta("v2", ',RECENTLY-REMOVED-DATERANGES=""', "")],
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
    # 3
    "media.segments_continue_the_timestamps": [
        media("video/20.m4s", lambda e: replace(e, wire_body=_later(e.wire_body)))
    ],
    "media.durations_are_those_of_the_samples": [
        edit(SEGMENT, SEGMENT.replace("2.00000", "1.99800")),
        media("video/20.m4s", gone),
    ],
    "media.video_segments_hold_an_idr": [bytes_of("video/20.m4s", IDR, SLICE)],
    "media.segments_begin_with_an_independent_frame": [bytes_of("video/20.m4s", IDR, SLICE)],
    "media.init_sections_hold_no_samples": [
        media("video/init-1.mp4", lambda e: replace(e, wire_body=e.wire_body + b"\0\0\0\x09mdat\0")),
        bytes_of("video/init-1.mp4", b"stts\0\0\0\0\0\0\0\0", b"stts\0\0\0\0\0\0\0\1"),
    ],
    "media.init_sections_have_a_brand_from_iso6": [
        both(bytes_of("video/init-1.mp4", b"iso6", b"isom"), bytes_of("video/init-1.mp4", b"cmfc", b"mp42")),
        bytes_of("video/init-1.mp4", b"ftyp", b"free"),
    ],
    "media.init_sections_have_durations_of_zero": [
        bytes_of("video/init-1.mp4", b"mvhd" + bytes(20), b"mvhd" + bytes(19) + b"\1")
    ],
    "media.init_sections_have_mvex_after_the_tracks": [bytes_of("video/init-1.mp4", b"mvex", b"free")],
    "media.init_sections_refer_to_nothing_outside": [bytes_of("video/init-1.mp4", b"url \0\0\0\1", b"url \0\0\0\0")],
    "media.fragments_have_a_decode_time": [bytes_of("video/20.3.m4s", b"tfdt", b"free")],
    "media.fragments_are_addressed_from_their_moof": [bytes_of("video/20.3.m4s", b"tfhd\0\2\0\0", b"tfhd\0\0\0\0")],
    "media.fragments_belong_to_a_track_of_their_init_section": [
        bytes_of("video/20.3.m4s", b"tfhd\0\2\0\0\0\0\0\1", b"tfhd\0\2\0\0\0\0\0\2"),
    ],
    "media.parts_hold_the_samples_of_their_segment": [bytes_of("video/20.3.m4s", SLICE, SLICE[:-1] + b"\1")],
    "media.part_indexes_begin_at_zero": [edit(PART, "")],
    # 6.2.1
    "updates.updates_have_something_new": [lambda stream: stream.snapshots["audio"].__delitem__(slice(2, None))],
    "updates.listed_media_are_available": [media("audio/20.3.m4s", gone)],
    "updates.playlists_are_compressed": [playlists(headers={})],
    "updates.target_duration_does_not_change": [edit("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:3", step=5)],
    "updates.other_playlist_tags_do_not_change": [
        edit("PART-TARGET=0.21", "PART-TARGET=0.22", step=5),
        edit(",HOLD-BACK=6.0", ",HOLD-BACK=7.0", step=5),
    ],
    "updates.segments_do_not_change": [
        edit(SEGMENT, SEGMENT.replace("2.00000", "2.10000"), step=5),
        edit(PDT, PDT.replace("40.000", "40.500"), step=5),
    ],
    "updates.parts_do_not_change": [edit(PART, PART.replace("0.20000", "0.19000"), step=5)],
    "updates.open_segments_keep_their_tags": [edit(":00:44.000Z\n", ":00:44.000Z\n#EXT-X-DISCONTINUITY\n", step=15)],
    "updates.playlists_do_not_go_back": [
        lambda stream: stream.snapshots["video"].insert(9, stream.snapshots["video"][2])
    ],
    "updates.dates_are_not_ambiguous": [edit(":00:42.000Z", ":00:40.900Z"), edit(":00:42.000Z", ":00:40.000Z")],
    "updates.discontinuities_have_a_date": [edit("#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:24.000Z\n", "")],
    "updates.date_ranges_stay_while_they_apply": [edit(DATE_RANGE, "", step=5)],
    "updates.date_range_ids_are_not_used_again": [edit("10:00:30.000Z", "10:00:31.000Z", step=5)],
    "updates.planned_date_ranges_are_ended": [edit("DURATION=4.0", "PLANNED-DURATION=4.0")],
    "updates.new_segments_come_in_time": [lambda stream: _delay(stream, 6.0)],
    "updates.new_parts_come_in_time": [lambda stream: _stretch(stream, 1.2)],
    "updates.the_end_is_told": [edit("#EXT-X-ENDLIST\n", "", only="audio")],
    "updates.media_stay_after_the_end": [answer("ended, media 22.m4s", status=404)],
    # 6.2.2
    "live.media_sequence_counts_what_was_removed": [
        edit("#EXT-X-MEDIA-SEQUENCE:13", "#EXT-X-MEDIA-SEQUENCE:14"),
        edit("#EXT-X-MEDIA-SEQUENCE:13", "#EXT-X-MEDIA-SEQUENCE:11"),
    ],
    "live.parts_leave_after_three_targets": [
        edit("#EXTINF:2.00000,\nvideo/15.m4s", '#EXT-X-PART:DURATION=2.0,URI="x.m4s"\n#EXTINF:2.00000,\nvideo/15.m4s'),
    ],
    "live.parts_leave_in_order": [
        edit("#EXTINF:2.00000,\nvideo/15.m4s", '#EXT-X-PART:DURATION=2.0,URI="x.m4s"\n#EXTINF:2.00000,\nvideo/15.m4s'),
    ],
    "live.parts_stay_available_for_three_targets": [media("video/17.0.m4s", gone, "late")],
    "live.segments_stay_available": [media("video/12.m4s", gone, "late")],
    "live.three_targets_remain": [edit("#EXTINF:2.00000,", "#EXTINF:0.50000,")],
    "live.discontinuity_sequence_is_there": [edit("#EXT-X-DISCONTINUITY-SEQUENCE:0\n", "")],
    "live.discontinuity_sequence_counts_what_was_removed": [
        edit("DISCONTINUITY-SEQUENCE:1", "DISCONTINUITY-SEQUENCE:0"),
        edit("DISCONTINUITY-SEQUENCE:1", "DISCONTINUITY-SEQUENCE:0", step=29),
    ],
    "live.a_discontinuity_was_counted": [
        edit("DISCONTINUITY-SEQUENCE:1", "DISCONTINUITY-SEQUENCE:2", only="audio"),
        edit("#EXT-X-DISCONTINUITY\n", "", only="audio"),
    ],
    "live.segments_say_when_they_expire": [media("audio/20.m4s", without_header("expires"))],
    "live.live_playlists_have_no_type": [edit("#EXTM3U", "#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT")],
    # 6.2.4
    "renditions.codecs_name_every_format": [edit_multivariant(",mp4a.40.2", "")],
    "renditions.target_durations_agree": [edit("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:3", only="audio")],
    "renditions.server_controls_agree": [
        edit(",HOLD-BACK=6.0", ",HOLD-BACK=6.1", only="audio"),
        edit(CONTROL + "\n", "", only="audio"),
    ],
    "renditions.timestamps_match": [edit(".000Z", ".050Z", only="audio")],
    "renditions.dates_follow_the_media": [edit(":00:40.000Z", ":00:40.200Z")],
    "renditions.discontinuity_sequences_match": [
        edit("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1", only="audio"),
        edit("#EXT-X-DISCONTINUITY\n", "", only="audio"),
    ],
    "renditions.renditions_hold_the_same_content": [edit("T10:00:", "T10:01:", only="audio")],
    "renditions.renditions_are_updated_in_sync": [edit("T10:00:4", "T10:00:5", only="audio")],
    "renditions.dates_are_in_all_playlists": [edit("#EXT-X-PROGRAM-DATE-TIME", "#E", only="audio")],
    "renditions.date_ranges_agree": [edit('CLASS="round"', 'CLASS="other"', only="audio")],
    # 6.2.5
    "deltas.yes_gets_a_delta": [lambda stream: _whole_instead(stream, "yes")],
    "deltas.v2_gets_a_delta": [lambda stream: _whole_instead(stream, "v2")],
    "deltas.only_what_is_older_than_the_boundary_is_skipped": [
        edit_delta("yes", "SKIPPED-SEGMENTS=2", "SKIPPED-SEGMENTS=3")
    ],
    "deltas.the_rest_remains": [edit_delta("yes", "INDEPENDENT=YES", "GAP=YES")],
    "deltas.global_tags_remain": [
        edit_delta("yes", "MEDIA-SEQUENCE:14", "MEDIA-SEQUENCE:16"),
        edit_delta("v2", "#EXT-X-PRELOAD-HINT", "#"),
    ],
    "deltas.init_section_remains": [
        edit_delta("yes", "#EXTINF:2.00000,", '#EXT-X-MAP:URI="init-9.mp4"\n#EXTINF:2.00000,')
    ],
    "blocking.reload_is_offered": [edit("CAN-BLOCK-RELOAD=YES,", "")],
    "blocking.msn_waits_for_the_whole_segment": [
        answer("msn of the open segment", url="/v.m3u8?_HLS_msn=99"),
        answer("last msn plus two", status=400),
    ],
    "blocking.part_waits_for_the_part": [playlists(url="/v.m3u8?_HLS_msn=23&_HLS_part=9")],
    "blocking.blocking_answers_as_soon_as_it_can": [lambda stream: _every_third(stream)],
    "blocking.part_beyond_its_segment_is_the_next_segments_first": [
        answer("part beyond a closed segment", status=400),
        answer("part beyond a closed segment", url="/v.m3u8?_HLS_msn=22&_HLS_part=10"),
        answer("part beyond the open segment", asked_s=104.9),
    ],
    "blocking.old_msn_gets_the_entire_playlist": [
        answer("old msn", status=404),
        answer("msn before the window", asked_s=100.0),
    ],
    "blocking.msn_too_far_is_refused": [answer("msn too far", status=200), answer("msn much too far", asked_s=94.0)],
    "blocking.part_too_far_is_refused": [answer("part too far", status=503)],
    "blocking.part_without_msn_is_refused": [answer("part without msn", status=200)],
    "blocking.what_is_no_integer_is_refused": [answer("msn '-1'", status=200), answer("part 'abc'", status=500)],
    "blocking.deadline_is_three_targets": [
        answer("silent, next part", status=200),
        answer("silent, next segment", asked_s=98.0),
        answer("silent, next segment", asked_s=88.0),
    ],
    "blocking.directives_are_ignored_after_the_end": [answer("ended, msn too far", status=400)],
    # 6.2.6
    "hints.hinted_parts_are_answered": [media("video/21.3.m4s", gone, "hinted")],
    "hints.hinted_parts_come_whole": [lambda stream: _trickle(stream)],
    "hints.unknown_resources_are_not_found": [
        answer("unknown stream", status=405),
        answer("part far beyond the hint", asked_s=94.0),
    ],
    "hints.dropped_hints_are_not_found": [
        lambda stream: stream.hinted.update({k: replace(e, url="elsewhere") for k, e in stream.hinted.items()}),
    ],
    "hints.one_hint_of_each_type": [
        edit("#EXT-X-PRELOAD-HINT", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="x"\n#EXT-X-PRELOAD-HINT')
    ],
    # B.1
    "profile.next_part_is_hinted": [edit("#EXT-X-PRELOAD-HINT", "#")],
    "profile.next_init_section_is_hinted": [
        edit(":00:44.000Z\n", ':00:44.000Z\n#EXT-X-MAP:URI="init-2.mp4"\n', only="video")
    ],
    "profile.every_other_rendition_is_reported": [
        edit("#EXT-X-RENDITION-REPORT", "#", only="audio"),
        edit('URI="audio.m3u8"', 'URI="video.m3u8"'),
    ],
    "profile.served_by_http_2": [playlists(http_version="1.1")],
    "profile.requests_are_idempotent": [
        answer("the same, second", status=400),
        edit_answer("the same, second", "LAST-PART=4", "LAST-PART=3"),
    ],
    "profile.blocking_playlists_are_cached_six_targets": [header("cache-control", "max-age=1")],
    "profile.refused_blocking_playlists_are_cached_four_targets": [answer("part too far", headers={})],
    "profile.other_playlists_are_cached_half_a_target": [header("cache-control", "max-age=12")],
    "profile.other_refusals_are_cached_one_target": [answer("unknown playlist", headers={"cache-control": "no-store"})],
    "profile.media_are_cached_six_targets": [media("video/20.m4s", without_header("cache-control"))],
    "profile.refused_media_are_cached_one_target": [answer("segment far beyond the edge", headers={})],
    # ours
    "http.gzip_is_only_for_those_who_ask": [
        answer("without gzip", headers={"content-encoding": "gzip"}),
        answer("multivariant without gzip", headers={}),
    ],
    "http.unchanged_playlists_are_not_sent_again": [
        answer("with the same tag", status=200),
        answer("with a tag", headers={}),
    ],
    "http.pages_of_other_origins_may_read": [answer("segment from another origin", headers={})],
    "http.refusals_are_a_sentence": [answer("unknown stream", wire_body=b"<html>")],
    "http.renditions_share_media_sequence_numbers": [edit(":00:4", ":00:5", only="audio")],
}
"""Rule to ways of breaking it, each of which it has to notice."""


def _later(segment: bytes) -> bytes:
    """With its first decode time a tick later."""
    at = segment.index(b"tfdt") + 8
    return segment[:at] + (int.from_bytes(segment[at : at + 8], "big") + 1).to_bytes(8, "big") + segment[at + 8 :]


def _delay(stream: Stream, by_s: float) -> None:
    late = stream.snapshots["video"][5:]
    stream.snapshots["video"][5:] = [replace(e, answered_s=e.answered_s + by_s) for e in late]


def _stretch(stream: Stream, times: float) -> None:
    """Everything takes that many times as long."""
    for exchanges in stream.snapshots.values():
        exchanges[:] = [replace(e, answered_s=e.answered_s * times) for e in exchanges]


def _whole_instead(stream: Stream, which: str) -> None:
    """A whole playlist where a delta was asked for."""
    stream.deltas = [replace(d, **{which: replace(d.whole, url=getattr(d, which).url)}) for d in stream.deltas]


def _every_third(stream: Stream) -> None:
    for exchanges in stream.snapshots.values():
        exchanges[:] = exchanges[::3]


def _trickle(stream: Stream) -> None:
    """Headers at once, the body over the duration of the part."""
    stream.hinted = {
        k: replace(e, headers_s=e.asked_s + 0.001, answered_s=e.asked_s + 0.2) for k, e in stream.hinted.items()
    }


def _rules() -> dict[str, Rule]:
    """All rules by `module.name`."""
    found: dict[str, Rule] = {}
    for module_info in pkgutil.iter_modules(rules.__path__):
        module = importlib.import_module(f"{rules.__name__}.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            takes = list(inspect.signature(function).parameters)
            if function.__module__ == module.__name__ and takes == ["stream"] and not name.startswith("_"):
                found[f"{module_info.name}.{name}"] = function
    return found


RULES = _rules()


def _fresh(rule: str) -> Stream:
    return ended_stream() if rule in ABOUT_AN_END else made_stream()


@pytest.mark.parametrize("rule", sorted(RULES.keys() - {ABOUT_SILENCE}))
def test_rule_holds_for_the_stream_made_by_hand(rule: str) -> None:
    assert broken(RULES[rule], _fresh(rule)) == []


@pytest.mark.parametrize(("rule", "number"), [(rule, n) for rule, ways in BREAKS.items() for n in range(len(ways))])
def test_rule_notices_a_break(rule: str, number: int) -> None:
    stream = _fresh(rule)
    BREAKS[rule][number](stream)
    assert list(RULES[rule](stream)) != []


def test_every_rule_is_seen_to_fail() -> None:
    assert RULES.keys() - BREAKS.keys() == {ABOUT_SILENCE}


def test_every_rule_has_its_test() -> None:
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    assert [rule for rule in RULES if f"{rule}, " not in texts and f"{rule})" not in texts] == []
