"""The tags of section 4.4: to which kind each belongs, and what stands after its colon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.hls_conformance.attributes import Form


class Kind(Enum):
    """The sections 4.4.1 to 4.4.6."""

    BASIC = "4.4.1"
    EITHER = "4.4.2"
    MEDIA_PLAYLIST = "4.4.3"
    MEDIA_SEGMENT = "4.4.4"
    MEDIA_METADATA = "4.4.5"
    MULTIVARIANT = "4.4.6"


MEDIA_KINDS: Final = {Kind.MEDIA_PLAYLIST, Kind.MEDIA_SEGMENT, Kind.MEDIA_METADATA}


@dataclass(frozen=True)
class Tag:
    """`value` is None (nothing follows), a pattern of the whole value, or the form of an attribute list."""

    kind: Kind
    value: str | Form | None = None


def _form(required: dict[str, str], optional: dict[str, str] | None = None) -> Form:
    return Form(required | (optional or {}), frozenset(required))


INTEGER: Final = r"[0-9]{1,20}"
DATE: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"
_NUMBER: Final = "decimal-floating-point"
_STREAM_INF: Final = _form(
    {"BANDWIDTH": "decimal-integer"},
    {
        "AVERAGE-BANDWIDTH": "decimal-integer",
        "SCORE": _NUMBER,
        "CODECS": "quoted-string",
        "SUPPLEMENTAL-CODECS": "quoted-string",
        "RESOLUTION": "decimal-resolution",
        "FRAME-RATE": _NUMBER,
        "HDCP-LEVEL": "enumerated-string",
        "ALLOWED-CPC": "quoted-string",
        "VIDEO-RANGE": "enumerated-string",
        "REQ-VIDEO-LAYOUT": "quoted-string",
        "STABLE-VARIANT-ID": "quoted-string",
        "AUDIO": "quoted-string",
        "VIDEO": "quoted-string",
        "SUBTITLES": "quoted-string",
        "CLOSED-CAPTIONS": "enumerated-string",
        "PATHWAY-ID": "quoted-string",
    },
)
_MEDIA: Final = _form(
    {"TYPE": "enumerated-string", "GROUP-ID": "quoted-string", "NAME": "quoted-string"},
    {
        "URI": "quoted-string",
        "LANGUAGE": "quoted-string",
        "ASSOC-LANGUAGE": "quoted-string",
        "STABLE-RENDITION-ID": "quoted-string",
        "DEFAULT": "YES-or-NO",
        "AUTOSELECT": "YES-or-NO",
        "FORCED": "YES-or-NO",
        "INSTREAM-ID": "quoted-string",
        "BIT-DEPTH": "decimal-integer",
        "SAMPLE-RATE": "decimal-integer",
        "CHARACTERISTICS": "quoted-string",
        "CHANNELS": "quoted-string",
    },
)
_DATERANGE: Final = _form(
    {"ID": "quoted-string"},
    {
        "CLASS": "quoted-string",
        "START-DATE": "quoted-string",
        "CUE": "enumerated-string-list",
        "END-DATE": "quoted-string",
        "DURATION": _NUMBER,
        "PLANNED-DURATION": _NUMBER,
        "SCTE35-CMD": "hexadecimal-sequence",
        "SCTE35-OUT": "hexadecimal-sequence",
        "SCTE35-IN": "hexadecimal-sequence",
        "END-ON-NEXT": "YES",
        "X-": "extension",
    },
)
_SERVER_CONTROL: Final = _form(
    {},
    {
        "CAN-SKIP-UNTIL": _NUMBER,
        "CAN-SKIP-DATERANGES": "YES",
        "HOLD-BACK": _NUMBER,
        "PART-HOLD-BACK": _NUMBER,
        "CAN-BLOCK-RELOAD": "YES",
    },
)

TAGS: Final = {
    "EXTM3U": Tag(Kind.BASIC),
    "EXT-X-VERSION": Tag(Kind.BASIC, INTEGER),
    "EXT-X-INDEPENDENT-SEGMENTS": Tag(Kind.EITHER),
    "EXT-X-START": Tag(Kind.EITHER, _form({"TIME-OFFSET": "signed-decimal-floating-point"}, {"PRECISE": "YES-or-NO"})),
    "EXT-X-TARGETDURATION": Tag(Kind.MEDIA_PLAYLIST, INTEGER),
    "EXT-X-MEDIA-SEQUENCE": Tag(Kind.MEDIA_PLAYLIST, INTEGER),
    "EXT-X-DISCONTINUITY-SEQUENCE": Tag(Kind.MEDIA_PLAYLIST, INTEGER),
    "EXT-X-ENDLIST": Tag(Kind.MEDIA_PLAYLIST),
    "EXT-X-PLAYLIST-TYPE": Tag(Kind.MEDIA_PLAYLIST, "EVENT|VOD"),
    "EXT-X-I-FRAMES-ONLY": Tag(Kind.MEDIA_PLAYLIST),
    "EXT-X-PART-INF": Tag(Kind.MEDIA_PLAYLIST, _form({"PART-TARGET": _NUMBER})),
    "EXT-X-SERVER-CONTROL": Tag(Kind.MEDIA_PLAYLIST, _SERVER_CONTROL),
    "EXTINF": Tag(Kind.MEDIA_SEGMENT, r"[0-9]+(\.[0-9]+)?,.*"),
    "EXT-X-BYTERANGE": Tag(Kind.MEDIA_SEGMENT, "[0-9]+(@[0-9]+)?"),
    "EXT-X-DISCONTINUITY": Tag(Kind.MEDIA_SEGMENT),
    "EXT-X-MAP": Tag(Kind.MEDIA_SEGMENT, _form({"URI": "quoted-string"}, {"BYTERANGE": "byte-range"})),
    "EXT-X-PROGRAM-DATE-TIME": Tag(Kind.MEDIA_SEGMENT, DATE),
    "EXT-X-GAP": Tag(Kind.MEDIA_SEGMENT),
    "EXT-X-BITRATE": Tag(Kind.MEDIA_SEGMENT, INTEGER),
    "EXT-X-PART": Tag(
        Kind.MEDIA_SEGMENT,
        _form(
            {"URI": "quoted-string", "DURATION": _NUMBER},
            {"INDEPENDENT": "YES", "BYTERANGE": "byte-range", "GAP": "YES"},
        ),
    ),
    "EXT-X-DATERANGE": Tag(Kind.MEDIA_METADATA, _DATERANGE),
    "EXT-X-SKIP": Tag(
        Kind.MEDIA_METADATA,
        _form({"SKIPPED-SEGMENTS": "decimal-integer"}, {"RECENTLY-REMOVED-DATERANGES": "quoted-string-or-empty"}),
    ),
    "EXT-X-PRELOAD-HINT": Tag(
        Kind.MEDIA_METADATA,
        _form(
            {"TYPE": "enumerated-string", "URI": "quoted-string"},
            {"BYTERANGE-START": "decimal-integer", "BYTERANGE-LENGTH": "decimal-integer"},
        ),
    ),
    "EXT-X-RENDITION-REPORT": Tag(
        Kind.MEDIA_METADATA,
        _form({"URI": "quoted-string"}, {"LAST-MSN": "decimal-integer", "LAST-PART": "decimal-integer"}),
    ),
    "EXT-X-MEDIA": Tag(Kind.MULTIVARIANT, _MEDIA),
    "EXT-X-STREAM-INF": Tag(Kind.MULTIVARIANT, _STREAM_INF),
}
"""Tags that a railbird playlist may have. Keys, I-frame playlists, session data and steering it does not offer: such a
tag is unknown here, as is a misspelt one."""
