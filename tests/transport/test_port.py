"""The media port: which datagram is whose, and tables that forget."""

import asyncio
import contextlib
import datetime
import socket

import pytest
import structlog

from gateway.clock import monotonic_s
from gateway.transport.address import Address
from gateway.transport.certificate import Certificate
from gateway.transport.ice import Credentials
from gateway.transport.port import ADDRESS_HELD_S, MAX_ADDRESSES_PER_SESSION, MAX_DATAGRAMS_PER_TURN, Kind, MediaPort
from gateway.transport.socket import MediaSocket
from gateway.wire import stun
from tests.transport.conftest import HANDSHAKE_TIMEOUT_S, IDLE_TIMEOUT_S
from tests.transport.remote import EMPTY, HOME, KERNEL_TRIES, Remote, Wiretap, tables_of
from tests.transport.stun_requests import binding_request

NOW_S = 1000.0


def _away(number: int) -> Address:
    return ("2001:db8::2", 2000 + number, 0, 0)


# Telling datagrams apart


@pytest.mark.parametrize(
    ("first_byte", "kind"),
    [
        (0, Kind.STUN),
        (3, Kind.STUN),
        (4, Kind.OTHER),
        (19, Kind.OTHER),
        (20, Kind.DTLS),
        (63, Kind.DTLS),
        (64, Kind.OTHER),
        (127, Kind.OTHER),
        (128, Kind.MEDIA),
        (191, Kind.MEDIA),
        (192, Kind.OTHER),
        (255, Kind.OTHER),
    ],
)
async def test_datagram_is_told_apart_by_its_first_byte(port: MediaPort, first_byte: int, kind: Kind) -> None:
    port.on_datagram(bytes([first_byte]) + bytes(30), HOME, NOW_S)
    assert port.received == {kind: 1}
    assert port.dropped == {"malformed_stun" if kind is Kind.STUN else "unknown_source": 1}


async def test_empty_datagram_is_dropped(port: MediaPort) -> None:
    port.on_datagram(b"", HOME, NOW_S)
    assert port.dropped == {"unknown_source": 1}


async def test_datagram_of_no_kind_from_a_known_source_is_dropped(port: MediaPort) -> None:
    remote = Remote(port)
    remote.check()
    remote.send(bytes([64]) * 100)
    assert port.dropped == {"unknown_kind": 1}


# STUN


@pytest.mark.parametrize("message_type", [stun.BINDING_INDICATION, stun.BINDING_SUCCESS, stun.BINDING_ERROR, 0x0003])
async def test_stun_that_is_no_binding_request_is_dropped(port: MediaPort, message_type: int) -> None:
    port.on_datagram(stun.serialize_message(message_type, bytes(12), [], None), HOME, NOW_S)
    assert port.dropped == {"unexpected_stun": 1}


async def test_stun_from_port_0_is_dropped(port: MediaPort) -> None:
    remote = Remote(port, ("2001:db8::1", 0, 0, 0))
    remote.check()
    assert port.dropped == {"unexpected_stun": 1}
    assert remote.session.address is None


async def test_stun_of_an_unknown_ufrag_is_dropped(port: MediaPort) -> None:
    remote = Remote(port)
    remote.send(binding_request(Credentials("nobody", "p" * 24)))
    remote.send(stun.serialize_message(stun.BINDING_REQUEST, bytes(12), [], None))
    assert port.dropped == {"unknown_ufrag": 2}
    assert remote.answers == []


async def test_stun_with_a_wrong_password_leaves_no_trace(port: MediaPort) -> None:
    remote = Remote(port)
    before_s = remote.session.last_seen_s
    remote.send(binding_request(remote.session.ice.local, pwd="p" * 24), before_s + 5)
    assert port.dropped == {"stun_not_authentic": 1}
    assert remote.answers == []
    assert remote.session.address is None
    assert remote.session.last_seen_s == before_s
    assert tables_of(port)["_by_address"] == 0


