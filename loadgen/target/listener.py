"""Whether anybody listens at the target: a run against nobody would be one in which nobody lost a packet."""

import socket

from yarl import URL

from loadgen.errors import TargetError

CONNECT_WITHIN_S = 5.0
"""Of each of its addresses; a host that drops what it does not know never answers."""


def require_listener(url: str) -> None:
    """Open a connection to the server of `url`, which blocks, and close it. TargetError when that cannot be done.

    Nobody but who is permitted should be asked: `safety.require_permission` comes first.
    """
    parsed = URL(url)
    try:
        socket.create_connection((parsed.host or "", parsed.port or 0), CONNECT_WITHIN_S).close()
    except (OSError, UnicodeError) as error:
        raise TargetError(f"Nobody listens at {parsed.origin()}: {error}.") from error
