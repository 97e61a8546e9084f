"""Answers (RFC 8866, RFC 8829) as far as a peer needs them: aiortc parses, here is what we insist on."""

from collections import Counter
from dataclasses import dataclass

from aiortc.rtcicetransport import RTCIceParameters
from aiortc.sdp import MediaDescription, SessionDescription

from gateway.transport.ice import Credentials
from loadgen.errors import SignallingError
from loadgen.signalling.candidate import Candidate, parse_candidate

MAX_MEDIA_SECTIONS = 16
"""We offer three at the most."""

MAX_LINES = {"a=rtpmap": 64, "a=fmtp": 64, "a=rtcp-fb": 256, "a=ssrc": 64, "a=ssrc-group": 64, "a=candidate": 64}
"""What aiortc compares each with each of. A server that answers all codecs that we offer stays below half of these."""

MIN_UFRAG_CHARS, MIN_PWD_CHARS, MAX_CREDENTIAL_CHARS = 4, 22, 256
"""RFC 8839 section 5.4."""

DEFAULT_MESSAGE_BYTES = 65_536
"""Where a=max-message-size is not told (RFC 8841 section 6.1)."""

MAX_CLOCK_RATE_HZ = 1_000_000
"""Audio has at most 192 kHz, video 90 kHz."""

_DIGESTS = {"sha-256", "sha-384", "sha-512"}
_SETUPS = {"client": "active", "server": "passive"}


@dataclass(frozen=True, slots=True)
class AnswerMedia:
    """One m-section that was not refused."""

    kind: str
    """`video` or `audio`."""
    mid: str
    mime: str
    """Lower case: `video/h264`."""
    payload_type: int
    rtx_payload_type: int | None
    clock_rate_hz: int
    ssrc: int | None
    """None where the answer does not tell; so for what we send."""
    rtx_ssrc: int | None
    extensions: dict[str, int]
    """URI -> id of the header extensions."""
    feedback: frozenset[str]
    """`nack`, `nack pli`, `transport-cc` ..."""


@dataclass(frozen=True, slots=True)
class AnswerChannels:
    """The section of data channels (RFC 8841), where it was not refused."""

    sctp_port: int
    max_message_bytes: int
    """0: any."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    ufrag: str
    pwd: str
    is_lite: bool
    fingerprints: tuple[tuple[str, str], ...]
    """(algorithm, value)"""
    setup: str
    """`active`: the server begins the DTLS handshake, or `passive`: we do."""
    candidates: tuple[Candidate, ...]
    media: tuple[AnswerMedia, ...]
    channels: AnswerChannels | None = None
    """None where none were offered, or the server has none."""

    @property
    def credentials(self) -> Credentials:
        """The server's of ICE."""
        return Credentials(self.ufrag, self.pwd)

    def first(self, kind: str) -> AnswerMedia | None:
        """The first section of `kind`; None when the server takes or sends none."""
        return next((media for media in self.media if media.kind == kind), None)


def parse_answer(text: str) -> Answer:
    """SignallingError("answer") with a sentence for whatever no session can be made of."""
    _require_modest(text)
    try:
        description = SessionDescription.parse(text.lstrip())
        sections = [section for section in description.media if _is_used(section)]
        media = tuple(_media(section) for section in sections if section.rtp.codecs)
        channels = next((_channels(section) for section in description.media if _has_channels(section)), None)
    except Exception as error:  # aiortc raises whatever its conversions raise: AssertionError, KeyError, TypeError ...
        raise SignallingError("answer", f"The answer does not parse: {type(error).__name__}.") from error
    _require(bool(media), "The answer has no media.")
    _require(all(section.rtcp_mux for section in sections), "The answer has a section without a=rtcp-mux.")
    _require(all(_fits_rtp(each) for each in media), "The answer has a payload type, SSRC or clock rate out of range.")
    ufrag, pwd = _credentials(sections)
    setup, fingerprints = _dtls(sections[0])
    return Answer(
        ufrag=ufrag,
        pwd=pwd,
        is_lite=any(section.ice is not None and section.ice.iceLite for section in sections),
        fingerprints=fingerprints,
        setup=setup,
        candidates=_candidates(text),
        media=media,
        channels=channels,
    )


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise SignallingError("answer", sentence)


def _require_modest(text: str) -> None:
    lines = text.splitlines()  # as aiortc splits, which is at more than line feeds
    _require(text.lstrip().startswith("v="), "The answer is no session description: it does not begin with v=.")
    sections = sum(line.startswith("m=") for line in lines)
    _require(sections <= MAX_MEDIA_SECTIONS, f"The answer has more than {MAX_MEDIA_SECTIONS} media sections.")
    counts = Counter(line.partition(":")[0] for line in lines)
    for attribute, limit in MAX_LINES.items():
        _require(counts[attribute] <= limit, f"The answer has more than {limit} lines of {attribute}.")


