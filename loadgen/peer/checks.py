"""The STUN messages of a full ICE agent that controls (RFC 8445 section 7)."""

from gateway.errors import WireError
from gateway.transport.ice import Credentials
from gateway.wire import stun

# The largest there is: who offers controls, so the other side has to give way (RFC 8445 section 7.3.1.1).
_TIE_BREAKER = bytes([0xFF] * 8)

# Of a peer-reflexive candidate that a check would make known (RFC 8445 section 7.1.1).
_PRIORITY = (110 << 24 | 65535 << 8 | 255).to_bytes(4, "big")

_COMPREHENSION_OPTIONAL_FROM = 0x8000
_COMPREHENDED = {stun.USERNAME, stun.MESSAGE_INTEGRITY, stun.PRIORITY, stun.USE_CANDIDATE}


def check_request(transaction_id: bytes, local: Credentials, remote: Credentials, *, nominates: bool) -> bytes:
    """A check of the agent that has `remote`."""
    attributes = [
        (stun.USERNAME, f"{remote.ufrag}:{local.ufrag}".encode()),
        (stun.ICE_CONTROLLING, _TIE_BREAKER),
        (stun.PRIORITY, _PRIORITY),
        *([(stun.USE_CANDIDATE, b"")] if nominates else []),
    ]
    return stun.serialize_message(stun.BINDING_REQUEST, transaction_id, attributes, remote.pwd.encode())


def success_of(request: stun.Message, source: tuple[str, int], local: Credentials) -> bytes:
    """The answer to an authentic check that came from `source`."""
    mapped = stun.pack_xor_address(source[0], source[1], request.transaction_id)
    return _response(stun.BINDING_SUCCESS, request, [(stun.XOR_MAPPED_ADDRESS, mapped)], local)


def refusal_of(request: stun.Message, local: Credentials) -> bytes | None:
    """The error that an authentic check deserves; None when it deserves none."""
    if stun.ICE_CONTROLLING in request.attributes:
        role_conflict = [(stun.ERROR_CODE, stun.pack_error_code(487, "Role Conflict"))]
        return _response(stun.BINDING_ERROR, request, role_conflict, local)
    unknown = [a for a in request.attributes if a < _COMPREHENSION_OPTIONAL_FROM and a not in _COMPREHENDED]
    if not unknown:
        return None
    listed = b"".join(attribute.to_bytes(2, "big") for attribute in unknown)
    attributes = [(stun.ERROR_CODE, stun.pack_error_code(420, "Unknown Attribute")), (stun.UNKNOWN_ATTRIBUTES, listed)]
    return _response(stun.BINDING_ERROR, request, attributes, local)


def _response(
    message_type: int, request: stun.Message, attributes: list[tuple[int, bytes]], local: Credentials
) -> bytes:
    return stun.serialize_message(message_type, request.transaction_id, attributes, local.pwd.encode())


def error_text(message: stun.Message) -> str:
    """`401 Unauthenticated`, fit for a terminal. WireError for an error without a code."""
    value = message.attributes.get(stun.ERROR_CODE)
    if value is None:
        raise WireError("STUN error has no ERROR-CODE")
    code, reason = stun.parse_error_code(value)
    return f"{code} {''.join(character if character.isprintable() else ' ' for character in reason)}"
