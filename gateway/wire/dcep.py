"""How a data channel is opened on its stream (RFC 8832), and what the payload of a message is (RFC 8831 section 8)."""

from dataclasses import dataclass
from enum import IntEnum
from struct import pack, unpack_from

from gateway.errors import WireError

MAX_LABEL_BYTES = 256
"""Of label and protocol each; ours has seven."""

_OPEN_HEADER_BYTES = 12
_ACK, _OPEN = 2, 3
_UNORDERED = 0x80
_RETRANSMITS, _LIFETIME = 1, 2
_KINDS = {0, _RETRANSMITS, _LIFETIME}

ACK = bytes([_ACK])
"""The whole message."""


class PayloadProtocol(IntEnum):
    """Payload protocol identifiers of WebRTC."""

    DCEP = 50
    STRING = 51
    BINARY = 53
    STRING_EMPTY = 56
    BINARY_EMPTY = 57


@dataclass(frozen=True, slots=True)
class DataChannelOpen:
    """DATA_CHANNEL_OPEN: what a channel is called, and how it is to be carried in both directions."""

    label: str
    ordered: bool = True
    max_retransmits: int | None = None
    lifetime_ms: int | None = None
    protocol: str = ""


def parse_open(message: bytes) -> DataChannelOpen | None:
    """A DCEP message: an OPEN, or None for an ACK. WireError for anything else."""
    if message == ACK:
        return None
    if len(message) < _OPEN_HEADER_BYTES or message[0] != _OPEN:
        raise WireError("a DCEP message that is neither OPEN nor ACK")
    channel_type, reliability, label_bytes, protocol_bytes = unpack_from("!xBxxLHH", message)
    kind = channel_type & ~_UNORDERED
    if kind not in _KINDS:
        raise WireError(f"a data channel of type {channel_type}")
    if max(label_bytes, protocol_bytes) > MAX_LABEL_BYTES:
        raise WireError(f"a label or protocol of more than {MAX_LABEL_BYTES} bytes")
    if len(message) != _OPEN_HEADER_BYTES + label_bytes + protocol_bytes:
        raise WireError("a DATA_CHANNEL_OPEN of another length than it says")
    names = message[_OPEN_HEADER_BYTES:]
    try:
        label, protocol = names[:label_bytes].decode(), names[label_bytes:].decode()
    except UnicodeDecodeError as error:
        raise WireError("a label or protocol that is not UTF-8") from error
    return DataChannelOpen(
        label=label,
        ordered=not channel_type & _UNORDERED,
        max_retransmits=reliability if kind == _RETRANSMITS else None,
        lifetime_ms=reliability if kind == _LIFETIME else None,
        protocol=protocol,
    )


def serialize_open(opening: DataChannelOpen) -> bytes:
    """The OPEN message."""
    kind, reliability = 0, 0
    if opening.max_retransmits is not None:
        kind, reliability = _RETRANSMITS, opening.max_retransmits
    elif opening.lifetime_ms is not None:
        kind, reliability = _LIFETIME, opening.lifetime_ms
    kind |= 0 if opening.ordered else _UNORDERED
    label, protocol = opening.label.encode(), opening.protocol.encode()
    return pack("!BBHLHH", _OPEN, kind, 0, reliability, len(label), len(protocol)) + label + protocol
