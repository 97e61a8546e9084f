"""The audit trail: who published, took over, was turned away, kicked somebody, changed a policy.

Each is one structured line `audit` in the log; with `audit.directory` also one in a hash-chained ledger of that name.
Nobody is named in clear: a player by a hash, a token by the id of the key that signed it.
"""

from enum import Enum
from typing import Any

import structlog

from gateway.auth.identity import Identity
from gateway.ledger.ledger import Ledger
from gateway.log import PlayerHash
from gateway.rates import Rates

log = structlog.get_logger()

REFUSALS_PER_S = 10.0
"""Of all refusals together; as many as that are written: who tries tokens must not fill the disk."""
REFUSALS_PER_CLIENT_PER_S = 1.0

NAME = "audit"
"""Of the ledger, and of the log's event."""


class Deed(Enum):
    """What is audited."""

    PUBLISH = "publish"
    TAKEOVER = "takeover"
    KICK = "kick"
    """An operator ended a session."""
    REFUSAL = "refusal"
    """A token did not let its bearer publish or operate."""
    KEYS = "keys"
    """Another key set is in force."""
    ABORT = "abort"
    """An operator aborted a round."""
    DRAIN = "drain"
    """An operator told the gateway to drain, or to serve again."""


class Audit:
    """See the module."""

    def __init__(self, player_hash: PlayerHash, ledger: Ledger | None = None) -> None:
        self._player_hash = player_hash
        self._ledger = ledger
        self._refusals = Rates(REFUSALS_PER_S)
        self._refusals_of_client = Rates(REFUSALS_PER_CLIENT_PER_S)
        self._unwritten = 0

    def note(self, deed: Deed, outcome: str, now_s: float, who: Identity | None = None, **what: Any) -> None:
        """`what`: stream, session, and whatever else belongs to it; JSON-ready. Never waits, never raises."""
        record = {"deed": deed.value, "outcome": outcome, **self._told(who), **what}
        log.info(NAME, **record)
        if self._ledger is not None:
            self._ledger.append(NAME, record, now_s)

    def note_refusal(self, cause: str, client: str, now_s: float, **what: Any) -> None:
        """As many as REFUSALS_PER_S; the next that is written says how many were not."""
        if not self._refusals_of_client.allows(client, now_s) or not self._refusals.allows("", now_s):
            self._unwritten += 1
            return
        self.note(Deed.REFUSAL, cause, now_s, client=client, unwrittenBefore=self._unwritten, **what)
        self._unwritten = 0

    def close(self) -> None:
        """Let go of the ledger."""
        if self._ledger is not None:
            self._ledger.close()

    def _told(self, who: Identity | None) -> dict[str, str | None]:
        if who is None:
            return {}
        player = self._player_hash.of(who.player) if who.player is not None else None
        return {"client": who.client, "proof": who.proof, "playerHash": player}
