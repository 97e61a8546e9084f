"""Whatever arrives on the media port: no exception, every refusal counted, no memory kept, and the session goes on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.clock import monotonic_s
from gateway.rates import BURST_S
from gateway.transport.address import Address
from gateway.transport.port import Kind, MediaPort
from gateway.transport.session import MAX_DTLS_PER_S
from gateway.transport.srtp import PROFILES
from tests.transport.certificates import certificate_that_offers
from tests.transport.remote import HOME, Remote, tables_of
from tests.transport.stun_requests import binding_request

STRANGER: Address = ("::ffff:192.0.2.7", 7, 0, 0)
MAX_OVERSIZED_BYTES = 4000
FINGERPRINT_BYTES = 8
CLIENT_HELLO = bytes.fromhex("16fefd000000000000000000360100002a000000000000002afefd") + bytes(40)
"""A whole record with a whole ClientHello, which offers no cipher."""

# One port for all examples of a test, so that what one of them leaves behind meets the next.
same_port = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)

any_datagram = st.one_of(
    st.binary(max_size=64),
    st.builds(
        lambda first, length, fill: bytes([first]) + bytes([fill]) * length,
        st.integers(0, 255),
        st.integers(0, MAX_OVERSIZED_BYTES),
        st.integers(0, 255),
    ),
    st.builds(lambda first, rest: bytes([first]) + rest, st.integers(0, 255), st.binary(max_size=1500)),
)


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.openssl_name.decode())
async def remote(port: MediaPort, request: pytest.FixtureRequest) -> AsyncIterator[Remote]:
    """Connected, and still so after the test: its media is still let in, once."""
    made = await Remote(port, certificate=certificate_that_offers(request.param.openssl_name)).connect()
    tables = tables_of(port)
    yield made
    assert tables_of(port) == tables
    assert made.owner.closed == []
    assert made.session.address == HOME
    made.owner.rtp.clear()
    made.send(made.rtp(30_000, b"still here"))
    assert made.owner.rtp == [(30_000, b"still here")]


async def _drops(port: MediaPort, datagram: bytes, source: Address) -> int:
    """How many refusals were counted while `datagram` was taken in."""
    before = port.dropped.total()
    port.on_datagram(datagram, source, monotonic_s())
    await asyncio.sleep(0)
    return port.dropped.total() - before


def _mutilated(draw: st.DrawFn, genuine: bytes) -> bytes:
    """`genuine` with some bits flipped, cut short, grown, or all of these."""
    datagram = bytearray(genuine)
    for position in draw(st.lists(st.integers(0, len(genuine) * 8 - 1), max_size=4)):
        datagram[position // 8] ^= 1 << position % 8
    datagram = datagram[: draw(st.integers(0, len(genuine)))] if draw(st.booleans()) else datagram
    return bytes(datagram) + draw(st.binary(max_size=40))


@same_port
@given(datagram=any_datagram)
async def test_any_datagram_of_a_stranger_is_dropped_and_counted(remote: Remote, datagram: bytes) -> None:
    assert await _drops(remote.port, datagram, STRANGER) == 1


@same_port
@given(datagram=any_datagram)
async def test_any_datagram_of_a_peer_is_dropped_and_counted(remote: Remote, datagram: bytes) -> None:
    received = remote.port.received.copy()
    drops = await _drops(remote.port, datagram, HOME)
    (kind,) = (remote.port.received - received).elements()
    assert drops == (0 if kind is Kind.DTLS else 1)


@same_port
@given(data=st.data(), source=st.sampled_from([HOME, STRANGER]), nominates=st.booleans())
async def test_mutilated_check_is_dropped_and_counted(
    remote: Remote, data: st.DataObject, source: Address, nominates: bool
) -> None:
    genuine = binding_request(remote.session.ice.local, nominates=nominates)
    datagram = data.draw(st.composite(_mutilated)(genuine))
    answers = len(remote.answers)
    # What is wrong in FINGERPRINT alone may also read as an attribute that nobody knows: then it is still authentic.
    if not datagram.startswith(genuine[:-FINGERPRINT_BYTES]) and not _is_dtls(datagram):
        assert await _drops(remote.port, datagram, source) == 1
        assert len(remote.answers) == answers


def _is_dtls(datagram: bytes) -> bool:
    return bool(datagram) and 20 <= datagram[0] < 64


@same_port
@given(data=st.data(), is_rtcp=st.booleans(), is_replay=st.booleans())
async def test_mutilated_media_is_dropped_and_counted(
    remote: Remote, data: st.DataObject, is_rtcp: bool, is_replay: bool
) -> None:
    genuine = remote.rtcp() if is_rtcp else remote.rtp(remote.port.received[Kind.MEDIA])
    if is_replay:
        remote.send(genuine)
    taken = len(remote.owner.rtp), len(remote.owner.compounds)
    datagram = data.draw(st.composite(_mutilated)(genuine))
    if (datagram != genuine or is_replay) and not _is_dtls(datagram):
        assert await _drops(remote.port, datagram, HOME) == 1
        assert (len(remote.owner.rtp), len(remote.owner.compounds)) == taken


@same_port
@given(datagrams=st.lists(any_datagram, max_size=20))
async def test_any_datagrams_before_the_handshake_leave_it_possible(port: MediaPort, datagrams: list[bytes]) -> None:
    remote = Remote(port)
    remote.check()
    for datagram in datagrams:
        remote.send(datagram)
    assert port.dropped["dtls_queue_full"] == 0
    await remote.connect()
    assert remote.session.srtp is not None
    remote.send(remote.rtp(1))
    assert remote.owner.rtp == [(1, b"payload")]
    remote.session.close("test")


async def test_client_hello_of_nonsense_ends_the_handshake_in_peace(port: MediaPort) -> None:
    remote = Remote(port)
    remote.check()
    remote.send(CLIENT_HELLO)
    await remote.connect()
    assert remote.owner.closed == ["dtls_failed"]


async def test_flood_of_dtls_within_one_turn_is_bounded(remote: Remote) -> None:
    now_s = monotonic_s()
    for _ in range(3 * int(BURST_S * MAX_DTLS_PER_S)):
        remote.send(b"\x16" * 1200, now_s)
    assert remote.port.dropped == {"dtls_flood": 2 * BURST_S * MAX_DTLS_PER_S}


async def test_flood_of_strangers_keeps_no_memory(port: MediaPort) -> None:
    tables = tables_of(port)
    for number in range(5000):
        source: Address = (f"2001:db8::{number:x}", number, 0, 0)
        port.on_datagram(bytes([number & 0xFF]) * 60, source, monotonic_s())
    assert tables_of(port) == tables
    assert port.dropped.total() == 5000
