"""The messages of checks: bytes in, bytes out."""

import pytest

from gateway.errors import WireError
from gateway.transport.ice import Credentials
from gateway.wire import stun
from loadgen.peer.checks import check_request, error_text, refusal_of, success_of

LOCAL = Credentials("ours", "p" * 24)
REMOTE = Credentials("theirs", "q" * 24)
TRANSACTION_ID = bytes(range(12))
SOURCE = ("192.0.2.1", 5000)


def _request(*attributes: tuple[int, bytes]) -> stun.Message:
    datagram = stun.serialize_message(stun.BINDING_REQUEST, TRANSACTION_ID, attributes, LOCAL.pwd.encode())
    return stun.parse_message(datagram)


def _parsed(datagram: bytes, key: Credentials) -> stun.Message:
    message = stun.parse_message(datagram)
    assert stun.verify_integrity(datagram, message, key.pwd.encode())
    assert message.transaction_id == TRANSACTION_ID
    return message


@pytest.mark.parametrize("nominates", [False, True])
def test_check_is_of_a_controlling_agent(nominates: bool) -> None:
    message = _parsed(check_request(TRANSACTION_ID, LOCAL, REMOTE, nominates=nominates), REMOTE)
    attributes = message.attributes
    assert message.message_type == stun.BINDING_REQUEST
    assert attributes[stun.USERNAME] == b"theirs:ours"
    assert attributes[stun.ICE_CONTROLLING] == b"\xff" * 8
    assert int.from_bytes(attributes[stun.PRIORITY], "big") >> 24 == 110
    assert (stun.USE_CANDIDATE in attributes) == nominates


@pytest.mark.parametrize("source", [SOURCE, ("2001:db8::1", 6000)])
def test_success_reflects_the_source(source: tuple[str, int]) -> None:
    message = _parsed(success_of(_request(), source, LOCAL), LOCAL)
    assert message.message_type == stun.BINDING_SUCCESS
    assert stun.parse_xor_address(message.attributes[stun.XOR_MAPPED_ADDRESS], TRANSACTION_ID) == source


def test_check_of_a_controlled_agent_deserves_no_refusal() -> None:
    known = [(stun.USERNAME, b"ours:theirs"), (stun.PRIORITY, bytes(4)), (stun.ICE_CONTROLLED, bytes(8))]
    assert refusal_of(_request(*known, (stun.SOFTWARE, b"any")), LOCAL) is None


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [(stun.ICE_CONTROLLING, "487 Role Conflict"), (0x0099, "420 Unknown Attribute")],
    ids=["controls, too", "must be understood"],
)
def test_check_that_is_refused(attribute: int, expected: str) -> None:
    refusal = refusal_of(_request((attribute, b"")), LOCAL)
    assert refusal is not None
    message = _parsed(refusal, LOCAL)
    assert (message.message_type, error_text(message)) == (stun.BINDING_ERROR, expected)
    listed = message.attributes.get(stun.UNKNOWN_ATTRIBUTES)
    assert listed == (b"\x00\x99" if attribute == 0x0099 else None)


def test_reason_of_an_error_does_nothing_to_a_terminal() -> None:
    error = _request((stun.ERROR_CODE, stun.pack_error_code(401, "\x1b[2J\x07no\n")))
    assert error_text(error) == "401  [2J no "


@pytest.mark.parametrize("attributes", [[], [(stun.ERROR_CODE, b"\x00")]], ids=["none", "short"])
def test_error_without_a_code_does_not_parse(attributes: list[tuple[int, bytes]]) -> None:
    with pytest.raises(WireError):
        error_text(_request(*attributes))
