"""Structured logs: one event a line, with the session and the stream where there is one.

Never a token, and never a player in clear: a hash stands for one, the same in every line of a key.
"""

import hashlib
import hmac
import logging
import secrets
import sys

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger

PLAYER_HASH_DIGITS = 16
"""Enough to tell all players of an operator apart."""

_WRITTEN_AS = {"stream": "streamId", "round_id": "roundId", "bet_id": "betId", "player": "playerId"}
"""As in API, signals and ledger, whatever our modules call it."""
_PLAYER_KEYS = ("playerId", "player_id")


class PlayerHash:
    """Replaces what names a player by a keyed hash: without the key nobody finds out who it is by trying names."""

    def __init__(self, key: bytes | None = None) -> None:
        """None: a key of its own, so that lines before and after a restart do not tell that it is the same player."""
        self._key = key if key is not None else secrets.token_bytes(32)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """See `structlog.typing.Processor`. After `named`."""
        for name in _PLAYER_KEYS:
            if event.get(name) is not None:
                event[name] = self.of(str(event[name]))
        return event

    def of(self, player: str) -> str:
        """What stands for that player."""
        digest = hmac.new(self._key, player.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return digest.hexdigest()[:PLAYER_HASH_DIGITS]


def named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write ids by the names that they have outside of the gateway."""
    for name, written_as in _WRITTEN_AS.items():
        if name in event:
            event[written_as] = event.pop(name)
    return event


def traced(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add `traceId` inside of a span."""
    span = trace.get_current_span()
    context = span.get_span_context()
    # A WebSocket outlives the span that it came in.
    if context.is_valid and getattr(span, "end_time", None) is None:
        event["traceId"] = trace.format_trace_id(context.trace_id)
    return event


def configure(log_format: str, level: str, player_hash_key: bytes | None = None) -> None:
    """`log_format` is `auto`, `json` or `text`; logs go to standard error."""
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if as_text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            named,
            PlayerHash(player_hash_key),
            traced,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
