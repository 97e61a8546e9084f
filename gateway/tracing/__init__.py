"""OpenTelemetry: what happened to a request or a bet, and under which trace it is found elsewhere."""

from gateway.tracing.spans import Tracing, outgoing

__all__ = ["Tracing", "outgoing"]
