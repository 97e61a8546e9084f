"""Packets that leave in one send, and the room where they are sealed for one peer after another."""

from collections.abc import Sequence

from gateway.transport.marking import Ancillary
from gateway.transport.srtp.interface import Sealable


class Run:
    """A run of packets of equal size on the wire, the last perhaps shorter (udp(7), UDP_SEGMENT).

    The headers stand in `buffer` already; a sealer fills the rooms between them, anew for each peer.
    """

    __slots__ = ("buffer", "mark", "packets", "places", "segment_bytes")

    def __init__(self, packets: Sequence[Sealable], overhead_bytes: int, mark: Ancillary = ()) -> None:
        self.packets = packets
        self.mark = mark
        """What its sends say beside it: all of a run are of one class."""
        self.segment_bytes = len(packets[0][0]) + len(packets[0][1]) + overhead_bytes
        self.buffer = bytearray(sum(len(header) + len(payload) + overhead_bytes for header, payload, _, _ in packets))
        self.places: list[tuple[bytes, bytes, int, int, memoryview]] = []
        """(header, payload, ssrc, iv, room for the sealed payload)."""
        view, start = memoryview(self.buffer), 0
        for header, payload, ssrc, iv in packets:
            room = start + len(header)
            end = room + len(payload) + overhead_bytes
            view[start:room] = header
            self.places.append((header, payload, ssrc, iv, view[room:end]))
            start = end

    def __len__(self) -> int:
        return len(self.packets)

    @property
    def size_bytes(self) -> int:
        """All packets as they are on the wire, above UDP."""
        return len(self.buffer)