def _is_used(section: MediaDescription) -> bool:
    return section.kind in ("video", "audio") and section.port != 0 and section.direction != "inactive"


def _has_channels(section: MediaDescription) -> bool:
    return section.kind == "application" and section.port != 0


def _channels(section: MediaDescription) -> AnswerChannels:
    sctp_port, capabilities = section.sctp_port, section.sctpCapabilities
    if sctp_port is None or not 0 < sctp_port < 1 << 16:
        raise ValueError("no a=sctp-port")
    return AnswerChannels(sctp_port, DEFAULT_MESSAGE_BYTES if capabilities is None else capabilities.maxMessageSize)


def _media(section: MediaDescription) -> AnswerMedia:
    codecs = {codec.payloadType: codec for codec in section.rtp.codecs if codec.payloadType is not None}
    offered = [codecs[number] for number in section.fmt if isinstance(number, int) and number in codecs]
    codec = next(codec for codec in offered if codec.name.lower() != "rtx")
    rtx = [each for each in offered if each.name.lower() == "rtx" and each.parameters.get("apt") == codec.payloadType]
    ssrc, rtx_ssrc = _ssrcs(section)
    assert codec.payloadType is not None
    return AnswerMedia(
        kind=section.kind,
        mid=section.rtp.muxId,
        mime=codec.mimeType.lower(),
        payload_type=codec.payloadType,
        rtx_payload_type=rtx[0].payloadType if rtx else None,
        clock_rate_hz=codec.clockRate,
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
        extensions={e.uri: e.id for e in section.rtp.headerExtensions if 1 <= e.id <= 255},
        feedback=frozenset(f"{f.type} {f.parameter}" if f.parameter else f.type for f in codec.rtcpFeedback),
    )


def _fits_rtp(media: AnswerMedia) -> bool:
    """Whether its numbers fit into the fields of RTP (RFC 3550 section 5.1)."""
    payload_types = (media.payload_type, media.rtx_payload_type or 0)
    ssrcs = (media.ssrc or 0, media.rtx_ssrc or 0)
    return (
        all(0 <= payload_type < 128 for payload_type in payload_types)
        and all(0 <= ssrc < 1 << 32 for ssrc in ssrcs)
        and 0 < media.clock_rate_hz <= MAX_CLOCK_RATE_HZ
    )


def _ssrcs(section: MediaDescription) -> tuple[int | None, int | None]:
    """Of the media and of its retransmissions (RFC 5576 section 4.2, RFC 4588 section 8.8)."""
    for group in section.ssrc_group:
        if group.semantic == "FID" and len(group.items) == 2:
            return int(group.items[0]), int(group.items[1])
    return (section.ssrc[0].ssrc if section.ssrc else None), None


def _credentials(sections: list[MediaDescription]) -> tuple[str, str]:
    all_ice = [section.ice or RTCIceParameters() for section in sections]
    pairs = {(ice.usernameFragment or "", ice.password or "") for ice in all_ice}
    _require(len(pairs) == 1, "The answer does not bundle its sections: their ICE credentials differ.")
    ufrag, pwd = pairs.pop()
    _require(are_credentials(ufrag, pwd), "The answer has no valid a=ice-ufrag or no valid a=ice-pwd.")
    return ufrag, pwd


def are_credentials(ufrag: str, pwd: str) -> bool:
    """Whether both have lengths that RFC 8839 section 5.4 allows."""
    return MIN_UFRAG_CHARS <= len(ufrag) <= MAX_CREDENTIAL_CHARS and MIN_PWD_CHARS <= len(pwd) <= MAX_CREDENTIAL_CHARS


def _dtls(section: MediaDescription) -> tuple[str, tuple[tuple[str, str], ...]]:
    # Without a=setup aiortc gives no DTLS at all.
    dtls = section.dtls
    setup = _SETUPS.get(dtls.role) if dtls is not None else None
    if dtls is None or setup is None:
        raise SignallingError("answer", "The answer has no a=setup:active and no a=setup:passive.")
    fingerprints = tuple((f.algorithm, f.value) for f in dtls.fingerprints)
    _require(
        any(algorithm.lower() in _DIGESTS for algorithm, _ in fingerprints),
        "The answer has no a=fingerprint of a hash that is supported.",
    )
    return setup, fingerprints


def _candidates(text: str) -> tuple[Candidate, ...]:
    """All of the text, each once: with BUNDLE the sections share them, and some servers tell them only once."""
    values = (line.removeprefix("a=candidate:") for line in text.splitlines() if line.startswith("a=candidate:"))
    return tuple(dict.fromkeys(candidate for value in values if (candidate := parse_candidate(value)) is not None))
