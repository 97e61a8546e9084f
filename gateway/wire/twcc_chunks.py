"""Packet status chunks of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

A status is also the number of bytes of the packet's delta: 0 not received, 1 small delta, 2 large delta; 3 is reserved.
"""

import struct
from collections.abc import Iterator

from gateway.errors import WireError

NOT_RECEIVED = 0
SMALL_DELTA = 1
LARGE_DELTA = 2
RESERVED = 3

_CHUNK = struct.Struct("!H")
_VECTOR = 0x8000
_TWO_BIT_VECTOR = 0xC000
_ONE_BIT_CAPACITY = 14
_TWO_BIT_CAPACITY = 7
_MAX_RUN_LENGTH = 0x1FFF


def parse_chunks(body: bytes, offset: int, count: int) -> tuple[list[int], int]:
    """`count` statuses, and the offset after the last chunk, which may hold more than what is asked for.

    Raises WireError when the chunks at `offset` hold fewer.
    """
    statuses: list[int] = []
    while len(statuses) < count:
        if offset + _CHUNK.size > len(body):
            raise WireError("transport feedback has too few status chunks")
        (chunk,) = _CHUNK.unpack_from(body, offset)
        statuses.extend(_expand(chunk))
        offset += _CHUNK.size
    return statuses[:count], offset


def _expand(chunk: int) -> list[int]:
    if not chunk & _VECTOR:
        return [chunk >> 13] * (chunk & _MAX_RUN_LENGTH)
    if chunk & _TWO_BIT_VECTOR == _TWO_BIT_VECTOR:
        return [chunk >> shift & 3 for shift in range(12, -1, -2)]
    return [chunk >> shift & 1 for shift in range(13, -1, -1)]


def pack_chunks(statuses: list[int]) -> bytes:
    return b"".join(map(_CHUNK.pack, _chunks(statuses)))


def _chunks(statuses: list[int]) -> Iterator[int]:
    """Greedy: a run where it covers at least what a vector would, else the vector that can hold what comes next."""
    offset = 0
    while offset < len(statuses):
        window = statuses[offset : offset + _ONE_BIT_CAPACITY]
        two_bit = LARGE_DELTA in window
        if two_bit:
            window = window[:_TWO_BIT_CAPACITY]
        run_length = _run_length(statuses, offset)
        if run_length >= len(window):
            yield statuses[offset] << 13 | run_length
            offset += run_length
            continue
        yield _two_bit_vector(window) if two_bit else _one_bit_vector(window)
        offset += len(window)


def _run_length(statuses: list[int], offset: int) -> int:
    first = statuses[offset]
    end = offset + 1
    limit = min(len(statuses), offset + _MAX_RUN_LENGTH)
    while end < limit and statuses[end] == first:
        end += 1
    return end - offset


def _one_bit_vector(statuses: list[int]) -> int:
    return _VECTOR | sum(status << 13 - index for index, status in enumerate(statuses))


def _two_bit_vector(statuses: list[int]) -> int:
    return _TWO_BIT_VECTOR | sum(status << 12 - 2 * index for index, status in enumerate(statuses))
