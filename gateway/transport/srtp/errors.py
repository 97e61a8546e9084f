"""Why a protected packet was not let in."""

from gateway.errors import WireError


class SrtpError(WireError):
    """A protected packet is too short or otherwise no SRTP."""


class ReplayError(SrtpError):
    """The packet was received before, or is older than the replay window (RFC 3711 section 3.3.2)."""


class AuthenticationError(SrtpError):
    """The authentication tag does not match."""
