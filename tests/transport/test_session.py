"""One peer's session: handshake, media in and out, and its end."""

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.clock import monotonic_s
from gateway.rates import BURST_S
from gateway.transport.certificate import Certificate
from gateway.transport.data_channel import Channel
from gateway.transport.dtls import MAX_QUEUED_DATAGRAMS
from gateway.transport.marking import Marks
from gateway.transport.port import MediaPort
from gateway.transport.session import CLIENT_HELLO_DELAY_S, MAX_EARLY_DATAGRAMS, MAX_RTCP_SSRCS, MAX_SCTP_PER_S
from gateway.transport.srtp import PROFILES, Profile
from gateway.transport.srtp.replay import WINDOW_PACKETS
from gateway.wire import rtcp
from gateway.wire.rtp import pack_header
from tests.transport.association import TERMS, Listener
from tests.transport.certificates import certificate_that_offers
from tests.transport.remote import EMPTY, HOME, SSRC, Remote, Wiretap, tables_of


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.openssl_name.decode())
def profile(request: pytest.FixtureRequest) -> Profile:
    assert isinstance(request.param, Profile)
    return request.param


@pytest.fixture
async def remote(port: MediaPort, profile: Profile) -> Remote:
    """Connected, with either profile."""
    return await Remote(port, certificate=certificate_that_offers(profile.openssl_name)).connect()


def _flipped_end(datagram: bytes) -> bytes:
    return datagram[:-1] + bytes([datagram[-1] ^ 1])


# Handshakes


async def test_dtls_has_the_mark_of_signals_and_nothing_else_has_it(port: MediaPort) -> None:
    mark = ((0, 1, b"signals"),)
    port.socket.marks = Marks(bet_signals=mark)
    remote = await Remote(port, channel=TERMS).connect()
    remote.session.send_rtcp([rtcp.ReceiverReport(SSRC, ())])
    assert remote.media
    assert remote.answers
    assert isinstance(port.socket, Wiretap)
    assert len(port.socket.marked) > 1
    assert {(20 <= datagram[0] < 64, said) for datagram, said in port.socket.marked} == {(True, mark)}


@pytest.mark.parametrize("is_client", [True, False], ids=["we are server", "we are client"])
async def test_session_connects_in_either_role(port: MediaPort, profile: Profile, is_client: bool) -> None:
    certificate = certificate_that_offers(profile.openssl_name)
    remote = await Remote(port, is_client=is_client, certificate=certificate).connect()
    assert remote.session.srtp is not None
    assert remote.session.srtp.profile is profile
    assert remote.owner.connected == [remote.session.srtp]
    remote.send(remote.rtp(1))
    assert remote.owner.rtp == [(1, b"payload")]


async def test_client_hello_waits_for_a_way_and_then_a_little(port: MediaPort) -> None:
    remote, said_hello, loop = Remote(port, is_client=False), asyncio.Event(), asyncio.get_running_loop()
    assert isinstance(port.socket, Wiretap)
    port.socket.listeners[HOME] = lambda datagram: said_hello.set() if datagram[0] == 22 else None
    await asyncio.sleep(CLIENT_HELLO_DELAY_S + 0.02)
    assert not said_hello.is_set()
    remote.check()
    checked_s = loop.time()
    await asyncio.wait_for(said_hello.wait(), 2)
    assert loop.time() - checked_s >= CLIENT_HELLO_DELAY_S - 0.005


async def test_handshake_with_another_certificate_than_announced_ends_the_session(port: MediaPort) -> None:
    remote = await Remote(port, announced=Certificate.generateCertificate()).connect()
    assert remote.owner.closed == ["dtls_failed"]
    assert remote.owner.connected == []
    assert tables_of(port) == EMPTY


async def test_handshake_without_a_common_profile_ends_the_session(port: MediaPort) -> None:
    remote = await Remote(port, certificate=certificate_that_offers(b"SRTP_AES128_CM_SHA1_32")).connect()
    assert remote.owner.closed == ["dtls_failed"]


