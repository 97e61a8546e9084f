"""What `gateway.transport.dtls` takes for granted of aiortc's private parts. When aiortc is raised and this fails, read
dtls.py before anything else."""

import asyncio
import inspect
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aiortc.rtcdtlstransport import (
    SRTP_PROFILES,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from OpenSSL import SSL

from gateway.transport.certificate import Certificate
from gateway.transport.dtls import DtlsSession
from tests.transport.certificates import fingerprints_of

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

OVERRIDDEN = [
    (RTCDtlsTransport, DtlsSession, "_do_handshake"),
    (RTCDtlsTransport, DtlsSession, "_setup_srtp"),
    (RTCDtlsTransport, DtlsSession, "_write_ssl"),
    (RTCCertificate, Certificate, "_create_ssl_context"),
]

# Where aiortc calls -> what, by name: an override that nobody calls any more would fail in silence.
CALLED = [
    (RTCDtlsTransport.start, "_create_ssl_context"),
    (RTCDtlsTransport.start, "_do_handshake"),
    (RTCDtlsTransport.start, "_validate_peer_identity"),
    (RTCDtlsTransport.start, "_setup_srtp"),
    (RTCDtlsTransport.start, "_task"),
    (RTCDtlsTransport._do_handshake, "_write_ssl"),
    (RTCDtlsTransport._do_handshake, "_recv_next"),
    (RTCDtlsTransport._recv_next, "_write_ssl"),
    (RTCDtlsTransport._recv_next, "transport"),
    (RTCDtlsTransport._recv_next, "_recv"),
    (RTCDtlsTransport._set_state, "emit"),
]


def test_aiortc_is_pinned_to_the_version_that_is_installed() -> None:
    dependencies = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    assert f"aiortc=={version('aiortc')}" in dependencies


@pytest.mark.parametrize(("base", "ours", "name"), OVERRIDDEN)
def test_override_has_the_signature_of_aiortc(base: type, ours: type, name: str) -> None:
    theirs = inspect.signature(getattr(base, name))
    assert list(inspect.signature(getattr(ours, name)).parameters) == list(theirs.parameters)
    assert inspect.iscoroutinefunction(getattr(base, name)) is inspect.iscoroutinefunction(getattr(ours, name))


@pytest.mark.parametrize(("caller", "called"), CALLED)
def test_aiortc_calls_what_we_override_or_provide(caller: Callable[..., Any], called: str) -> None:
    assert called in caller.__code__.co_names


@pytest.mark.parametrize("name", ["NEW", "CONNECTING", "CONNECTED", "CLOSED", "FAILED"])
def test_states_have_their_names(name: str) -> None:
    assert State[name].name == name


def test_new_session_has_the_attributes_that_we_read() -> None:
    session = DtlsSession(Certificate.generateCertificate(), "client", lambda _datagram: None)
    assert session._state is State.NEW
    assert session._role == "client"
    assert session._ssl is None
    assert session._task is None
    assert session.transport is session.wire  # type: ignore[comparison-overlap]
    assert session.state == "new"


def test_connection_has_the_methods_that_we_call() -> None:
    certificate = Certificate.generateCertificate()
    connection = SSL.Connection(certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES))
    for name in ("set_ciphertext_mtu", "get_selected_srtp_profile", "export_keying_material", "bio_read", "shutdown"):
        assert callable(getattr(connection, name))


def test_ssl_context_is_made_once() -> None:
    make = Certificate.generateCertificate()._create_ssl_context
    assert make(SRTP_PROFILES) is make(SRTP_PROFILES)


class _QueueTransport:
    """What an unmodified RTCDtlsTransport needs of ICE."""

    role = "controlling"
    state = "completed"

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.other: Callable[[bytes], object] = lambda _datagram: None

    async def _recv(self) -> bytes:
        return await self.incoming.get()

    async def _send(self, datagram: bytes) -> None:
        self.other(datagram)


@pytest.mark.parametrize("role", ["server", "client"])
async def test_unmodified_transport_of_aiortc_connects_to_ours(role: str) -> None:
    wire, theirs, ours = _QueueTransport(), RTCCertificate.generateCertificate(), Certificate.generateCertificate()
    transport = RTCDtlsTransport(wire, [theirs])  # type: ignore[arg-type]
    transport._set_role("client" if role == "server" else "server")
    session = DtlsSession(ours, role, wire.incoming.put_nowait)
    wire.other = session.feed
    announced = RTCDtlsParameters([RTCDtlsFingerprint(*pair) for pair in fingerprints_of(ours)])
    async with asyncio.timeout(5):
        srtp, _ = await asyncio.gather(
            session.handshake([(f.algorithm, f.value) for f in theirs.getFingerprints()]), transport.start(announced)
        )
    assert srtp is not None
    assert transport.state == "connected"
    closed = asyncio.Event()
    session.on("statechange", closed.set)
    await transport.stop()
    await asyncio.wait_for(closed.wait(), 1)
    assert session.state == "closed"
