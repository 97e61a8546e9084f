"""The packet cache of a track, shared by all its viewers: what instant start and retransmission are served from."""

from collections.abc import Iterator

from gateway.stream.packet import MediaPacket

MAX_PACKETS = 8192
"""At 1150 bytes 9.4 MB a track: 20 s at 4 Mb/s."""

HISTORY_S = 2.0
"""How long a packet stays for retransmission at least. The pictures before the newest keyframe stay this long after it
came, whatever their age: a viewer that joined just before it is still on its way through them."""


class PacketCache:
    """Packets by index, from `oldest` to `next_index` - 1, with holes where packets were lost."""

    __slots__ = (
        "_gop_arrival_s",
        "_packets",
        "_previous_gop_start",
        "gop_start",
        "gop_timestamp",
        "next_index",
        "oldest",
        "size_bytes",
    )

    def __init__(self, next_index: int) -> None:
        self._packets: dict[int, MediaPacket] = {}
        self.oldest = self.next_index = next_index
        self.gop_start: int | None = None
        """Index of the first packet of the newest keyframe; None when it is no longer, or not yet, here."""
        self.gop_timestamp = 0
        self._gop_arrival_s = 0.0
        self._previous_gop_start = next_index
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._packets)

    def __contains__(self, index: int) -> bool:
        return index in self._packets

    def packet(self, index: int) -> MediaPacket | None:
        """The packet of that index, if it is here."""
        return self._packets.get(index)

    def add(self, packet: MediaPacket) -> bool:
        """Keep `packet`; False when it is here already or too old to keep. Tracks where the newest keyframe begins."""
        if packet.index in self._packets or packet.index < self.oldest:
            return False
        self._packets[packet.index] = packet
        self.size_bytes += len(packet.payload)
        self.next_index = max(self.next_index, packet.index + 1)
        joins_keyframe = self.gop_start == packet.index + 1 and packet.timestamp == self.gop_timestamp
        if packet.is_keyframe or joins_keyframe:
            self._on_keyframe(packet)
        self._evict(packet.arrival_s)
        return True

    @property
    def previous_gop_start(self) -> int | None:
        """Index of the first packet of the keyframe before the newest, while it is here."""
        start = self._previous_gop_start
        return start if self.gop_start is not None and start < self.gop_start and start in self._packets else None

    def newest_first(self, index: int) -> Iterator[MediaPacket]:
        """Packets from `index` backwards, without holes."""
        while (packet := self._packets.get(index)) is not None:
            yield packet
            index -= 1

    def _on_keyframe(self, packet: MediaPacket) -> None:
        if self.gop_start is not None and packet.index < self.gop_start and packet.timestamp != self.gop_timestamp:
            return
        start = packet.index
        for earlier in self.newest_first(packet.index - 1):
            # Parameter sets and SEI of the keyframe come in packets before its first slice, with its timestamp.
            if earlier.timestamp != packet.timestamp:
                break
            start = earlier.index
        if self.gop_start is not None and packet.timestamp == self.gop_timestamp:
            start = min(start, self.gop_start)
        if packet.timestamp != self.gop_timestamp or self.gop_start is None:
            self._previous_gop_start = self.gop_start if self.gop_start is not None else start
            self._gop_arrival_s = packet.arrival_s
        self.gop_start, self.gop_timestamp = start, packet.timestamp

    def _evict(self, now_s: float) -> None:
        while self.oldest < self.next_index:
            packet = self._packets.get(self.oldest)
            if packet is not None and not self._may_go(packet, now_s):
                return
            if packet is not None:
                del self._packets[self.oldest]
                self.size_bytes -= len(packet.payload)
            if self.oldest == self.gop_start:
                self.gop_start = None
            self.oldest += 1

    def _may_go(self, packet: MediaPacket, now_s: float) -> bool:
        if self.next_index - packet.index > MAX_PACKETS:
            return True
        if self.gop_start is not None and packet.index >= self.gop_start:
            return False
        if packet.index >= self._previous_gop_start and now_s - self._gop_arrival_s <= HISTORY_S:
            return False
        return now_s - packet.arrival_s > HISTORY_S
