"""The certificate that DTLS sessions show, and whose fingerprint SDP announces."""

import datetime
import functools

from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from OpenSSL import SSL

from gateway.transport.srtp import PROFILES

DTLS_1_2 = 0xFEFD

_RENEW_BEFORE = datetime.timedelta(days=7)


class Certificate(RTCCertificate):
    """The process's ECDSA P-256 certificate, with one cached SSL context: half of a handshake's cost otherwise."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # With DTLS 1.3 a flight can follow the handshake, which RTCDtlsTransport does not wait for.
            self._context.set_max_proto_version(DTLS_1_2)
            self._context.set_options(SSL.OP_NO_QUERY_MTU)
            self._context.set_mode(SSL.MODE_RELEASE_BUFFERS)
            self._context.set_tlsext_use_srtp(b":".join(profile.openssl_name for profile in PROFILES))
        return self._context

    @functools.cached_property
    def fingerprint(self) -> str:
        """The value of `a=fingerprint` (RFC 8122 section 5)."""
        sha256 = next(f for f in self.getFingerprints() if f.algorithm == "sha-256")
        return f"sha-256 {sha256.value}"

    def is_stale(self, now: datetime.datetime) -> bool:
        """Whether it is time to make the next one. Sessions keep the one that they began with."""
        return self.expires - now < _RENEW_BEFORE
