"""The publisher's identity."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.demo.certificate import write_certificate


def test_certificate_is_p256_and_fits_its_key(tmp_path: Path) -> None:
    files = write_certificate(tmp_path)
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert certificate.public_key() == key.public_key()


def test_certificate_is_valid_now_even_where_clocks_differ(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(write_certificate(tmp_path).certificate.read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now - datetime.timedelta(minutes=30)
    assert certificate.not_valid_after_utc > now + datetime.timedelta(days=29)


def test_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    assert write_certificate(tmp_path).key.stat().st_mode & 0o077 == 0
