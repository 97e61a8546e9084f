from collections.abc import AsyncIterator

import pytest

from gateway.config import Limits
from gateway.errors import SignallingError
from gateway.hub.admission import Admission, client_key
from gateway.transport.peer import Leg
from gateway.transport.port import MediaPort
from tests.transport.remote import Remote, Wiretap

LIMITS = Limits(sessions=4, sessions_per_address=2, half_open_sessions=3)


@pytest.fixture
async def port() -> AsyncIterator[MediaPort]:
    made = MediaPort(Wiretap(), 15.0, 10.0)
    yield made
    for session in made.sessions():
        session.close("test_over")


@pytest.fixture
def admission(port: MediaPort) -> Admission:
    return Admission(port, LIMITS)


def _refusal(admission: Admission, client: str) -> tuple[str, int]:
    """The sentence and the seconds of a refusal."""
    with pytest.raises(SignallingError) as refused:
        admission.admit(Leg.EGRESS, client)
    assert refused.value.status == 503
    return refused.value.sentence, int(refused.value.headers["Retry-After"])


async def _fill(port: MediaPort, clients: str, *, connected: bool = True) -> list[Remote]:
    """One session for each letter of `clients`."""
    remotes = [Remote(port, ("2001:db8::1", 1 + len(port) + n, 0, 0), host=host) for n, host in enumerate(clients)]
    for remote in remotes if connected else ():
        await remote.connect()
    return remotes


async def test_admission_below_all_limits_lets_in(admission: Admission, port: MediaPort) -> None:
    await _fill(port, "abc")
    admission.admit(Leg.EGRESS, "a")
    assert not admission.refused


async def test_admission_refuses_above_the_sessions_of_the_process(admission: Admission, port: MediaPort) -> None:
    remotes = await _fill(port, "abcd")
    assert _refusal(admission, "e") == ("This gateway is full.", 10)
    assert admission.refused == {("egress", "sessions"): 1}
    remotes[0].session.close("test")
    admission.admit(Leg.EGRESS, "e")


async def test_admission_refuses_above_the_sessions_of_an_address(admission: Admission, port: MediaPort) -> None:
    remotes = await _fill(port, "aa")
    assert _refusal(admission, "a") == ("Too many sessions from this address.", 10)
    admission.admit(Leg.EGRESS, "b")
    assert admission.refused == {("egress", "address"): 1}
    remotes[0].session.close("test")
    admission.admit(Leg.EGRESS, "a")


async def test_admission_refuses_above_the_half_open_sessions(admission: Admission, port: MediaPort) -> None:
    remotes = await _fill(port, "abc", connected=False)
    assert _refusal(admission, "d") == ("Too many sessions are being set up.", 2)
    assert admission.refused == {("egress", "half_open"): 1}
    await remotes[0].connect()
    admission.admit(Leg.EGRESS, "d")


async def test_admission_while_draining_refuses_everybody(admission: Admission) -> None:
    admission.is_draining = True
    assert _refusal(admission, "a") == ("This gateway is shutting down.", 5)
    with pytest.raises(SignallingError):
        admission.admit(Leg.INGEST, "a")
    assert admission.refused == {("egress", "draining"): 1, ("ingest", "draining"): 1}


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("gateway.example", "gateway.example"),
        ("", ""),
    ],
)
def test_client_key_is_an_ipv4_address_or_the_64_of_an_ipv6_one(host: str, key: str) -> None:
    assert client_key(host) == key
