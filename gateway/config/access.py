"""Settings of who may do what, and of what is told about it."""

import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, field_validator

from gateway.config.section import Secret, Section

Algorithm = Literal["ES256", "EdDSA", "RS256"]


class Tokens(Section):
    """Static bearer tokens, for encoders that have nothing better. Without one the door is open (control: to this
    machine only)."""

    publish: Secret | None = None
    watch: Secret | None = None
    control: Secret | None = None


class AuthSettings(Section):
    """JSON Web Tokens (RFC 7519). Without `jwks` the gateway serves this machine alone."""

    jwks: str | None = None
    """The keys (RFC 7517): a file, or an https URL. With it every door asks for a token."""
    reload_s: float = Field(60.0, ge=1, description="Between two looks at the keys; an unknown kid looks at once.")
    issuer: str | None = None
    audience: str | None = None
    algorithms: tuple[Algorithm, ...] = Field(("ES256", "EdDSA", "RS256"), min_length=1)
    leeway_s: float = Field(5.0, ge=0, le=60, description="By which clocks may differ.")
    open_to_network: bool = False
    """Serve other machines without any token: for closed test networks."""

    @field_validator("jwks")
    @classmethod
    def _is_trustworthy(cls, jwks: str | None) -> str | None:
        """A file; or a URL whose answer nobody on the way can change."""
        if jwks is None or "://" not in jwks or _is_trustworthy(jwks):
            return jwks
        raise ValueError("expected a file, an https URL, or an http URL of this machine")


class AuditSettings(Section):
    """Who published, took over, was kicked, changed a policy."""

    directory: Path | None = None
    """Of the hash-chained audit trail; none: it is only logged."""


class TracingSettings(Section):
    """OpenTelemetry spans, off unless there is an endpoint."""

    otlp_endpoint: AnyHttpUrl | None = None
    sample_share: float = Field(1.0, ge=0, le=1, description="Of the traces that begin here.")


def _is_trustworthy(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http":
        return parts.scheme == "https" and bool(parts.hostname)
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
