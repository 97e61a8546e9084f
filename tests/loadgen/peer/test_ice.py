"""The load's ICE agent alone: bytes and the time in, bytes out."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.transport.ice import Credentials
from gateway.wire import stun
from loadgen.peer.ice import (
    CONSENT_TIMEOUT_S,
    FIRST_RETRY_S,
    MAX_NOMINATIONS,
    MAX_OUTSTANDING,
    MAX_PAIRS,
    MAX_RETRY_S,
    PACE_S,
    IceAgent,
    RemoteIce,
)
from tests.loadgen.peer.remotes import (
    ELSEWHERE,
    PLAYER,
    SERVER,
    FullPeer,
    answered_by_lite,
    full_agent,
    lite_agent,
    nominates,
)


def _nominated(agent: IceAgent, peer: FullPeer, now_s: float = 0.0) -> None:
    ((check, _endpoint),) = agent.due(now_s)
    ((nomination, _endpoint),) = agent.on_datagram(peer.success(check), SERVER, now_s)
    assert agent.on_datagram(peer.success(nomination), SERVER, now_s) == []
    assert agent.selected == SERVER


# Against an ICE-lite peer


def test_check_of_a_lite_peer_nominates_at_once() -> None:
    agent, lite = lite_agent()
    answered_by_lite(agent, lite, agent.due(1.0), 1.02)
    assert (agent.selected, lite.selected) == (SERVER, PLAYER)
    assert agent.take_rtts_s() == [pytest.approx(0.02)]
    assert agent.take_rtts_s() == []


def test_rtts_that_nobody_takes_are_bounded() -> None:
    agent, lite = lite_agent()
    answered_by_lite(agent, lite, agent.due(0.0), 0.0)
    for number in range(1, 200):
        consent = agent.consent(number * 2.5)
        assert consent is not None
        answered_by_lite(agent, lite, [consent], number * 2.5 + number / 1000)
    rtts_s = agent.take_rtts_s()
    assert len(rtts_s) == MAX_OUTSTANDING
    assert rtts_s[-1] == pytest.approx(0.199)


def test_consent_of_a_lite_peer_keeps_the_pair_nominated() -> None:
    agent, lite = lite_agent()
    answered_by_lite(agent, lite, agent.due(1.0), 1.0)
    consent = agent.consent(3.5)
    assert consent is not None
    assert nominates(consent[0])
    answered_by_lite(agent, lite, [consent], 3.6)
    assert agent.take_rtts_s()[1:] == [pytest.approx(0.1)]


def test_lite_peer_that_took_a_rival_nomination_is_brought_back() -> None:
    """Both checks were under way before the first was answered: the peer follows the newest."""
    agent, lite = lite_agent()
    agent.add_candidate(*ELSEWHERE, 500)
    ((to_server, _),) = agent.due(0.0)
    ((_to_elsewhere, endpoint),) = agent.due(PACE_S)
    assert endpoint == ELSEWHERE
    answer = lite.answer(to_server, stun.parse_message(to_server), PLAYER)
    assert answer is not None
    ((again, endpoint),) = agent.on_datagram(answer.datagram, SERVER, 0.1)
    assert (endpoint, nominates(again), agent.selected) == (SERVER, True, SERVER)


# Against a full peer


def test_first_valid_pair_of_a_full_peer_is_nominated_by_a_second_check() -> None:
    agent, peer = full_agent()
    ((check, endpoint),) = agent.due(1.0)
    assert (endpoint, nominates(check)) == (SERVER, False)
    ((nomination, endpoint),) = agent.on_datagram(peer.success(check), SERVER, 1.01)
    assert (endpoint, nominates(nomination), agent.selected) == (SERVER, True, None)
    assert agent.on_datagram(peer.success(nomination), SERVER, 1.02) == []
    assert agent.selected == SERVER
    assert agent.due(5.0) == []


def test_second_valid_pair_is_not_nominated() -> None:
    agent, peer = full_agent()
    agent.add_candidate(*ELSEWHERE, 500)
    ((to_server, _),) = agent.due(0.0)
    ((to_elsewhere, endpoint),) = agent.due(PACE_S)
    assert endpoint == ELSEWHERE
    assert agent.on_datagram(peer.success(to_server), SERVER, 0.1) != []
    assert agent.on_datagram(peer.success(to_elsewhere), ELSEWHERE, 0.1) == []


def test_lost_nomination_is_repeated() -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(0.0)
    agent.on_datagram(peer.success(check), SERVER, 0.0)
    assert agent.due(FIRST_RETRY_S / 2) == []
    ((again, endpoint),) = agent.due(FIRST_RETRY_S)
    assert (endpoint, nominates(again)) == (SERVER, True)


def test_pair_that_cannot_be_nominated_gives_way_to_another() -> None:
    agent, peer = full_agent()
    agent.add_candidate(*ELSEWHERE, 500)
    ((check, _),) = agent.due(0.0)
    agent.on_datagram(peer.success(check), SERVER, 0.0)
    now_s = 0.0
    for _ in range(MAX_NOMINATIONS - 1):
        now_s = agent.next_due_s
        ((nomination, endpoint),) = agent.due(now_s)
        assert (endpoint, nominates(nomination)) == (SERVER, True)
    ((check, endpoint),) = agent.due(agent.next_due_s)
    assert (endpoint, nominates(check)) == (ELSEWHERE, False)
    ((nomination, endpoint),) = agent.on_datagram(peer.success(check), ELSEWHERE, now_s + 0.1)
    assert (endpoint, nominates(nomination)) == (ELSEWHERE, True)


# When checks are made


def test_candidates_are_checked_by_priority_one_every_pace() -> None:
    agent, _peer = full_agent()
    agent.add_candidate(*ELSEWHERE, 2000)
    assert [endpoint for _, endpoint in agent.due(1.0)] == [ELSEWHERE]
    assert agent.due(1.0 + PACE_S / 2) == []
    assert agent.next_due_s == 1.0 + PACE_S
    assert [endpoint for _, endpoint in agent.due(1.0 + PACE_S)] == [SERVER]


def test_unanswered_check_is_repeated_with_growing_patience() -> None:
    agent, _peer = full_agent()
    sent_s = []
    now_s = 0.0
    for _ in range(6):
        now_s = max(now_s, agent.next_due_s)
        assert len(agent.due(now_s)) == 1
        sent_s.append(now_s)
    waits_s = [later - earlier for earlier, later in itertools.pairwise(sent_s)]
    assert waits_s == pytest.approx([FIRST_RETRY_S, 2 * FIRST_RETRY_S, 4 * FIRST_RETRY_S, MAX_RETRY_S, MAX_RETRY_S])


def test_answer_to_an_earlier_check_counts() -> None:
    agent, peer = full_agent()
    ((first, _),) = agent.due(0.0)
    agent.due(FIRST_RETRY_S)
    assert agent.on_datagram(peer.success(first), SERVER, 0.35) != []
    assert agent.take_rtts_s() == [pytest.approx(0.35)]


def test_answer_to_a_forgotten_check_does_not_count() -> None:
    agent, peer = full_agent()
    ((first, _),) = agent.due(0.0)
    for turn in range(1, MAX_OUTSTANDING + 1):
        assert agent.due(float(turn)) != []
    assert agent.on_datagram(peer.success(first), SERVER, 100.0) == []


def test_agent_without_candidates_has_nothing_due() -> None:
    local = Credentials.generate()
    agent = IceAgent(local, RemoteIce(local, is_lite=False), lambda _host: True)
    assert (agent.due(1.0), agent.next_due_s, agent.consent(1.0)) == ([], float("inf"), None)


# Answers that are none


def test_answer_of_another_key_is_dropped() -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(0.0)
    assert agent.on_datagram(peer.success(check, pwd="x" * 24), SERVER, 0.1) == []
    assert agent.take_rtts_s() == []
    assert agent.on_datagram(peer.success(check), SERVER, 0.2) != []


def test_answer_from_elsewhere_is_dropped() -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(0.0)
    assert agent.on_datagram(peer.success(check), ELSEWHERE, 0.1) == []


def test_answer_that_comes_twice_measures_once() -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(0.0)
    answer = peer.success(check)
    agent.on_datagram(answer, SERVER, 0.1)
    assert agent.on_datagram(answer, SERVER, 0.2) == []
    assert agent.take_rtts_s() == [pytest.approx(0.1)]


def test_answer_after_the_clock_was_set_back_measures_nothing() -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(10.0)
    assert agent.on_datagram(peer.success(check), SERVER, 9.0) != []
    assert agent.take_rtts_s() == []


def test_error_is_remembered_for_people() -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(0.0)
    assert agent.on_datagram(peer.error(check, 401, "Unauthenticated"), SERVER, 0.1) == []
    assert agent.refusal == "401 Unauthenticated"


def test_error_of_no_check_of_ours_is_dropped() -> None:
    agent, peer = full_agent()
    agent.on_datagram(peer.error(peer.check(), 400, "Bad Request"), SERVER, 0.1)
    assert agent.refusal is None


@pytest.mark.parametrize("datagram", [b"", b"\x00\x01", b"\x01" * 20, b"\x00\x01\x00\x04\x21\x12\xa4\x42" + bytes(12)])
def test_datagram_that_is_no_stun_raises(datagram: bytes) -> None:
    with pytest.raises(WireError):
        full_agent()[0].on_datagram(datagram, SERVER, 0.0)


@given(st.binary(max_size=100), st.integers(0, 100))
def test_datagram_that_is_nearly_an_answer_raises_wire_error_or_is_dropped(noise: bytes, where: int) -> None:
    agent, peer = full_agent()
    ((check, _),) = agent.due(0.0)
    for message in (peer.success(check), peer.error(check, 401, "no"), peer.check()):
        broken = message[:where] + noise + message[where + len(noise) :]
        with contextlib.suppress(WireError):
            agent.on_datagram(broken, SERVER, 0.1)
    assert agent.selected is None


# The peer's own checks


def test_check_of_the_peer_is_answered_and_triggers_ours() -> None:
    agent, peer = full_agent()
    check = peer.check()
    ((answer, endpoint),) = agent.on_datagram(check, SERVER, 1.0)
    message = stun.parse_message(answer)
    assert (endpoint, message.message_type) == (SERVER, stun.BINDING_SUCCESS)
    assert stun.verify_integrity(answer, message, agent.local.pwd.encode())
    mapped = stun.parse_xor_address(message.attributes[stun.XOR_MAPPED_ADDRESS], message.transaction_id)
    assert mapped == SERVER
    assert agent.next_due_s <= 1.0


def test_check_of_the_peer_hastens_the_repetition_of_ours() -> None:
    agent, peer = full_agent()
    agent.due(0.0)
    agent.on_datagram(peer.check(), SERVER, 0.01)
    assert agent.next_due_s == PACE_S < FIRST_RETRY_S


def test_check_from_an_unknown_address_makes_a_candidate() -> None:
    agent, peer = full_agent()
    agent.due(0.0)
    agent.on_datagram(peer.check(), (*ELSEWHERE, 0, 0), 0.01)
    assert agent.knows(ELSEWHERE)
    ((check, endpoint),) = agent.due(PACE_S)
    assert endpoint == ELSEWHERE
    assert agent.on_datagram(peer.success(check), ELSEWHERE, 0.1) != []


def test_check_of_another_key_is_dropped() -> None:
    agent, peer = full_agent()
    assert agent.on_datagram(peer.check(pwd="x" * 24), ELSEWHERE, 0.0) == []
    assert not agent.knows(ELSEWHERE)


def test_check_for_somebody_else_is_dropped() -> None:
    agent, peer = full_agent()
    assert agent.on_datagram(peer.check(username="other:names"), SERVER, 0.0) == []


def test_check_from_where_nothing_may_be_sent_is_dropped() -> None:
    agent, peer = full_agent(may_send_to=lambda host: host == SERVER[0])
    assert agent.on_datagram(peer.check(), ELSEWHERE, 0.0) == []
    assert not agent.knows(ELSEWHERE)


def test_check_of_a_peer_that_controls_too_is_a_role_conflict() -> None:
    agent, peer = full_agent()
    ((answer, _),) = agent.on_datagram(peer.check(extra=[(stun.ICE_CONTROLLING, b"\xff" * 8)]), SERVER, 0.0)
    message = stun.parse_message(answer)
    assert message.message_type == stun.BINDING_ERROR
    assert stun.parse_error_code(message.attributes[stun.ERROR_CODE])[0] == 487


def test_check_after_the_nomination_is_answered_and_triggers_nothing() -> None:
    agent, peer = full_agent()
    _nominated(agent, peer)
    assert len(agent.on_datagram(peer.check(), ELSEWHERE, 1.0)) == 1
    assert not agent.knows(ELSEWHERE)


def test_indication_is_ignored() -> None:
    agent, _peer = full_agent()
    assert agent.on_datagram(stun.serialize_message(stun.BINDING_INDICATION, bytes(12), [], None), SERVER, 0.0) == []


# Bounds


def test_candidates_are_bounded() -> None:
    agent, peer = full_agent()
    for port in range(1, 2 * MAX_PAIRS):
        agent.on_datagram(peer.check(), ("192.0.2.3", port), 0.0)
    assert sum(agent.knows(("192.0.2.3", port)) for port in range(1, 2 * MAX_PAIRS)) == MAX_PAIRS - 1


def test_forbidden_candidate_is_not_checked() -> None:
    agent, _peer = full_agent(may_send_to=lambda _host: False)
    assert not agent.add_candidate(*ELSEWHERE, 1)
    assert agent.due(0.0) == []


# Consent


def test_consent_is_asked_without_nominating_again() -> None:
    agent, peer = full_agent()
    _nominated(agent, peer)
    consent = agent.consent(2.5)
    assert consent is not None
    assert (consent[1], nominates(consent[0])) == (SERVER, False)


def test_consent_is_lost_after_silence() -> None:
    agent, peer = full_agent()
    _nominated(agent, peer)
    agent.consent(CONSENT_TIMEOUT_S)
    assert not agent.is_consent_lost
    agent.consent(CONSENT_TIMEOUT_S + 0.1)
    assert agent.is_consent_lost


def test_consent_lasts_while_it_is_given() -> None:
    agent, peer = full_agent()
    _nominated(agent, peer)
    for now_s in range(0, 100, 5):
        consent = agent.consent(float(now_s))
        assert consent is not None
        agent.on_datagram(peer.success(consent[0]), SERVER, now_s + 0.1)
    assert not agent.is_consent_lost
