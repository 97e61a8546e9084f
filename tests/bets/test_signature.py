"""The signature, against what the standard library and OpenSSL make of it."""

import hashlib
import hmac
import subprocess

from gateway.bets.signature import signature


def test_signature_is_over_time_and_body() -> None:
    expected = hmac.new(b"secret", b'1700000000.{"betId":"b1"}', hashlib.sha256).hexdigest()
    assert signature(b"secret", b'{"betId":"b1"}', 1_700_000_000) == f"t=1700000000,v1={expected}"


def test_signature_is_what_openssl_makes() -> None:
    """As the other end may check by hand."""
    made = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "key", "-r"], input=b"7.body", capture_output=True, check=True
    )
    assert signature(b"key", b"body", 7) == f"t=7,v1={made.stdout.split()[0].decode()}"


def test_signature_is_another_for_another_secret_time_and_body() -> None:
    made = {
        signature(*signed) for signed in ((b"a", b"body", 1), (b"b", b"body", 1), (b"a", b"body", 2), (b"a", b"b", 1))
    }
    assert len(made) == 4
