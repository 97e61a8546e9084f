"""SCTP packets (RFC 9260, RFC 3758, RFC 6525): what one has to be like before aiortc may read it.

aiortc's parser believes what it reads: a parameter of length 0 holds it for ever, one SACK can make it count to
nineteen million, a chunk cut short raises whatever `struct` raises. So each packet is looked through first, in time
that its own length bounds.
"""

from collections.abc import Callable
from struct import unpack_from

from gateway.errors import WireError

MAX_CHUNKS = 32
"""Of one packet. A browser bundles what fits 1200 bytes: a dozen pings, or a few bets, and an acknowledgement."""

MAX_CONTROL_CHUNKS = 2
"""Of one type and packet: two RE-CONFIGs, a request and an answer. Only DATA comes more often, and is cheap."""

MAX_PARAMETERS = 16
"""Of one chunk. INIT and INIT ACK of browsers have about six."""

MAX_STREAMS = 16
"""Streams in each direction, as our INIT says. One channel is one stream; others are a page's own that are closed."""

MAX_TSN_AHEAD = 128
"""How far behind the newest chunk one may be missing, sent or received: a player's messages of six seconds. Memory and
work of what is out of order are bounded by it."""

DEFAULT_PORT = 5000
"""What WebRTC's SDP says when it says nothing else."""

DEFAULT_MAX_MESSAGE_BYTES = 65_536
"""RFC 8841 section 6.1: what a peer takes that does not say."""

_COMMON_HEADER_BYTES, _CHUNK_HEADER_BYTES, _PARAMETER_HEADER_BYTES = 12, 4, 4
_PADDING = (0, 3, 2, 1)


def check_packet(packet: bytes) -> None:
    """WireError for what no SCTP peer of WebRTC sends."""
    position, length, types = _COMMON_HEADER_BYTES, len(packet), list[int]()
    if length < _COMMON_HEADER_BYTES + _CHUNK_HEADER_BYTES:
        raise WireError(f"an SCTP packet of {length} bytes")
    while position + _CHUNK_HEADER_BYTES <= length:
        chunk_type, _, chunk_bytes = unpack_from("!BBH", packet, position)
        if chunk_bytes < _CHUNK_HEADER_BYTES or position + chunk_bytes > length:
            raise WireError(f"a chunk of {chunk_bytes} bytes")
        check = _CHECKS.get(chunk_type)
        if check is not None:
            check(packet[position + _CHUNK_HEADER_BYTES : position + chunk_bytes])
        types.append(chunk_type)
        if len(types) > MAX_CHUNKS:
            raise WireError(f"more than {MAX_CHUNKS} chunks")
        position += chunk_bytes + _PADDING[chunk_bytes % 4]
    if len(types) > 1:
        _check_company(types)


def _check_company(types: list[int]) -> None:
    _require(not _ALONE.intersection(types), "an INIT in company")
    controls = [chunk_type for chunk_type in types if chunk_type != _DATA]
    often = any(controls.count(chunk_type) > MAX_CONTROL_CHUNKS for chunk_type in controls)
    _require(not often, f"more than {MAX_CONTROL_CHUNKS} control chunks of one type")


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise WireError(fault)


def _check_data(body: bytes) -> None:
    # RFC 9260 section 3.3.1: without user data it is an error.
    _require(len(body) > 12, "DATA without user data")
    _require(unpack_from("!H", body, 4)[0] < MAX_STREAMS, "a stream that was not negotiated")


def _check_init(body: bytes) -> None:
    _require(len(body) >= 16, "an INIT cut short")
    tag, _, outbound, inbound = unpack_from("!LLHH", body)
    _require(tag != 0 and outbound != 0 and inbound != 0, "an INIT without tag or streams")
    _parameters(body[16:])


def _check_sack(body: bytes) -> None:
    _require(len(body) >= 12, "a SACK cut short")
    gaps, duplicates = unpack_from("!HH", body, 8)
    _require(len(body) == 12 + 4 * (gaps + duplicates), "a SACK of another length than it says")
    before = 0
    for position in range(12, 12 + 4 * gaps, 4):
        start, end = unpack_from("!HH", body, position)
        # Section 3.3.4: offsets to the cumulative TSN, in order; we have no more than so many in flight.
        _require(before < start <= end <= MAX_TSN_AHEAD, "a gap where nothing was sent")
        before = end


def _check_forward_tsn(body: bytes) -> None:
    _require(len(body) >= 4 and len(body) % 4 == 0, "a FORWARD TSN cut short")
    _require(len(body) <= 4 + 4 * MAX_STREAMS, "a FORWARD TSN of more streams than there are")
    streams = (unpack_from("!H", body, position)[0] for position in range(4, len(body), 4))
    _require(all(stream < MAX_STREAMS for stream in streams), "a stream that was not negotiated")


def _check_shutdown(body: bytes) -> None:
    _require(len(body) == 4, "a SHUTDOWN of another length")


def _check_parameters(body: bytes) -> None:
    _parameters(body)


def _check_reconfig(body: bytes) -> None:
    parameters = _parameters(body)
    _require(1 <= len(parameters) <= 2, "a RE-CONFIG of more than two parameters")  # RFC 6525 section 3.1
    for kind, value in parameters:
        _require(len(value) >= _RECONFIG_BYTES.get(kind, 0), "a RE-CONFIG parameter cut short")
        if kind == _OUTGOING_RESET:
            _require(
                len(value) % 2 == 0 and len(value) <= 12 + 2 * MAX_STREAMS, "a reset of more streams than there are"
            )


def _parameters(body: bytes) -> list[tuple[int, bytes]]:
    """(type, value) of each parameter, or error cause (section 3.2.1)."""
    found: list[tuple[int, bytes]] = []
    position = 0
    while position + _PARAMETER_HEADER_BYTES <= len(body):
        kind, parameter_bytes = unpack_from("!HH", body, position)
        _require(
            _PARAMETER_HEADER_BYTES <= parameter_bytes <= len(body) - position,
            f"a parameter of {parameter_bytes} bytes",
        )
        found.append((kind, body[position + _PARAMETER_HEADER_BYTES : position + parameter_bytes]))
        _require(len(found) <= MAX_PARAMETERS, f"more than {MAX_PARAMETERS} parameters")
        position += parameter_bytes + _PADDING[parameter_bytes % 4]
    return found


_OUTGOING_RESET = 13
_RECONFIG_BYTES = {_OUTGOING_RESET: 12, 16: 8, 17: 8}
_DATA, _INIT, _INIT_ACK = 0, 1, 2
_ALONE = {_INIT, _INIT_ACK}
"""Section 6.10: not to be bundled."""

_CHECKS: dict[int, Callable[[bytes], None]] = {
    _DATA: _check_data,
    _INIT: _check_init,
    _INIT_ACK: _check_init,
    3: _check_sack,
    4: _check_parameters,  # HEARTBEAT
    5: _check_parameters,  # HEARTBEAT ACK
    6: _check_parameters,  # ABORT
    7: _check_shutdown,
    9: _check_parameters,  # ERROR
    130: _check_reconfig,
    192: _check_forward_tsn,
}
"""By chunk type. The rest has no body that is read (COOKIE ECHO is compared as a whole), or is not known to aiortc."""
