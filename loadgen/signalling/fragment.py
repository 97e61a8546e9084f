"""The body of a PATCH that restarts ICE (RFC 8840 section 9, RFC 9725 section 4.3.3)."""

from collections.abc import Iterable

from gateway.transport.ice import Credentials

FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"


def restart_fragment(credentials: Credentials, mid: str, candidates: Iterable[str]) -> str:
    """Fresh credentials and all our candidates, for the bundle that the section `mid` carries."""
    lines = (
        "a=ice-options:trickle",
        # Only opens the section: its other fields mean nothing (RFC 8840 section 9).
        "m=video 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.pwd}",
        *(f"a=candidate:{candidate}" for candidate in candidates),
        "a=end-of-candidates",
    )
    return "".join(f"{line}\r\n" for line in lines)
