"""What holds for both profiles: each packet once, authentic or not at all, and no trace of what was refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.transport.srtp import (
    PROFILES,
    AuthenticationError,
    Opener,
    Profile,
    ReplayError,
    Sealer,
    SrtpError,
    srtp_session,
)
from gateway.transport.srtp.replay import WINDOW_PACKETS
from gateway.wire.rtp import pack_header, parse_header

SSRC = 0x1234ABCD
SENDER_REPORT = bytes.fromhex("80c800061234abcd") + bytes(20)
EXTENSION_BLOCK = bytes.fromhex("bede000110ff0000")


def _pair(profile: Profile) -> tuple[Sealer, Opener]:
    """One side's sealer and the other side's opener."""
    length_bytes = profile.exported_bytes // 2
    client, server = bytes(range(length_bytes)), bytes(range(100, 100 + length_bytes))
    sealer = srtp_session(profile, client, server).sealer
    sealer.start_at(SSRC, 0)
    return sealer, srtp_session(profile, server, client).opener


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.openssl_name.decode())
def profile(request: pytest.FixtureRequest) -> Profile:
    assert isinstance(request.param, Profile)
    return request.param


@pytest.fixture
def pair(profile: Profile) -> tuple[Sealer, Opener]:
    return _pair(profile)


def _sealed(sealer: Sealer, index: int, payload: bytes = b"payload", ssrc: int = SSRC) -> bytes:
    header = pack_header(96, False, index & 0xFFFF, 90_000, ssrc, EXTENSION_BLOCK)
    return b"".join(sealer.seal([(header, payload, ssrc, ssrc << 48 | index)]))


def _opened(opener: Opener, datagram: bytes) -> bytes:
    return opener.open_rtp(datagram, parse_header(datagram))


def _flipped(datagram: bytes, position: int) -> bytes:
    return datagram[:position] + bytes([datagram[position] ^ 1]) + datagram[position + 1 :]


def test_sealed_packet_opens(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagram = _sealed(sealer, 7)
    assert b"payload" not in datagram
    assert _opened(opener, datagram) == b"payload"


def test_sealed_rtcp_opens(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    assert opener.open_rtcp(sealer.seal_rtcp(SENDER_REPORT)) == SENDER_REPORT


def test_overhead_bytes_is_what_sealing_adds(pair: tuple[Sealer, Opener]) -> None:
    sealer, _ = pair
    assert len(_sealed(sealer, 0, b"x" * 50)) == 12 + len(EXTENSION_BLOCK) + 50 + sealer.overhead_bytes


def test_sealed_again_is_identical(pair: tuple[Sealer, Opener]) -> None:
    sealer, _ = pair
    first = _sealed(sealer, 1)
    _sealed(sealer, 2)
    assert _sealed(sealer, 1) == first


def test_replayed_packet_is_refused(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagrams = [_sealed(sealer, index) for index in range(3)]
    for datagram in datagrams:
        _opened(opener, datagram)
    for datagram in datagrams:
        with pytest.raises(ReplayError):
            _opened(opener, datagram)


def test_replayed_rtcp_is_refused(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagrams = [sealer.seal_rtcp(SENDER_REPORT) for _ in range(3)]
    for datagram in datagrams:
        opener.open_rtcp(datagram)
    for datagram in datagrams:
        with pytest.raises(ReplayError):
            opener.open_rtcp(datagram)


def test_packet_older_than_the_window_is_refused(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    old = _sealed(sealer, 0)
    _opened(opener, _sealed(sealer, WINDOW_PACKETS))
    with pytest.raises(ReplayError):
        _opened(opener, old)


def test_tampered_packet_is_not_authentic(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagram = _sealed(sealer, 1)
    # The first four bytes say where the payload starts and which packet it is; from there on, every one.
    for position in (1, *range(4, len(datagram))):
        tampered = _flipped(datagram, position)
        with pytest.raises((AuthenticationError, WireError)):
            _opened(opener, tampered)
    with pytest.raises(AuthenticationError):
        _opened(opener, _flipped(datagram, len(datagram) - 1))
    assert _opened(opener, datagram) == b"payload"


def test_tampered_rtcp_is_not_authentic(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagram = sealer.seal_rtcp(SENDER_REPORT)
    for position in range(8, len(datagram)):
        with pytest.raises(SrtpError):
            opener.open_rtcp(_flipped(datagram, position))
    with pytest.raises(AuthenticationError):
        opener.open_rtcp(_flipped(datagram, 9))
    assert opener.open_rtcp(datagram) == SENDER_REPORT


def test_truncated_packet_is_refused(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagram = _sealed(sealer, 1)
    for length_bytes in range(len(datagram)):
        with pytest.raises(WireError):
            _opened(opener, datagram[:length_bytes])


def test_truncated_rtcp_is_refused(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    datagram = sealer.seal_rtcp(SENDER_REPORT)
    for length_bytes in range(len(datagram)):
        with pytest.raises(SrtpError):
            opener.open_rtcp(datagram[:length_bytes])


def test_refused_packet_does_not_move_the_window(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    _opened(opener, _sealed(sealer, 0))
    ahead = _sealed(sealer, 3 * WINDOW_PACKETS)
    with pytest.raises(AuthenticationError):
        _opened(opener, _flipped(ahead, len(ahead) - 1))
    assert _opened(opener, _sealed(sealer, 1)) == b"payload"
    assert _opened(opener, ahead) == b"payload"


def test_refused_packet_does_not_begin_a_new_ssrc(pair: tuple[Sealer, Opener]) -> None:
    """A forged first packet must not decide in which cycle the genuine ones are."""
    sealer, opener = pair
    forged = pack_header(96, False, 0xF000, 0, SSRC) + bytes(60)
    with pytest.raises(AuthenticationError):
        _opened(opener, forged)
    assert _opened(opener, _sealed(sealer, 1)) == b"payload"


def test_refused_rtcp_does_not_move_the_window(pair: tuple[Sealer, Opener]) -> None:
    sealer, opener = pair
    genuine = [sealer.seal_rtcp(SENDER_REPORT) for _ in range(2)]
    for _ in range(2 * WINDOW_PACKETS):
        ahead = sealer.seal_rtcp(SENDER_REPORT)
    with pytest.raises(AuthenticationError):
        opener.open_rtcp(_flipped(ahead, 9))
    assert [opener.open_rtcp(datagram) for datagram in genuine] == [SENDER_REPORT] * 2


def test_packet_of_another_key_is_not_authentic(profile: Profile) -> None:
    sealer, _ = _pair(profile)
    length_bytes = profile.exported_bytes // 2
    stranger = srtp_session(profile, bytes(length_bytes), b"\xff" * length_bytes).opener
    with pytest.raises(AuthenticationError):
        _opened(stranger, _sealed(sealer, 1))


@pytest.mark.parametrize("opening", PROFILES, ids=lambda profile: profile.openssl_name.decode())
@given(datagram=st.binary(max_size=2048))
def test_random_bytes_are_refused(opening: Profile, datagram: bytes) -> None:
    _, opener = _pair(opening)
    with pytest.raises(SrtpError):
        opener.open_rtcp(datagram)
    with pytest.raises(WireError):
        _opened(opener, b"\x80\x60" + datagram)
