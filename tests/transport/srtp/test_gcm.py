"""AEAD_AES_128_GCM against the RFC's vectors, and against libsrtp in both directions."""

import pylibsrtp
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.transport.srtp import ReplayError, SrtpError
from gateway.transport.srtp.gcm import GcmOpener, GcmSealer
from gateway.wire.rtp import pack_header, parse_header
from tests.transport.srtp.vectors import read_vector

SESSION_KEY = (AESGCM(bytes(range(16))), int.from_bytes(b"Quid pro quo", "big"))
RTP_SSRC, RTP_INDEX = 0x5501A0B2, 0xF17B
SRTCP_INDEX = 0x5D4

MASTER = bytes(range(100, 128))
SSRC = 0xDECAFBAD
HEADER_BYTES = 12


def _sealer_of_rfc7714() -> GcmSealer:
    return GcmSealer(SESSION_KEY, SESSION_KEY)


def _opener_of_rfc7714() -> GcmOpener:
    return GcmOpener(SESSION_KEY, SESSION_KEY)


def test_seal_yields_the_packet_of_rfc7714() -> None:
    packet, sealer = read_vector("rfc7714_16_rtp"), _sealer_of_rfc7714()
    sealer.start_at(RTP_SSRC, RTP_INDEX)
    sealed = sealer.seal([(packet[:HEADER_BYTES], packet[HEADER_BYTES:], RTP_SSRC, RTP_SSRC << 48 | RTP_INDEX)])
    assert b"".join(sealed) == read_vector("rfc7714_16_1_srtp")


def test_open_rtp_yields_the_packet_of_rfc7714() -> None:
    sealed = read_vector("rfc7714_16_1_srtp")
    payload = _opener_of_rfc7714().open_rtp(sealed, parse_header(sealed))
    assert sealed[:HEADER_BYTES] + payload == read_vector("rfc7714_16_rtp")


def test_seal_rtcp_yields_the_packet_of_rfc7714() -> None:
    compound, sealer = read_vector("rfc7714_17_rtcp"), _sealer_of_rfc7714()
    for _ in range(SRTCP_INDEX):
        sealer.seal_rtcp(compound)
    assert sealer.seal_rtcp(compound) == read_vector("rfc7714_17_1_srtcp")


def test_open_rtcp_yields_the_packet_of_rfc7714() -> None:
    assert _opener_of_rfc7714().open_rtcp(read_vector("rfc7714_17_1_srtcp")) == read_vector("rfc7714_17_rtcp")


def test_open_rtcp_without_encryption_is_refused() -> None:
    """Authentic by the RFC's vector, but no peer of ours has a reason to send it."""
    with pytest.raises(SrtpError, match="without encryption"):
        _opener_of_rfc7714().open_rtcp(read_vector("rfc7714_17_3_srtcp_unencrypted"))


def _libsrtp(ssrc_type: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(
        key=MASTER, ssrc_type=ssrc_type, srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    )
    return pylibsrtp.Session(policy)


def _packet(index: int) -> tuple[bytes, bytes]:
    """Header and payload of the packet of `index`; lengths differ from one to the next."""
    return pack_header(96, False, index & 0xFFFF, index * 3000 & 0xFFFFFFFF, SSRC), bytes([index & 0xFF]) * (index % 50)


# (first index that the peer sees, count): from the start, across the wrap, in the middle of a later cycle.
RUNS = [(0, 40), (0xFFF0, 40), (5 << 16 | 0x1234, 40), (5 << 16 | 0xFFF8, 40)]


@pytest.mark.parametrize(("first", "count"), RUNS)
def test_seal_is_understood_by_libsrtp(first: int, count: int) -> None:
    sealer, libsrtp = GcmSealer.from_master(MASTER), _libsrtp(pylibsrtp.Policy.SSRC_ANY_INBOUND)
    sealer.start_at(SSRC, first)
    for index in range(first, first + count):
        header, payload = _packet(index)
        sealed = b"".join(sealer.seal([(header, payload, SSRC, SSRC << 48 | index)]))
        assert libsrtp.unprotect(sealed) == header + payload


@pytest.mark.parametrize(("first", "count"), RUNS)
def test_open_rtp_understands_libsrtp(first: int, count: int) -> None:
    opener, libsrtp = GcmOpener.from_master(MASTER), _libsrtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    for index in range(first, first + count):
        header, payload = _packet(index)
        sealed = libsrtp.protect(header + payload)
        assert opener.open_rtp(sealed, parse_header(sealed)) == payload


def test_open_rtp_across_the_wrap_takes_what_is_late_and_what_is_missing() -> None:
    opener, libsrtp = GcmOpener.from_master(MASTER), _libsrtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    sealed = {index: libsrtp.protect(b"".join(_packet(index))) for index in range(0xFFF0, 0x10010)}
    for index in (0xFFF0, 0xFFFE, 0x10001, 0xFFFF, 0x10000, 0x1000F, 0xFFF5):
        assert opener.open_rtp(sealed[index], parse_header(sealed[index])) == _packet(index)[1]


def test_open_rtp_from_before_the_first_cycle_is_refused() -> None:
    opener, sealer = GcmOpener.from_master(MASTER), GcmSealer.from_master(MASTER)
    sealer.start_at(SSRC, 0)
    first, earlier = (b"".join(sealer.seal([(*_packet(index), SSRC, SSRC << 48 | index)])) for index in (2, 0xFFFF))
    opener.open_rtp(first, parse_header(first))
    with pytest.raises(ReplayError):
        opener.open_rtp(earlier, parse_header(earlier))


def test_seal_many_yields_one_gather_list() -> None:
    sealer = GcmSealer.from_master(MASTER)
    sealer.start_at(SSRC, 0)
    packets = [(*_packet(index), SSRC, SSRC << 48 | index) for index in range(5)]
    together = b"".join(sealer.seal(packets))
    assert together == b"".join(b"".join(sealer.seal([packet])) for packet in packets)


def test_seal_rtcp_is_understood_by_libsrtp() -> None:
    sealer, libsrtp = GcmSealer.from_master(MASTER), _libsrtp(pylibsrtp.Policy.SSRC_ANY_INBOUND)
    compound = read_vector("rfc7714_17_rtcp")
    for _ in range(5):
        assert libsrtp.unprotect_rtcp(sealer.seal_rtcp(compound)) == compound


def test_open_rtcp_understands_libsrtp() -> None:
    opener, libsrtp = GcmOpener.from_master(MASTER), _libsrtp(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    compound = read_vector("rfc7714_17_rtcp")
    for _ in range(5):
        assert opener.open_rtcp(libsrtp.protect_rtcp(compound)) == compound
