"""What can keep a run from being one.

LoadgenError
├── ScenarioError     the scenario or a threshold is wrong: nothing was started
├── TargetError       the target may not be loaded, or does not answer as a WHIP or WHEP server
└── SignallingError   one session was refused, or its answer is unusable: counted by its cause

What a peer sends in datagrams raises the gateway's own WireError.
"""


class LoadgenError(Exception):
    """Base of all the errors below; the message is for people."""


class ScenarioError(LoadgenError):
    """A setting is unknown, missing or out of range; the message names the line."""


class TargetError(LoadgenError):
    """The target cannot be loaded; the message says why, and what would help."""


class SignallingError(LoadgenError):
    """One session did not come about. `cause` is one of a few words (`http_503`, `answer`, `ice_timeout` ...): it
    becomes a label."""

    def __init__(self, cause: str, message: str, alternate: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.alternate = alternate
        """Where the server says that the same is to be had: a whole URL, which nobody has judged yet."""
