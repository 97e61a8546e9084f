"""Datagrams that no honest peer sends, made of those that one has sent: of every kind, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence

FIRST_BYTES = (0, 1, 2, 3, 4, 19, 20, 22, 23, 63, 64, 127, 128, 144, 191, 192, 255)
"""The borders of the ranges of RFC 7983 section 7, and what stands within them."""
OVERSIZED_BYTES = (1_501, 9_000, 65_507)

Kept = Mapping[str, Sequence[bytes]]
"""Honest datagrams by kind."""


def garbage(kept: Kept, count: int, seed: int = 1) -> Iterator[bytes]:
    """`count` datagrams: noise, oversized, truncated, damaged and replayed ones in turn."""
    draws = random.Random(seed)
    makers: list[Callable[[Kept, random.Random], bytes]] = [_noise, _oversized, _truncated, _damaged, _replayed]
    for number in range(count):
        yield makers[number % len(makers)](kept, draws)


def _noise(_kept: Kept, draws: random.Random) -> bytes:
    size_bytes = draws.choice((0, 1, 2, 3, 8, 11, 12, 13, 20, 28, 100, 1200))
    return (bytes([draws.choice(FIRST_BYTES)]) + draws.randbytes(size_bytes))[:size_bytes]


def _oversized(_kept: Kept, draws: random.Random) -> bytes:
    return bytes([draws.choice(FIRST_BYTES)]) + draws.randbytes(draws.choice(OVERSIZED_BYTES) - 1)


def _truncated(kept: Kept, draws: random.Random) -> bytes:
    honest = _replayed(kept, draws)
    return honest[: draws.randrange(len(honest))]


def _damaged(kept: Kept, draws: random.Random) -> bytes:
    damaged = bytearray(_replayed(kept, draws))
    for _ in range(draws.randint(1, 8)):
        # Behind the first byte, so that it stays of its kind.
        damaged[draws.randrange(1, len(damaged))] ^= 1 << draws.randrange(8)
    return bytes(damaged)


def _replayed(kept: Kept, draws: random.Random) -> bytes:
    return draws.choice(kept[draws.choice(sorted(kept))])
