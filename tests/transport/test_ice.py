"""The ICE-lite agent alone: bytes in, bytes out."""

import re

import pytest

from gateway.transport.address import Address
from gateway.transport.ice import MAX_NOMINATIONS, Credentials, IceAnswer, IceLite, candidate_lines, local_ufrag
from gateway.wire import stun
from tests.transport.stun_requests import REMOTE_UFRAG, binding_request

HOME: Address = ("192.0.2.1", 1000)
AWAY: Address = ("192.0.2.2", 2000)
THIRD: Address = ("2001:db8::3", 3000, 0, 0)
ICE_CHARS = re.compile(r"[A-Za-z0-9+/]+")


@pytest.fixture
def agent() -> IceLite:
    return IceLite(REMOTE_UFRAG)


def _answer(agent: IceLite, datagram: bytes, source: Address) -> IceAnswer | None:
    return agent.answer(datagram, stun.parse_message(datagram), source)


def _check(agent: IceLite, source: Address, *, nominates: bool = False, local: Credentials | None = None) -> bool:
    """An authentic check; whether it moved the selected address."""
    answer = _answer(agent, binding_request(local or agent.local, nominates=nominates), source)
    assert answer is not None
    assert stun.parse_message(answer.datagram).message_type == stun.BINDING_SUCCESS
    return answer.moved


def _error(answer: IceAnswer | None) -> tuple[int, stun.Message]:
    assert answer is not None
    message = stun.parse_message(answer.datagram)
    assert message.message_type == stun.BINDING_ERROR
    return stun.parse_error_code(message.attributes[stun.ERROR_CODE])[0], message


# Credentials


def test_credentials_are_fresh_ice_chars_of_rfc8445_lengths() -> None:
    made = [Credentials.generate() for _ in range(200)]
    assert len({each.ufrag for each in made} | {each.pwd for each in made}) == 400
    for each in made:
        assert ICE_CHARS.fullmatch(each.ufrag)
        assert ICE_CHARS.fullmatch(each.pwd)
        assert len(each.ufrag) >= 4
        assert len(each.pwd) >= 22


def test_local_ufrag_is_what_stands_before_the_colon() -> None:
    request = stun.parse_message(binding_request(Credentials("here", "p" * 24)))
    assert local_ufrag(request) == "here"


def test_local_ufrag_without_a_username_is_empty() -> None:
    request = stun.parse_message(stun.serialize_message(stun.BINDING_REQUEST, bytes(12), [], None))
    assert local_ufrag(request) == ""


# Answers


@pytest.mark.parametrize(
    ("source", "mapped"), [(HOME, HOME), (THIRD, THIRD[:2]), (("::ffff:192.0.2.9", 9, 0, 0), ("192.0.2.9", 9))]
)
def test_answer_is_authentic_and_reflects_the_source(agent: IceLite, source: Address, mapped: Address) -> None:
    datagram = binding_request(agent.local)
    answer = _answer(agent, datagram, source)
    assert answer is not None
    message = stun.parse_message(answer.datagram)
    assert message.transaction_id == stun.parse_message(datagram).transaction_id
    assert stun.verify_integrity(answer.datagram, message, agent.local.pwd.encode())
    assert stun.FINGERPRINT in message.attributes
    assert stun.parse_xor_address(message.attributes[stun.XOR_MAPPED_ADDRESS], message.transaction_id) == mapped


@pytest.mark.parametrize(
    "forged",
    [
        {"pwd": "p" * 24},
        {"remote_ufrag": "stranger"},
        {"remote_ufrag": ""},
    ],
    ids=["wrong password", "wrong remote ufrag", "no remote ufrag"],
)
def test_request_that_is_not_authentic_gets_no_answer_and_moves_nothing(agent: IceLite, forged: dict[str, str]) -> None:
    _check(agent, HOME)
    assert _answer(agent, binding_request(agent.local, nominates=True, **forged), AWAY) is None  # type: ignore[arg-type]
    assert agent.selected == HOME


