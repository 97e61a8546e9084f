"""STUN messages (RFC 8489) with the attributes of ICE (RFC 8445 section 7.1, 16.1)."""

import hmac
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import MisuseError, WireError
from gateway.wire.stun_values import pack_error_code as pack_error_code
from gateway.wire.stun_values import pack_xor_address as pack_xor_address
from gateway.wire.stun_values import parse_error_code as parse_error_code
from gateway.wire.stun_values import parse_xor_address as parse_xor_address

BINDING_REQUEST: Final = 0x0001
BINDING_INDICATION: Final = 0x0011
BINDING_SUCCESS: Final = 0x0101
BINDING_ERROR: Final = 0x0111

USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
ERROR_CODE: Final = 0x0009
UNKNOWN_ATTRIBUTES: Final = 0x000A
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
SOFTWARE: Final = 0x8022
FINGERPRINT: Final = 0x8028
ICE_CONTROLLED: Final = 0x8029
ICE_CONTROLLING: Final = 0x802A
NOMINATION: Final = 0xC001  # Chromium's GOOG_NOMINATION: a counter, the highest wins

MAGIC_COOKIE: Final = 0x2112A442
HEADER_BYTES: Final = 20

MAX_ATTRIBUTES: Final = 32
"""No ICE peer sends more than about ten; a datagram of empty attributes must not cost more than a real one."""

_FINGERPRINT_XOR = 0x5354554E
_FINGERPRINT_BYTES = 8
_INTEGRITY_BYTES = 24

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_unpack_header = _HEADER.unpack_from
_unpack_attribute = _ATTRIBUTE.unpack_from


@dataclass(slots=True)
class Message:
    """A message as it was on the wire; `verify_integrity` needs the datagram as well."""

    message_type: int
    transaction_id: bytes
    """12 bytes."""
    attributes: dict[int, bytes]
    """The first of each type; what follows MESSAGE-INTEGRITY is ignored, except FINGERPRINT (RFC 8489 section 14.5)."""
    integrity_offset: int | None
    """Where MESSAGE-INTEGRITY starts in the datagram; None when there is none."""


def parse_message(datagram: bytes) -> Message:
    """Raises WireError for what is short, miscounted, past the end, over MAX_ATTRIBUTES or of a wrong FINGERPRINT."""
    message_type, transaction_id = _parse_header(datagram)
    attributes: dict[int, bytes] = {}
    integrity_offset: int | None = None
    offset, size_bytes, count = HEADER_BYTES, len(datagram), 0
    while offset < size_bytes:
        if count == MAX_ATTRIBUTES:
            raise WireError(f"STUN message has more than {MAX_ATTRIBUTES} attributes")
        count += 1
        attribute_type, length_bytes = _unpack_attribute(datagram, offset)
        start = offset + 4
        end = start + length_bytes
        if end > size_bytes:
            raise WireError("STUN attribute is past the end")
        if attribute_type == FINGERPRINT:
            attributes[FINGERPRINT] = _checked_fingerprint(datagram, offset)
            break
        if integrity_offset is None and attribute_type not in attributes:
            attributes[attribute_type] = datagram[start:end]
            if attribute_type == MESSAGE_INTEGRITY:
                integrity_offset = offset
        offset = end + (-length_bytes & 3)
    return Message(message_type, transaction_id, attributes, integrity_offset)


def _parse_header(datagram: bytes) -> tuple[int, bytes]:
    if len(datagram) < HEADER_BYTES:
        raise WireError(f"STUN message is {len(datagram)} bytes, shorter than 20")
    message_type, length_bytes, cookie, transaction_id = _unpack_header(datagram)
    if cookie != MAGIC_COOKIE:
        raise WireError("STUN magic cookie is wrong")
    if message_type > 0x3FFF:
        raise WireError("STUN message type does not start with two zero bits")
    if length_bytes & 3 or length_bytes + HEADER_BYTES != len(datagram):
        raise WireError(f"STUN length {length_bytes} does not match a datagram of {len(datagram)} bytes")
    return message_type, transaction_id


def _checked_fingerprint(datagram: bytes, offset: int) -> bytes:
    """The value of the FINGERPRINT at `offset`, which must be the last attribute and match the bytes before it."""
    value = datagram[offset + 4 :]
    if datagram[offset + 2 : offset + 4] != b"\x00\x04" or len(value) != 4:
        raise WireError("STUN FINGERPRINT is not 4 bytes at the end of the message")
    if int.from_bytes(value, "big") != zlib.crc32(datagram[:offset]) ^ _FINGERPRINT_XOR:
        raise WireError("STUN FINGERPRINT is wrong")
    return value


def verify_integrity(datagram: bytes, message: Message, key: bytes) -> bool:
    """Whether MESSAGE-INTEGRITY is there and made with `key` (short-term: the ICE password; RFC 8489 section 9.1.1)."""
    offset = message.integrity_offset
    if offset is None:
        return False
    covered_length = offset + _INTEGRITY_BYTES - HEADER_BYTES
    covered = datagram[:2] + covered_length.to_bytes(2, "big") + datagram[4:offset]
    return hmac.compare_digest(hmac.digest(key, covered, "sha1"), message.attributes[MESSAGE_INTEGRITY])


def serialize_message(
    message_type: int, transaction_id: bytes, attributes: Sequence[tuple[int, bytes]], key: bytes | None
) -> bytes:
    """A message with MESSAGE-INTEGRITY where there is a key, and FINGERPRINT always.

    Raises MisuseError unless the transaction id is 12 bytes.
    """
    if len(transaction_id) != 12:
        raise MisuseError(f"STUN transaction id is {len(transaction_id)} bytes, not 12")
    body = b"".join(_pack_attribute(attribute_type, value) for attribute_type, value in attributes)
    if key is not None:
        covered = _HEADER.pack(message_type, len(body) + _INTEGRITY_BYTES, MAGIC_COOKIE, transaction_id) + body
        body += _pack_attribute(MESSAGE_INTEGRITY, hmac.digest(key, covered, "sha1"))
    message = _HEADER.pack(message_type, len(body) + _FINGERPRINT_BYTES, MAGIC_COOKIE, transaction_id) + body
    checksum = zlib.crc32(message) ^ _FINGERPRINT_XOR
    return message + _pack_attribute(FINGERPRINT, checksum.to_bytes(4, "big"))


def _pack_attribute(attribute_type: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(attribute_type, len(value)) + value + bytes(-len(value) & 3)
