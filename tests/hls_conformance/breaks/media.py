"""What breaks the rules about media: section 3."""

from __future__ import annotations

from dataclasses import replace

from tests.hls_conformance.breaking import Break, both, bytes_of, edit, gone, media
from tests.hls_conformance.hand_made_media import IDR, SLICE

PART = '#EXT-X-PART:DURATION=0.20000,URI="video/20.4.m4s"\n'
SEGMENT = "#EXTINF:2.00000,\nvideo/20.m4s\n"

BREAKS: dict[str, list[Break]] = {
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
}


def _later(segment: bytes) -> bytes:
    """With its first decode time a tick later."""
    at = segment.index(b"tfdt") + 8
    return segment[:at] + (int.from_bytes(segment[at : at + 8], "big") + 1).to_bytes(8, "big") + segment[at + 8 :]
