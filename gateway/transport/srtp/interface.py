"""What the rest of the gateway sees of SRTP, whichever the profile."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from gateway.wire.rtp import RtpHeader

if TYPE_CHECKING:
    from gateway.transport.srtp.run import Run

Sealable = tuple[bytes, bytes, int, int]
"""(header, payload, ssrc, iv): `iv` is ssrc << 48 | packet index, the index being roc << 16 | sequence number, 48
bits."""


class Opener(Protocol):
    """Checks and decrypts what the peer sent. Each method raises `SrtpError` and changes nothing when it does."""

    def open_rtp(self, datagram: bytes, header: RtpHeader) -> bytes:
        """The plaintext payload, padding included."""

    def open_rtcp(self, datagram: bytes) -> bytes:
        """The plaintext compound packet."""


class Sealer(Protocol):
    """Encrypts what goes to the peer. Sealing the same packet again yields the identical bytes."""

    def seal(self, packets: Sequence[Sealable]) -> list[bytes]:
        """The protected packets as a gather list: joined, the buffers are the datagrams one after another."""

    def seal_run(self, run: "Run") -> Sequence[bytes | bytearray]:
        """The same for a whole run, which may be sealed in its own buffer: send it before the next peer's turn."""

    def seal_rtcp(self, compound: bytes) -> bytes:
        """One protected SRTCP datagram."""

    def start_at(self, ssrc: int, index: int) -> None:
        """Say which packet of `ssrc` is the first that this peer sees: peers count the rollovers from there."""

    @property
    def overhead_bytes(self) -> int:
        """What sealing adds to a packet."""
