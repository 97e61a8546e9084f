"""Settings: what there is to set (`settings`), and how it is read (`loading`)."""

from gateway.config.access import Algorithm, AuditSettings, AuthSettings, Tokens, TracingSettings
from gateway.config.drain import DrainSettings
from gateway.config.loading import load
from gateway.config.network import DscpSettings, NodeSettings
from gateway.config.play import AbortSettings, BetSettings, RoundSettings, SignalSettings, UpstreamSettings
from gateway.config.section import Section
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
)

__all__ = [
    "AbortSettings",
    "Algorithm",
    "AuditSettings",
    "AuthSettings",
    "BetSettings",
    "DrainSettings",
    "DscpSettings",
    "Fanout",
    "HlsSettings",
    "HlsStart",
    "HostPort",
    "Limits",
    "NodeSettings",
    "PlayoutDelaySettings",
    "RoundSettings",
    "SecondPublisher",
    "Section",
    "Settings",
    "SignalSettings",
    "SocketBuffers",
    "Timeouts",
    "Tokens",
    "TracingSettings",
    "UpstreamSettings",
    "load",
]
