"""Offers in, answers out (RFC 8866, RFC 8829, RFC 8843). aiortc parses; here is what it leaves out, and what we insist
on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtcrtpparameters import ParametersDict
from aiortc.sdp import MediaDescription, SessionDescription

from gateway.errors import WireError

MAX_OFFER_BYTES = 64 * 1024
"""Chromium's offer with every codec is about 7 kB; a browser with many extensions stays below 20 kB."""

MAX_MEDIA_SECTIONS = 16
"""One video, one audio, one data channel are used; some clients offer a few more, and each costs a refusal line."""

MAX_MID_BYTES = 16
"""What a one-byte header extension element can carry, and we send it with every packet."""

MIN_UFRAG_CHARS, MIN_PWD_CHARS = 4, 22
MAX_CREDENTIAL_CHARS = 256

SETUP_ROLES = {"auto": "actpass", "client": "active", "server": "passive"}


@dataclass(frozen=True, slots=True)
class Codec:
    """A payload type of an m-section and what it means."""

    payload_type: int
    mime: str
    """Lower case, such as `video/h264`."""
    clock_rate_hz: int
    channels: int | None
    parameters: ParametersDict
    feedback: frozenset[str]
    """`nack`, `nack pli`, `transport-cc` ..."""
    rtx_payload_type: int | None = None

    @property
    def name(self) -> str:
        """What people call it: `H264`, `VP8`, `opus`."""
        name = self.mime.partition("/")[2]
        return name if name == "opus" else name.upper()


@dataclass(frozen=True, slots=True)
class Media:
    """One m-section of an offer."""

    kind: str
    mid: str
    profile: str
    formats: tuple[str, ...]
    direction: str
    codecs: tuple[Codec, ...]
    extensions: dict[str, int]
    """URI -> id."""
    ssrcs: tuple[int, ...]
    rejected: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What an answer needs to know of an offer. Credentials are those of the bundle's first section."""

    media: tuple[Media, ...]
    ufrag: str
    pwd: str
    fingerprints: list[tuple[str, str]]
    setup: str
    """`actpass`, `active` or `passive`."""
    allows_mixed_extensions: bool

    def first(self, kind: str) -> Media | None:
        """The first usable section of `kind`."""
        return next((m for m in self.media if m.kind == kind and not m.rejected), None)


def parse_offer(text: str) -> Offer:
    """An offer of one bundled transport. WireError, with a sentence for people, for whatever we cannot answer."""
    if not text.strip():
        raise WireError("The offer is empty.")
    if not text.lstrip().startswith("v="):
        raise WireError("The body is not a session description: it does not begin with v=.")
    if text.count("\nm=") > MAX_MEDIA_SECTIONS:
        raise WireError(f"The offer has more than {MAX_MEDIA_SECTIONS} media sections.")
    try:
        description = SessionDescription.parse(text.lstrip())
        media = tuple(_media(section) for section in description.media)
    except Exception as error:  # aiortc raises whatever its conversions raise: AssertionError, KeyError, TypeError ...
        raise WireError(f"The offer does not parse: {type(error).__name__}.") from error
    _require_bundle(description, text)
    first = description.media[0]
    setup, fingerprints = _dtls(first)
    ufrag, pwd = _credentials(first)
    _require(bool(fingerprints), "The offer has no a=fingerprint or no a=setup.")
    _require(
        any(algorithm.lower() in _DIGESTS for algorithm, _ in fingerprints), "The fingerprint's hash is not supported."
    )
    return Offer(
        media=media,
        ufrag=ufrag,
        pwd=pwd,
        fingerprints=fingerprints,
        setup=setup,
        allows_mixed_extensions="a=extmap-allow-mixed" in text,
    )


def _dtls(section: MediaDescription) -> tuple[str, list[tuple[str, str]]]:
    if section.dtls is None:  # aiortc's way to say that there is no a=setup
        return "", []
    return SETUP_ROLES[section.dtls.role], [(f.algorithm, f.value) for f in section.dtls.fingerprints]


_DIGESTS = {"sha-256", "sha-384", "sha-512"}


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise WireError(sentence)


def _require_bundle(description: SessionDescription, text: str) -> None:
    _require(bool(description.media), "The offer has no media section.")
    mids = [section.rtp.muxId for section in description.media]
    _require(all(mids) and len(set(mids)) == len(mids), "Each media section needs an a=mid of its own.")
    _require(all(len(mid.encode()) <= MAX_MID_BYTES for mid in mids), f"An a=mid is longer than {MAX_MID_BYTES} bytes.")
    grouped = {mid for group in description.group if group.semantic == "BUNDLE" for mid in group.items}
    _require(len(mids) == 1 or set(mids) <= grouped, "All media sections have to be in one BUNDLE group.")
    for section in description.media:
        if section.kind in ("audio", "video"):
            _require(section.rtcp_mux, "Every RTP section needs a=rtcp-mux: there is one port.")
    _require("\na=ice-lite" not in text, "Both sides cannot be ICE-lite.")


