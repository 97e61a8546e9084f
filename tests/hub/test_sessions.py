"""What the answer to an offer says of our end, and that to new ICE credentials."""

from dataclasses import replace

import pytest

from gateway.auth.identity import nobody
from gateway.wire.sdpfrag import parse_fragment
from tests.hub.desk import Desk, studio_offer
from tests.ingest.offers import sections_of


async def test_answer_names_our_port_our_credentials_and_our_role(desk: Desk) -> None:
    session, answer = desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    section = sections_of(answer)[-1]
    assert [(c.ip, c.port) for c in section.ice_candidates] == [("127.0.0.1", desk.socket.port)]
    assert section.ice is not None
    assert section.ice.usernameFragment == session.ice.local.ufrag
    assert "a=setup:passive\r\n" in answer
    assert f"a=fingerprint:{session.fingerprint}\r\n" in answer


@pytest.mark.parametrize(
    ("offered", "answered"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")]
)
async def test_setup_is_answered_by_the_other_role(desk: Desk, offered: str, answered: str) -> None:
    _, answer = desk.hub.studios.open("table", replace(studio_offer(), setup=offered), nobody("192.0.2.1"))
    assert f"a=setup:{answered}\r\n" in answer


async def test_ice_restart_is_answered_with_new_credentials(desk: Desk) -> None:
    session, _ = desk.hub.studios.open("table", studio_offer(), nobody("192.0.2.1"))
    before = session.ice.local
    fragment = parse_fragment("a=ice-ufrag:efgh\r\na=ice-pwd:" + "q" * 24 + "\r\n")
    answer = desk.hub.sessions.restart_ice(session, fragment)
    assert session.ice.local != before
    assert f"a=ice-ufrag:{session.ice.local.ufrag}\r\n" in answer
    assert session.ice.remote_ufrag == "efgh"
    assert f" {desk.socket.port} typ host" in answer
