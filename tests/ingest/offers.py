"""Offers of studios and players as text, section by section."""

from dataclasses import dataclass, field

from aiortc.sdp import MediaDescription, SessionDescription

from gateway.wire.answer import AnswerMedia, AnswerTransport, serialize_answer
from gateway.wire.sdp import Offer, parse_offer

UFRAG, PWD = "abcd", "p" * 24
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
H264_PARAMETERS = "level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"


@dataclass(frozen=True)
class OfferedCodec:
    """A payload type, what it is, and the payload type of its RTX."""

    payload_type: int
    name: str
    """`H264/90000`, `opus/48000/2`."""
    parameters: str = ""
    rtx: int | None = None
    feedback: tuple[str, ...] = ()


def h264(
    payload_type: int, profile: str = "42e01f", mode: int = 1, rtx: int | None = None, feedback: tuple[str, ...] = ()
) -> OfferedCodec:
    parameters = H264_PARAMETERS.format(mode=mode, profile=profile)
    return OfferedCodec(payload_type, "H264/90000", parameters, rtx, feedback)


def vp8(payload_type: int, rtx: int | None = None, feedback: tuple[str, ...] = ()) -> OfferedCodec:
    return OfferedCodec(payload_type, "VP8/90000", "", rtx, feedback)


def opus(payload_type: int = 111, feedback: tuple[str, ...] = ()) -> OfferedCodec:
    return OfferedCodec(payload_type, "opus/48000/2", "minptime=10;useinbandfec=1", None, feedback)


@dataclass(frozen=True)
class Section:
    """One m-section."""

    kind: str
    mid: str
    codecs: tuple[OfferedCodec, ...] = ()
    direction: str = "sendonly"
    extensions: dict[str, int] = field(default_factory=dict)
    port: int = 9

    def lines(self) -> list[str]:
        if self.kind == "application":
            media = [f"m=application {self.port} UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:5000"]
        else:
            media = [*self._media_lines(), f"a={self.direction}", "a=rtcp-mux"]
        transport = [f"a=ice-ufrag:{UFRAG}", f"a=ice-pwd:{PWD}", f"a=fingerprint:{FINGERPRINT}", "a=setup:actpass"]
        return [media[0], "c=IN IP4 0.0.0.0", f"a=mid:{self.mid}", *transport, *media[1:]]

    def _media_lines(self) -> list[str]:
        types = [str(each) for codec in self.codecs for each in (codec.payload_type, codec.rtx) if each is not None]
        lines = [f"m={self.kind} {self.port} UDP/TLS/RTP/SAVPF {' '.join(types)}"]
        for codec in self.codecs:
            lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}")
            lines += [f"a=fmtp:{codec.payload_type} {codec.parameters}"] if codec.parameters else []
            lines += [f"a=rtcp-fb:{codec.payload_type} {kind}" for kind in codec.feedback]
            if codec.rtx is not None:
                clock = codec.name.split("/")[1]
                lines += [f"a=rtpmap:{codec.rtx} rtx/{clock}", f"a=fmtp:{codec.rtx} apt={codec.payload_type}"]
        return [*lines, *(f"a=extmap:{number} {uri}" for uri, number in self.extensions.items())]


def offer_of(*sections: Section, mixed_extensions: bool = True) -> Offer:
    """The offer, parsed."""
    lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {' '.join(section.mid for section in sections)}"]
    lines += ["a=extmap-allow-mixed"] if mixed_extensions else []
    return parse_offer("\r\n".join([*lines, *(line for section in sections for line in section.lines())]) + "\r\n")


def answer_text(answers: list[AnswerMedia], offer: Offer) -> str:
    """The answer of `answers`, with a transport that never was."""
    transport = AnswerTransport(UFRAG, PWD, FINGERPRINT, "passive", ["1 1 udp 2130706431 192.0.2.1 8189 typ host"])
    return serialize_answer(offer, answers, transport)


def sections_of(answer: str) -> list[MediaDescription]:
    """The answer's sections as aiortc, a client, reads them."""
    return SessionDescription.parse(answer).media


def section_text(answer: str, index: int) -> str:
    """The lines of one section of an answer."""
    return "m=" + answer.split("\r\nm=")[1 + index]
