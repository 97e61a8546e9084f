"""H.264 out of RTP (RFC 6184, packetization mode 1): the NAL units of an access unit from its packets' payloads."""

from collections.abc import Iterable, Iterator

from gateway.errors import WireError

NAL_TYPE_MASK = 0x1F
FU_START = 0x80
FU_END = 0x40

_FORBIDDEN_ZERO_BIT = 0x80
_REFERENCE_BITS = 0xE0  # of a fragment's indicator: F and nal_ref_idc, which the unit's own header has too
_FU_HEADERS_BYTES = 2
_SIZE_BYTES = 2

# `nal_unit_type` (H.264 table 7-1), and the packets of RFC 6184 (table 1). No enumeration: they are compared for each
# packet: with an enumeration `h264.is_keyframe` takes 0.38 us, with plain integers 0.15.
SLICE = 1
IDR = 5
SEI = 6
SPS = 7
PPS = 8
AUD = 9
END_OF_SEQUENCE = 10
END_OF_STREAM = 11
FILLER = 12
STAP_A = 24
STAP_B = 25
MTAP16 = 26
MTAP24 = 27
FU_A = 28
FU_B = 29

_INTERLEAVED = frozenset((STAP_B, MTAP16, MTAP24, FU_B))
_PACKETS = _INTERLEAVED | {STAP_A, FU_A}
_IGNORED = frozenset((0, 30, 31))  # table 3: a receiver ignores them


def nal_type(nal: bytes) -> int:
    """The `nal_unit_type` of a NAL unit of at least one byte."""
    return nal[0] & NAL_TYPE_MASK


def nal_units(payloads: Iterable[bytes]) -> list[bytes]:
    """The NAL units, in order and without start codes, of one access unit's RTP payloads in order of their sequence
    numbers.

    Single NAL unit packets, STAP-A and FU-A (RFC 6184 sections 5.6, 5.7.1, 5.8); NAL units of reserved types are left
    out. A fragment that is first and last at once is taken, though section 5.8 forbids senders to make it.
    Raises WireError where a payload is empty, cut short or of another packetization mode, and where fragments do not
    make whole NAL units. The caller must know by the sequence numbers that no packet is missing: a fragment lost in the
    middle of a NAL unit leaves no other trace.
    """
    units: list[bytes] = []
    fragments: list[bytes] = []
    for payload in payloads:
        if not payload:
            raise WireError("an H.264 payload is empty")
        packet_type = payload[0] & NAL_TYPE_MASK
        if packet_type == FU_A:
            if _append_fragment(fragments, payload):
                units.append(b"".join(fragments))
                fragments = []
            continue
        if fragments:
            raise WireError("a fragmented NAL unit is interrupted by another packet")
        if packet_type in _INTERLEAVED:
            raise WireError(f"an H.264 packet of type {packet_type} is not of packetization mode 1")
        units.extend(_aggregated(payload) if packet_type == STAP_A else (payload,))
    if fragments:
        raise WireError("a fragmented NAL unit has no end")
    return [unit for unit in units if _is_nal_unit(unit)]


def _aggregated(payload: bytes) -> Iterator[bytes]:
    if len(payload) == 1:
        raise WireError("a STAP-A is empty")
    offset = 1
    while offset < len(payload):
        start = offset + _SIZE_BYTES
        offset = start + int.from_bytes(payload[offset:start], "big")
        if offset == start or offset > len(payload):
            raise WireError(f"a STAP-A of {len(payload)} bytes is cut short, or holds a NAL unit of none")
        yield payload[start:offset]


def _append_fragment(fragments: list[bytes], payload: bytes) -> bool:
    """Adds an FU-A to the `fragments` of its NAL unit, whose header is the first of them. Whether it was the last."""
    if len(payload) < _FU_HEADERS_BYTES:
        raise WireError("an FU-A has no FU header")
    indicator, header = payload[:_FU_HEADERS_BYTES]
    nal_header = bytes((indicator & _REFERENCE_BITS | header & NAL_TYPE_MASK,))
    if header & FU_START:
        if fragments:
            raise WireError("a fragmented NAL unit starts inside another")
        fragments.append(nal_header)
    elif not fragments:
        raise WireError("a fragmented NAL unit has no start")
    elif nal_type(fragments[0]) != nal_type(nal_header):
        raise WireError("fragments of two types are mixed")
    fragments.append(payload[_FU_HEADERS_BYTES:])
    return bool(header & FU_END)


def _is_nal_unit(unit: bytes) -> bool:
    """Whether it goes to a decoder: not what is reserved. Raises WireError for what is no NAL unit at all."""
    if unit[0] & _FORBIDDEN_ZERO_BIT:
        raise WireError("a NAL unit has its forbidden bit set")
    if nal_type(unit) in _PACKETS:
        raise WireError("a packet is inside another")
    return nal_type(unit) not in _IGNORED
