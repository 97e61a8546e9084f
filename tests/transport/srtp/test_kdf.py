import pytest

from gateway.transport.srtp import kdf
from tests.transport.srtp.vectors import read_vector

MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
BLOCK_BYTES = 16


@pytest.mark.parametrize(
    ("label", "vector"),
    [
        (kdf.LABEL_RTP_ENCRYPTION, "rfc3711_b3_cipher_key"),
        (kdf.LABEL_RTP_AUTHENTICATION, "rfc3711_b3_auth_key"),
        (kdf.LABEL_RTP_SALT, "rfc3711_b3_cipher_salt"),
    ],
)
def test_derive_yields_the_keys_of_rfc3711(label: int, vector: str) -> None:
    expected = read_vector(vector)
    assert kdf.derive(MASTER_KEY, MASTER_SALT, label, len(expected)) == expected


def test_derive_is_the_keystream_of_rfc3711() -> None:
    """With label 0 the derivation is AES-CM from the salt, which is what appendix B.2 lists."""
    key, salt = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"), bytes(range(0xF0, 0xFE))
    keystream = kdf.derive(key, salt, 0, 0xFF02 * BLOCK_BYTES)
    assert keystream[: 3 * BLOCK_BYTES] == read_vector("rfc3711_b2_keystream_start")
    assert keystream[0xFEFF * BLOCK_BYTES :] == read_vector("rfc3711_b2_keystream_end")


def test_derive_with_an_aead_salt_pads_it_to_14_bytes() -> None:
    salt = bytes(range(12))
    assert kdf.derive(MASTER_KEY, salt, 1, 32) == kdf.derive(MASTER_KEY, salt + b"\0\0", 1, 32)


def test_derive_with_another_label_yields_another_key() -> None:
    labels = (
        kdf.LABEL_RTP_ENCRYPTION,
        kdf.LABEL_RTP_AUTHENTICATION,
        kdf.LABEL_RTP_SALT,
        kdf.LABEL_RTCP_ENCRYPTION,
        kdf.LABEL_RTCP_AUTHENTICATION,
        kdf.LABEL_RTCP_SALT,
    )
    assert len({kdf.derive(MASTER_KEY, MASTER_SALT, label, 16) for label in labels}) == len(labels)
