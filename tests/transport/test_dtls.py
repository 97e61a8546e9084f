"""Handshakes between two real sessions in one event loop, without a network."""

import asyncio
from collections.abc import Callable

import pytest
from OpenSSL import SSL

from gateway.transport.certificate import Certificate
from gateway.transport.dtls import HELLO_REPEAT_S, MAX_QUEUED_DATAGRAMS, MAX_RECORDS, MTU_BYTES, DtlsSession
from gateway.transport.srtp import AEAD_AES_128_GCM, AES128_CM_SHA1_80, Profile, SrtpSession
from gateway.wire.rtp import pack_header, parse_header
from tests.transport.certificates import certificate_that_offers, fingerprints_of

GARBAGE = [bytes([20 + n]) + bytes(range(n)) for n in range(44)] + [b"\x16\xfe\xfd" + bytes(10), b"\x17" * 1500]


class Link:
    """A client and a server that hand each other their datagrams. `carries` may refuse some."""

    def __init__(self, server: Certificate, client: Certificate) -> None:
        self.certificates = {"server": server, "client": client}
        self.server = DtlsSession(server, "server", lambda datagram: self._carry("server", datagram))
        self.client = DtlsSession(client, "client", lambda datagram: self._carry("client", datagram))
        self.carried: list[tuple[str, bytes]] = []
        self.carries: Callable[[str, bytes], bool] = lambda _sender, _datagram: True

    def _carry(self, sender: str, datagram: bytes) -> None:
        if self.carries(sender, datagram):
            self.carried.append((sender, datagram))
            receiver = self.client if sender == "server" else self.server
            assert receiver.feed(datagram)

    async def shake_hands(self) -> tuple[SrtpSession | None, SrtpSession | None]:
        """The server's and the client's outcome."""
        server, client = self.certificates["server"], self.certificates["client"]
        async with asyncio.timeout(5):
            server_side, client_side = await asyncio.gather(
                self.server.handshake(fingerprints_of(client)), self.client.handshake(fingerprints_of(server))
            )
        return server_side, client_side

    def end(self) -> None:
        self.server.say_goodbye()
        self.client.say_goodbye()


def _link(client_profiles: bytes = b"") -> Link:
    client = certificate_that_offers(client_profiles) if client_profiles else Certificate.generateCertificate()
    return Link(Certificate.generateCertificate(), client)


def _media_passes(sender: SrtpSession, receiver: SrtpSession) -> bool:
    header = pack_header(96, False, 1, 0, 7)
    sender.sealer.start_at(7, 1)
    datagram = b"".join(sender.sealer.seal([(header, b"payload", 7, 7 << 48 | 1)]))
    return receiver.opener.open_rtp(datagram, parse_header(datagram)) == b"payload"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", AEAD_AES_128_GCM),
        (b"SRTP_AEAD_AES_128_GCM", AEAD_AES_128_GCM),
        (b"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", AES128_CM_SHA1_80),
    ],
)
async def test_handshake_agrees_on_a_profile_and_on_keys(offered: bytes, chosen: Profile) -> None:
    link = _link(offered)
    server, client = await link.shake_hands()
    assert server is not None
    assert client is not None
    assert server.profile is client.profile is chosen
    assert link.server._connection.get_protocol_version_name() == "DTLSv1.2"
    assert _media_passes(server, client)
    assert _media_passes(client, server)
    link.end()


@pytest.mark.parametrize("ours", ["server", "client"])
async def test_handshake_in_either_role_keeps_datagrams_below_the_mtu(ours: str) -> None:
    link = _link()
    await link.shake_hands()
    sizes = [len(datagram) for sender, datagram in link.carried if sender == ours]
    assert 0 < max(sizes) <= MTU_BYTES
    link.end()


async def test_handshake_without_a_common_profile_fails() -> None:
    link = _link(b"SRTP_AES128_CM_SHA1_32")
    assert await link.shake_hands() == (None, None)
    link.end()


@pytest.mark.parametrize("impostor", ["server", "client"])
async def test_handshake_with_another_certificate_than_announced_fails(impostor: str) -> None:
    link = _link()
    link.certificates[impostor] = Certificate.generateCertificate()
    server, client = await link.shake_hands()
    assert (client if impostor == "server" else server) is None
    link.end()


async def test_handshake_when_one_of_two_fingerprints_is_wrong_fails() -> None:
    link = _link()
    good, wrong = fingerprints_of(link.certificates["client"]), ("sha-256", "00:" * 31 + "00")
    server, _ = await asyncio.gather(
        link.server.handshake([*good, wrong]), link.client.handshake(fingerprints_of(link.certificates["server"]))
    )
    assert server is None
    link.end()


async def test_handshake_survives_garbage_before_and_within_it() -> None:
    link = _link()
    for datagram in GARBAGE[:10]:
        link.server.feed(datagram)

    def inject(sender: str, datagram: bytes) -> bool:
        receiver = link.client if sender == "server" else link.server
        return all(receiver.feed(garbage) for garbage in GARBAGE[10:16])

    link.carries = inject
    server, client = await link.shake_hands()
    assert server is not None
    assert client is not None
    link.end()


async def test_first_client_hello_when_lost_is_repeated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's own timer waits for a second, which a player would see; here it never rings."""
    monkeypatch.setattr(SSL.Connection, "DTLSv1_get_timeout", lambda _connection: None)
    link, lost = _link(), list[bytes]()

    def lose_the_first(sender: str, datagram: bytes) -> bool:
        if sender == "client" and not lost:
            lost.append(datagram)
            return False
        return True

    link.carries = lose_the_first
    started_s = asyncio.get_running_loop().time()
    server, _ = await link.shake_hands()
    assert server is not None
    assert lost
    assert asyncio.get_running_loop().time() - started_s >= HELLO_REPEAT_S
    link.end()


