"""Where else the same can be had: the other edges, by turns."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from urllib.parse import quote

_HLS = "/hls/"
_SAFE = "/%:@!$&'()*+,;=~"
"""What a path consists of (RFC 3986 section 3.3), encoded as it comes."""


class Elsewhere:
    """Of one gateway, players and refused clients together."""

    def __init__(self, bases: Sequence[str]) -> None:
        """`bases` are URLs without a slash at their end."""
        self._turns: Iterator[str] | None = cycle(bases) if bases else None

    def next_edge(self) -> str | None:
        """The base URL for the next one who asks; None: nobody knows another edge."""
        return next(self._turns) if self._turns is not None else None

    def link(self, path: str) -> str | None:
        """The value of a `Link` header (RFC 8288) to what has `path`, percent-encoded, here."""
        edge = self.next_edge()
        # A client may send what it should have encoded.
        return f'<{edge}{quote(_entry(path), safe=_SAFE)}>; rel="alternate"' if edge is not None else None


def _entry(path: str) -> str:
    """Generations of LL-HLS are each edge's own: their stream's entry leads to another's."""
    if not path.startswith(_HLS):
        return path
    return f"{_HLS}{path.removeprefix(_HLS).partition('/')[0]}/index.m3u8"
