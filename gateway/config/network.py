"""Settings of how packets are marked, and of the node that they leave from."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.config.section import Section

_CODEPOINTS = (
    {"DF": 0, "LE": 1, "VA": 44, "EF": 46}
    | {f"CS{precedence}": 8 * precedence for precedence in range(8)}
    | {f"AF{group}{drop}": 8 * group + 2 * drop for group in range(1, 5) for drop in range(1, 4)}
)
"""RFC 2474, 2597, 3246, 5865, 8622."""


def _codepoint(value: object) -> object:
    if isinstance(value, str) and not value.isdigit():
        value = _CODEPOINTS.get(value.upper())
    if value is None or isinstance(value, bool):
        raise ValueError("expected a code point by name, such as EF, AF41 or CS0, or a number from 0 to 63")
    return value


Codepoint = Annotated[int, BeforeValidator(_codepoint), Field(ge=0, le=63)]


class DscpSettings(Section):
    """Which DSCP packets to players and studios leave with, by what is in them (RFC 8837)."""

    enabled: bool = False
    """Off: all leave with 0, and what others mark on their way (the node tuner's rules) is theirs alone."""
    bet_signals: Codepoint = 18
    """DTLS, which carries data channels, and WebSockets of signals."""
    audio: Codepoint = 46
    video: Codepoint = 34
    """Also RTCP and STUN."""
    retransmission: Codepoint = 36


class NodeSettings(Section):
    """What the node tuner says of the node (docs/node-tuner.md)."""

    result: Path | None = None
    """The tuner's result file; with it /readyz is 503 unless the node is fit. None: it is not looked at."""
    max_age_s: float | None = Field(None, gt=0, description="An older result is stale; None: it may be of any age.")
