"""What breaks the rules about renditions, directives, hints and delivery: 6.2.4 to 6.2.6, B.1 and our own."""

from __future__ import annotations

from dataclasses import replace

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
from tests.hls_conformance.hand_made import DATE_RANGE
from tests.hls_conformance.hand_made_media import IDR, SLICE
from tests.hls_conformance.recording import Stream

HINT = 'URI="video/22.4.m4s"'
MAP = '#EXT-X-MAP:URI="video/init-1.mp4"\n'
CONTROL = "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.63,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0"
PART = '#EXT-X-PART:DURATION=0.20000,URI="video/20.4.m4s"\n'


def _listed_long_before(stream: Stream) -> None:
    """The first playlist came 20 s earlier."""
    for exchanges in stream.snapshots.values():
        exchanges[0] = replace(exchanges[0], answered_s=exchanges[0].answered_s - 20)


BREAKS: dict[str, list[Break]] = {
    # 6.2.4
    "renditions.codecs_name_every_format": [edit_multivariant(",mp4a.40.2", "")],
    "renditions.target_durations_agree": [edit("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:3", only="audio")],
    "renditions.server_controls_agree": [
        edit(",HOLD-BACK=6.0", ",HOLD-BACK=6.1", only="audio"),
        edit(CONTROL + "\n", "", only="audio"),
    ],
    "renditions.timestamps_match": [edit(".000Z", ".050Z", only="audio")],
    "renditions.dates_follow_the_media": [edit(":00:40.000Z", ":00:40.600Z")],
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
    "deltas.yes_keeps_date_ranges": [edit_delta("yes", DATE_RANGE, "")],
    "deltas.v2_leaves_out_old_date_ranges": [_listed_long_before],
    "deltas.v2_keeps_new_date_ranges": [edit_delta("v2", DATE_RANGE, "")],
    "deltas.v2_lists_removed_date_ranges": [edit_delta("v2", '"round-6"', '""')],
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
    "profile.byte_ranges_come_with_range_requests": [edit('20.4.m4s"', '20.4.m4s",BYTERANGE="100@0"')],
    "profile.groups_of_pictures_last_one_to_two_seconds": [
        both(*(bytes_of(f"video/{msn}.m4s", SLICE, IDR) for msn in range(12, 24))),
    ],
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
