"""What stands in the log, and what never does."""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from gateway import log
from gateway.config import Settings

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def restored_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logging, "basicConfig", lambda **_kwargs: None)
    yield
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def _json(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(capsys)]


@pytest.mark.parametrize("log_format", ["json", "auto"])
def test_json_is_one_object_a_line(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error is no terminal here, so `auto` is JSON."""
    log.configure(log_format, "info")
    structlog.get_logger(stream="table").info("publishing", tracks=["H264"])
    structlog.get_logger().warning("two\nlines")
    first, second = _json(capsys)
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "publishing", "level": "info", "streamId": "table", "tracks": ["H264"]}
    assert (second["event"], second["level"]) == ("two\nlines", "warning")


def test_text_is_for_people_and_without_colours_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("text", "info")
    structlog.get_logger().info("publishing", stream="table")
    (line,) = _lines(capsys)
    assert "publishing" in line
    assert "streamId=table" in line
    assert line.isprintable()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_level_is_the_least_that_is_logged(level: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", level)
    logger = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)("event")
    assert [line["level"] for line in _json(capsys)] == expected


def _fail(token: str) -> None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_failure_is_logged_with_its_traceback_but_no_variables(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(log_format, "info")
    token = SECRET
    try:
        _fail(token)
    except RuntimeError:
        structlog.get_logger().exception("call failed")
    text = "\n".join(_lines(capsys))
    assert "Traceback" in text
    assert "RuntimeError: a bug" in text
    assert SECRET not in text


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_token_is_never_printed(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log_format, "debug")
    settings = Settings.model_validate({"tokens": {"publish": SECRET, "watch": SECRET, "control": SECRET}})
    structlog.get_logger().info("settings", settings=settings, tokens=settings.tokens, token=settings.tokens.publish)
    text = "\n".join(_lines(capsys))
    assert "**********" in text
    assert SECRET not in text


# Who and what it is about


def test_ids_are_named_as_in_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", "info")
    structlog.get_logger(stream="table").info("bet", round_id="r1", bet_id="b1", state="accepted")
    (line,) = _json(capsys)
    assert (line["streamId"], line["roundId"], line["betId"], line["state"]) == ("table", "r1", "b1", "accepted")
    assert not {"stream", "round_id", "bet_id"} & line.keys()


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("name", ["player", "playerId", "player_id"])
def test_player_is_never_in_clear(log_format: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log_format, "debug", b"key")
    structlog.get_logger().bind(**{name: "ada@casino.example"}).warning("bet")
    structlog.get_logger(**{name: "ada@casino.example"}).debug("bet")
    structlog.get_logger().info("bet", **{name: "ada@casino.example"})
    lines = _lines(capsys)
    expected = hmac.new(b"key", b"ada@casino.example", hashlib.sha256).hexdigest()[:16]
    assert len(lines) == 3
    for line in lines:
        assert "ada" not in line
        assert expected in line


def test_player_is_never_in_clear_beside_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", "info")
    player = SECRET
    try:
        _fail(player)
    except RuntimeError:
        structlog.get_logger().exception("call failed", player=player)
    (line,) = _json(capsys)
    assert "Traceback" in line["exception"]
    assert SECRET not in json.dumps(line)


def test_players_are_told_apart_by_their_hashes(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", "info")
    for player in ("ada", "bob", "ada", "\ud800", "", 7):
        structlog.get_logger().info("bet", player=player)
    hashes = [line["playerId"] for line in _json(capsys)]
    assert hashes[0] == hashes[2]
    assert len(set(hashes)) == 5
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in hashes)


def test_hash_is_another_after_each_start_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        log.configure("json", "info")
        structlog.get_logger().info("bet", player="ada")
    first, second = _json(capsys)
    assert first["playerId"] != second["playerId"]


def test_nobody_has_no_hash(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", "info")
    structlog.get_logger().info("signals", player=None)
    structlog.get_logger().info("signals")
    with_none, without = _json(capsys)
    assert with_none["playerId"] is None
    assert "playerId" not in without


def test_trace_is_named_inside_of_a_span_alone(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json", "info")
    span = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(0)))
    with use_span(span):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    inside, outside = _json(capsys)
    assert inside["traceId"] == f"{0xABC:032x}"
    assert "traceId" not in outside