def _credentials(section: MediaDescription) -> tuple[str, str]:
    ice = section.ice or RTCIceParameters()
    ufrag, pwd = ice.usernameFragment or "", ice.password or ""
    _require(MIN_UFRAG_CHARS <= len(ufrag) <= MAX_CREDENTIAL_CHARS, "The offer has no valid a=ice-ufrag.")
    _require(MIN_PWD_CHARS <= len(pwd) <= MAX_CREDENTIAL_CHARS, "The offer has no valid a=ice-pwd.")
    return ufrag, pwd


def _media(section: MediaDescription) -> Media:
    return Media(
        kind=section.kind,
        mid=section.rtp.muxId,
        profile=section.profile,
        formats=tuple(str(fmt) for fmt in section.fmt),
        direction=section.direction or "sendrecv",
        codecs=_codecs(section),
        extensions={e.uri: e.id for e in section.rtp.headerExtensions if 1 <= e.id <= 255},
        ssrcs=tuple(description.ssrc for description in section.ssrc),
        rejected=section.port == 0,
    )


def _codecs(section: MediaDescription) -> tuple[Codec, ...]:
    rtx_of = {
        codec.parameters.get("apt"): codec.payloadType
        for codec in section.rtp.codecs
        if codec.name.lower() == "rtx" and codec.parameters.get("apt") is not None
    }
    return tuple(
        Codec(
            payload_type=codec.payloadType,
            mime=codec.mimeType.lower(),
            clock_rate_hz=codec.clockRate,
            channels=codec.channels,
            parameters=codec.parameters,
            feedback=frozenset(f"{f.type} {f.parameter}" if f.parameter else f.type for f in codec.rtcpFeedback),
            rtx_payload_type=rtx_of.get(codec.payloadType),
        )
        for codec in section.rtp.codecs
        if codec.name.lower() != "rtx" and codec.payloadType is not None and codec.payloadType < 128
    )


# Answers


@dataclass(frozen=True, slots=True)
class SendingTrack:
    """What an answer says of the track that we send in a section."""

    ssrc: int
    rtx_ssrc: int | None
    cname: str
    msid: str


@dataclass(frozen=True, slots=True)
class AnswerMedia:
    """One m-section of an answer; `codec` None refuses the section (in a bundle: inactive, unless it is not RTP)."""

    offered: Media
    direction: str = "inactive"
    codec: Codec | None = None
    extensions: dict[str, int] = field(default_factory=dict)
    feedback: Sequence[str] = ()
    sends: SendingTrack | None = None


@dataclass(frozen=True, slots=True)
class AnswerTransport:
    """What all sections share."""

    ufrag: str
    pwd: str
    fingerprint: str
    setup: str
    candidates: Sequence[str]


def serialize_answer(media: Sequence[AnswerMedia], transport: AnswerTransport, allows_mixed_extensions: bool) -> str:
    """The answer as text, CRLF at each line's end. Candidates stand in every section: aiortc keeps only the last's."""
    bundled = " ".join(section.offered.mid for section in media if not _is_refused(section))
    lines = ["v=0", "o=railbird 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite", f"a=group:BUNDLE {bundled}"]
    lines += ["a=extmap-allow-mixed"] if allows_mixed_extensions else []
    lines += ["a=msid-semantic: WMS *"]
    for section in media:
        lines += _refusal_lines(section.offered) if _is_refused(section) else _section_lines(section, transport)
    return "\r\n".join(lines) + "\r\n"


def _is_refused(section: AnswerMedia) -> bool:
    return section.codec is None and (section.offered.rejected or section.offered.kind not in ("audio", "video"))


def _refusal_lines(offered: Media) -> list[str]:
    return [
        f"m={offered.kind} 0 {offered.profile} {' '.join(offered.formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offered.mid}",
    ]


def _section_lines(section: AnswerMedia, transport: AnswerTransport) -> list[str]:
    offered, codec = section.offered, section.codec
    formats = list(offered.formats[:1])
    if codec is not None:
        formats = [str(codec.payload_type)] + ([str(codec.rtx_payload_type)] if codec.rtx_payload_type else [])
    lines = [
        f"m={offered.kind} 9 {offered.profile} {' '.join(formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offered.mid}",
        f"a={section.direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:{transport.fingerprint}",
        f"a=setup:{transport.setup}",
    ]
    lines += _codec_lines(codec, section.feedback) if codec else []
    lines += [f"a=extmap:{extension_id} {uri}" for uri, extension_id in section.extensions.items()]
    lines += _ssrc_lines(section.sends) if section.sends else []
    lines += [f"a=candidate:{candidate}" for candidate in transport.candidates]
    return [*lines, "a=end-of-candidates"]


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