def test_request_without_integrity_gets_no_answer(agent: IceLite) -> None:
    username = f"{agent.local.ufrag}:{REMOTE_UFRAG}".encode()
    datagram = stun.serialize_message(stun.BINDING_REQUEST, bytes(12), [(stun.USERNAME, username)], None)
    assert _answer(agent, datagram, HOME) is None
    assert agent.selected is None


def test_request_tampered_with_gets_no_answer(agent: IceLite) -> None:
    """USE-CANDIDATE slipped in behind MESSAGE-INTEGRITY is not read; in front of it, it breaks the integrity."""
    genuine = stun.parse_message(binding_request(agent.local))
    attributes = [(stun.USE_CANDIDATE, b""), *genuine.attributes.items()]
    attributes = [(kind, value) for kind, value in attributes if kind != stun.FINGERPRINT]
    forged = stun.serialize_message(stun.BINDING_REQUEST, genuine.transaction_id, attributes, None)
    assert _answer(agent, forged, HOME) is None


# Which address is selected


def test_address_before_a_nomination_is_the_newest_valid_pair(agent: IceLite) -> None:
    assert _check(agent, HOME)
    assert agent.selected == HOME
    assert _check(agent, AWAY)
    assert agent.selected == AWAY
    assert not _check(agent, AWAY)


def test_address_after_a_nomination_does_not_follow_a_plain_check(agent: IceLite) -> None:
    assert _check(agent, HOME, nominates=True)
    assert not _check(agent, AWAY)
    assert agent.selected == HOME


def test_address_after_a_nomination_follows_a_newer_nomination(agent: IceLite) -> None:
    _check(agent, HOME, nominates=True)
    assert _check(agent, AWAY, nominates=True)
    assert _check(agent, HOME, nominates=True)
    assert agent.selected == HOME


def test_address_does_not_follow_a_copied_nomination(agent: IceLite) -> None:
    nomination = binding_request(agent.local, nominates=True)
    assert _answer(agent, nomination, HOME) is not None
    assert _answer(agent, nomination, AWAY) is None
    assert agent.selected == HOME
    assert _answer(agent, nomination, HOME) is not None, "a retransmission is no copy"


def test_address_nominations_are_remembered_in_bounded_number(agent: IceLite) -> None:
    for _ in range(3 * MAX_NOMINATIONS):
        _check(agent, HOME, nominates=True)
    assert len(agent._nominations) == MAX_NOMINATIONS


def test_address_keepalive_of_the_selected_pair_is_no_move(agent: IceLite) -> None:
    _check(agent, HOME, nominates=True)
    assert not _check(agent, HOME, nominates=True)
    assert not _check(agent, HOME)


def test_nomination_retransmitted_is_answered_again(agent: IceLite) -> None:
    datagram = binding_request(agent.local, nominates=True)
    for _ in range(3):
        assert _answer(agent, datagram, HOME) is not None
    assert agent.selected == HOME


def test_nomination_copied_from_another_address_gets_no_answer_and_moves_nothing(agent: IceLite) -> None:
    """Who listens on the path cannot draw the media to himself, nor to a victim."""
    datagram = binding_request(agent.local, nominates=True)
    assert _answer(agent, datagram, HOME) is not None
    assert _answer(agent, datagram, AWAY) is None
    assert agent.selected == HOME
    assert _answer(agent, datagram, HOME) is not None


def test_nominations_remembered_are_bounded(agent: IceLite) -> None:
    for _ in range(3 * MAX_NOMINATIONS):
        _check(agent, HOME, nominates=True)
    assert len(agent._nominations) == MAX_NOMINATIONS


# Refusals


def test_role_conflict_is_answered_with_487_and_moves_nothing(agent: IceLite) -> None:
    request = binding_request(agent.local, nominates=True, extra=[(stun.ICE_CONTROLLED, bytes(8))])
    answer = _answer(agent, request, HOME)
    assert _error(answer)[0] == 487
    assert agent.selected is None


