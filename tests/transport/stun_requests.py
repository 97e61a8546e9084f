"""Binding requests as a full ICE agent sends them."""

import secrets

from gateway.transport.ice import Credentials
from gateway.wire import stun

REMOTE_UFRAG = "remote"


def binding_request(
    local: Credentials,
    *,
    nominates: bool = False,
    remote_ufrag: str = REMOTE_UFRAG,
    pwd: str | None = None,
    extra: list[tuple[int, bytes]] | None = None,
) -> bytes:
    """A check of the agent whose ufrag is `remote_ufrag`, sent to the one that has `local`; `pwd` forges its key."""
    attributes = [
        (stun.USERNAME, f"{local.ufrag}:{remote_ufrag}".encode()),
        (stun.PRIORITY, bytes(4)),
        (stun.ICE_CONTROLLING, bytes(8)),
        *([(stun.USE_CANDIDATE, b"")] if nominates else []),
        *(extra or []),
    ]
    key = (local.pwd if pwd is None else pwd).encode()
    return stun.serialize_message(stun.BINDING_REQUEST, secrets.token_bytes(12), attributes, key)
