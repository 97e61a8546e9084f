"""Settings of what is played: bet signals, bets, rounds."""

from pathlib import Path
from typing import Self

from pydantic import AnyHttpUrl, Field, model_validator

from gateway.config.section import Secret, Section


class SignalSettings(Section):
    """Bet signals, over a data channel or a WebSocket."""

    ping_s: float = Field(2.0, ge=0.1, le=60, description="Between two pings to a player; its pong measures the RTT.")
    connections: int = Field(5000, ge=1, description="Players with signals, of the process; beyond it they get 503.")
    connections_per_address: int = Field(256, ge=1, description="Of one client address, WebSockets only.")
    max_message_bytes: int = Field(4096, ge=512, le=16_384, description="Largest message of a player.")
    messages_per_s: float = Field(20.0, ge=1, description="Of one player, on average; twice as many in a burst.")
    report_s: float = Field(5.0, ge=1, le=60, description="Between two reports of what a player's browser measured.")


class UpstreamSettings(Section):
    """Where accepted bets are handed on to: a webhook."""

    url: AnyHttpUrl | None = None
    secret: Secret | None = None
    """Signs every request by HMAC-SHA256."""
    queue_bets: int = Field(20_000, ge=1, description="Bets that may wait; beyond it bets are refused as unavailable.")
    lanes: int = Field(16, ge=1, le=256, description="Requests at a time, one of a player.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="For one answer of the upstream.")
    give_up_s: float = Field(
        120.0, ge=1, description="A bet that could not be handed on for so long is undelivered, and its player told."
    )

    @model_validator(mode="after")
    def _is_signed(self) -> Self:
        if self.url is not None and self.secret is None:
            raise ValueError("a url without a secret: the upstream could not tell our bets from anybody's")
        return self


class BetSettings(Section):
    """Who may bet how often, and what becomes of a bet."""

    per_player_per_s: float = Field(5.0, gt=0, description="Bets of one player, on average; twice as many in a burst.")
    per_address_per_s: float = Field(100.0, gt=0, description="Bets of one client address, likewise.")
    per_round: int = Field(20_000, ge=1, description="Bets of a round that are remembered; beyond it: rate_limited.")
    upstream: UpstreamSettings = UpstreamSettings()


class AbortSettings(Section):
    """When the picture has failed a round. Judged while bets are open or the result is due."""

    picture_gap_s: float = Field(2.0, ge=0.2, description="No new picture for so long has failed the round.")
    studio_silent_s: float = Field(
        6.0,
        ge=1,
        description="Nothing at all of the studio for so long: it is gone. Browsers check their path each 5 s.",
    )
    window_s: float = Field(3.0, ge=0.5, le=30, description="Over which loss, lag and drops are looked at.")
    frames_lost_share: float = Field(0.1, gt=0, le=1, description="Of the window's frames lost: the round has failed.")
    loss_share: float = Field(
        0.05, gt=0, le=1, description="Packets of the window that did not come: loss is the cause."
    )
    loop_lag_s: float = Field(1.0, ge=0.05, description="The gateway stood still for so long: it is the cause.")
    kernel_drops: int = Field(20, ge=1, description="Datagrams of the window that this host dropped: it is the cause.")


class RoundSettings(Section):
    """Rounds, and the record of them."""

    history: int = Field(100, ge=1, le=10_000, description="Rounds of a stream that are remembered.")
    ledger: Path | None = None
    """Directory of the hash-chained ledger; none: rounds are only logged."""
    ledger_file_bytes: int = Field(67_108_864, ge=4096, description="A file of the ledger ends at this size.")
    aborts: AbortSettings = AbortSettings()
