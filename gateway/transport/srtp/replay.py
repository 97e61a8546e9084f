"""The sliding window against replayed packets (RFC 3711 section 3.3.2)."""

WINDOW_PACKETS = 1024
"""The RFC asks for at least 64; a 4 Mb/s stream sends 64 packets in 150 ms, less than one retransmission takes on a
slow path."""

_MASK = (1 << WINDOW_PACKETS) - 1


class ReplayWindow:
    """Remembers which of the last WINDOW_PACKETS packet indices were received."""

    __slots__ = ("_seen", "highest")

    def __init__(self) -> None:
        self.highest = -1
        self._seen = 0

    def is_new(self, index: int) -> bool:
        """Whether `index` is neither received before nor older than the window."""
        behind = self.highest - index
        return behind < 0 or (behind < WINDOW_PACKETS and not self._seen >> behind & 1)

    def add(self, index: int) -> None:
        """Remember `index`. Only after its packet has been authenticated."""
        behind = self.highest - index
        if behind >= 0:
            self._seen |= 1 << behind
            return
        self._seen = ((self._seen << min(-behind, WINDOW_PACKETS)) | 1) & _MASK
        self.highest = index
