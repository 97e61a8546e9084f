"""RTP headers (RFC 3550 section 5.1), padding, and the retransmission payload (RFC 4588 section 4)."""

import struct
from dataclasses import dataclass

from gateway.errors import WireError

FIXED_HEADER_BYTES = 12

_VERSION_2 = 0x80
_PADDING = 0x20
_EXTENSION = 0x10
_MARKER = 0x80

_FIXED = struct.Struct("!BBHII")
_unpack_fixed = _FIXED.unpack_from
_unpack_extension = struct.Struct("!HH").unpack_from


@dataclass(slots=True)
class RtpHeader:
    """Everything in front of the payload, which starts at `length_bytes`. CSRCs are skipped, not kept."""

    payload_type: int
    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    has_padding: bool
    extension_profile: int
    """0 when there is no extension."""
    extension: bytes
    """The extension's body, without its profile and length words."""
    length_bytes: int


def parse_header(datagram: bytes) -> RtpHeader:
    """The header of an RTP or SRTP packet (SRTP leaves it in the clear, RFC 3711 section 3.1).

    Raises WireError for a short header, another version, and CSRCs or an extension past the end.
    """
    size_bytes = len(datagram)
    if size_bytes < FIXED_HEADER_BYTES:
        raise WireError(f"RTP header is {size_bytes} bytes, shorter than 12")
    first, second, sequence_number, timestamp, ssrc = _unpack_fixed(datagram)
    if first & 0xC0 != _VERSION_2:
        raise WireError(f"RTP version is {first >> 6}, not 2")
    length_bytes = FIXED_HEADER_BYTES + 4 * (first & 0x0F)
    profile, extension = 0, b""
    if first & _EXTENSION:
        body = length_bytes + 4
        if body > size_bytes:
            raise WireError("RTP header extension is past the end")
        profile, words = _unpack_extension(datagram, length_bytes)
        length_bytes = body + 4 * words
        extension = datagram[body:length_bytes]
    if length_bytes > size_bytes:
        raise WireError(f"RTP header of {length_bytes} bytes is past the end of {size_bytes}")
    return RtpHeader(
        second & 0x7F,
        second >= _MARKER,
        sequence_number,
        timestamp,
        ssrc,
        first & _PADDING != 0,
        profile,
        extension,
        length_bytes,
    )


def strip_padding(payload: bytes) -> bytes:
    """The decrypted payload of a packet whose padding bit is set, without its padding.

    Raises WireError when the count in the last byte is 0 or larger than the payload.
    """
    count = payload[-1] if payload else 0
    if not 0 < count <= len(payload):
        raise WireError(f"RTP padding of {count} bytes in a payload of {len(payload)}")
    return payload[:-count]


def pack_header(
    payload_type: int,
    marker: bool,
    sequence_number: int,
    timestamp: int,
    ssrc: int,
    extension_block: bytes = b"",
    has_padding: bool = False,
) -> bytes:
    """A header without CSRCs. `extension_block` includes its profile and length words, or is empty."""
    first = _VERSION_2 | (_PADDING if has_padding else 0) | (_EXTENSION if extension_block else 0)
    second = payload_type | (_MARKER if marker else 0)
    return _FIXED.pack(first, second, sequence_number, timestamp, ssrc) + extension_block


def pack_rtx_payload(original_sequence_number: int, payload: bytes) -> bytes:
    """The payload of a retransmission: the original sequence number, then the original payload."""
    return original_sequence_number.to_bytes(2, "big") + payload


def unpack_rtx_payload(payload: bytes) -> tuple[int, bytes]:
    """`(original_sequence_number, original_payload)`. Raises WireError for fewer than 2 bytes."""
    if len(payload) < 2:
        raise WireError(f"RTX payload is {len(payload)} bytes, shorter than 2")
    return int.from_bytes(payload[:2], "big"), payload[2:]