async def test_goodbye_closes_the_other_side() -> None:
    link = _link()
    await link.shake_hands()
    closed = asyncio.Event()
    link.client.on("statechange", closed.set)
    link.server.say_goodbye()
    await asyncio.wait_for(closed.wait(), 1)
    assert link.client.state == "closed"
    link.client.say_goodbye()


async def test_connected_session_survives_garbage() -> None:
    link = _link()
    await link.shake_hands()
    for datagram in GARBAGE:
        link.client.feed(datagram)
        await asyncio.sleep(0)
    assert link.client.state == "connected"
    closed = asyncio.Event()
    link.client.on("statechange", closed.set)
    link.server.say_goodbye()
    await asyncio.wait_for(closed.wait(), 1)
    link.client.say_goodbye()


async def test_goodbye_within_the_handshake_ends_it() -> None:
    link = _link()
    link.carries = lambda _sender, _datagram: False
    waiting = asyncio.create_task(link.server.handshake(fingerprints_of(link.certificates["client"])))
    await asyncio.sleep(0)
    link.server.say_goodbye()
    assert await asyncio.wait_for(waiting, 1) is None


async def test_goodbye_with_a_full_queue_ends_the_handshake_too() -> None:
    link = _link()
    while link.server.feed(GARBAGE[0]):
        pass
    link.server.say_goodbye()
    assert await asyncio.wait_for(link.server.handshake(fingerprints_of(link.certificates["client"])), 1) is None


async def test_queue_is_bounded() -> None:
    session = DtlsSession(Certificate.generateCertificate(), "server", lambda _datagram: None)
    assert all(session.feed(b"\x16") for _ in range(MAX_QUEUED_DATAGRAMS))
    assert not session.feed(b"\x16")


# Data


async def _connected() -> tuple[Link, list[tuple[bytes, float]]]:
    """A link, and what its server is told of the client's data from now on."""
    link, told = _link(), list[tuple[bytes, float]]()
    await link.shake_hands()
    link.server.on_data = lambda data, arrival_s: told.append((data, arrival_s))
    return link, told


def _said(link: Link, *payloads: bytes) -> list[bytes]:
    """The client's datagrams of these payloads; they are not carried."""
    link.carried.clear()
    link.carries = lambda _sender, _datagram: False
    datagrams: list[bytes] = []
    link.client.wire._sender = datagrams.append
    for payload in payloads:
        link.client.send(payload)
    return datagrams


async def test_data_is_told_at_once_with_the_time_of_its_datagram() -> None:
    link, told = await _connected()
    (datagram,) = _said(link, b"payload")
    assert link.server.feed(datagram, 12.5)
    assert told == [(b"payload", 12.5)]
    link.end()


async def test_data_passes_the_other_way_too() -> None:
    link, told = await _connected()
    link.client.on_data = lambda data, arrival_s: told.append((data, arrival_s))
    link.server.send(b"answer")
    assert [data for data, _ in told] == [b"answer"]
    link.end()


async def test_each_record_of_a_datagram_is_read() -> None:
    """What were not would stay in OpenSSL's memory, and that grow with each datagram."""
    link, told = await _connected()
    payloads = [bytes([number]) * 10 for number in range(MAX_RECORDS)]
    link.server.feed(b"".join(_said(link, *payloads)))
    assert [data for data, _ in told] == payloads
    link.end()


async def test_records_beyond_the_limit_are_left_out_for_good() -> None:
    link, told = await _connected()
    datagrams = _said(link, *([b"x"] * (MAX_RECORDS + 5)), b"next")
    link.server.feed(b"".join(datagrams[:-1]))
    assert len(told) == MAX_RECORDS
    link.server.feed(datagrams[-1])
    assert told[-1][0] == b"next"
    assert len(told) == MAX_RECORDS + 1
    link.end()


async def test_data_that_is_forged_or_repeated_is_not_told() -> None:
    link, told = await _connected()
    (datagram,) = _said(link, b"once")
    link.server.feed(datagram[:-1] + bytes([datagram[-1] ^ 1]))
    link.server.feed(datagram)
    link.server.feed(datagram)
    assert [data for data, _ in told] == [b"once"]
    assert link.server.state == "connected"
    link.end()


async def test_data_as_long_as_a_datagram_is_told_whole() -> None:
    link, told = await _connected()
    (datagram,) = _said(link, b"x" * 1900)
    link.server.feed(datagram)
    assert [len(data) for data, _ in told] == [1900]
    link.end()


async def test_data_is_not_sent_before_the_handshake_nor_after_the_goodbye() -> None:
    sent: list[bytes] = []
    DtlsSession(Certificate.generateCertificate(), "server", sent.append).send(b"too soon")
    assert sent == []
    link, told = await _connected()
    link.client.say_goodbye()
    link.client.send(b"too late")
    assert told == []
    link.end()


async def test_data_behind_a_goodbye_is_not_told() -> None:
    link, told = await _connected()
    before, after = _said(link, b"before", b"after")
    goodbye: list[bytes] = []
    link.client.wire._sender = goodbye.append
    link.client.say_goodbye()
    link.server.feed(before + b"".join(goodbye) + after)
    assert [data for data, _ in told] == [b"before"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert link.server.state == "closed"
    link.end()
