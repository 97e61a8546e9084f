"""The publisher's DTLS identity: libavformat makes itself a P-224 key, which browsers' and our DTLS refuse."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_VALID = datetime.timedelta(days=30)
_CLOCK_SKEW = datetime.timedelta(hours=1)


class CertificateFiles(NamedTuple):
    """Two PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def within(cls, directory: Path) -> CertificateFiles:
        return cls(directory / "certificate.pem", directory / "key.pem")


def write_certificate(directory: Path) -> CertificateFiles:
    """Write a new self-signed P-256 certificate and its key, readable by the owner only, into `directory`."""
    key = ec.generate_private_key(ec.SECP256R1())
    files = CertificateFiles.within(directory)
    files.key.touch(mode=0o600)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files.certificate.write_bytes(_self_signed(key).public_bytes(Encoding.PEM))
    return files


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "railbird demo studio")])
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _CLOCK_SKEW).not_valid_after(now + _VALID)
    return builder.sign(key, hashes.SHA256())
