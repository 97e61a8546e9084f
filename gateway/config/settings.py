"""What an operator may set. `railbird.example.yml` is the manual: every setting with its default, unit and meaning."""

import ipaddress
import json
from enum import Enum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyAddress, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.config.access import AuditSettings, AuthSettings, Tokens, TracingSettings
from gateway.config.drain import DrainSettings
from gateway.config.network import DscpSettings, NodeSettings
from gateway.config.play import BetSettings, RoundSettings, SignalSettings
from gateway.config.section import Secret, Section

PREFIX = "RAILBIRD_"


class HostPort(BaseModel):
    """Where to listen: `127.0.0.1:8080`, `[::]:8189`. Port 0 takes a free one."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int = Field(ge=0, le=65535)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine gets there."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _host_port(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not port.isdigit():
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:8080 or [::]:8189")
    return {"host": host, "port": int(port)}


Listen = Annotated[HostPort, NoDecode, BeforeValidator(_host_port)]


def _addresses(value: object) -> object:
    """A variable's text: JSON as of every list, or parted by commas as Kubernetes' `status.hostIPs` is."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [address.strip() for address in value.split(",")]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("expected JSON, or addresses parted by commas") from None


Addresses = Annotated[tuple[IPvAnyAddress, ...], NoDecode, BeforeValidator(_addresses)]


class SecondPublisher(Enum):
    """What becomes of a publisher that comes to a stream that is live."""

    REFUSE = "refuse"
    TAKE_OVER = "take_over"


class Limits(Section):
    """What peers may use up; beyond it they get 503 and Retry-After."""

    sessions: int = Field(1000, ge=1, description="Sessions of the process, studios and players together.")
    sessions_per_address: int = Field(
        256, ge=1, description="Sessions of one client address; players behind one NAT share it."
    )
    half_open_sessions: int = Field(500, ge=1, description="Sessions that have not finished the DTLS handshake.")
    streams: int = Field(64, ge=1, description="Streams, live or in their grace period.")
    requests_per_address_per_s: float = Field(
        200.0, ge=1, description="WHIP, WHEP, rounds and signals of one client address; twice as many in a burst."
    )
    requests_per_player_per_s: float = Field(20.0, ge=1, description="Likewise of one player, as its token says.")


class Timeouts(Section):
    """Seconds."""

    idle_s: float = Field(15.0, gt=0, description="A session ends when nothing authentic came for this long.")
    handshake_s: float = Field(10.0, gt=0, description="From the POST to the end of the DTLS handshake.")
    stale_publisher_s: float = Field(2.0, gt=0, description="A publisher silent for this long may always be replaced.")
    publisher_grace_s: float = Field(
        60.0, ge=0, description="Viewers stay this long after the last publisher has gone."
    )
    shutdown_s: float = Field(
        5.0, ge=0, description="After SIGINT, or a drain, until the process ends whatever sessions say."
    )


class PlayoutDelaySettings(Section):
    """The playout-delay extension, sent to players that offer it: bounds of their jitter buffer."""

    min_ms: int = Field(0, ge=0, le=40_950)
    max_ms: int = Field(0, ge=0, le=40_950)

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.min_ms > self.max_ms:
            raise ValueError("min_ms is larger than max_ms")
        return self


class Fanout(Section):
    """How packets go out."""

    hold_ms: float = Field(3.0, ge=0, le=20, description="How long packets may wait for the rest of their frame.")
    hold_from_viewers: int = Field(16, ge=1, description="Below this many viewers of a stream nothing waits.")
    instant_start_bps: int = Field(
        8_000_000, ge=500_000, description="Least pace of the packets since the last keyframe."
    )
    keyframe_age_s: float = Field(
        2.0, gt=0, description="While somebody watches, an older keyframe is asked to be renewed."
    )


class HlsStart(Enum):
    """When a stream begins to be packaged for LL-HLS."""

    ON_REQUEST = "on_request"
    AT_ONCE = "at_once"


