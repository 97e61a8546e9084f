"""What breaks the rules about updates and removals: sections 6.2.1 and 6.2.2."""

from __future__ import annotations

from dataclasses import replace

from tests.hls_conformance.breaking import Break, answer, edit, edit_answer, gone, media, playlists, without_header
from tests.hls_conformance.hand_made import DATE_RANGE
from tests.hls_conformance.recording import Stream

PDT = "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:40.000Z\n"
PART = '#EXT-X-PART:DURATION=0.20000,URI="video/20.4.m4s"\n'
SEGMENT = "#EXTINF:2.00000,\nvideo/20.m4s\n"

BREAKS: dict[str, list[Break]] = {
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
    "timing.new_segments_come_in_time": [lambda stream: _delay(stream, 6.0)],
    "timing.new_parts_come_in_time": [lambda stream: _stretch(stream, 1.2)],
    "timing.the_end_is_told": [edit("#EXT-X-ENDLIST\n", "", only="audio")],
    "timing.what_is_gone_is_not_found": [answer("ended, index", status=200)],
    "timing.the_end_is_final": [
        answer("again, index", status=404),
        edit_answer("again, index", "h/", "g/"),
        edit_answer("again, old playlist", "#EXT-X-ENDLIST\n", ""),
    ],
    "timing.media_stay_after_the_end": [answer("ended, media 22.m4s", status=404)],
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
}


def _delay(stream: Stream, by_s: float) -> None:
    late = stream.snapshots["video"][5:]
    stream.snapshots["video"][5:] = [replace(e, answered_s=e.answered_s + by_s) for e in late]


def _stretch(stream: Stream, times: float) -> None:
    """Everything takes that many times as long."""
    for exchanges in stream.snapshots.values():
        exchanges[:] = [replace(e, answered_s=e.answered_s * times) for e in exchanges]
