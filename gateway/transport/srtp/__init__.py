"""SRTP and SRTCP of one session, for the two profiles that peers speak.

`SrtpSession` is what a DTLS handshake yields; `Opener` turns datagrams of the peer into plaintext, `Sealer` the
reverse.
"""

from dataclasses import dataclass

from gateway.transport.srtp.cm import CmOpener, CmSealer
from gateway.transport.srtp.errors import AuthenticationError, ReplayError, SrtpError
from gateway.transport.srtp.gcm import GcmOpener, GcmSealer
from gateway.transport.srtp.interface import Opener, Sealable, Sealer
from gateway.transport.srtp.profiles import AEAD_AES_128_GCM, AES128_CM_SHA1_80, PROFILES, Profile
from gateway.transport.srtp.run import Run

__all__ = [
    "AEAD_AES_128_GCM",
    "AES128_CM_SHA1_80",
    "PROFILES",
    "AuthenticationError",
    "Opener",
    "Profile",
    "ReplayError",
    "Run",
    "Sealable",
    "Sealer",
    "SrtpError",
    "SrtpSession",
    "srtp_session",
]


@dataclass(frozen=True, slots=True)
class SrtpSession:
    """Both directions of one session's media protection."""

    profile: Profile
    opener: Opener
    sealer: Sealer


def srtp_session(profile: Profile, local_master: bytes, remote_master: bytes) -> SrtpSession:
    """Build both directions from master key || master salt of each side (RFC 5764 section 4.2)."""
    if profile is AEAD_AES_128_GCM:
        return SrtpSession(profile, GcmOpener.from_master(remote_master), GcmSealer.from_master(local_master))
    return SrtpSession(profile, CmOpener(remote_master), CmSealer(local_master))
