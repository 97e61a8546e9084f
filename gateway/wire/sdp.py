"""Offers (RFC 8866, RFC 8829, RFC 8843): aiortc parses; here is what it leaves out, and what we insist on."""

from collections import Counter
from dataclasses import dataclass

from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtcrtpparameters import ParametersDict
from aiortc.sdp import MediaDescription, SessionDescription, grouplines

from gateway.errors import WireError
from gateway.wire.sctp import DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_PORT

MAX_OFFER_BYTES = 64 * 1024
"""Chromium's offer with every codec is about 7 kB; a browser with many extensions stays below 20 kB."""

MAX_MEDIA_SECTIONS = 16
"""One video, one audio, one data channel are used; some clients offer a few more, and each costs a refusal line."""

MAX_LINES = {"a=rtpmap": 256, "a=fmtp": 256, "a=rtcp-fb": 1024, "a=ssrc": 256, "a=candidate": 256}
"""What aiortc compares each with each of; a browser with every codec stays below a quarter of these."""

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
class Sctp:
    """What an m-section says of the data channels' association (RFC 8841)."""

    port: int
    """a=sctp-port."""
    max_message_bytes: int
    """a=max-message-size: what the side that says it takes; 0: any."""


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
    sctp: Sctp | None = None
    """Of a section of data channels as browsers offer it; None of all others."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an answer needs to know of an offer. Credentials are those of the first section that is not rejected."""

    media: tuple[Media, ...]
    ufrag: str
    pwd: str
    fingerprints: list[tuple[str, str]]
    setup: str
    """`actpass`, `active` or `passive`."""
    allows_mixed_extensions: bool
    allows_reduced_size: bool

    @property
    def mid(self) -> str:
        """The mid of the first section that is not rejected, which the transport's ICE belongs to."""
        return next((m.mid for m in self.media if not m.rejected), self.media[0].mid)

    def first(self, kind: str) -> Media | None:
        """The first usable section of `kind`."""
        return next((m for m in self.media if m.kind == kind and not m.rejected), None)


def parse_offer(text: str) -> Offer:
    """An offer of one bundled transport. WireError, with a sentence for people, for whatever we cannot answer."""
    if not text.strip():
        raise WireError("The offer is empty.")
    if not text.lstrip().startswith("v="):
        raise WireError("The body is not a session description: it does not begin with v=.")
    _require_modest(text)
    try:
        description = SessionDescription.parse(text.lstrip())
        sections = grouplines(text.lstrip())[1]
        media = tuple(_media(*pair) for pair in zip(description.media, sections, strict=True))
    except WireError:
        raise
    except Exception as error:  # aiortc raises whatever its conversions raise: AssertionError, KeyError, TypeError ...
        raise WireError(f"The offer does not parse: {type(error).__name__}.") from error
    _require_bundle(description, media)
    first = description.media[next((index for index, parsed in enumerate(media) if not parsed.rejected), 0)]
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
        allows_reduced_size="a=rtcp-rsize" in text,
    )


def _dtls(section: MediaDescription) -> tuple[str, list[tuple[str, str]]]:
    if section.dtls is None:  # aiortc's way to say that there is no a=setup
        return "", []
    return SETUP_ROLES[section.dtls.role], [(f.algorithm, f.value) for f in section.dtls.fingerprints]


_DIGESTS = {"sha-256", "sha-384", "sha-512"}


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise WireError(sentence)


def _require_modest(text: str) -> None:
    lines = text.splitlines()  # as aiortc splits, which is at more than line feeds
    sections = sum(line.startswith("m=") for line in lines)
    _require(sections <= MAX_MEDIA_SECTIONS, f"The offer has more than {MAX_MEDIA_SECTIONS} media sections.")
    counts = Counter(line.partition(":")[0] for line in lines)
    for attribute, limit in MAX_LINES.items():
        _require(counts[attribute] <= limit, f"The offer has more than {limit} lines of {attribute}.")


def _require_bundle(description: SessionDescription, media: tuple[Media, ...]) -> None:
    _require(bool(description.media), "The offer has no media section.")
    mids = [section.rtp.muxId for section in description.media]
    _require(all(mids) and len(set(mids)) == len(mids), "Each media section needs an a=mid of its own.")
    _require(all(len(mid.encode()) <= MAX_MID_BYTES for mid in mids), f"An a=mid is longer than {MAX_MID_BYTES} bytes.")
    _require(all(parsed.formats for parsed in media), "A media section has no format.")
    used = {parsed.mid for parsed in media if not parsed.rejected}
    bundles = [set(group.items) for group in description.group if group.semantic == "BUNDLE"]
    is_bundled = len(used) <= 1 or any(used <= bundle for bundle in bundles)
    _require(is_bundled, "All media sections have to be in one BUNDLE group.")
    for section, parsed in zip(description.media, media, strict=True):
        # What is bundle-only need not say rtcp-mux (RFC 8843 section 6).
        if section.kind in ("audio", "video") and section.port != 0 and not parsed.rejected:
            _require(section.rtcp_mux, "Every RTP section needs a=rtcp-mux: there is one port.")
    _require(not any(s.ice and s.ice.iceLite for s in description.media), "Both sides cannot be ICE-lite.")


def _credentials(section: MediaDescription) -> tuple[str, str]:
    ice = section.ice or RTCIceParameters()
    ufrag, pwd = ice.usernameFragment or "", ice.password or ""
    _require(MIN_UFRAG_CHARS <= len(ufrag) <= MAX_CREDENTIAL_CHARS, "The offer has no valid a=ice-ufrag.")
    _require(MIN_PWD_CHARS <= len(pwd) <= MAX_CREDENTIAL_CHARS, "The offer has no valid a=ice-pwd.")
    return ufrag, pwd


def _media(section: MediaDescription, lines: list[str]) -> Media:
    return Media(
        kind=section.kind,
        mid=section.rtp.muxId,
        profile=section.profile,
        formats=tuple(str(fmt) for fmt in section.fmt),
        direction=section.direction or "sendrecv",
        codecs=_codecs(section),
        extensions={e.uri: e.id for e in section.rtp.headerExtensions if 1 <= e.id <= 255},
        ssrcs=tuple(description.ssrc for description in section.ssrc),
        rejected=section.port == 0 and "a=bundle-only" not in lines,
        sctp=_sctp(section),
    )


DATA_CHANNELS = ("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])


def _sctp(section: MediaDescription) -> Sctp | None:
    if (section.kind, section.profile, section.fmt) != DATA_CHANNELS:
        return None
    port = DEFAULT_PORT if section.sctp_port is None else section.sctp_port
    capabilities = section.sctpCapabilities
    max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES if capabilities is None else capabilities.maxMessageSize
    _require(0 <= port <= 65_535, "The offer has no valid a=sctp-port.")
    _require(max_message_bytes >= 0, "The offer has no valid a=max-message-size.")
    # RFC 8841 section 10: port 0 says that there is to be no association.
    return Sctp(port, max_message_bytes) if port else None


def _codecs(section: MediaDescription) -> tuple[Codec, ...]:
    rtx_of = {
        codec.parameters.get("apt"): codec.payloadType
        for codec in section.rtp.codecs
        if codec.name.lower() == "rtx" and _is_payload_type(codec.payloadType)
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
        if codec.name.lower() != "rtx" and codec.payloadType is not None and _is_payload_type(codec.payloadType)
    )


def _is_payload_type(payload_type: int | None) -> bool:
    return payload_type is not None and 0 <= payload_type < 128
