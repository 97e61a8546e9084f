"""Answers (RFC 8866, RFC 8829 section 5.3, RFC 8843), written by hand: every line is there for some client."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.wire.sdp import Codec, Media, Offer, Sctp


@dataclass(frozen=True, slots=True)
class SendingTrack:
    """What an answer says of the track that we send in a section."""

    ssrc: int
    rtx_ssrc: int | None
    cname: str
    msid: str


@dataclass(frozen=True, slots=True)
class AnswerMedia:
    """One m-section of an answer; without `codec` and `sctp` it is refused (in a bundle: inactive, unless it is not
    RTP)."""

    offered: Media
    direction: str = "inactive"
    codec: Codec | None = None
    extensions: dict[str, int] = field(default_factory=dict)
    feedback: Sequence[str] = ()
    sends: SendingTrack | None = None
    sctp: Sctp | None = None
    """Of data channels: our port, and the longest message that we take."""


@dataclass(frozen=True, slots=True)
class AnswerTransport:
    """What all sections share."""

    ufrag: str
    pwd: str
    fingerprint: str
    setup: str
    candidates: Sequence[str]


def serialize_answer(offer: Offer, media: Sequence[AnswerMedia], transport: AnswerTransport) -> str:
    """The answer to `offer` as text, one of `media` for each of its sections, in order; CRLF at each line's
    end. Candidates stand in every section: aiortc keeps only the last's."""
    bundled = " ".join(section.offered.mid for section in media if not _is_refused(section))
    lines = ["v=0", "o=railbird 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite", f"a=group:BUNDLE {bundled}"]
    lines += ["a=extmap-allow-mixed"] if offer.allows_mixed_extensions else []
    lines += ["a=msid-semantic: WMS *"]
    for section in media:
        if _is_refused(section):
            lines += _refusal_lines(section.offered)
        elif section.sctp is not None:
            lines += _data_channel_lines(section.offered, section.sctp, transport)
        else:
            lines += _section_lines(section, transport, offer.allows_reduced_size)
    return "\r\n".join(lines) + "\r\n"


def _is_refused(section: AnswerMedia) -> bool:
    if section.codec is not None or section.sctp is not None:
        return False
    return section.offered.rejected or section.offered.kind not in ("audio", "video")


def _refusal_lines(offered: Media) -> list[str]:
    return [
        f"m={offered.kind} 0 {offered.profile} {' '.join(offered.formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offered.mid}",
    ]


def _data_channel_lines(offered: Media, sctp: Sctp, transport: AnswerTransport) -> list[str]:
    return [
        f"m={offered.kind} 9 {offered.profile} {' '.join(offered.formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offered.mid}",
        *_transport_lines(transport),
        f"a=sctp-port:{sctp.port}",
        f"a=max-message-size:{sctp.max_message_bytes}",
        *_candidate_lines(transport),
    ]


def _transport_lines(transport: AnswerTransport) -> list[str]:
    return [
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:{transport.fingerprint}",
        f"a=setup:{transport.setup}",
    ]


def _candidate_lines(transport: AnswerTransport) -> list[str]:
    return [*(f"a=candidate:{candidate}" for candidate in transport.candidates), "a=end-of-candidates"]


def _section_lines(section: AnswerMedia, transport: AnswerTransport, allows_reduced_size: bool) -> list[str]:
    offered, codec = section.offered, section.codec
    formats = list(offered.formats[:1])
    if codec is not None:
        formats = [str(each) for each in (codec.payload_type, codec.rtx_payload_type) if each is not None]
    lines = [
        f"m={offered.kind} 9 {offered.profile} {' '.join(formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offered.mid}",
        f"a={section.direction}",
        "a=rtcp-mux",
        *(["a=rtcp-rsize"] if allows_reduced_size else []),
        *_transport_lines(transport),
    ]
    lines += _codec_lines(codec, section.feedback) if codec else _unused_format_lines(offered)
    lines += [f"a=extmap:{extension_id} {uri}" for uri, extension_id in section.extensions.items()]
    lines += _ssrc_lines(section.sends) if section.sends else []
    return [*lines, *_candidate_lines(transport)]


def _unused_format_lines(offered: Media) -> list[str]:
    """Chromium takes no inactive section whose only format has no name."""
    first = next((codec for codec in offered.codecs if str(codec.payload_type) == offered.formats[0]), None)
    return _codec_lines(replace(first, rtx_payload_type=None), ()) if first is not None else []


def _codec_lines(codec: Codec, feedback: Sequence[str]) -> list[str]:
    payload_type, name = codec.payload_type, codec.name
    channels = f"/{codec.channels}" if codec.channels and codec.channels > 1 else ""
    lines = [f"a=rtpmap:{payload_type} {name}/{codec.clock_rate_hz}{channels}"]
    if codec.parameters:
        parameters = ";".join(k if v is None else f"{k}={v}" for k, v in codec.parameters.items())
        lines.append(f"a=fmtp:{payload_type} {parameters}")
    lines += [f"a=rtcp-fb:{payload_type} {kind}" for kind in feedback]
    lines.append("a=rtcp-xr:rcvr-rtt=all")
    if codec.rtx_payload_type is not None:
        lines += [f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate_hz}"]
        lines += [f"a=fmtp:{codec.rtx_payload_type} apt={payload_type}"]
    return lines


def _ssrc_lines(track: SendingTrack) -> list[str]:
    lines = [f"a=msid:{track.msid}"]
    if track.rtx_ssrc is not None:
        lines.append(f"a=ssrc-group:FID {track.ssrc} {track.rtx_ssrc}")
    for ssrc in (track.ssrc, track.rtx_ssrc):
        lines += [f"a=ssrc:{ssrc} cname:{track.cname}"] if ssrc is not None else []
    return lines
