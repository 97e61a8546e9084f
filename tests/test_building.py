"""What settings become."""

import asyncio
import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.building import (
    audit_trail,
    codepoints_of,
    media_port,
    round_ledger,
    stream_settings,
    tuned_node,
    webhook_upstream,
)
from gateway.clock import WallClock
from gateway.config import Settings, TracingSettings
from gateway.errors import ConfigError
from gateway.tracing import Tracing
from gateway.transport.marking import Codepoints

CLOCK = WallClock.anchored()


def settings_of(**values: object) -> Settings:
    return Settings.model_validate(values)


def test_fanout_settings_become_those_of_streams() -> None:
    fanout = {"hold_ms": 7.5, "hold_from_viewers": 3, "keyframe_age_s": 4.0, "instant_start_bps": 600_000}
    settings = stream_settings(settings_of(fanout=fanout))
    assert (settings.hold_s, settings.hold_from_viewers, settings.keyframe_age_s) == (0.0075, 3, 4.0)
    assert settings.pacing.floor_bps == 600_000


def test_media_port_marks_packets_where_it_is_told_to() -> None:
    dscp = {"enabled": True, "bet_signals": "AF11", "audio": 1, "video": 2, "retransmission": 3}
    port = media_port(settings_of(udp="127.0.0.1:0", dscp=dscp))
    assert port.socket.codepoints == Codepoints(bet_signals=10, audio=1, video=2, retransmission=3)
    port.socket.close()


def test_media_port_marks_nothing_by_itself() -> None:
    assert codepoints_of(settings_of(dscp={"audio": "EF"}).dscp) is None


def test_node_is_looked_at_where_its_result_is_named(tmp_path: Path) -> None:
    assert tuned_node(Settings()) is None
    assert tuned_node(settings_of(node={"result": tmp_path / "node.json"})) is not None


@pytest.mark.parametrize(("http", "warnings"), [("127.0.0.1:0", 0), ("192.0.2.1:80", 1)])
def test_node_that_nobody_looks_at_is_told_of_where_others_come_in(http: str, warnings: int) -> None:
    with capture_logs() as logs:
        assert tuned_node(settings_of(http=http)) is None
    assert [entry["setting"] for entry in logs] == ["node.result"] * warnings


def test_media_port_that_is_taken_is_named() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(OSError, match=f"media at {taken}"):
            media_port(settings_of(udp=taken))


async def test_upstream_is_there_when_it_has_a_url() -> None:
    tracing = Tracing(TracingSettings())
    assert webhook_upstream(Settings(), CLOCK, tracing) is None
    upstream = {"url": "https://casino.example/bets", "secret": "k" * 32}
    assert webhook_upstream(settings_of(bets={"upstream": upstream}), CLOCK, tracing) is not None


async def test_ledger_is_there_when_it_has_a_directory(tmp_path: Path) -> None:
    assert round_ledger(Settings(), CLOCK) is None
    ledger = round_ledger(settings_of(rounds={"ledger": tmp_path}), CLOCK)
    assert ledger is not None
    await asyncio.to_thread(ledger.close)


@pytest.mark.parametrize("made", [round_ledger, audit_trail])
def test_record_that_cannot_be_written_is_refused(made: object, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    where = tmp_path / "file" / "below"
    assert callable(made)
    with pytest.raises(ConfigError):
        made(settings_of(rounds={"ledger": where}, audit={"directory": where}), CLOCK)
