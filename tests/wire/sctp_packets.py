"""SCTP packets by hand: chunks in a packet with the right checksum."""

from struct import pack

from google_crc32c import value as crc32c

PORTS = (5000, 5000)


def chunk(kind: int, body: bytes = b"", flags: int = 0, length: int | None = None) -> bytes:
    """A chunk with its padding; `length` is what it says of itself, if that is not so."""
    return pack("!BBH", kind, flags, 4 + len(body) if length is None else length) + body + bytes(-len(body) % 4)


def parameter(kind: int, value: bytes = b"", length: int | None = None) -> bytes:
    """A parameter with its padding."""
    return pack("!HH", kind, 4 + len(value) if length is None else length) + value + bytes(-len(value) % 4)


def packet(*chunks: bytes, tag: int = 1) -> bytes:
    """A packet of these chunks."""
    header, body = pack("!HHL", *PORTS, tag), b"".join(chunks)
    return header + pack("<L", crc32c(header + bytes(4) + body)) + body


def data(
    tsn: int, text: bytes = b"text", stream: int = 0, sequence: int = 0, protocol: int = 51, flags: int = 7
) -> bytes:
    """A DATA chunk; `flags` say unordered (4), first (2), last (1)."""
    return chunk(0, pack("!LHHL", tsn % (1 << 32), stream, sequence, protocol) + text, flags)


def sack(cumulative: int, *gaps: tuple[int, int], window: int = 65_536) -> bytes:
    """A SACK."""
    blocks = b"".join(pack("!HH", *gap) for gap in gaps)
    return chunk(3, pack("!LLHH", cumulative % (1 << 32), window, len(gaps), 0) + blocks)


def init(tag: int = 1, tsn: int = 0, kind: int = 1, streams: int = 16, tail: bytes = b"") -> bytes:
    """An INIT, or by `kind` an INIT ACK."""
    return chunk(kind, pack("!LLHHL", tag, 65_536, streams, streams, tsn) + tail)


def forward_tsn(cumulative: int, *streams: tuple[int, int]) -> bytes:
    """A FORWARD TSN."""
    return chunk(192, pack("!L", cumulative % (1 << 32)) + b"".join(pack("!HH", *stream) for stream in streams))


def outgoing_reset(sequence: int, last_tsn: int, *streams: int) -> bytes:
    """A RE-CONFIG whose sender resets its outgoing streams."""
    return chunk(
        130,
        parameter(
            13, pack("!LLL", sequence % (1 << 32), 0, last_tsn % (1 << 32)) + pack(f"!{len(streams)}H", *streams)
        ),
    )
