"""SRTP key derivation with AES-CM and a key derivation rate of zero (RFC 3711 section 4.3, RFC 7714 section 11)."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LABEL_RTP_ENCRYPTION = 0x00
LABEL_RTP_AUTHENTICATION = 0x01
LABEL_RTP_SALT = 0x02
LABEL_RTCP_ENCRYPTION = 0x03
LABEL_RTCP_AUTHENTICATION = 0x04
LABEL_RTCP_SALT = 0x05


def derive(master_key: bytes, master_salt: bytes, label: int, length_bytes: int) -> bytes:
    """The session key of `label`, `length_bytes` long. A 12-byte AEAD salt is padded to 14 (RFC 7714 section 11)."""
    salt = int.from_bytes(master_salt.ljust(14, b"\0"), "big")
    counter = (salt ^ (label << 48)) << 16
    encryptor = Cipher(algorithms.AES(master_key), modes.CTR(counter.to_bytes(16, "big"))).encryptor()
    return encryptor.update(bytes(length_bytes))
