"""Every exception that railbird raises on purpose.

    RailbirdError
    ├── WireError         the peer sent bytes that do not parse: count the datagram and drop it
    ├── SignallingError   the peer asked over HTTP for what cannot be had: answer with its status and sentence
    │   └── LeavingError  this gateway drains: another one may have it
    ├── ConfigError       the operator's settings are wrong: refuse them whole
    └── MisuseError       our own code broke a rule: a bug, never a peer's doing

The peer's fault and our own misuse never share a branch, so that a boundary can catch the one without hiding the other.
"""

from collections.abc import Mapping


class RailbirdError(Exception):
    """Base of all the errors below."""


class WireError(RailbirdError, ValueError):
    """Bytes from the network were short or wrong; the message says which."""


class SignallingError(RailbirdError):
    """An HTTP request of a studio or a player is refused.

    `status` is the HTTP status (4xx or 5xx), `sentence` what a person reads, `headers` what goes with it
    (Retry-After ...).
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})


class LeavingError(SignallingError):
    """503, as this gateway drains. Who answers adds where else the same may be had (RFC 8288)."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(503, "This gateway is shutting down.", {"Retry-After": str(retry_after_s)})


class ConfigError(RailbirdError):
    """A setting is missing, unknown or out of range; the message names where it stands."""


class MisuseError(RailbirdError):
    """A rule between our own modules was broken."""
