"""What a certificate is announced by, and when it is time for the next one."""

import datetime

from gateway.transport.certificate import Certificate


def test_certificate_fingerprint_is_what_sdp_wants() -> None:
    algorithm, value = Certificate.generateCertificate().fingerprint.split(" ")
    assert algorithm == "sha-256"
    assert len(bytes.fromhex(value.replace(":", ""))) == 32


def test_certificate_is_stale_in_its_last_week() -> None:
    certificate = Certificate.generateCertificate()
    now = datetime.datetime.now(datetime.UTC)
    assert not certificate.is_stale(now)
    assert certificate.is_stale(certificate.expires - datetime.timedelta(days=6))
