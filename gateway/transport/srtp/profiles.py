"""The protection profiles railbird offers, in order of preference (RFC 5764 section 4.1.2, RFC 7714 section 14.2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A DTLS-SRTP profile: OpenSSL's name and the lengths of master key and master salt in bytes."""

    openssl_name: bytes
    key_bytes: int
    salt_bytes: int

    @property
    def exported_bytes(self) -> int:
        """How much keying material the DTLS exporter yields for both directions."""
        return 2 * (self.key_bytes + self.salt_bytes)

    def split(self, exported: bytes) -> tuple[bytes, bytes]:
        """The client's and the server's master key || master salt from the exported material (RFC 5764 section 4.2)."""
        keys, salts = exported[: 2 * self.key_bytes], exported[2 * self.key_bytes :]
        client = keys[: self.key_bytes] + salts[: self.salt_bytes]
        server = keys[self.key_bytes :] + salts[self.salt_bytes :]
        return client, server


AEAD_AES_128_GCM = Profile(b"SRTP_AEAD_AES_128_GCM", 16, 12)
AES128_CM_SHA1_80 = Profile(b"SRTP_AES128_CM_SHA1_80", 16, 14)

PROFILES = (AEAD_AES_128_GCM, AES128_CM_SHA1_80)
"""GCM first: it is what browsers pick and it costs a third less; FFmpeg and OBS speak only the other."""
