"""Certificates of the other side, with the SRTP profiles that it offers."""

from aiortc.rtcdtlstransport import SRTPProtectionProfile
from OpenSSL import SSL

from gateway.transport.certificate import Certificate


def certificate_that_offers(openssl_profiles: bytes) -> Certificate:
    """A certificate whose sessions offer `openssl_profiles`, joined by colons, and no others."""

    class Choosy(Certificate):
        def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
            context = super()._create_ssl_context(srtp_profiles)
            context.set_tlsext_use_srtp(openssl_profiles)
            return context

    return Choosy.generateCertificate()


def fingerprints_of(certificate: Certificate) -> list[tuple[str, str]]:
    """(algorithm, value) pairs as an offer announces them."""
    algorithm, _, value = certificate.fingerprint.partition(" ")
    return [(algorithm, value)]