async def test_stun_that_is_authentic_is_answered_and_opens_the_way(port: MediaPort) -> None:
    remote = Remote(port)
    remote.check(now_s=remote.session.created_s + 5)
    assert [answer.message_type for answer in remote.answers] == [stun.BINDING_SUCCESS]
    assert remote.session.address == HOME
    assert remote.owner.moved == [HOME]
    assert remote.session.last_seen_s == remote.session.created_s + 5
    assert not port.dropped


async def test_stun_on_the_same_way_again_moves_nothing(port: MediaPort) -> None:
    remote = Remote(port)
    for _ in range(3):
        remote.check()
    assert remote.owner.moved == [HOME]
    assert tables_of(port)["_addresses"] == 1


# Addresses


async def test_media_follows_the_newest_nominated_pair(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    remote.address = _away(1)
    remote.check()
    assert remote.session.address == _away(1)
    assert remote.owner.moved == [HOME, _away(1)]
    remote.send(remote.rtp(1))
    assert remote.owner.rtp == [(1, b"payload")]


async def test_media_from_any_validated_address_is_taken(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    remote.address = _away(1)
    remote.send(remote.rtp(1))
    assert port.dropped == {"unknown_source": 1}
    remote.check(nominates=False)
    assert remote.session.address == HOME
    remote.send(remote.rtp(2))
    assert remote.owner.rtp == [(2, b"payload")]


async def test_addresses_of_a_session_are_bounded_and_keep_the_selected_one(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    for number in range(3 * MAX_ADDRESSES_PER_SESSION):
        remote.address = _away(number)
        remote.check(nominates=False)
        assert tables_of(port)["_addresses"] == tables_of(port)["_by_address"] <= MAX_ADDRESSES_PER_SESSION
    assert tables_of(port)["_addresses"] == MAX_ADDRESSES_PER_SESSION
    remote.address = HOME
    remote.send(remote.rtp(1))
    remote.address = _away(0)
    remote.send(remote.rtp(2))
    assert remote.owner.rtp == [(1, b"payload")]


async def test_address_of_a_live_session_is_not_given_to_another(port: MediaPort) -> None:
    """Nobody gets another's datagrams, or sends it media, by a request with a forged source."""
    first, second = Remote(port), Remote(port)
    first.check()
    second.check()
    assert port.dropped == {"address_taken": 1}
    assert second.session.address is None
    assert list(port._by_address.values()) == [first.session]
    first.session.close("test")
    second.session.close("test")
    assert tables_of(port) == EMPTY


async def test_address_of_a_silent_session_goes_to_who_checks_from_it_and_ends_that_session(port: MediaPort) -> None:
    """A player vanishes, and a NAT (or its machine) gives the port out again, and again: the next one must not get the
    last one's media."""
    remote = Remote(port)
    now_s = remote.session.created_s
    remote.check(now_s=now_s)
    for _ in range(2 * MAX_ADDRESSES_PER_SESSION):
        last, remote = remote, Remote(port)
        now_s += ADDRESS_HELD_S
        remote.check(now_s=now_s)
        assert (remote.session.address, remote.session.closed, last.session.closed) == (HOME, False, True)
        assert tables_of(port)["_addresses"] == tables_of(port)["_by_address"] == 1
    remote.session.close("test")
    assert tables_of(port) == EMPTY


async def test_silent_session_that_only_once_had_the_address_goes_on(port: MediaPort) -> None:
    first, second = Remote(port), Remote(port)
    first.check()
    first.address = _away(1)
    first.check()
    second.check(now_s=first.session.created_s + ADDRESS_HELD_S + 1)
    assert (first.session.address, first.session.closed, second.session.address) == (_away(1), False, HOME)
    first.session.close("test")
    second.session.close("test")
    assert tables_of(port) == EMPTY


async def test_address_of_a_session_that_has_ended_is_free(port: MediaPort) -> None:
    """A player that leaves and comes back at once, from the same port."""
    first, second = Remote(port), Remote(port)
    first.check()
    first.session.close("test")
    second.check()
    assert second.session.address == HOME
    assert not port.dropped


# ICE restarts


async def test_restart_is_found_by_both_ufrags_until_the_new_one_nominates(port: MediaPort) -> None:
    remote = Remote(port)
    remote.check()
    before = remote.session.ice.local
    port.restart_ice(remote.session, "again")
    assert tables_of(port)["_by_ufrag"] == 2
    remote.send(binding_request(before))
    remote.check()
    assert [answer.message_type for answer in remote.answers] == [stun.BINDING_SUCCESS] * 3
    assert tables_of(port)["_by_ufrag"] == 1
    remote.send(binding_request(before))
    assert port.dropped == {"unknown_ufrag": 1}


async def test_restarts_without_end_keep_two_ufrags(port: MediaPort) -> None:
    remote = Remote(port)
    for number in range(50):
        port.restart_ice(remote.session, f"again{number}")
        assert tables_of(port)["_by_ufrag"] == 2
    remote.session.close("test")
    assert tables_of(port) == EMPTY


async def test_restarted_session_when_closed_is_forgotten_wholly(port: MediaPort) -> None:
    remote = Remote(port)
    for number in range(3):
        port.restart_ice(remote.session, f"again{number}")
        remote.check()
    remote.session.close("test")
    assert tables_of(port) == EMPTY


# Sessions


async def test_session_is_found_by_its_id_while_it_lives(port: MediaPort) -> None:
    remote = Remote(port, host="somebody")
    session = remote.session
    assert port.session(session.session_id) is session
    assert (len(port), port.half_open, port.sessions_of("somebody")) == (1, 1, 1)
    session.close("test")
    assert port.session(session.session_id) is None
    assert (len(port), port.half_open, port.sessions_of("somebody")) == (0, 0, 0)


async def test_connected_session_is_no_longer_half_open(port: MediaPort) -> None:
    await Remote(port).connect()
    assert (len(port), port.half_open) == (1, 0)


async def test_closed_session_is_forgotten_wholly(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    remote.address = _away(1)
    remote.check(nominates=False)
    remote.session.close("test")
    assert tables_of(port) == EMPTY
    remote.send(remote.rtp(1))
    remote.check()
    assert port.dropped == {"unknown_source": 1, "unknown_ufrag": 1}


async def test_handshake_timeout_ends_who_never_came(port: MediaPort) -> None:
    remote = Remote(port)
    created_s = remote.session.created_s
    remote.check(now_s=created_s + HANDSHAKE_TIMEOUT_S)
    port.end_silent_sessions(created_s + HANDSHAKE_TIMEOUT_S)
    assert remote.owner.closed == []
    port.end_silent_sessions(created_s + HANDSHAKE_TIMEOUT_S + 0.1)
    assert remote.owner.closed == ["handshake_timeout"]
    assert tables_of(port) == EMPTY


@pytest.mark.parametrize("sign_of_life", ["check", "rtp", "rtcp"])
async def test_idle_timeout_counts_from_the_last_authentic_datagram(port: MediaPort, sign_of_life: str) -> None:
    remote = await Remote(port).connect()
    heard_s = remote.session.created_s + 100
    if sign_of_life == "check":
        remote.check(now_s=heard_s)
    else:
        remote.send(remote.rtp(1) if sign_of_life == "rtp" else remote.rtcp(), heard_s)
    remote.send(b"\x80" * 100, heard_s + 50)
    remote.send(b"\x16" * 100, heard_s + 50)
    port.end_silent_sessions(heard_s + IDLE_TIMEOUT_S)
    assert remote.owner.closed == []
    port.end_silent_sessions(heard_s + IDLE_TIMEOUT_S + 0.1)
    assert remote.owner.closed == ["idle"]
    assert tables_of(port) == EMPTY


# Certificates


async def test_certificate_is_shared_until_it_grows_stale(port: MediaPort, monkeypatch: pytest.MonkeyPatch) -> None:
    first = port.certificate
    assert port.certificate is first
    is_stale = Certificate.is_stale
    monkeypatch.setattr(Certificate, "is_stale", lambda self, now: self is first or is_stale(self, now))
    assert port.certificate is not first
    assert not is_stale(port.certificate, datetime.datetime.now(datetime.UTC))


# The event loop


async def test_attached_port_reads_in_turns_and_flushes_after_each() -> None:
    port = MediaPort(MediaSocket("127.0.0.1", 0, 1 << 20, 1 << 20), IDLE_TIMEOUT_S, HANDSHAKE_TIMEOUT_S)
    count, flushed, all_read = MAX_DATAGRAMS_PER_TURN + 10, list[tuple[float, int]](), asyncio.Event()

    def after_batch(now_s: float) -> None:
        flushed.append((now_s, port.received[Kind.OTHER]))
        if port.received[Kind.OTHER] == count:
            all_read.set()

    port.after_batch = after_batch
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(count):
            sender.sendto(b"\xff", ("127.0.0.1", port.socket.port))
    before_s, loop = monotonic_s(), asyncio.get_running_loop()
    port.attach(loop)
    await asyncio.wait_for(all_read.wait(), 2)
    port.detach(loop)
    assert [received for _, received in flushed] == [MAX_DATAGRAMS_PER_TURN, count]
    assert all(now_s >= before_s for now_s, _ in flushed)
    assert port.socket.fileno() == -1


async def test_failure_of_ours_costs_one_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    port = MediaPort(MediaSocket("127.0.0.1", 0, 1 << 20, 1 << 20), IDLE_TIMEOUT_S, HANDSHAKE_TIMEOUT_S)
    on_datagram = port.on_datagram

    def fail_at_the_first(datagram: bytes, source: Address, now_s: float) -> None:
        if datagram == b"0":
            raise RuntimeError("a bug of ours")
        on_datagram(datagram, source, now_s)

    monkeypatch.setattr(port, "on_datagram", fail_at_the_first)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in (b"0", b"1", b"2"):
            sender.sendto(datagram, ("127.0.0.1", port.socket.port))
    with structlog.testing.capture_logs() as logs:
        port._on_readable()
    port.socket.close()
    assert port.dropped == {"internal_error": 1, "unknown_source": 2}
    assert [entry["event"] for entry in logs] == ["datagram failed"]


async def test_datagrams_count_from_when_the_kernel_got_them(monkeypatch: pytest.MonkeyPatch) -> None:
    port = MediaPort(MediaSocket("127.0.0.1", 0, 1 << 20, 1 << 20), IDLE_TIMEOUT_S, HANDSHAKE_TIMEOUT_S)
    arrivals_s: list[float] = []
    monkeypatch.setattr(port, "on_datagram", lambda _datagram, _source, now_s: arrivals_s.append(now_s))
    with contextlib.closing(port.socket), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(KERNEL_TRIES):
            sender.sendto(b"waits", ("127.0.0.1", port.socket.port))
            sent_s = monotonic_s()
            await asyncio.sleep(0.1)
            port._on_readable()
            if port.lateness_s > 0:
                break
        lateness_s = port.lateness_s
        assert lateness_s >= 0.09
        assert arrivals_s[-1] == pytest.approx(sent_s, abs=0.02)
        port._on_readable()
        assert port.lateness_s == 0.0
        assert port.worst_lateness_s == lateness_s


async def test_send_buffer_that_is_full_is_counted(port: MediaPort) -> None:
    remote = await Remote(port).connect()
    assert isinstance(port.socket, Wiretap)
    port.socket.is_full = True
    remote.session.send_rtcp([])
    assert port.dropped == {"send_buffer_full": 1}