@pytest.mark.parametrize("is_client", [True, False], ids=["we are server", "we are client"])
async def test_session_closed_before_its_handshake_leaves_nothing_running(port: MediaPort, is_client: bool) -> None:
    before = asyncio.all_tasks()
    remote = Remote(port, is_client=is_client)
    remote.check()
    for _ in range(2 * MAX_QUEUED_DATAGRAMS):
        remote.send(b"\x16" * 20)
    assert port.dropped == {"dtls_queue_full": MAX_QUEUED_DATAGRAMS}
    remote.session.close("test")
    await asyncio.sleep(CLIENT_HELLO_DELAY_S + 0.05)
    assert remote.owner.closed == ["test"]
    assert asyncio.all_tasks() == before


async def test_owner_that_fails_when_connected_costs_its_session(
    port: MediaPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Remote(port)

    def fail(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(remote.owner, "on_connected", fail)
    await remote.connect()
    assert remote.owner.closed == ["internal_error"]
    assert tables_of(port) == EMPTY


# Media


async def test_media_that_is_replayed_is_dropped(port: MediaPort, remote: Remote) -> None:
    datagram = remote.rtp(5)
    for _ in range(3):
        remote.send(datagram)
    assert remote.owner.rtp == [(5, b"payload")]
    assert port.dropped == {"replayed": 2}


async def test_media_older_than_the_window_is_dropped(port: MediaPort, remote: Remote) -> None:
    old = remote.rtp(1)
    remote.send(remote.rtp(1 + WINDOW_PACKETS))
    remote.send(old)
    assert port.dropped == {"replayed": 1}


async def test_media_that_is_tampered_with_is_dropped(port: MediaPort, remote: Remote) -> None:
    datagram = remote.rtp(1)
    remote.send(_flipped_end(datagram))
    assert remote.owner.rtp == []
    assert port.dropped == {"not_authentic": 1}
    remote.send(datagram)
    assert remote.owner.rtp == [(1, b"payload")]


async def test_media_that_is_truncated_is_dropped(port: MediaPort, remote: Remote) -> None:
    datagram = remote.rtp(1)
    for length_bytes in range(1, len(datagram)):
        remote.send(datagram[:length_bytes])
    assert remote.owner.rtp == []
    assert port.dropped.total() == len(datagram) - 1
    assert set(port.dropped) <= {"malformed_media", "not_authentic"}


async def test_media_that_is_not_wanted_costs_no_cryptography(port: MediaPort, remote: Remote) -> None:
    remote.owner.wants = False
    datagram = remote.rtp(1)
    remote.send(datagram)
    assert port.dropped == {"unexpected_rtp": 1}
    remote.owner.wants = True
    remote.send(datagram)
    assert remote.owner.rtp == [(1, b"payload")]


async def test_rtcp_reaches_the_owner_once(port: MediaPort, remote: Remote) -> None:
    datagram = remote.rtcp()
    for _ in range(3):
        remote.send(datagram)
    assert remote.owner.compounds == [[rtcp.ReceiverReport(SSRC, ())]]
    assert port.dropped == {"replayed": 2}


async def test_rtcp_that_is_tampered_with_is_dropped(port: MediaPort, remote: Remote) -> None:
    datagram = remote.rtcp()
    remote.send(datagram[:9] + b"?" + datagram[10:])
    assert remote.owner.compounds == []
    assert port.dropped == {"not_authentic": 1}


async def test_rtcp_that_is_authentic_nonsense_is_dropped(port: MediaPort, remote: Remote) -> None:
    assert remote.srtp is not None
    remote.send(remote.srtp.sealer.seal_rtcp(bytes.fromhex("80c9ffff0000cafe") + bytes(8)))
    assert remote.owner.compounds == []
    assert port.dropped == {"malformed_media": 1}


async def test_rtcp_ssrcs_of_a_peer_are_bounded(port: MediaPort, remote: Remote) -> None:
    for ssrc in range(1, MAX_RTCP_SSRCS + 5):
        remote.send(remote.rtcp(ssrc))
    assert len(remote.owner.compounds) == MAX_RTCP_SSRCS, MAX_SCTP_PER_S
    assert port.dropped == {"too_many_rtcp_ssrcs": 4}
    remote.send(remote.rtcp(1))
    assert len(remote.owner.compounds) == MAX_RTCP_SSRCS + 1


async def test_rtcp_forged_takes_no_place_of_an_ssrc(port: MediaPort, remote: Remote) -> None:
    for ssrc in range(1, 3 * MAX_RTCP_SSRCS):
        remote.send(bytes.fromhex("80c90001") + ssrc.to_bytes(4, "big") + bytes(40) + b"\x80\0\0\1" + bytes(10))
    remote.send(remote.rtcp())
    assert len(remote.owner.compounds) == 1
    assert "too_many_rtcp_ssrcs" not in port.dropped


async def test_rtcp_of_ours_is_protected(remote: Remote) -> None:
    remote.session.send_rtcp([rtcp.ReceiverReport(7, ())])
    assert remote.srtp is not None
    compound = remote.srtp.opener.open_rtcp(remote.media[-1])
    assert rtcp.parse_compound(compound) == [rtcp.ReceiverReport(7, ())]


async def test_rtcp_of_ours_without_keys_is_not_sent(port: MediaPort) -> None:
    remote = Remote(port)
    remote.check()
    remote.session.send_rtcp([rtcp.ReceiverReport(7, ())])
    assert remote.media == []


# Media that is faster than the handshake


async def test_early_media_waits_for_the_keys(port: MediaPort) -> None:
    """The peer has the keys one flight before us: its first packets can be here first."""
    remote = Remote(port, is_client=False)
    remote.holds_last_flight = True
    connecting = asyncio.create_task(remote.connect())
    async with asyncio.timeout(2):
        await remote.has_keys.wait()
    for sequence_number in range(3):
        remote.send(remote.rtp(sequence_number))
    assert remote.owner.rtp == []
    remote.release_last_flight()
    await connecting
    assert [sequence_number for sequence_number, _ in remote.owner.rtp] == [0, 1, 2]
    assert not port.dropped


async def test_early_media_is_bounded_and_the_rest_counted(port: MediaPort) -> None:
    remote = Remote(port)
    remote.check()
    for sequence_number in range(3 * MAX_EARLY_DATAGRAMS):
        remote.send(pack_header(96, False, sequence_number, 0, SSRC) + bytes(40))
    assert port.dropped == {"early_media": 2 * MAX_EARLY_DATAGRAMS}


# The data channel


async def _with_channel(port: MediaPort, *, is_client: bool = True) -> tuple[Remote, Channel, Listener, Listener]:
    """A peer with its open channel, what the owner hears, and what the peer hears."""
    ours, theirs = Listener(), Listener()
    remote = Remote(port, is_client=is_client, channel=TERMS)
    remote.owner.receiver = ours
    await remote.connect()
    channel = remote.open_channel(theirs)
    assert channel.is_open
    return remote, channel, ours, theirs


@pytest.mark.parametrize("is_client", [True, False], ids=["we are server", "we are client"])
async def test_channel_carries_text_both_ways(port: MediaPort, is_client: bool) -> None:
    remote, channel, ours, theirs = await _with_channel(port, is_client=is_client)
    assert channel.send("to the gateway")
    assert remote.owner.channels[0].send("to the player")
    assert (ours.heard, theirs.heard) == (["to the gateway"], ["to the player"])
    assert not port.dropped


async def test_channel_tells_when_the_datagram_came(port: MediaPort) -> None:
    remote, channel, ours, _ = await _with_channel(port)
    arrival_s = monotonic_s() - 0.3
    remote._dtls.wire._sender = lambda datagram: remote.send(datagram, arrival_s)
    channel.send("waited in the kernel")
    assert ours.texts == [("waited in the kernel", arrival_s)]


async def test_channel_keeps_a_session_from_being_idle(port: MediaPort) -> None:
    remote, channel, _, _ = await _with_channel(port)
    remote.session.last_seen_s = 0.0
    channel.send("alive")
    assert remote.session.last_seen_s > 0


async def test_channel_that_was_not_negotiated_is_refused(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    channel = remote.open_channel(Listener())
    assert not channel.is_open
    assert remote.owner.channels == []
    assert port.dropped == {"unexpected_sctp": 1}
    remote.channels.close()


async def test_session_that_closes_tells_both_ends_of_its_channel_once(port: MediaPort) -> None:
    remote, channel, ours, theirs = await _with_channel(port)
    remote.session.close("test")
    await asyncio.sleep(0.01)
    assert (ours.closed, theirs.closed) == (1, 1)
    assert not channel.send("x")
    assert not remote.owner.channels[0].send("x")


async def test_session_whose_peer_leaves_tells_of_its_channel_before_its_end(port: MediaPort) -> None:
    remote, _, ours, _ = await _with_channel(port)
    remote.leave()
    await asyncio.sleep(0.01)
    assert remote.owner.closed == ["peer_left"]
    assert ours.closed == 1
    remote.channels.close()


class _Broken(Listener):
    """A receiver with a bug."""

    def on_text(self, text: str, arrival_s: float) -> None:
        raise RuntimeError("a bug of ours")

    def on_closed(self) -> None:
        raise RuntimeError("a bug of ours")


async def test_receiver_that_fails_costs_a_message_and_not_the_session(port: MediaPort) -> None:
    remote, channel, _, _ = await _with_channel(port)
    assert remote.session._channels is not None
    remote.session._channels._receiver = _Broken()
    with capture_logs() as logs:
        channel.send("x")
        remote.send(remote.rtp(1))
        assert remote.owner.rtp == [(1, b"payload")]
        remote.session.close("test")
    assert port.dropped == {"internal_error": 1}
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["signal failed", "signals failed"]
    assert remote.owner.closed == ["test"]
    assert tables_of(port) == EMPTY


async def test_sctp_of_a_peer_has_its_rate(port: MediaPort) -> None:
    remote, channel, ours, _ = await _with_channel(port)
    remote._dtls.wire._sender = lambda datagram: remote.send(datagram, now_s)
    now_s = monotonic_s()
    for number in range(2 * int(BURST_S * MAX_SCTP_PER_S)):
        channel.send(str(number))
    assert 0 < len(ours.heard) <= BURST_S * MAX_SCTP_PER_S
    assert set(port.dropped) == {"sctp_flood"}
    assert remote.owner.closed == []


async def test_forged_dtls_does_not_silence_the_peer(port: MediaPort) -> None:
    remote, channel, ours, _ = await _with_channel(port)
    now_s = monotonic_s()
    for _ in range(2 * int(BURST_S * MAX_SCTP_PER_S)):
        remote.send(b"\x17\xfe\xfd" + bytes(8) + b"\0\x28" + bytes(40), now_s)
    channel.send("still heard")
    assert ours.heard == ["still heard"]


# The end


async def test_peer_that_says_goodbye_ends_its_session(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    remote.leave()
    await asyncio.sleep(0.01)
    assert remote.owner.closed == ["peer_left"]
    assert tables_of(port) == EMPTY


async def test_session_that_closes_says_goodbye_once(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    for cause in ("first", "second"):
        remote.session.close(cause)
    await asyncio.sleep(0.01)
    assert remote.owner.closed == ["first"]
    assert remote.dtls_state == "closed"


async def test_goodbyes_that_cross_end_in_peace(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    remote.leave()
    remote.session.close("test")
    await asyncio.sleep(0.01)
    assert remote.owner.closed == ["test"]
