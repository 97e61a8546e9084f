"""AES128_CM_SHA1_80 (RFC 3711) by libsrtp: the profile of FFmpeg and OBS, off the hot path."""

from collections.abc import Callable, Sequence

import pylibsrtp
from pylibsrtp._binding import ffi  # type: ignore[import-not-found]  # an extension module without stubs

from gateway.transport.srtp.errors import AuthenticationError, ReplayError, SrtpError
from gateway.transport.srtp.interface import Sealable
from gateway.transport.srtp.replay import WINDOW_PACKETS
from gateway.transport.srtp.run import Run
from gateway.wire.rtp import RtpHeader

AUTH_TAG_BYTES = 10

MAX_PACKET_BYTES = 1456
"""Header and payload of the largest packet: with the tag and the headers of UDP and IPv6 it fits an Ethernet frame."""

_LARGEST_TRAILER_BYTES = 144
"""What libsrtp wants free behind a packet, whatever the profile."""

RESENDABLE_PACKETS = 1 << 14
"""How far back a packet may be sealed once more: beyond the oldest that a track's cache holds."""


def _libsrtp_session(master: bytes, ssrc_type: int, window_packets: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(
        key=master, ssrc_type=ssrc_type, srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80
    )
    policy.window_size = window_packets
    # A retransmission without RTX is the identical packet once more.
    policy.allow_repeat_tx = True
    session = pylibsrtp.Session(policy)
    # Its own buffer takes 1356 bytes: less than 1300 of payload, which aiortc sends, with all extensions.
    session._cdata = ffi.new("char[]", MAX_PACKET_BYTES + _LARGEST_TRAILER_BYTES)
    session._buffer = ffi.buffer(session._cdata)
    return session


class CmSealer:
    """Encrypts what goes to one peer."""

    __slots__ = ("_session",)

    overhead_bytes = AUTH_TAG_BYTES

    def __init__(self, master: bytes) -> None:
        self._session = _libsrtp_session(master, pylibsrtp.Policy.SSRC_ANY_OUTBOUND, RESENDABLE_PACKETS)

    def start_at(self, ssrc: int, index: int) -> None:
        """Nothing to do: libsrtp counts the rollovers from the first packet that it sees."""

    def seal(self, packets: Sequence[Sealable]) -> list[bytes]:
        """See `Sealer`."""
        protect = self._session.protect
        return [protect(header + payload) for header, payload, _, _ in packets]

    def seal_run(self, run: Run) -> Sequence[bytes]:
        """See `Sealer`."""
        return self.seal(run.packets)

    def seal_rtcp(self, compound: bytes) -> bytes:
        """See `Sealer`."""
        return self._session.protect_rtcp(compound)


class CmOpener:
    """Authenticates and decrypts what one peer sent, each packet once."""

    __slots__ = ("_session",)

    def __init__(self, master: bytes) -> None:
        self._session = _libsrtp_session(master, pylibsrtp.Policy.SSRC_ANY_INBOUND, WINDOW_PACKETS)

    def open_rtp(self, datagram: bytes, header: RtpHeader) -> bytes:
        """See `Opener`."""
        return _opened(self._session.unprotect, datagram)[header.length_bytes :]

    def open_rtcp(self, datagram: bytes) -> bytes:
        """See `Opener`."""
        return _opened(self._session.unprotect_rtcp, datagram)


def _opened(unprotect: Callable[[bytes], bytes], datagram: bytes) -> bytes:
    try:
        return unprotect(datagram)
    except pylibsrtp.Error as error:
        raise _REASONS.get(str(error), SrtpError)(f"libsrtp: {error}") from None
    except ValueError as error:
        raise SrtpError(f"libsrtp: {error}") from None


_REASONS: dict[str, type[SrtpError]] = {
    "authentication failure": AuthenticationError,
    "replay check failed (bad index)": ReplayError,
    "replay check failed (index too old)": ReplayError,
}
