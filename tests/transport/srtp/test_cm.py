"""AES128_CM_SHA1_80, which libsrtp does for us, against RFC 3711 put together from its parts."""

import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.stream.cache import MAX_PACKETS
from gateway.transport.srtp import kdf
from gateway.transport.srtp.cm import AUTH_TAG_BYTES, MAX_PACKET_BYTES, CmOpener, CmSealer
from gateway.wire.rtp import pack_header, parse_header

MASTER = bytes(range(200, 230))
SSRC = 0xDECAFBAD
SENDER_REPORT = bytes.fromhex("80c80006decafbad") + bytes(20)


def _derived(label: int, length_bytes: int) -> bytes:
    return kdf.derive(MASTER[:16], MASTER[16:], label, length_bytes)


def _encrypted(key: bytes, salt: bytes, ssrc: int, index: int, plaintext: bytes) -> bytes:
    """AES in counter mode with the IV of RFC 3711 section 4.1.1."""
    counter = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
    return Cipher(algorithms.AES(key), modes.CTR(counter.to_bytes(16, "big"))).encryptor().update(plaintext)


def _srtp(header: bytes, payload: bytes, index: int) -> bytes:
    """RFC 3711 section 3.1, with the tag over packet and ROC of section 4.2."""
    key, salt = _derived(kdf.LABEL_RTP_ENCRYPTION, 16), _derived(kdf.LABEL_RTP_SALT, 14)
    packet = header + _encrypted(key, salt, SSRC, index, payload)
    tag = hmac.digest(_derived(kdf.LABEL_RTP_AUTHENTICATION, 20), packet + (index >> 16).to_bytes(4, "big"), "sha1")
    return packet + tag[:AUTH_TAG_BYTES]


def _srtcp(compound: bytes, index: int) -> bytes:
    """RFC 3711 section 3.4."""
    key, salt = _derived(kdf.LABEL_RTCP_ENCRYPTION, 16), _derived(kdf.LABEL_RTCP_SALT, 14)
    packet = compound[:8] + _encrypted(key, salt, SSRC, index, compound[8:]) + (1 << 31 | index).to_bytes(4, "big")
    return packet + hmac.digest(_derived(kdf.LABEL_RTCP_AUTHENTICATION, 20), packet, "sha1")[:AUTH_TAG_BYTES]


def _header(index: int) -> bytes:
    return pack_header(96, True, index & 0xFFFF, 90_000, SSRC)


def _sealed(sealer: CmSealer, index: int, payload: bytes) -> bytes:
    return b"".join(sealer.seal([(_header(index), payload, SSRC, SSRC << 48 | index)]))


def test_seal_agrees_with_the_reference_across_the_wrap() -> None:
    sealer = CmSealer(MASTER)
    for index in range(0xFFF8, 0x10008):
        payload = bytes([index & 0xFF]) * 100
        assert _sealed(sealer, index, payload) == _srtp(_header(index), payload, index)


def test_seal_from_the_middle_of_a_stream_counts_rollovers_from_there() -> None:
    sealer, first = CmSealer(MASTER), 5 << 16 | 0xFFF8
    sealer.start_at(SSRC, first)
    for index in range(first, first + 16):
        seen_by_peer = index - (5 << 16)
        assert _sealed(sealer, index, b"payload") == _srtp(_header(index), b"payload", seen_by_peer)


def test_open_rtp_understands_the_reference_across_the_wrap() -> None:
    opener = CmOpener(MASTER)
    for index in (0xFFFD, 0xFFFF, 0x10001, 0x10000, 0xFFFE):
        datagram = _srtp(_header(index), b"payload", index)
        assert opener.open_rtp(datagram, parse_header(datagram)) == b"payload"


def test_seal_rtcp_agrees_with_the_reference() -> None:
    sealer = CmSealer(MASTER)
    for _ in range(3):
        sealed = sealer.seal_rtcp(SENDER_REPORT)
        index = int.from_bytes(sealed[-AUTH_TAG_BYTES - 4 : -AUTH_TAG_BYTES], "big") & 0x7FFFFFFF
        assert sealed == _srtcp(SENDER_REPORT, index)


def test_open_rtcp_understands_the_reference() -> None:
    opener = CmOpener(MASTER)
    for index in (1, 3, 2):
        assert opener.open_rtcp(_srtcp(SENDER_REPORT, index)) == SENDER_REPORT


@pytest.mark.parametrize("behind", [1, 1023, 1024, MAX_PACKETS])
def test_seal_again_of_any_cached_packet_yields_the_identical_bytes(behind: int) -> None:
    """Without RTX a retransmission is the identical packet, however far the stream has gone on."""
    sealer, newest = CmSealer(MASTER), MAX_PACKETS
    before = _sealed(sealer, newest - behind, b"payload")
    for index in range(newest - behind + 1, newest + 1):
        _sealed(sealer, index, b"payload")
    assert _sealed(sealer, newest - behind, b"payload") == before


def test_seal_takes_the_largest_packet_that_it_promises() -> None:
    payload = bytes(MAX_PACKET_BYTES - len(_header(0)))
    assert len(_sealed(CmSealer(MASTER), 0, payload)) == MAX_PACKET_BYTES + AUTH_TAG_BYTES