def test_unknown_attribute_that_must_be_understood_is_answered_with_420(agent: IceLite) -> None:
    request = binding_request(agent.local, extra=[(0x7FFE, b"?"), (0x7FFF, b"??")])
    answer = _answer(agent, request, HOME)
    code, message = _error(answer)
    assert code == 420
    assert message.attributes[stun.UNKNOWN_ATTRIBUTES] == bytes.fromhex("7ffe7fff")
    assert answer is not None
    assert stun.verify_integrity(answer.datagram, message, agent.local.pwd.encode())
    assert agent.selected is None


def test_unknown_attribute_that_may_be_ignored_is_ignored(agent: IceLite) -> None:
    request = binding_request(agent.local, extra=[(0xC057, b"network"), (stun.NOMINATION, bytes(4))])
    answer = _answer(agent, request, HOME)
    assert answer is not None
    assert answer.moved


def test_refusal_is_made_only_to_who_is_authentic(agent: IceLite) -> None:
    request = binding_request(agent.local, pwd="p" * 24, extra=[(stun.ICE_CONTROLLED, bytes(8))])
    assert _answer(agent, request, HOME) is None


# Restarts


def test_restart_makes_new_credentials_and_keeps_the_address(agent: IceLite) -> None:
    before = agent.local
    _check(agent, HOME, nominates=True)
    agent.restart("again")
    assert agent.local.ufrag != before.ufrag
    assert agent.local.pwd != before.pwd
    assert agent.selected == HOME


def test_restart_old_credentials_keep_answering_without_moving_media(agent: IceLite) -> None:
    before = agent.local
    _check(agent, HOME, nominates=True)
    agent.restart("again")
    assert not _check(agent, HOME, local=before)
    assert not _check(agent, AWAY, nominates=True, local=before)
    assert agent.selected == HOME


def test_restart_media_stays_until_the_new_generation_nominates(agent: IceLite) -> None:
    _check(agent, HOME, nominates=True)
    agent.restart("again")
    answer = _answer(agent, binding_request(agent.local, remote_ufrag="again"), AWAY)
    assert answer is not None
    assert not answer.moved
    assert agent.selected == HOME


def test_restart_before_any_nomination_follows_the_newest_valid_pair(agent: IceLite) -> None:
    _check(agent, HOME)
    agent.restart("again")
    answer = _answer(agent, binding_request(agent.local, remote_ufrag="again"), AWAY)
    assert answer is not None
    assert answer.moved


def test_restart_answers_each_generation_with_its_own_password(agent: IceLite) -> None:
    before = agent.local
    agent.restart("again")
    for local, remote_ufrag in ((before, REMOTE_UFRAG), (agent.local, "again")):
        datagram = binding_request(local, remote_ufrag=remote_ufrag)
        answer = _answer(agent, datagram, HOME)
        assert answer is not None
        assert stun.verify_integrity(answer.datagram, stun.parse_message(answer.datagram), local.pwd.encode())


def test_restart_when_the_new_generation_nominates_moves_and_ends_the_old_one(agent: IceLite) -> None:
    before = agent.local
    _check(agent, HOME, nominates=True)
    agent.restart("again")
    answer = _answer(agent, binding_request(agent.local, remote_ufrag="again", nominates=True), AWAY)
    assert answer is not None
    assert answer.moved
    assert agent.selected == AWAY
    assert agent.previous is None
    assert _answer(agent, binding_request(before), HOME) is None


def test_restart_mixed_generations_in_one_username_get_no_answer(agent: IceLite) -> None:
    before = agent.local
    agent.restart("again")
    assert _answer(agent, binding_request(before, remote_ufrag="again"), HOME) is None
    assert _answer(agent, binding_request(agent.local, remote_ufrag=REMOTE_UFRAG), HOME) is None


# Candidates


def test_candidate_lines_prefer_the_first_host() -> None:
    first, second = candidate_lines(["192.0.2.1", "2001:db8::1"], 8189)
    assert first == "1 1 udp 2130706431 192.0.2.1 8189 typ host"
    assert second == "2 1 udp 2130706175 2001:db8::1 8189 typ host"


def test_candidate_lines_without_hosts_are_none() -> None:
    assert candidate_lines([], 8189) == []
