"""Settings: what there is to set (`settings`), and how it is read (`loading`)."""

from gateway.config.loading import load
from gateway.config.settings import (
    Fanout,
    HlsSettings,
    HlsStart,
    HostPort,
    Limits,
    PlayoutDelaySettings,
    SecondPublisher,
    Settings,
    SocketBuffers,
    Timeouts,
    Tokens,
)

__all__ = [
    "Fanout",
    "HlsSettings",
    "HlsStart",
    "HostPort",
    "Limits",
    "PlayoutDelaySettings",
    "SecondPublisher",
    "Settings",
    "SocketBuffers",
    "Timeouts",
    "Tokens",
    "load",
]
