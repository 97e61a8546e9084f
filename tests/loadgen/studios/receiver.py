"""The server's end of a studio's session, for tests: opens what the studio seals."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from gateway.transport.srtp import AEAD_AES_128_GCM, AES128_CM_SHA1_80, Profile, SrtpSession, srtp_session
from gateway.wire import rtcp
from gateway.wire.header_extensions import ABS_CAPTURE_TIME, MID, TRANSPORT_SEQUENCE_NUMBER, parse_extensions
from gateway.wire.rtp import RtpHeader, parse_header

MID_ID, TWCC_ID, CAPTURE_TIME_ID = 9, 4, 13
VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 108, 109, 111


@dataclass(frozen=True, slots=True)
class Media:
    """One section of an answer."""

    kind: str
    mid: str
    mime: str
    payload_type: int
    rtx_payload_type: int | None
    extensions: MappingProxyType[str, int]


VIDEO = Media(
    "video",
    "0",
    "video/h264",
    VIDEO_TYPE,
    RTX_TYPE,
    MappingProxyType({MID: MID_ID, TRANSPORT_SEQUENCE_NUMBER: TWCC_ID, ABS_CAPTURE_TIME: CAPTURE_TIME_ID}),
)
AUDIO = Media(
    "audio", "1", "audio/opus", AUDIO_TYPE, None, MappingProxyType({MID: MID_ID, TRANSPORT_SEQUENCE_NUMBER: TWCC_ID})
)


class Received(NamedTuple):
    """A packet, opened."""

    header: RtpHeader
    payload: bytes
    elements: dict[int, bytes]
    datagram: bytes


@dataclass
class Receiver:
    """Keeps what it gets, in order."""

    profile: Profile = AEAD_AES_128_GCM
    packets: list[Received] = field(default_factory=list)
    reports: list[rtcp.RtcpPacket] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = self.profile.key_bytes + self.profile.salt_bytes
        ours, theirs = bytes(range(size)), bytes(range(100, 100 + size))
        self.studio: SrtpSession = srtp_session(self.profile, ours, theirs)
        self.srtp: SrtpSession = srtp_session(self.profile, theirs, ours)

    def take(self, datagram: bytes) -> None:
        if 192 <= datagram[1] < 224:
            self.reports += rtcp.parse_compound(self.srtp.opener.open_rtcp(datagram))
            return
        header = parse_header(datagram)
        payload = self.srtp.opener.open_rtp(datagram, header)
        elements = parse_extensions(header.extension_profile, header.extension)
        self.packets.append(Received(header, payload, elements, datagram))

    def of(self, payload_type: int) -> list[Received]:
        return [packet for packet in self.packets if packet.header.payload_type == payload_type]

    def feedback(self, *packets: rtcp.RtcpPacket) -> bytes:
        """A protected datagram to the studio."""
        return self.srtp.sealer.seal_rtcp(rtcp.serialize_compound(packets))


PROFILES = (AEAD_AES_128_GCM, AES128_CM_SHA1_80)
