"""What is known of somebody who came through a door."""

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a token may let its bearer do."""

    PUBLISH = "publish"
    """Publish a stream, and open and close its rounds."""
    WATCH = "watch"
    """Watch a stream by WHEP or LL-HLS, and get its signals."""
    BET = "bet"
    OPERATE = "operate"
    """See who is connected, end sessions, abort rounds, read /ops."""


ANY_STREAM = "*"
STATIC = "static"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as their token says; or, where no token is asked for, nobody in particular."""

    client: str
    """What limits count an address by (`hub.admission.client_key`)."""
    roles: frozenset[Role]
    streams: frozenset[str]
    """Names; ANY_STREAM is all of them."""
    player: str | None = None
    """What tells this player from all others. Never logged in clear; None for one without a token."""
    jurisdiction: str | None = None
    expires_unix_s: float | None = None
    proof: str | None = None
    """The id of the key that signed their token, STATIC for a static one; None for one without a token."""

    def may(self, role: Role, stream: str) -> bool:
        """Whether they may do that at this stream."""
        return role in self.roles and (ANY_STREAM in self.streams or stream in self.streams)


def nobody(client: str, roles: frozenset[Role] = frozenset(Role)) -> Identity:
    """Who comes through an open door."""
    return Identity(client, roles, frozenset({ANY_STREAM}))
