"""One RTP packet on its way through a track, when it takes more than a look at its header."""

from dataclasses import dataclass


@dataclass(slots=True)
class Packet:
    """A packet of a media SSRC, or what a retransmission brought of one."""

    sequence_number: int
    timestamp: int
    marker: bool
    arrival_s: float
    datagram: bytes
    """Protected, as it came; of a retransmission it is the RTX packet."""
    payload: bytes | None = None
    """Decrypted, where that has been done."""
    is_retransmission: bool = False
    index: int = 0
    """The extended sequence number."""
    fills_hole: bool = False
    """Whether it came after a later one: when it came says nothing of the path."""