class HlsSettings(Section):
    """LL-HLS, for players whose network lets no UDP through."""

    enabled: bool = True
    start: HlsStart = HlsStart.ON_REQUEST
    part_ms: int = Field(200, ge=100, le=500, description="Nominal duration of a part; the delay is about four of it.")
    segment_s: float = Field(
        2.0, ge=1, le=10, description="Nominal duration of a segment: the studio's keyframe interval, or a multiple."
    )
    audio_bps: int = Field(96_000, ge=32_000, le=256_000, description="Bitrate of the AAC that Opus is made into.")
    idle_s: float = Field(60.0, ge=5, description="A stream that nobody asked for so long is no longer packaged.")
    waiting_requests: int = Field(
        2000, ge=1, description="Requests of a stream that may wait for a part; beyond it they get 503."
    )


MAX_BUFFER_BYTES = (1 << 30) - 1
"""The kernel counts twice what it is asked for, in an int (net/core/sock.c `__sock_set_rcvbuf`)."""


class SocketBuffers(Section):
    """Asked for; what the kernel grants is in railbird_socket_buffer_bytes."""

    receive_bytes: int = Field(26_214_400, ge=65_536, le=MAX_BUFFER_BYTES)
    send_bytes: int = Field(26_214_400, ge=65_536, le=MAX_BUFFER_BYTES)


class Settings(BaseSettings):
    """Everything an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    http: Listen = HostPort(host="127.0.0.1", port=8080)
    """Signalling, pages, API and metrics; `[::]` listens to IPv4 too."""
    udp: Listen = HostPort(host="::", port=8189)
    """The one media port; `[::]` listens to IPv4 too."""
    public_addresses: Addresses = ()
    """Addresses that players reach us at, best first; empty: this machine's own."""
    second_publisher: SecondPublisher = SecondPublisher.TAKE_OVER
    allowed_origins: tuple[str, ...] = ("*",)
    """Origins that may use WHIP and WHEP from a page (CORS)."""
    trusted_proxies: tuple[IPvAnyAddress, ...] = ()
    """Proxies whose X-Forwarded-For is believed."""
    playout_delay: PlayoutDelaySettings | None = PlayoutDelaySettings()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    drain: DrainSettings = DrainSettings()
    fanout: Fanout = Fanout()
    hls: HlsSettings = HlsSettings()
    socket_buffers: SocketBuffers = SocketBuffers()
    dscp: DscpSettings = DscpSettings()
    node: NodeSettings = NodeSettings()
    signals: SignalSettings = SignalSettings()
    bets: BetSettings = BetSettings()
    rounds: RoundSettings = RoundSettings()
    tokens: Tokens = Tokens()
    auth: AuthSettings = AuthSettings()
    audit: AuditSettings = AuditSettings()
    tracing: TracingSettings = TracingSettings()
    player_hash_key: Secret | None = None
    """Keys the hash that stands for a player in logs; none: a new key with each start."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """`auto`: text on a terminal, else JSON."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def reached_by(self) -> str | None:
        """The setting by which other machines reach the HTTP server; None: this machine alone does."""
        if not self.http.is_loopback:
            return "http"
        return "trusted_proxies" if self.trusted_proxies else None

    @property
    def open_doors(self) -> tuple[str, ...]:
        """The names of the static tokens for whose doors no token could be asked."""
        if self.auth.jwks is not None:
            return ()
        return tuple(name for name, token in self.tokens if token is None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over variables over the file, which `FileSource` holds while `load` runs."""
        return (init_settings, env_settings, FileSource(settings_cls))


class FileSource(PydanticBaseSettingsSource):
    """The parsed file, as the lowest source."""

    values: dict[str, Any] = {}  # noqa: RUF012 - pydantic-settings makes the source itself; `load` sets this for the call

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Required by the base class; `__call__` is what is used."""
        return self.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self.values
